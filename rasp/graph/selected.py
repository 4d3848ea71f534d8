"""Over the keys that queries select: how many there are, one of them, and their sum.

Where the selected keys of every query are an interval of positions, sums are differences of running
sums; else they are matrix products. Sums of whole numbers that float32 holds are made in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def over_interval(
    low: Array, high: Array, values: Array, numeric: bool
) -> tuple[Array, Array, Array | None]:
    """How many values stand in [low, high), one of them, and their sum if they are numbers."""
    rows = max(len(low), len(values))
    low, high = (np.broadcast_to(x, (rows, x.shape[1])) for x in (low, high))
    values = np.broadcast_to(values, (rows, values.shape[1]))
    taken = np.take_along_axis(values, np.minimum(low, values.shape[1] - 1), axis=1)
    counts = high - low
    if not numeric:
        return counts, taken, None
    running = np.zeros((rows, values.shape[1] + 1))
    np.cumsum(values, axis=1, out=running[:, 1:])
    summed = np.take_along_axis(running, high, axis=1) - np.take_along_axis(running, low, axis=1)
    return counts, taken, np.where(counts == 1, taken, summed)  # one value passes as it is


def over_pairs(selected: Array, values: Array, numeric: bool) -> tuple[Array, Array, Array | None]:
    """The same over the selected keys of each query."""
    rows, length = max(len(selected), len(values)), values.shape[1]
    wide = np.broadcast_to(selected, (len(selected), selected.shape[1], length))
    small = numeric and bool((values == np.rint(values)).all()) and fits(values)
    weights = wide.astype(np.float32 if small else np.float64)
    counts = weights @ np.ones(length, weights.dtype)
    if not numeric:
        first = wide.argmax(axis=2)
        taken = np.take_along_axis(
            np.broadcast_to(values, (rows, length)),
            np.broadcast_to(first, (rows, first.shape[1])),
            axis=1,
        )
        return counts, taken, None
    summed = (weights @ values[:, :, None].astype(weights.dtype))[:, :, 0].astype(float)
    return counts.astype(float), summed, summed


def fits(values: Array) -> bool:
    """Whether sums of these whole numbers are exact in float32."""
    return bool(np.abs(values).max(initial=0) * values.shape[1] < 2**24)
