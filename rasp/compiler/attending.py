"""Attention: aggregates as sums over heads that select exactly.

A selector is a signed sum of conjunctions (`flann.rasp.compiler.polynomials`), each a head, and the
heads' features come from its atoms::

    Offset(d)      -(k - q - d)^2, with the squares of positions, counted from the middle
    Same(k, q)     binary digits of both: -1 for each that differs
    Related(k, q)  indicators of both: -1 unless the pair is allowed
    KeyHas(p)      [p] - 1 on the key;    QueryHas(p) on the query

each exactly 0 where the atom holds, at most -1 where not. All are multiplied by the sharpness when
weights are written. A condition on the key alone that counts goes into the value instead, so that
all running sums share one head.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import cast

import numpy as np
from typing_extensions import override

from flann.rasp.graph.sops import (
    Aggregate,
    At,
    Constant,
    Map,
    Selector,
    SOp,
    aggregate,
    create_input,
    map_elementwise,
    select,
)
from flann.rasp.language.syntax import Atom as Value

from .leaves import Leaf
from .numeric import Number, Numeric, Ratio
from .polynomials import (
    FIRST,
    SIGNS,
    KeyHas,
    Offset,
    Past,
    Polynomial,
    QueryHas,
    Related,
    Same,
    Term,
    at_least_one,
    at_most_one,
    polynomial,
    times,
)
from .refusal import Refused
from .signals import Affine, Head, Placed

SMALL_RANGE = 32  # numbers whose digits are made in one feed-forward part
MOST_DIGITS = 16


class Lowering(Numeric):
    """A program as signals."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)
        self._polynomials: dict[int, Polynomial] = {}
        self._sums: dict[int, tuple[Selector, SOp]] = {}  # which node is a sum of what over what

    # -- aggregates --------------------------------------------------------------------------------

    @override
    def mean(self, node: Aggregate | At) -> Number:
        node = plain(node)
        terms, values = self.terms(node.selector), node.values
        default = float(cast(float, node.default or 0))
        width = self.count(terms, at_most_one(node.selector))
        if isinstance(values, Constant):
            size = float(cast(float, values.value))
            if at_least_one(node.selector):
                return Affine({}, size)
            return self.plan.steps(width, [1.0], [default, size])
        total = self.total(node, terms)
        if at_most_one(node.selector) or single(terms):
            low, high = min(0.0, total.low), max(0.0, total.high)
            if isinstance(values, Map) and values.function == "indicator":
                low, high = 0.0, 1.0
            made = total.within(low, high)
            return made + (-width + 1.0) * default if default else made
        return Ratio(total, width, default, at_least_one(node.selector))

    def terms(self, selector: Selector) -> Polynomial:
        """A selector as a signed sum of conjunctions."""
        if selector.number not in self._polynomials:
            self._polynomials[selector.number] = polynomial(selector, self.few)
        return self._polynomials[selector.number]

    def total(self, node: Aggregate, terms: Polynomial) -> Affine:
        """The sum of the selected values."""
        values, unique = node.values, at_most_one(node.selector)
        if isinstance(values, Map) and values.function == "indicator":
            having: Polynomial = {frozenset({KeyHas(values.operands[0])}): 1}
            return self.count(times(terms, having), unique)
        return self.summed_over(terms, self.affine(values), unique)

    def count(self, terms: Polynomial, unique: bool) -> Affine:
        """How many keys are selected."""
        parts = (self.count_of(term, unique) * float(m) for term, m in terms.items())
        total = sum(parts, Affine())
        return total.within(0.0, 1.0 if unique else float(self.plan.length))

    def count_of(self, term: Term, unique: bool) -> Affine:
        """How many keys a conjunction selects."""
        having = [atom.condition for atom in term if isinstance(atom, KeyHas)]
        rest = frozenset(atom for atom in term if not isinstance(atom, KeyHas))
        if having == [FIRST] and rest in (frozenset(), frozenset({Past()})):
            return self.plan.one
        if rest == frozenset({Past()}) and not having:
            return self.plan.place + 1.0
        value = self.plan.one
        if having:
            both = having[0]
            for other in having[1:]:
                both = map_elementwise("and", [both, other])
            value = self.truth(both)
        return self.sum_of(rest, value, unique)

    def summed_over(self, terms: Polynomial, value: Affine, unique: bool) -> Affine:
        """The sum of a value over the selected keys."""
        parts = (self.sum_of(term, value, unique) * float(m) for term, m in terms.items())
        return sum(parts, Affine())

    def sum_of(self, term: Term, value: Affine, unique: bool) -> Affine:
        """The sum of a value over the keys of one conjunction."""
        if value.error * (1 if unique else self.plan.length) > 2.0**-8:
            value = self.plan.rounded(value)
        if Offset(0) in term:
            return self.own(term, value)
        head = self.head_of(term, unique)
        return self.plan.attended(head, value)

    def own(self, term: Term, value: Affine) -> Affine:
        """The query's own value, where the rest of the conjunction holds for it."""
        for atom in sorted(term - {Offset(0)}, key=repr):
            if isinstance(atom, QueryHas):
                condition = atom.condition
            elif isinstance(atom, Related):
                condition = self.allowed(atom)
            else:
                condition = map_elementwise("==", [cast(Same, atom).keys, cast(Same, atom).queries])
            value = self.plan.gated(value, self.truth(condition))
        return value

    def allowed(self, atom: Related) -> SOp:
        """Whether a key that is the query itself is allowed."""
        relation = next(name for name, signs in SIGNS.items() if set(signs) == set(atom.signs))
        return map_elementwise(relation, [atom.keys, atom.queries])

    @override
    def attended_leaf(self, node: Aggregate | At) -> Leaf:
        node = plain(node)
        terms = self.terms(node.selector)
        own = self.values_of(node.values)
        default: Value = node.default
        if default is None and node.type in ("number", None):
            default = 0
        empty = default is not None and not at_least_one(node.selector)
        values = [*own, *([default] if empty and default not in own else [])]

        def scalar(row: list[float]) -> Affine:
            numbers = dict(zip(values, row, strict=True))
            total = self.summed_over(terms, self.scalar(node.values, numbers), True)
            if not (empty and default is not None and numbers[default]):
                return total.within(min(0.0, *row), max(0.0, *row))
            width = self.count(terms, True)
            made = total + (-width + 1.0) * numbers[default]
            return made.within(min(row), max(row))

        return Leaf(self.plan, values, scalar)

    @override
    def sum_modulo(self, node: SOp, modulus: int) -> Affine | None:
        found = summed_by(node)
        if found is None or not self.few(found.values):
            return None
        values = self.values_of(found.values)
        if not all(float(cast(float, v)) == int(cast(float, v)) for v in values):
            return None
        whole, mean = self.number(node), self.number(found)
        if not isinstance(mean, Ratio) or whole.key != mean.total.key:  # type: ignore[union-attr]
            return None
        half = modulus // 2
        smaller = {
            v: float((int(cast(float, v)) + half) % modulus - half) if modulus > 2 else
            float(int(cast(float, v)) % 2)
            for v in values
        }  # fmt: skip
        value = self.scalar(found.values, smaller)
        return self.summed_over(self.terms(found.selector), value, at_most_one(found.selector))

    # -- heads -------------------------------------------------------------------------------------

    def head_of(self, term: Term, unique: bool) -> Head:
        """The head of one conjunction."""
        pairs: list[tuple[Affine, Affine]] = []
        for atom in sorted(term - {Past()}, key=lambda atom: str(type(atom)) + repr(atom)):
            if isinstance(atom, Offset):
                pairs += self.by_offset(atom.away)
            elif isinstance(atom, Same):
                pairs += self.by_digits(atom)
            elif isinstance(atom, Related):
                pairs += self.by_relation(atom)
            elif isinstance(atom, KeyHas):
                pairs.append((self.plan.one, self.crisp(atom.condition) - 1.0))
            elif isinstance(atom, QueryHas):
                pairs.append((self.crisp(atom.condition) - 1.0, self.plan.one))
        offsets = [atom.away for atom in term if isinstance(atom, Offset)]
        causal = Past() in term or any(away < 0 for away in offsets)
        return self.plan.head(causal, pairs, unique or bool(offsets))

    def crisp(self, condition: SOp) -> Affine:
        """Whether a condition holds, exactly: its error would be multiplied by the sharpness."""
        return self.plan.rounded(self.truth(condition))

    def by_offset(self, away: int) -> list[tuple[Affine, Affine]]:
        """-(k - q - d)^2."""
        places = np.arange(self.plan.length) - self.plan.middle
        place, square = self.plan.placed(places), self.plan.placed(places**2.0)
        wanted = (place + float(away)) * 2.0
        own = square + place * (2.0 * away) + float(away**2)
        return [(wanted, place), (self.plan.one * -1.0, square), (own * -1.0, self.plan.one)]

    def by_digits(self, atom: Same) -> list[tuple[Affine, Affine]]:
        """-1 for each binary digit that differs."""
        keys, queries = self.affine(atom.keys), self.affine(atom.queries)
        grain = (keys - queries).grain
        low = min(keys.low, queries.low)
        count = max(keys.high, queries.high) - low
        digits = max(1, int(count / float(grain) + 1).bit_length())
        if digits > MOST_DIGITS:
            raise Refused(atom.keys, f"an equality of numbers of more than {MOST_DIGITS} digits")
        scaled = [(x - low) * float(1 / grain) for x in (keys, queries)]
        pairs = zip(*(self.digits(x, digits) for x in scaled), strict=True)
        made = [((q * 2.0 - 1.0) * 0.5, k * 2.0 - 1.0) for k, q in pairs]
        return [*made, (self.plan.one * (-0.5 * digits), self.plan.one)]

    def digits(self, x: Affine, count: int) -> list[Affine]:
        """The binary digits of a whole number from 0, lowest first, exactly."""
        low, high = max(0, floor(x.low)), ceil(x.high)
        if x.terms and all(isinstance(signal, Placed) for signal in x.terms):
            return [self.digit(x, k, low, high) for k in range(count)]
        x = self.plan.rounded(x)
        if high - low < SMALL_RANGE:
            return [self.digit(x, k, low, high) for k in range(count)]
        lower = (count + 1) // 2
        size = 2**lower
        bounds = [float(b) for b in range(size, high + 1, size)]
        upper = self.plan.steps(x, bounds, [float(i) for i in range(len(bounds) + 1)])
        rest = (x - upper * float(size)).within(0.0, size - 1.0)
        return [
            *(self.digit(rest, k, 0, size - 1) for k in range(lower)),
            *(self.digit(x, k, low, high) for k in range(lower, count)),
        ]

    def digit(self, x: Affine, place: int, low: int, high: int) -> Affine:
        """One binary digit as a function of steps."""
        size = 2**place
        bounds = [float(b) for b in range((low // size + 1) * size, high + 1, size)]
        levels = [float((low // size + i) % 2) for i in range(len(bounds) + 1)]
        return self.plan.rounded(self.plan.steps(x, bounds, levels))

    def by_relation(self, atom: Related) -> list[tuple[Affine, Affine]]:
        """-1 unless the pair of values is allowed, by as few groups of values as will do."""
        rows, columns = self.values_of(atom.keys), self.values_of(atom.queries)
        allowed = [[sign(k, q) in atom.signs for q in columns] for k in rows]
        by_key = groups(allowed)
        by_query = groups([list(column) for column in zip(*allowed, strict=True)])
        flipped = len(by_query) < len(by_key)
        made: list[tuple[Affine, Affine]] = []
        for pattern, members in (by_query if flipped else by_key).items():
            others = {i for i, fits in enumerate(pattern) if fits}
            keys, queries = (others, members) if flipped else (members, others)
            if others:
                made.append(
                    (self.among(atom.queries, columns, queries), self.among(atom.keys, rows, keys))
                )
        return [*made, (self.plan.one * -1.0, self.plan.one)]

    def among(self, node: SOp, values: Sequence[Value], chosen: set[int]) -> Affine:
        """Whether a node has one of these values, exactly."""
        numbers = {value: float(i in chosen) for i, value in enumerate(values)}
        return self.plan.rounded(self.scalar(node, numbers))


def sign(key: Value, query: Value) -> str:
    """How a key's value compares with a query's."""
    if key == query:
        return "e"
    return "l" if key < query else "g"  # type: ignore[operator]


def groups(rows: Sequence[Sequence[bool]]) -> dict[tuple[bool, ...], set[int]]:
    """The numbers of equal rows together."""
    found: dict[tuple[bool, ...], set[int]] = {}
    for i, row in enumerate(rows):
        found.setdefault(tuple(row), set()).add(i)
    return found


def single(terms: Polynomial) -> bool:
    """Whether one key at most is selected, as it must be the first of the word."""
    return len(terms) == 1 and KeyHas(FIRST) in next(iter(terms))


def summed_by(node: SOp) -> Aggregate | None:
    """The aggregate whose sum a node is by its form: round((..) * aggregate(..))."""
    if isinstance(node, Map) and node.function == "round":
        return summed_by(node.operands[0])
    if isinstance(node, Map) and node.function == "*":
        found = [part for part in node.operands if isinstance(part, Aggregate)]
        others = [part for part in node.operands if not isinstance(part, Constant)]
        return found[0] if len(found) == 1 and len(others) == 2 else None
    return None


def plain(node: Aggregate | At) -> Aggregate:
    """A numbered position as the aggregate that it is."""
    if isinstance(node, Aggregate):
        return node
    indices = create_input("indices")
    place: SOp | int = node.index
    if node.index < 0:
        first = map_elementwise("indicator", [FIRST])
        length = map_elementwise(
            "round", [map_elementwise("/", [1, aggregate(select(1, 1, "=="), first)])]
        )
        place = map_elementwise("-", [length, -node.index])
    made = aggregate(select(indices, place, "=="), node.values)
    assert isinstance(made, Aggregate)
    return made
