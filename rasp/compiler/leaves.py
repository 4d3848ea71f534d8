"""Variables of few values, from which elementwise functions of few values are made.

An elementwise function of several such *leaves* is a list of cases: in which sets of values its
leaves lie, and its value then. What a leaf offers is `scalar(f)`: the signal of any function f of
its value; an indicator is one such function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flann.rasp.language.syntax import Atom

from .plan import Plan
from .signals import Affine

Values = tuple[Atom, ...]


class Leaf:
    """A variable of few values.

    Parameters
    ----------
    plan : Plan
    values : sequence of atoms
        all that it may be.
    scalar : callable
        from a number for each value to the signal.
    """

    def __init__(
        self, plan: Plan, values: Sequence[Atom], scalar: Callable[[list[float]], Affine]
    ) -> None:
        self.plan, self.values = plan, tuple(values)
        self._scalar = scalar
        self._known: dict[tuple[float, ...], Affine] = {}

    def scalar(self, numbers: Sequence[float]) -> Affine:
        """The signal that is ``numbers[i]`` where this has its value of number i."""
        row = tuple(map(float, numbers))
        if len(set(row)) == 1:
            return Affine({}, row[0])
        if row not in self._known:
            self._known[row] = self._scalar(list(row))
        return self._known[row]

    def within(self, chosen: frozenset[int]) -> Affine:
        """Whether it has one of these values: a sum of indicators of single values."""
        every = range(len(self.values))
        if 2 * len(chosen) > len(self.values):
            return -self.within(frozenset(every) - chosen) + 1.0
        if len(self.values) == 2 and chosen == {0}:  # one indicator serves for both
            return -self.within(frozenset({1})) + 1.0
        return sum((self.scalar([float(i == j) for j in every]) for i in sorted(chosen)), Affine())


@dataclass(frozen=True, eq=False)
class Case:
    """In which sets of values some leaves lie, and what the value is then."""

    where: dict[Leaf, frozenset[int]]
    value: Atom

    def joined(self, other: Case) -> dict[Leaf, frozenset[int]] | None:
        """Where both hold; None if they exclude each other."""
        made = dict(self.where)
        for leaf, chosen in other.where.items():
            made[leaf] = made[leaf] & chosen if leaf in made else chosen
            if not made[leaf]:
                return None
        return made


def steps_leaf(plan: Plan, x: Affine, bounds: Sequence[float], levels: Sequence[Atom]) -> Leaf:
    """A piecewise constant function of a number."""
    values = list(dict.fromkeys(levels))
    place = [values.index(level) for level in levels]
    return Leaf(plan, values, lambda row: plan.steps(x, bounds, [row[i] for i in place]))


def remainder_leaf(plan: Plan, x: Affine, modulus: int) -> tuple[Leaf, Affine]:
    """x modulo a number, and that remainder as a number.

    r = x - n floor(x / n), the floor being a sum of steps; functions of r are steps on r, at most
    n of them, instead of one for each value of x.
    """
    x = plan.rounded(x)
    low = int(np.floor(x.low / modulus))
    high = int(np.floor(x.high / modulus))
    bounds = [float(modulus * k) for k in range(low + 1, high + 1)]
    turns = plan.steps(x, bounds, [float(k) for k in range(low, high + 1)])
    remainder = (x - turns * float(modulus)).within(0.0, modulus - 1.0)

    def scalar(row: list[float]) -> Affine:
        slope = row[1] - row[0]
        if all(abs(row[i] - row[0] - slope * i) < 1e-12 for i in range(modulus)):
            return remainder * slope + row[0]
        return plan.steps(remainder, [float(i) for i in range(1, modulus)], row)

    return Leaf(plan, [float(i) for i in range(modulus)], scalar), remainder
