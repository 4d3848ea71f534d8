"""Equations tested on sampled words, for semigroups that are too large to compute.

An equation that holds for the sampled words proves nothing. If it fails, the words are a witness
that the language is not in the class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import lcm

import numpy as np
from jaxtyping import Bool, Int

from flann.tasks.algebra.transformations import (
    Maps,
    compose,
    compute_omega_power,
    is_aperiodic,
    raise_to_power,
)
from flann.tasks.algebra.verdict import Clock, Verdict
from flann.tasks.automata.moore_machine import MooreMachine, Word

CHOICES = 300  # random choices of words for the variables
MOST_PAIRS = 4096
MOST_ENTRIES = 1 << 22  # of the maps of pairs
LARGEST = 1000  # states; idempotent powers of larger maps are slow
LARGEST_DEGREE = 64  # states, for permutation groups


@dataclass(frozen=True, eq=False)
class SampledEquations:
    """The equations on one machine, tested on single symbols and on pairs of symbols.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> machine = MooreMachine.from_automaton(from_expression("(b|ab*a)*"))
    >>> SampledEquations(machine, Clock.of(1)).refute("SF").witness
    {'x': ('a',)}
    """

    machine: MooreMachine
    clock: Clock

    @cached_property
    def small(self) -> MooreMachine:
        """The machine with symbols of equal action merged."""
        return self.machine.merge_symbols()

    @cached_property
    def words(self) -> list[Word]:
        """The sampled words: all symbols, and as many pairs of symbols as the limits allow."""
        letters = range(len(self.small.symbols))
        pairs: list[Word] = [(a, b) for a in letters for b in letters]
        tried = min(MOST_PAIRS, MOST_ENTRIES // self.small.size)
        return [*((a,) for a in letters), *pairs[:tried]]

    @cached_property
    def maps(self) -> Int[np.ndarray, "words states"]:
        """The action of each sampled word."""
        return np.array([self.small.action(word) for word in self.words])

    def refute(self, name: str) -> Verdict | None:
        """Return a negative verdict if a sample violates the equation of the class, or None."""
        tried = {
            "SF": self.refute_aperiodic,
            "quasi-aperiodic": self.refute_quasi_aperiodic,
            "solvable": self.refute_solvable,
            "L-trivial": self.refute_l_trivial,
            "DA": self.refute_da,
            "LTT": self.refute_threshold_testable,
            "PLT": self.refute_dot_depth_one,
        }
        self.clock.check()
        if name not in tried or (name != "SF" and self.machine.size > LARGEST):
            return None
        return tried[name]()

    def refute_with(self, why: str, **words: Word) -> Verdict:
        """Return a negative verdict with these words as the witness."""
        return Verdict(False, why, {name: self.small.spell(w) for name, w in words.items()})

    # -- groups ----------------------------------------------------------------------------------

    def refute_aperiodic(self) -> Verdict | None:
        """Test x^w = x^(w+1)."""
        turning = ~is_aperiodic(self.maps)
        if not turning.any():
            return None
        return self.refute_with("x^w differs from x^(w+1)", x=self.words[int(turning.argmax())])

    def refute_quasi_aperiodic(self) -> Verdict | None:
        """Test (x^(w-1) y)^w = (x^(w-1) y)^(w+1) for words of equal length, here for symbols."""
        letters = self.small.table.T
        exponent = 2 * lcm(*range(1, self.small.size + 1)) - 1
        before = raise_to_power(letters, exponent)
        for x, inverse in enumerate(before):
            self.clock.check()
            turning = ~is_aperiodic(letters[:, inverse])
            if turning.any():
                why = "(x^(w-1) y)^w differs from (x^(w-1) y)^(w+1), with x and y of equal length"
                return self.refute_with(why, x=(x,), y=(int(turning.argmax()),))
        return None

    def refute_solvable(self) -> Verdict | None:
        """Test whether the symbols that permute the states generate a solvable group."""
        letters = self.small.table.T
        size = self.small.size
        permuting = letters[(np.sort(letters, axis=1) == np.arange(size)).all(axis=1)]
        if size > LARGEST_DEGREE or len(permuting) < 2:
            return None
        from sympy.combinatorics import Permutation, PermutationGroup

        group = PermutationGroup([Permutation(list(map(int, row))) for row in permuting])
        if group.is_solvable:
            return None
        return Verdict(False, f"{len(permuting)} symbols generate a group that is not solvable")

    # -- the others ------------------------------------------------------------------------------

    def draw_words(self, count: int) -> list[Int[np.ndarray, " choices"]]:
        """Draw words for a number of variables, from a fixed seed so that they are reproducible."""
        rng = np.random.Generator(np.random.PCG64(count))
        return list(rng.integers(0, len(self.words), (count, CHOICES)))

    def report_first(
        self, wrong: Bool[np.ndarray, " choices"], why: str, names: str, numbers: list[np.ndarray]
    ) -> Verdict | None:
        """Return the verdict for the first violation, or None."""
        if not wrong.any():
            return None
        row = int(wrong.argmax())
        words = {n: self.words[c[row]] for n, c in zip(names, numbers, strict=True)}
        return self.refute_with(why, **words)

    def refute_l_trivial(self) -> Verdict | None:
        """Test y(xy)^w = (xy)^w."""
        numbers = self.draw_words(2)
        x, y = self.look_up_maps(numbers)
        high = compute_omega_power(compose(x, y))
        wrong = (compose(y, high) != high).any(axis=1)
        return self.report_first(wrong, "y(xy)^w differs from (xy)^w", "xy", numbers)

    def refute_da(self) -> Verdict | None:
        """Test (xyz)^w y (xyz)^w = (xyz)^w."""
        numbers = self.draw_words(3)
        x, y, z = self.look_up_maps(numbers)
        high = compute_omega_power(compose(compose(x, y), z))
        wrong = (compose(compose(high, y), high) != high).any(axis=1)
        return self.report_first(wrong, "(xyz)^w y (xyz)^w differs from (xyz)^w", "xyz", numbers)

    def refute_threshold_testable(self) -> Verdict | None:
        """Test exfyezf = ezfyexf."""
        numbers = self.draw_words(5)
        e, f, x, y, z = self.look_up_maps(numbers)
        e, f = compute_omega_power(e), compute_omega_power(f)
        one, other = (compose_all(e, p, f, y, e, q, f) for p, q in ((x, z), (z, x)))
        wrong = (one != other).any(axis=1)
        return self.report_first(wrong, "exfyezf differs from ezfyexf", "efxyz", numbers)

    def refute_dot_depth_one(self) -> Verdict | None:
        """Test (eafb)^w eafde (cfde)^w = (eafb)^w e (cfde)^w."""
        numbers = self.draw_words(6)
        e, f, a, b, c, d = self.look_up_maps(numbers)
        e, f = compute_omega_power(e), compute_omega_power(f)
        before, after = (
            compute_omega_power(compose_all(e, a, f, b)),
            compute_omega_power(compose_all(c, f, d, e)),
        )
        one = compose_all(before, e, a, f, d, e, after)
        wrong = (one != compose_all(before, e, after)).any(axis=1)
        why = "(eafb)^w eafde (cfde)^w differs from (eafb)^w e (cfde)^w"
        return self.report_first(wrong, why, "efabcd", numbers)

    def look_up_maps(self, numbers: list[Int[np.ndarray, " choices"]]) -> Iterator[Maps]:
        """Yield the maps of the drawn words, one variable at a time."""
        self.clock.check()
        return (self.maps[rows] for rows in numbers)


def compose_all(*maps: Maps) -> Maps:
    """Compose several maps, the first of which is applied first."""
    result = maps[0]
    for x in maps[1:]:
        result = compose(result, x)
    return result
