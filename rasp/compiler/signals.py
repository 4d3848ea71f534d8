"""What a compiled network computes before it has weights: signals, and sums of signals.

A *signal* is one number at every position of a word. It occupies one dimension of the residual
stream from where it is computed to where it is last read, and it is 0 at BOS, the symbol before the
word. There are four kinds::

    SymbolSignal      a function of the symbol        computed by the embedding
    PositionSignal    a function of the position      computed by the table of positions
    AttentionSignal   Σ v over the selected keys      computed by an attention head (see `Head`)
    UnitSignal        Σ w ReLU(z) over units          computed by a feed-forward layer

Linear combinations of signals cost nothing: an `Affine` is evaluated only by the layer that reads
it. Every signal carries bounds on its true values, a bound on its error in the network's
arithmetic, and its *grain*, a number of which all its true values are integer multiples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

from typing_extensions import override

Key = tuple[object, ...]


@dataclass(eq=False)
class Signal:
    """One number at every position.

    Attributes
    ----------
    low, high : float
        Bounds on the true values.
    error : float
        Bound on the difference between the network's value and the true one.
    grain : Fraction
        A number of which all true values are integer multiples.
    """

    low: float
    high: float
    error: float = 0.0
    grain: Fraction = Fraction(1)

    @property
    def inputs(self) -> Iterable[Signal]:
        """The signals from which this one is computed."""
        return ()


@dataclass(eq=False)
class SymbolSignal(Signal):
    """A value for each symbol and one for BOS, which is 0 except in the indicator of BOS."""

    values: tuple[float, ...] = ()
    at_bos: float = 0.0


@dataclass(eq=False)
class PositionSignal(Signal):
    """A value for each position 0 .. T - 1."""

    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Affine:
    """A linear combination of signals plus a constant."""

    terms: Mapping[Signal, float] = field(default_factory=dict)
    constant: float = 0.0
    bounds: tuple[float, float] | None = None  # tighter than those of the signals

    def __add__(self, other: Affine | float) -> Affine:
        if not isinstance(other, Affine):
            shifted = self.bounds and (self.bounds[0] + other, self.bounds[1] + other)
            return Affine(self.terms, self.constant + other, shifted)
        terms = dict(self.terms)
        for signal, factor in other.terms.items():
            terms[signal] = terms.get(signal, 0.0) + factor
        total = Affine({s: c for s, c in terms.items() if c}, self.constant + other.constant)
        if self.bounds or other.bounds:
            return total.tighten(self.low + other.low, self.high + other.high)
        return total

    def __mul__(self, factor: float) -> Affine:
        terms = {s: c * factor for s, c in self.terms.items() if c * factor}
        ends = self.bounds and sorted(end * factor for end in self.bounds)
        return Affine(terms, self.constant * factor, (ends[0], ends[1]) if ends else None)

    def __neg__(self) -> Affine:
        return self * -1.0

    def __sub__(self, other: Affine | float) -> Affine:
        return self + -other

    @property
    def low(self) -> float:
        """The least value that the bounds of the signals allow."""
        if self.bounds is not None:
            return self.bounds[0]
        ends = (c * (s.low if c > 0 else s.high) for s, c in self.terms.items())
        return self.constant + sum(ends)

    @property
    def high(self) -> float:
        """The greatest value that the bounds of the signals allow."""
        if self.bounds is not None:
            return self.bounds[1]
        return -(-self).low

    def tighten(self, low: float, high: float) -> Affine:
        """Return the same number with tighter bounds, which the caller knows to hold."""
        return Affine(self.terms, self.constant, (max(low, self.low), min(high, self.high)))

    @property
    def error(self) -> float:
        """Bound on its error."""
        return sum(abs(c) * s.error for s, c in self.terms.items())

    @property
    def grain(self) -> Fraction:
        """A number of which all true values are integer multiples."""
        parts = [Fraction(c).limit_denominator(1 << 20) * s.grain for s, c in self.terms.items()]
        parts.append(Fraction(self.constant).limit_denominator(1 << 20))
        return find_common_grain(parts)

    @property
    def key(self) -> Key:
        """A key that is equal for equal combinations."""
        return (*sorted((id(s), c) for s, c in self.terms.items()), self.constant)


def find_common_grain(parts: Iterable[Fraction]) -> Fraction:
    """Return the greatest number of which all parts are integer multiples, and 1 if all are 0.

    >>> find_common_grain([Fraction(1, 2), Fraction(3)])
    Fraction(1, 2)
    """
    known = [abs(part) for part in parts if part]
    if not known:
        return Fraction(1)
    denominator = lcm(*(part.denominator for part in known))
    return Fraction(gcd(*(int(part * denominator) for part in known)), denominator)


@dataclass(eq=False)
class Head:
    """An attention head that selects keys exactly and returns the sum of their values.

    The score of a key is the sum of query times key over `pairs`. It is exactly 0 for a selected
    key and at most -c for any other. BOS has the score B and the value 0, and values are multiplied
    by e^B, so that the head returns the *sum* of the selected values, and 0 where no key is
    selected::

        Σ_k e^(score_k) e^B v_k / (e^B + Σ_k e^(score_k))  =  Σ_selected v_k (1 + O(T e^-B))

    `flann.rasp.compiler.sharpness` bounds the error.

    Attributes
    ----------
    causal : bool
        Whether keys after the query are masked.
    pairs : list of (Affine, Affine)
        Query and key features.
    unique : bool
        Whether at most one key is selected.
    """

    causal: bool
    pairs: list[tuple[Affine, Affine]]
    unique: bool


@dataclass(eq=False)
class AttentionSignal(Signal):
    """The sum of a value over the keys that a head selects."""

    head: Head = field(default_factory=lambda: Head(True, [], False))
    value: Affine = field(default_factory=Affine)

    @property
    @override
    def inputs(self) -> Iterable[Signal]:
        for query, key in self.head.pairs:
            yield from query.terms
            yield from key.terms
        yield from self.value.terms


@dataclass(eq=False)
class UnitSignal(Signal):
    """A weighted sum of ReLU units; `units` holds pairs of the unit's input and its weight."""

    units: tuple[tuple[Affine, float], ...] = ()

    @property
    @override
    def inputs(self) -> Iterable[Signal]:
        for preactivation, _ in self.units:
            yield from preactivation.terms
