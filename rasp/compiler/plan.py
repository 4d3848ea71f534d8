"""The building blocks of a compiled network, each with a bound on its error.

Let u be the unit roundoff of the arithmetic (2^-24 in float32). Every signal has a *grain*, a
number of which all its true values are integer multiples, and a bound on its error.

**Steps.** For x of grain g, the indicator [x >= b] is ReLU(z + 1/2) - ReLU(z - 1/2) with
z = 2 (x - b) / g + 1. It is exactly 0 or 1 as long as the error of x is at most g / 4. A piecewise
constant function is a sum of such steps, accumulated away from 0 in both directions so that the
terms stay small. If x is exact, all terms are multiples of a power of two times the weights, and
the sum is exact as long as it stays below 1 / u of these multiples.

**Denoising.** ReLU(x + C) - ReLU(C) with C = 1.5 / (2 u) rounds x to the nearest integer in the
arithmetic itself, since the sum x + C has no bits left for a fraction. One unit and one constant
thus remove the error that attention leaves.

**Conjunctions.** The conjunction of n indicators with sum Σ is ReLU(2 (Σ - n) + 1), which is 0
unless all of them are 1. It doubles their errors, so beyond `SATURATE` it is built as a step.

**Attention.** `flann.rasp.compiler.sharpness` derives the sharpness of a head and the error of its
sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .sharpness import bound_sum_error, compute_sharpness
from .signals import (
    Affine,
    AttentionSignal,
    Head,
    Key,
    PositionSignal,
    Signal,
    SymbolSignal,
    UnitSignal,
    find_common_grain,
)

SATURATE = 2.0**-10
"""The error beyond which a conjunction is built as a step rather than as one unit."""

MORE_PRECISION = "a smaller max_length, or float64"
"""What to suggest where the arithmetic is not precise enough."""


class PrecisionError(Exception):
    """The arithmetic is not precise enough for what a program needs; the message says why."""


@dataclass
class Plan:
    """All signals of one network.

    Parameters
    ----------
    symbols : int
        The number of input symbols.
    length : int
        The length of the longest word.
    unit : float
        The unit roundoff of the arithmetic.
    rounds : bool
        Whether noise is rounded away. Training would disturb the large constant that rounding
        needs, so a network that is to be trained does without it and is as exact as its noise
        allows.
    """

    symbols: int
    length: int
    unit: float = 2.0**-24
    rounds: bool = True
    known: dict[Key, Signal] = field(default_factory=dict)
    largest: float = 1.0  # absolute value that any head sums

    def __post_init__(self) -> None:
        self.word = self.encode_symbols([1.0] * self.symbols)
        self.bos = SymbolSignal(0, 0, values=(0.0,) * self.symbols, at_bos=1.0)
        self.one = Affine({}, 1.0)

    # -- functions of the symbol or the position ---------------------------------------------------

    def encode_symbols(self, values: Sequence[float]) -> SymbolSignal:
        """Return the signal of a function of the symbol, given by its value for each symbol."""
        row = tuple(map(float, values))
        return self._get_or_add(  # type: ignore[return-value]
            ("symbol", row), lambda: SymbolSignal(min(row), max(row), 0.0, find_grain(row), row)
        )

    def encode_positions(self, values: Sequence[float] | NDArray[Any]) -> Affine:
        """Return a function of the position, given by its value at each position."""
        row = tuple(map(float, values))
        if len(set(row)) == 1:
            return Affine({}, row[0])
        signal = self._get_or_add(
            ("position", row), lambda: PositionSignal(min(row), max(row), 0.0, find_grain(row), row)
        )
        return Affine({signal: 1.0})

    @property
    def center(self) -> int:
        """The position that is encoded as 0: the middle, so that squares stay small."""
        return self.length // 2

    @property
    def position(self) -> Affine:
        """The position, 0 to T - 1, as a number."""
        return self.encode_positions(np.arange(self.length) - self.center) + self.center

    # -- units -------------------------------------------------------------------------------------

    def sum_units(
        self, units: Sequence[tuple[Affine, float]], low: float, high: float, error: float
    ) -> Affine:
        """Return a weighted sum of ReLU units.

        Parameters
        ----------
        units : sequence of (Affine, float)
            The input of each unit and its weight.
        low, high : float
            Bounds on the true values of the sum.
        error : float
            Bound on its error.
        """
        kept = [(preactivation, weight) for preactivation, weight in units if weight]
        if not kept:
            return Affine()
        key = ("units", *((preactivation.key, weight) for preactivation, weight in kept))
        grain = find_common_grain(Fraction(w).limit_denominator(1 << 20) for _, w in kept)
        signal = self._get_or_add(key, lambda: UnitSignal(low, high, error, grain, tuple(kept)))
        return Affine({signal: 1.0})

    def build_steps(self, x: Affine, bounds: Sequence[float], levels: Sequence[float]) -> Affine:
        """Return the function of x that is ``levels[i]`` where exactly i of the ascending `bounds`
        are at most x.
        """
        inside = [i for i, b in enumerate(bounds) if x.low < b <= x.high]
        if not inside:
            return Affine({}, levels[sum(b <= x.low for b in bounds)])
        bounds = [bounds[i] for i in inside]
        levels = [levels[inside[0]], *(levels[i + 1] for i in inside)]
        if all(isinstance(signal, PositionSignal) for signal in x.terms):
            return self.encode_positions(
                np.array(levels)[np.searchsorted(bounds, self.tabulate(x), "right")]
            )
        x = self.denoise_for_steps(x, bounds, levels)
        grain = float(x.grain)
        start = sum(b <= 0 for b in bounds)
        units: list[tuple[Affine, float]] = []
        for i, b in enumerate(bounds):
            jump = levels[i + 1] - levels[i]
            z = (x - b) * (2 / grain) + 1.0
            if i >= start:
                units += [(z + 0.5, jump), (z - 0.5, -jump)]
            else:  # 1 - [x >= b], accumulated from the other side
                units += [(-z + 0.5, -jump), (-z - 0.5, jump)]
        error = 0.0 if x.error == 0 else self.bound_step_error(x, bounds, levels)
        low, high = min(levels), max(levels)
        shift = levels[start]
        return self.sum_units(units, low - shift, high - shift, error) + shift

    def denoise_for_steps(
        self, x: Affine, bounds: Sequence[float], levels: Sequence[float]
    ) -> Affine:
        """Return x, denoised if its error would be visible in a sum of steps.

        Raises
        ------
        PrecisionError
            If x may be off by more than a quarter of its grain, or the sum would not be exact.
        """
        grain = float(x.grain)
        jumps = [abs(b - a) for a, b in pairwise(levels)]
        if x.error and (
            x.error > grain / 4 or self.bound_step_error(x, bounds, levels) > SATURATE / 4
        ):
            x = self.denoise(x)
        if x.error > grain / 4:
            raise PrecisionError(f"a number may be off by {x.error:.2g}, in steps of {grain:g}")
        if not x.error:
            unit = (
                float(find_common_grain(Fraction(j).limit_denominator(1 << 20) for j in jumps)) / 2
            )
            if self.bound_partial_sum(x, bounds, levels) / unit > 0.5 / self.unit:
                raise PrecisionError(
                    f"a function of numbers to {max(abs(x.low), abs(x.high)):.0f} with"
                    f" {len(bounds)} steps is not exact"
                )
        return x

    def bound_partial_sum(
        self, x: Affine, bounds: Sequence[float], levels: Sequence[float]
    ) -> float:
        """Bound the largest partial sum that occurs while a sum of steps is computed."""
        grain, total = float(x.grain), [0.0, 0.0]
        for i, b in enumerate(bounds):
            jump = abs(levels[i + 1] - levels[i])
            distance = x.high - b if b > 0 else b - x.low
            total[b > 0] += jump * (2 * max(distance, 0) / grain + 2)
        return max(total)

    def bound_step_error(
        self, x: Affine, bounds: Sequence[float], levels: Sequence[float]
    ) -> float:
        """Bound the error of a sum of steps of an x that is not exact."""
        return 4 * self.unit * self.bound_partial_sum(x, bounds, levels)

    def denoise(self, x: Affine) -> Affine:
        """Return x with each inexact signal in it rounded to its grain."""
        if not x.error:
            return x
        result = Affine({}, x.constant)
        for signal, factor in x.terms.items():
            result = result + self.denoise_signal(signal) * factor
        return result if x.bounds is None else result.tighten(*x.bounds)

    def denoise_signal(self, signal: Signal) -> Affine:
        """Return a signal rounded to its grain, which is exact.

        Raises
        ------
        PrecisionError
            If the signal may be off by more than a quarter of its grain.
        """
        if not signal.error or not self.rounds:
            return Affine({signal: 1.0})
        grain = float(signal.grain)
        if signal.error > grain / 4:
            raise PrecisionError(
                f"a sum of numbers to {max(abs(signal.low), abs(signal.high)):.0f} may be off by"
                f" {signal.error:.2g}, which is too much for its steps of {grain:g}"
            )
        large = 0.75 / self.unit
        preactivation = Affine({signal: 1 / grain}) + large
        units = [(preactivation, 1.0), (Affine({}, large), -1.0)]
        return self.sum_units(units, signal.low / grain, signal.high / grain, 0.0) * grain

    def conjoin(self, indicators: Sequence[Affine]) -> list[tuple[Affine, float]]:
        """Return the weighted units whose sum is the conjunction of some indicators.

        Raises
        ------
        PrecisionError
            If the indicators are too inexact to be told apart.
        """
        total = sum(indicators, Affine()) - float(len(indicators))
        if 2 * total.error <= SATURATE:
            return [(total * 2.0 + 1.0, 1.0)]
        if 2 * total.error > 0.5:
            raise PrecisionError(f"an indicator may be off by {total.error:.2g}")
        return [(total * 4.0 + 2.5, 1.0), (total * 4.0 + 1.5, -1.0)]

    def bound_conjunction_error(self, indicators: Sequence[Affine]) -> float:
        """Bound the error of the conjunction of some indicators."""
        error = 2 * sum(part.error for part in indicators)
        noisy = error + 8 * self.unit if error <= SATURATE else 16 * self.unit
        return noisy if error else 0.0

    def gate(self, x: Affine, condition: Affine) -> Affine:
        """Return x where an indicator holds and 0 elsewhere."""
        if not x.terms:
            return condition * x.constant
        low, size = x.low, x.high - x.low
        preactivation = x - low + condition * size - size
        error = x.error + size * condition.error + 8 * self.unit * (abs(low) + size)
        if x.error == condition.error == 0 and (abs(low) + 2 * size) * self.unit < 0.25:
            error = 0.0
        signal = self.sum_units([(preactivation, 1.0)], 0.0, size, error)
        for unit in signal.terms:
            unit.grain = x.grain  # the unit's weight is 1, so the grain is that of x
        return signal + condition * low

    # -- attention ---------------------------------------------------------------------------------

    @property
    def sharpness(self) -> float:
        """The score of BOS, and the least amount by which an unselected key scores below 0."""
        return compute_sharpness(self.length, self.largest, self.unit)

    def get_head(self, causal: bool, pairs: Sequence[tuple[Affine, Affine]], unique: bool) -> Head:
        """Return the head with these features; heads with equal features are one object."""
        key = ("head", causal, unique, *((q.key, k.key) for q, k in pairs))
        known = self.known.get(key)
        if known is None:
            known = AttentionSignal(0, 0, head=Head(causal, list(pairs), unique))
            self.known[key] = known
        assert isinstance(known, AttentionSignal)
        return known.head

    def attend(self, head: Head, value: Affine) -> Affine:
        """Return the sum of a value over the keys that a head selects."""
        if not value.terms and not value.constant:
            return Affine()
        denominator = value.grain.denominator
        if denominator & (denominator - 1):  # thirds have no exact binary form: sum integers
            return self.attend(head, value * float(denominator)) * (1.0 / denominator)
        size = max(abs(value.low), abs(value.high))
        self.largest = max(self.largest, size)
        most_keys = 1 if head.unique else self.length
        low, high = min(0.0, most_keys * value.low), max(0.0, most_keys * value.high)
        error = bound_sum_error(size, self.length, self.unit, unique=head.unique)
        error += most_keys * value.error
        grain = value.grain
        signal = self._get_or_add(
            ("attention", id(head), value.key),
            lambda: AttentionSignal(low, high, error, grain, head, value),
        )
        return Affine({signal: 1.0})

    # -- internals ---------------------------------------------------------------------------------

    def tabulate(self, x: Affine) -> NDArray[np.floating]:
        """Return the value of a function of the position at every position."""
        total = np.full(self.length, x.constant)
        for signal, factor in x.terms.items():
            assert isinstance(signal, PositionSignal)
            total += factor * np.array(signal.values)
        return total

    def _get_or_add(self, key: Key, make: Callable[[], Signal]) -> Signal:
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]


def find_grain(values: Sequence[float]) -> Fraction:
    """Return the greatest number of which all values are integer multiples."""
    return find_common_grain(Fraction(value).limit_denominator(1 << 20) for value in set(values))
