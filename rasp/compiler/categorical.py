"""Categorical variables, from which elementwise functions of few values are composed.

A *categorical variable* takes one of few values at each position. It can produce the signal of any
function of its value (`Categorical.encode`), and so the indicator of any set of its values. A
function of several variables is a list of cases: a set of values for each variable, and the value
of the function if every variable lies in its set.
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
        The plan to which signals are added.
    values : sequence of Atom
        All values that the variable may take.
    encode : callable
        A function from one number for each value to the signal of that function.
    """

    def __init__(
        self, plan: Plan, values: Sequence[Atom], encode: Callable[[list[float]], Affine]
    ) -> None:
        self.plan, self.values = plan, tuple(values)
        self._encode = encode
        self._known: dict[tuple[float, ...], Affine] = {}

    def encode(self, numbers: Sequence[float]) -> Affine:
        """Return the signal that is ``numbers[i]`` where the variable is ``values[i]``."""
        row = tuple(map(float, numbers))
        if len(set(row)) == 1:
            return Affine({}, row[0])
        if row not in self._known:
            self._known[row] = self._encode(list(row))
        return self._known[row]

    def indicate(self, allowed: frozenset[int]) -> Affine:
        """Return the indicator of a set of values, given by their indices."""
        every = range(len(self.values))
        if 2 * len(allowed) > len(self.values):
            return -self.indicate(frozenset(every) - allowed) + 1.0
        if len(self.values) == 2 and allowed == {0}:  # share the indicator of the other value
            return -self.indicate(frozenset({1})) + 1.0
        return sum((self.encode([float(i == j) for j in every]) for i in sorted(allowed)), Affine())


@dataclass(frozen=True, eq=False)
class Case:
    """Allowed values of some variables, by index, and a function's value where all of them hold."""

    where: dict[Categorical, frozenset[int]]
    value: Atom

    def intersect(self, other: Case) -> dict[Categorical, frozenset[int]] | None:
        """Return the sets for which both cases hold, or None if the cases exclude each other."""
        result = dict(self.where)
        for variable, allowed in other.where.items():
            result[variable] = result[variable] & allowed if variable in result else allowed
            if not result[variable]:
                return None
        return result


def build_step_categorical(
    plan: Plan, x: Affine, bounds: Sequence[float], levels: Sequence[Atom]
) -> Categorical:
    """Return a piecewise constant function of a number as a categorical variable."""
    values = list(dict.fromkeys(levels))
    level_index = [values.index(level) for level in levels]
    return Categorical(
        plan, values, lambda row: plan.build_steps(x, bounds, [row[i] for i in level_index])
    )


def build_remainder_categorical(plan: Plan, x: Affine, modulus: int) -> tuple[Categorical, Affine]:
    """Return x modulo an integer n as a categorical variable and as a number.

    The remainder is r = x - n floor(x / n), where the floor is a sum of steps. Functions of r are
    then sums of at most n steps in r, rather than one step for every value of x.
    """
    x = plan.denoise(x)
    low = int(np.floor(x.low / modulus))
    high = int(np.floor(x.high / modulus))
    bounds = [float(modulus * k) for k in range(low + 1, high + 1)]
    quotient = plan.build_steps(x, bounds, [float(k) for k in range(low, high + 1)])
    remainder = (x - quotient * float(modulus)).tighten(0.0, modulus - 1.0)

    def encode_row(row: list[float]) -> Affine:
        slope = row[1] - row[0]
        if all(abs(row[i] - row[0] - slope * i) < 1e-12 for i in range(modulus)):
            return remainder * slope + row[0]
        return plan.build_steps(remainder, [float(i) for i in range(1, modulus)], row)

    return Categorical(plan, [float(i) for i in range(modulus)], encode_row), remainder
