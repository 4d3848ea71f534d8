"""What a compiled network computes, before it has weights: signals, and sums of signals.

A *signal* is one number at every position of a word, held in one dimension of the residual stream
from when it is made to when it is last read. It is 0 at the symbol before the word (BOS). There
are four kinds::

    Embedded    a function of the symbol            from the embedding
    Placed      a function of the position          from the table of positions
    Attended    sum over the selected keys of v     from an attention head (see `Head`)
    Made        sum over units of w ReLU(z)         from a feed-forward part

Whatever is linear in signals costs nothing: an `Affine` is only read where it is needed. Every
signal carries bounds on its values, a bound on its error in the network's arithmetic, and its
grain: its true values are whole multiples of that.
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
        bounds on its true values.
    error : float
        bound on how far the network's value is from the true one.
    grain : Fraction
        true values are multiples of it.
    """

    low: float
    high: float
    error: float = 0.0
    grain: Fraction = Fraction(1)

    @property
    def inputs(self) -> Iterable[Signal]:
        """The signals that it is made of."""
        return ()


@dataclass(eq=False)
class Embedded(Signal):
    """A value for each symbol; and one for BOS, 0 for all signals but the mark of BOS itself."""

    values: tuple[float, ...] = ()
    at_bos: float = 0.0


@dataclass(eq=False)
class Placed(Signal):
    """A value for each position 0 .. T - 1."""

    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Affine:
    """A sum of signals with coefficients, and a constant."""

    terms: Mapping[Signal, float] = field(default_factory=dict)
    constant: float = 0.0
    bounds: tuple[float, float] | None = None  # known to be closer than the signals' tell

    def __add__(self, other: Affine | float) -> Affine:
        if not isinstance(other, Affine):
            moved = self.bounds and (self.bounds[0] + other, self.bounds[1] + other)
            return Affine(self.terms, self.constant + other, moved)
        terms = dict(self.terms)
        for signal, factor in other.terms.items():
            terms[signal] = terms.get(signal, 0.0) + factor
        made = Affine({s: c for s, c in terms.items() if c}, self.constant + other.constant)
        if self.bounds or other.bounds:
            return made.within(self.low + other.low, self.high + other.high)
        return made

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
        """The least value that the bounds allow."""
        if self.bounds is not None:
            return self.bounds[0]
        ends = (c * (s.low if c > 0 else s.high) for s, c in self.terms.items())
        return self.constant + sum(ends)

    @property
    def high(self) -> float:
        """The greatest value that the bounds allow."""
        if self.bounds is not None:
            return self.bounds[1]
        return -(-self).low

    def within(self, low: float, high: float) -> Affine:
        """The same, known to lie between these."""
        return Affine(self.terms, self.constant, (max(low, self.low), min(high, self.high)))

    @property
    def error(self) -> float:
        """The bound on its error."""
        return sum(abs(c) * s.error for s, c in self.terms.items())

    @property
    def grain(self) -> Fraction:
        """Its true values are multiples of this."""
        parts = [Fraction(c).limit_denominator(1 << 20) * s.grain for s, c in self.terms.items()]
        parts.append(Fraction(self.constant).limit_denominator(1 << 20))
        return common_grain(parts)

    @property
    def key(self) -> Key:
        """Equal for equal sums."""
        return (*sorted((id(s), c) for s, c in self.terms.items()), self.constant)


def common_grain(parts: Iterable[Fraction]) -> Fraction:
    """The greatest number of which all of these are multiples; 1 if all are 0.

    >>> common_grain([Fraction(1, 2), Fraction(3)])
    Fraction(1, 2)
    """
    known = [abs(part) for part in parts if part]
    if not known:
        return Fraction(1)
    below = lcm(*(part.denominator for part in known))
    return Fraction(gcd(*(int(part * below) for part in known)), below)


@dataclass(eq=False)
class Head:
    """An attention head that selects exactly.

    The score of a key is the sum of query times key over `pairs`: exactly 0 for a selected key, at
    most -c for the others. BOS scores B with the value 0, and values are multiplied by e^B, so that
    the head returns the *sum* of the selected values, none selected giving 0::

        Σ_k e^(score_k) e^B v_k / (e^B + Σ_k e^(score_k))  =  Σ_selected v_k (1 + O(T e^-B))

    Attributes
    ----------
    causal : bool
        whether keys after the query are masked.
    pairs : list of (Affine, Affine)
        query and key features.
    unique : bool
        whether at most one key is selected.
    """

    causal: bool
    pairs: list[tuple[Affine, Affine]]
    unique: bool


@dataclass(eq=False)
class Attended(Signal):
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
class Made(Signal):
    """A sum of ReLU units: pairs of what goes into the unit, and its weight."""

    units: tuple[tuple[Affine, float], ...] = ()

    @property
    @override
    def inputs(self) -> Iterable[Signal]:
        for before, _ in self.units:
            yield from before.terms
