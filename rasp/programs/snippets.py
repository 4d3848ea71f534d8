"""Pieces of RASP source that several generated programs share."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

CUMULATIVE_SUM = (
    "def csum(x) { return round((indices + 1) * aggregate(select(indices, indices, <=), x)); }"
)
"""Defines ``csum``: the sum of the values up to each position."""

EVER = "def ever(x) { return aggregate(select(indices, indices, <=), indicator(x)) > 0; }"
"""Defines ``ever``: whether a condition held at some position up to each."""

LOOK_BACK = (
    "def look(x, d, before) { return aggregate(select(indices, indices - d, ==), x, before); }"
)
"""Defines ``look``: the value d positions before each, or a default before the word."""


def format_table(symbols: Sequence[str], values: Sequence[object]) -> str:
    """Return a dict from the symbols to the values.

    >>> format_table("ab", [0, 1])
    '{"a": 0, "b": 1}'
    """
    return "{" + ", ".join(f'"{s}": {v}' for s, v in zip(symbols, values, strict=True)) + "}"


def format_mixed_radix(names: Sequence[str], orders: Sequence[int]) -> str:
    """Return the expression that combines several small numbers into one.

    Parameters
    ----------
    names : sequence of str
        the names of the numbers, the most significant first.
    orders : sequence of int
        how many values each of them has.

    Examples
    --------
    >>> format_mixed_radix(["a", "b"], [3, 2])
    '2 * a + b'
    """
    terms = []
    for i, name in enumerate(names):
        scale = prod(orders[i + 1 :])
        terms.append(name if scale == 1 else f"{scale} * {name}")
    return " + ".join(terms) or "0"
