"""Transformations of a set of states: composition and powers, vectorised with one map a row.

A word acts on states from the right, so ``xy`` applies x first and then y: ``(xy)[q] = y[x[q]]``.
"""

from __future__ import annotations

from math import lcm

import numpy as np
from jaxtyping import Bool, Integer

Maps = Integer[np.ndarray, "*rows states"]


def compose(x: Maps, y: Maps) -> Maps:
    """Compose maps row by row: x is applied first, then y.

    >>> compose(np.array([1, 2, 0]), np.array([0, 0, 1])).tolist()
    [0, 1, 0]
    """
    if y.ndim == 1:
        composed: Maps = y[x]
    else:
        x, y = np.broadcast_arrays(x, y)
        composed = np.take_along_axis(y, x.astype(np.intp, copy=False), axis=-1)
    return composed


def raise_to_power(x: Maps, exponent: int) -> Maps:
    """Return the power x^exponent for an exponent of at least 1, by repeated squaring."""
    result = None
    while exponent:
        if exponent & 1:
            result = x if result is None else compose(result, x)
        exponent >>= 1
        if exponent:
            x = compose(x, x)
    assert result is not None
    return result


def raise_to_large_power(x: Maps) -> Maps:
    """Return x^n for the least power of two n that is at least the number of states.

    Of an aperiodic map this is the idempotent power.
    """
    exponent = 1
    while exponent < x.shape[-1]:
        x, exponent = compose(x, x), 2 * exponent
    return x


def is_idempotent(x: Maps) -> Bool[np.ndarray, "*rows"]:
    """Return which maps are equal to their own squares."""
    idempotent: Bool[np.ndarray, "*rows"] = (compose(x, x) == x).all(axis=-1)
    return idempotent


def is_aperiodic(x: Maps) -> Bool[np.ndarray, "*rows"]:
    """Return which maps satisfy x^n = x^(n+1) for all large n, so that their powers do not cycle.

    >>> is_aperiodic(np.array([[1, 2, 2], [1, 0, 2]])).tolist()
    [True, False]
    """
    high = raise_to_large_power(x)
    aperiodic: Bool[np.ndarray, "*rows"] = (compose(high, x) == high).all(axis=-1)
    return aperiodic


def compute_omega_power(x: Maps) -> Maps:
    """Return the idempotent power x^w of each map.

    The least common multiple of 1 .. n is a multiple of the length of every cycle of a map on n
    states and, for n of at least 3, greater than n. Few maps need so high a power.

    >>> compute_omega_power(np.array([[1, 2, 0], [1, 2, 1]])).tolist()
    [[0, 1, 2], [2, 1, 2]]
    """
    result = raise_to_large_power(x)
    single = result.ndim == 1
    result = np.atleast_2d(result).copy()
    left = ~is_idempotent(result)
    if left.any():
        result[left] = raise_to_power(result[left], lcm(*range(1, x.shape[-1] + 1)))
    return result[0] if single else result
