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


class Categorical:
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
        self, plan: Plan, values: Sequence[Atom], encode: Callable[[list[float]], Affine]
    ) -> None:
        self.plan, self.values = plan, tuple(values)
        self._encode = encode
        self._known: dict[tuple[float, ...], Affine] = {}

    def encode(self, numbers: Sequence[float]) -> Affine:
        """The signal that is ``numbers[i]`` where this has its value of number i."""
        row = tuple(map(float, numbers))
        if len(set(row)) == 1:
            return Affine({}, row[0])
        if row not in self._known:
            self._known[row] = self._encode(list(row))
        return self._known[row]

    def indicate(self, allowed: frozenset[int]) -> Affine:
        """Whether it has one of these values: a sum of indicators of single values."""
        every = range(len(self.values))
        if 2 * len(allowed) > len(self.values):
            return -self.indicate(frozenset(every) - allowed) + 1.0
        if len(self.values) == 2 and allowed == {0}:  # one indicator serves for both
            return -self.indicate(frozenset({1})) + 1.0
        return sum((self.encode([float(i == j) for j in every]) for i in sorted(allowed)), Affine())


@dataclass(frozen=True, eq=False)
class Case:
    """In which sets of values some leaves lie, and what the value is then."""

    where: dict[Categorical, frozenset[int]]
    value: Atom

    def intersect(self, other: Case) -> dict[Categorical, frozenset[int]] | None:
        """Where both hold; None if they exclude each other."""
        result = dict(self.where)
        for variable, allowed in other.where.items():
            result[variable] = result[variable] & allowed if variable in result else allowed
            if not result[variable]:
                return None
        return result


def build_step_categorical(
    plan: Plan, x: Affine, bounds: Sequence[float], levels: Sequence[Atom]
) -> Categorical:
    """A piecewise constant function of a number."""
    values = list(dict.fromkeys(levels))
    level_index = [values.index(level) for level in levels]
    return Categorical(
        plan, values, lambda row: plan.build_steps(x, bounds, [row[i] for i in level_index])
    )


def build_remainder_categorical(plan: Plan, x: Affine, modulus: int) -> tuple[Categorical, Affine]:
    """x modulo a number, and that remainder as a number.

    r = x - n floor(x / n), the floor being a sum of steps; functions of r are steps on r, at most
    n of them, instead of one for each value of x.
    """
    x = plan.denoise(x)
    low = int(np.floor(x.low / modulus))
    high = int(np.floor(x.high / modulus))
    bounds = [float(modulus * k) for k in range(low + 1, high + 1)]
    turns = plan.build_steps(x, bounds, [float(k) for k in range(low, high + 1)])
    remainder = (x - turns * float(modulus)).tighten(0.0, modulus - 1.0)

    def encode_row(row: list[float]) -> Affine:
        slope = row[1] - row[0]
        if all(abs(row[i] - row[0] - slope * i) < 1e-12 for i in range(modulus)):
            return remainder * slope + row[0]
        return plan.build_steps(remainder, [float(i) for i in range(1, modulus)], row)

    return Categorical(plan, [float(i) for i in range(modulus)], encode_row), remainder
