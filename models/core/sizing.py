"""Sizes for a parameter budget: a width and a second knob that together meet it within 1%.

Width alone leaves gaps of up to 4%, so two numbers are solved for. Every architecture has a
customary second knob s(d) at width d (a feed-forward of 4d, a state as wide as the stream). The
two widths whose customary models are just below and just above the budget are found by bisection,
and at each the second knob that closes what is left; the pair that departs less from custom is
taken. If neither comes within 1%, the widths around them are tried, the nearest first.

Counts come from modules built on torch's meta device, which have shapes and no numbers. Layers of
one model are alike, so models of one and two layers tell the count at any depth.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import log

import torch

from flann.errors import UserError

from .architecture import Architecture, Sizes

TOLERANCE = 0.01
NEIGHBOURS = 8
"""How many widths on either side of the customary ones are tried."""

Count = Callable[[int, int], int]
"""From (width, second knob) to the number of parameters."""


def solve(
    architecture: Architecture, name: str, *, symbols: int, labels: int, depth: int, parameters: int
) -> Sizes:
    """The sizes whose model has `parameters` parameters, within 1%.

    Raises
    ------
    UserError
        if no sizes come that close; it says how close they come, or the smallest possible.
    """
    if depth < 1:
        raise UserError(f"depth {depth}: expected 1 or more")
    count = counter(architecture, symbols, labels, depth)
    least = count(architecture.width_step, lowest(architecture))
    if parameters < least * (1 - TOLERANCE):
        raise UserError(
            f"{parameters:,} parameters are too few for {name} at depth {depth} with {symbols}"
            f" symbols and {labels} labels: the smallest possible has {least:,}"
        )
    misses: list[int] = []
    for widths in _widths(architecture, count, parameters):
        fits: dict[Sizes, float] = {}
        for width in widths:
            for second in _seconds(architecture, count, width, parameters):
                off = abs(count(width, second) / parameters - 1)
                if off <= TOLERANCE:
                    departure = abs(log(second / customary(architecture, width)))
                    fits[Sizes(width, second, depth)] = departure + off
                misses.append(count(width, second))
        if fits:
            return min(fits, key=lambda sizes: fits[sizes])
    nearest = sorted(misses, key=lambda n: abs(n - parameters))[:2]
    listed = " or ".join(f"{n:,} ({n / parameters - 1:+.1%})" for n in nearest)
    raise UserError(
        f"{name} at depth {depth} cannot have {parameters:,} parameters within 1%: nearest {listed}"
    )


def counter(architecture: Architecture, symbols: int, labels: int, depth: int) -> Count:
    """The number of parameters at this depth, as a function of width and second knob."""

    @cache
    def count(width: int, second: int) -> int:
        one, two = (built(Sizes(width, second, layers)) for layers in (1, 2))
        return one + (depth - 1) * (two - one)

    def built(sizes: Sizes) -> int:
        with torch.device("meta"):
            model = architecture.model("", symbols=symbols, labels=labels, sizes=sizes)
        return model.sizes["parameters"]

    return count


def customary(architecture: Architecture, width: int) -> int:
    """The second knob's customary value at a width, as a multiple of its step."""
    step = architecture.knob_step
    return max(lowest(architecture), round(architecture.customary(width) / step) * step)


def lowest(architecture: Architecture) -> int:
    """The second knob's smallest value."""
    return max(architecture.knob_least, architecture.knob_step)


def _widths(architecture: Architecture, count: Count, budget: int) -> list[list[int]]:
    """The customary widths just below and above the budget, then pairs further and further out."""
    step = architecture.width_step
    below = _last(lambda w: count(w * step, customary(architecture, w * step)) <= budget)
    pairs = [(below - away, below + 1 + away) for away in range(NEIGHBOURS + 1)]
    return [[w * step for w in pair if w > 0] for pair in pairs]


def _seconds(architecture: Architecture, count: Count, width: int, budget: int) -> list[int]:
    """The second knobs on either side of the budget at this width; none if all are above it."""
    step = architecture.knob_step
    first = lowest(architecture) // step
    if count(width, first * step) > budget * (1 + TOLERANCE):
        return []
    usual = customary(architecture, width) // step
    below = _last(lambda s: count(width, s * step) <= budget, first, usual)
    return [below * step, (below + 1) * step]


def _last(holds: Callable[[int], bool], first: int = 1, guess: int = 2) -> int:
    """The last number from `first` on of which a monotone property holds (`first` if none).

    >>> _last(lambda n: n * n <= 200), _last(lambda n: n < 0)
    (14, 1)
    """
    low, high = first, max(first + 1, guess)
    while holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
