"""Reductions over the keys that each query selects: their number, one value, and the sum.

Where the selected keys of every query form an interval of positions, a sum is a difference of
running sums; otherwise it is a matrix product. Whole numbers whose sums float32 represents exactly
are summed in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def reduce_intervals(
    low: Array, high: Array, values: Array, numeric: bool
) -> tuple[Array, Array, Array | None]:
    """Reduce the values at positions low to high - 1 of each query.

    Parameters
    ----------
    low, high : arrays of int, (1 or words, 1 or queries)
    values : array, (1 or words, keys)
    numeric : bool
        whether the values have a sum.

    Returns
    -------
    counts : array
        the number of selected values.
    first : array
        the first of them; arbitrary where there is none.
    sums : array or None
        their sum, if they are numbers.
    """
    rows = max(len(low), len(values))
    low, high = (np.broadcast_to(x, (rows, x.shape[1])) for x in (low, high))
    values = np.broadcast_to(values, (rows, values.shape[1]))
    first = np.take_along_axis(values, np.minimum(low, values.shape[1] - 1), axis=1)
    counts = high - low
    if not numeric:
        return counts, first, None
    running = np.zeros((rows, values.shape[1] + 1))
    np.cumsum(values, axis=1, out=running[:, 1:])
    sums = np.take_along_axis(running, high, axis=1) - np.take_along_axis(running, low, axis=1)
    return counts, first, np.where(counts == 1, first, sums)  # a single value stays exact


def reduce_pairs(
    selected: Array, values: Array, numeric: bool
) -> tuple[Array, Array, Array | None]:
    """Reduce the values at the selected keys of each query, as `reduce_intervals` does.

    Parameters
    ----------
    selected : array of bool, (1 or words, 1 or queries, 1 or keys)
    values : array, (1 or words, keys)
    numeric : bool
    """
    rows, length = max(len(selected), len(values)), values.shape[1]
    wide = np.broadcast_to(selected, (len(selected), selected.shape[1], length))
    whole = numeric and bool((values == np.rint(values)).all())
    weights = wide.astype(np.float32 if whole and sums_fit_float32(values) else np.float64)
    counts = weights @ np.ones(length, weights.dtype)
    if not numeric:
        keys = wide.argmax(axis=2)
        first = np.take_along_axis(
            np.broadcast_to(values, (rows, length)),
            np.broadcast_to(keys, (rows, keys.shape[1])),
            axis=1,
        )
        return counts, first, None
    sums = (weights @ values[:, :, None].astype(weights.dtype))[:, :, 0].astype(float)
    return counts.astype(float), sums, sums


def sums_fit_float32(values: Array) -> bool:
    """Return whether every sum of these whole numbers is exact in float32."""
    return bool(np.abs(values).max(initial=0) * values.shape[1] < 2**24)
