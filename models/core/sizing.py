"""The width and second size of a model that meets a parameter budget within 1%.

Varying the width alone leaves gaps of up to 4%, so two sizes are varied. Every architecture has a
default second size s(d) at width d (a feed-forward width of 4d, a state as wide as the stream).
Bisection finds the two consecutive widths whose models with the default second size lie just below
and just above the budget. At each of them, the second size is chosen to meet the budget, and the
pair that departs less from the default is taken. If neither is within 1%, neighbouring widths are
tried, the nearest first.

Parameters are counted on torch's meta device, where modules have shapes but no values. The layers
of a model are alike, so models of one and two layers determine the count at any depth.
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
"""How many further widths are tried below and above the first two."""

Count = Callable[[int, int], int]
"""A function from (width, second size) to the number of parameters."""


def solve_sizes(
    architecture: Architecture, name: str, *, symbols: int, labels: int, depth: int, parameters: int
) -> Sizes:
    """Return the sizes of a model with `parameters` parameters, within 1%.

    Raises
    ------
    UserError
        If no sizes come that close; the message gives the nearest counts, or the smallest possible.
    """
    if depth < 1:
        raise UserError(f"depth {depth}: expected 1 or more")
    count = build_parameter_counter(architecture, symbols, labels, depth)
    smallest = count(architecture.width_step, architecture.smallest_second_size)
    if parameters < smallest * (1 - TOLERANCE):
        raise UserError(
            f"{parameters:,} parameters are too few for {name} at depth {depth} with {symbols}"
            f" symbols and {labels} labels: the smallest possible has {smallest:,}"
        )
    misses: list[int] = []
    for widths in _list_widths(architecture, count, parameters):
        fits: dict[Sizes, float] = {}
        for width in widths:
            default = compute_default_second_size(architecture, width)
            for second_size in _list_second_sizes(architecture, count, width, parameters):
                off = abs(count(width, second_size) / parameters - 1)
                if off <= TOLERANCE:
                    fits[Sizes(width, second_size, depth)] = abs(log(second_size / default)) + off
                misses.append(count(width, second_size))
        if fits:
            return min(fits, key=lambda sizes: fits[sizes])
    nearest = sorted(misses, key=lambda n: abs(n - parameters))[:2]
    listed = " or ".join(f"{n:,} ({n / parameters - 1:+.1%})" for n in nearest)
    raise UserError(
        f"{name} at depth {depth} cannot have {parameters:,} parameters within 1%: nearest {listed}"
    )


def build_parameter_counter(
    architecture: Architecture, symbols: int, labels: int, depth: int
) -> Count:
    """Build the function from width and second size to the number of parameters at this depth."""

    @cache
    def count(width: int, second_size: int) -> int:
        one, two = (count_parameters(Sizes(width, second_size, layers)) for layers in (1, 2))
        return one + (depth - 1) * (two - one)

    def count_parameters(sizes: Sizes) -> int:
        with torch.device("meta"):
            model = architecture.build_model("", symbols=symbols, labels=labels, sizes=sizes)
        return model.sizes["parameters"]

    return count


def compute_default_second_size(architecture: Architecture, width: int) -> int:
    """Return the default second size at a width, rounded to a multiple of its step."""
    step = architecture.second_size_step
    rounded = round(architecture.default_second_size(width) / step) * step
    return max(architecture.smallest_second_size, rounded)


def _list_widths(architecture: Architecture, count: Count, budget: int) -> list[list[int]]:
    """List pairs of widths: those just below and above the budget, then further and further out."""
    step = architecture.width_step

    def fits(steps: int) -> bool:
        width = steps * step
        return count(width, compute_default_second_size(architecture, width)) <= budget

    below = _find_last(fits)
    pairs = [(below - offset, below + 1 + offset) for offset in range(NEIGHBOURS + 1)]
    return [[steps * step for steps in pair if steps > 0] for pair in pairs]


def _list_second_sizes(
    architecture: Architecture, count: Count, width: int, budget: int
) -> list[int]:
    """List the second sizes just below and above the budget; none if the smallest exceeds it."""
    step = architecture.second_size_step
    first = architecture.smallest_second_size // step
    if count(width, first * step) > budget * (1 + TOLERANCE):
        return []
    guess = compute_default_second_size(architecture, width) // step
    below = _find_last(lambda s: count(width, s * step) <= budget, first, guess)
    return [below * step, (below + 1) * step]


def _find_last(holds: Callable[[int], bool], first: int = 1, guess: int = 2) -> int:
    """Return the last number from `first` on that has a monotone property (`first` if none has).

    >>> _find_last(lambda n: n * n <= 200), _find_last(lambda n: n < 0)
    (14, 1)
    """
    low, high = first, max(first + 1, guess)
    while holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
