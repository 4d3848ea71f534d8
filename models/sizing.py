"""Sizes for a parameter budget: a width and a second knob that together meet it within 1%.

Width alone leaves gaps of up to 4%, so two numbers are solved for. Every architecture has a
customary second knob s(d) at width d (a feed-forward of 4d, a state as wide as the stream). The
width whose customary model is just at the budget is found by bisection; then, for widths around
it, the second knob closes what is left, and of all pairs within the tolerance the one that
departs least from custom is taken. Counts come from modules built on torch's meta device, which
have shapes and no numbers; layers of one model are alike, so two of them are built, never all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import log

import torch

from flann.errors import UserError

from .architecture import Architecture, Sizes

TOLERANCE = 0.01
NEIGHBOURS = 8
"""How many widths on either side of the customary one are tried."""


@dataclass(frozen=True)
class Fit:
    """A pair of sizes and the parameters it comes to."""

    sizes: Sizes
    parameters: int


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
            f" symbols and {labels} labels: the smallest has {least:,}"
        )
    fits = list(candidates(architecture, count, depth, parameters))
    close = [fit for fit in fits if abs(fit.parameters - parameters) <= TOLERANCE * parameters]
    if not close:
        raise UserError(_miss(name, depth, parameters, fits))
    return min(close, key=lambda fit: _departure(architecture, fit, parameters)).sizes


def candidates(
    architecture: Architecture, count: Callable[[int, int], int], depth: int, budget: int
) -> Iterator[Fit]:
    """For widths about the customary one, the two second knobs on either side of the budget."""
    step, knob_step = architecture.width_step, architecture.knob_step
    middle = _last(lambda w: count(w * step, _customary(architecture, w * step)) <= budget)
    for w in range(max(1, middle - NEIGHBOURS), middle + NEIGHBOURS + 1):
        width, first = w * step, lowest(architecture) // knob_step
        if count(width, first * knob_step) > budget * (1 + TOLERANCE):
            continue
        below = _last(lambda s, d=width: count(d, s * knob_step) <= budget, first)  # type: ignore[misc]
        for s in (below, below + 1):
            sizes = Sizes(width, s * knob_step, depth)
            yield Fit(sizes, count(sizes.width, sizes.second))


def counter(
    architecture: Architecture, symbols: int, labels: int, depth: int
) -> Callable[[int, int], int]:
    """A function from (width, second knob) to the number of parameters, at this depth."""

    @lru_cache(maxsize=None)
    def count(width: int, second: int) -> int:
        one, two = (_built(Sizes(width, second, layers)) for layers in (1, 2))
        return one + (depth - 1) * (two - one)

    def _built(sizes: Sizes) -> int:
        with torch.device("meta"):
            model = architecture.model("", symbols=symbols, labels=labels, sizes=sizes)
        return model.sizes["parameters"]

    return count


def lowest(architecture: Architecture) -> int:
    """The second knob's smallest value."""
    return max(architecture.knob_least, architecture.knob_step)


def _customary(architecture: Architecture, width: int) -> int:
    """The customary second knob as a multiple of its step."""
    step = architecture.knob_step
    return max(lowest(architecture), round(architecture.customary(width) / step) * step)


def _last(holds: Callable[[int], bool], first: int = 1) -> int:
    """The last number from `first` on of which a monotone property holds (`first` if none)."""
    low, high = first, first + 1
    while holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _departure(architecture: Architecture, fit: Fit, budget: int) -> float:
    """How far a fit is from the customary shape, and a little from the budget."""
    usual = architecture.customary(fit.sizes.width)
    return abs(log(fit.sizes.second / usual)) + abs(fit.parameters / budget - 1)


def _miss(name: str, depth: int, budget: int, fits: list[Fit]) -> str:
    nearest = sorted(fits, key=lambda fit: abs(fit.parameters - budget))[:2]
    found = " or ".join(
        f"{fit.parameters:,} ({fit.parameters / budget - 1:+.1%})" for fit in nearest
    )
    return f"{name} at depth {depth} cannot have {budget:,} parameters within 1%: nearest {found}"
