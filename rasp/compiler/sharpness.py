"""How sharp an attention head must be to select exactly, and how exact its sums then are.

A compiled head (`flann.rasp.compiler.signals.Head`) gives every selected key the score 0, every
other key a score of at most -c, and BOS the score B with the value 0. Values are multiplied by
e^B. With S the selected keys, the head returns ::

    Σ_k e^(s_k) e^B v_k / (e^B + Σ_k e^(s_k))
        = (Σ_(k in S) v_k + Σ_(k not in S) e^(s_k) v_k) / (1 + e^(-B) Σ_k e^(s_k))

Let T be the length of the longest word, V the largest absolute value that any head sums, and u the
unit roundoff of the arithmetic (2^-24 in float32, 2^-53 in float64).

**Leakage.** The keys outside S add at most T V e^(-c).

**Sink.** The denominator differs from 1 by at most T e^(-B), a relative error of the sum.

**Bound.** Both are below u, the first absolutely and the second relative to the sum, if c and B are
at least ln(T max(V, 1) / u). The compiler uses one number for both: the least power of two that is
no smaller than this bound (`compute_sharpness`). It is a power of two so that multiplying the
features by it is exact.

**Rounding.** What remains is the error of the softmax and of the sum in finite precision
(`bound_sum_error`): V T (T / 16 + 8) u for a sum over up to T keys, and 16 V u for a sum over at
most one. These constants are larger than any error that was measured, and the compiled program is
compared with the interpreter (`flann.rasp.compiler.check`).
"""

from __future__ import annotations

from math import ceil, log

import numpy as np


def compute_sharpness(length: int, largest: float, unit: float) -> float:
    """Return the sharpness c, which is also the score B of BOS.

    Parameters
    ----------
    length : int
        The length of the longest word, T.
    largest : float
        The largest absolute value that any head sums, V.
    unit : float
        The unit roundoff of the arithmetic, u.

    Examples
    --------
    >>> compute_sharpness(256, 1.0, 2.0**-24)
    32.0
    """
    least = log(length * max(largest, 1.0) / unit)
    return float(2 ** ceil(np.log2(least)))


def bound_sum_error(largest: float, length: int, unit: float, *, unique: bool) -> float:
    """Return a bound on the rounding error of a head's sum of exact values.

    Parameters
    ----------
    largest : float
        The largest absolute value that this head sums.
    length : int
        The length of the longest word.
    unit : float
        The unit roundoff of the arithmetic.
    unique : bool
        Whether the head selects at most one key.
    """
    spread = 16 if unique else length * (length / 16 + 8)
    return largest * spread * unit
