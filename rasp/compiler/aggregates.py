"""The third pass: aggregates, as sums over attention heads that select exactly.

A selector is a signed sum of conjunctions (`flann.rasp.compiler.polynomials`). Each conjunction is
one head, and each of its factors contributes query and key features whose products add up to::

    Offset(d)      -(k - q - d)^2, from positions counted from the middle, and their squares
    Same(k, q)     minus the number of binary digits in which the two numbers differ
    Related(k, q)  0 if the pair of values is allowed, otherwise -1
    KeyHas(p)      [p] - 1 at the key;    QueryHas(p)  [p] - 1 at the query

Each is exactly 0 where the factor holds and at most -1 where it does not. All are multiplied by
the sharpness when the weights are written (`flann.rasp.compiler.sharpness` derives how large it
must be). A condition on the key alone multiplies the value instead of entering the score, so that
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
from flann.rasp.language.syntax import Atom

from .categorical import Categorical
from .numeric import Number, Numeric, Ratio
from .plan import Plan
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
    expand,
    multiply,
    selects_at_least_one,
    selects_at_most_one,
)
from .refusal import RefusalError
from .signals import Affine, Head, PositionSignal

SMALL_RANGE = 32  # of numbers whose digits are computed in one feed-forward layer
MOST_DIGITS = 16


class Lowering(Numeric):
    """All passes from a program to signals."""

    def __init__(self, plan: Plan, symbols: Sequence[Atom], root: SOp) -> None:
        super().__init__(plan, symbols, root)
        self._polynomials: dict[int, Polynomial] = {}

    # -- aggregates --------------------------------------------------------------------------------

    @override
    def lower_aggregate(self, node: Aggregate | At) -> Number:
        """Lower an aggregate: to a sum if at most one key is selected, otherwise to a ratio."""
        node = as_aggregate(node)
        terms, values = self.expand_selector(node.selector), node.values
        default = float(cast(float, node.default or 0))
        width = self.count_keys(terms, selects_at_most_one(node.selector))
        if isinstance(values, Constant):
            size = float(cast(float, values.value))
            if selects_at_least_one(node.selector):
                return Affine({}, size)
            return self.plan.build_steps(width, [1.0], [default, size])
        total = self.sum_values(node, terms)
        if selects_at_most_one(node.selector) or selects_only_first(terms):
            low, high = min(0.0, total.low), max(0.0, total.high)
            if isinstance(values, Map) and values.function == "indicator":
                low, high = 0.0, 1.0
            result = total.tighten(low, high)
            return result + (-width + 1.0) * default if default else result
        return Ratio(total, width, default, selects_at_least_one(node.selector))

    def expand_selector(self, selector: Selector) -> Polynomial:
        """Expand a selector into a signed sum of conjunctions."""
        if selector.number not in self._polynomials:
            self._polynomials[selector.number] = expand(selector, self.is_categorical)
        return self._polynomials[selector.number]

    def sum_values(self, node: Aggregate, terms: Polynomial) -> Affine:
        """Return the sum of the selected values."""
        values, unique = node.values, selects_at_most_one(node.selector)
        if isinstance(values, Map) and values.function == "indicator":
            conditions: Polynomial = {frozenset({KeyHas(values.operands[0])}): 1}
            return self.count_keys(multiply(terms, conditions), unique)
        return self.sum_over(terms, self.lower_affine(values), unique)

    def count_keys(self, terms: Polynomial, unique: bool) -> Affine:
        """Return the number of selected keys."""
        parts = (self.count_keys_of_term(term, unique) * float(m) for term, m in terms.items())
        total = sum(parts, Affine())
        return total.tighten(0.0, 1.0 if unique else float(self.plan.length))

    def count_keys_of_term(self, term: Term, unique: bool) -> Affine:
        """Return the number of keys that one conjunction selects."""
        conditions = [factor.condition for factor in term if isinstance(factor, KeyHas)]
        conditions.sort(key=lambda condition: condition.number)  # a set has no order of its own
        rest = frozenset(factor for factor in term if not isinstance(factor, KeyHas))
        if conditions == [FIRST] and rest in (frozenset(), frozenset({Past()})):
            return self.plan.one
        if rest == frozenset({Past()}) and not conditions:
            return self.plan.position + 1.0
        value = self.plan.one
        if conditions:
            both = conditions[0]
            for other in conditions[1:]:
                both = map_elementwise("and", [both, other])
            value = self.encode_truth(both)
        return self.sum_over_term(rest, value, unique)

    def sum_over(self, terms: Polynomial, value: Affine, unique: bool) -> Affine:
        """Return the sum of a value over the selected keys."""
        parts = (self.sum_over_term(term, value, unique) * float(m) for term, m in terms.items())
        return sum(parts, Affine())

    def sum_over_term(self, term: Term, value: Affine, unique: bool) -> Affine:
        """Return the sum of a value over the keys that one conjunction selects."""
        if value.error * (1 if unique else self.plan.length) > 2.0**-8:
            value = self.plan.denoise(value)
        if Offset(0) in term:
            return self.gate_own_value(term, value)
        head = self.build_head(term, unique)
        return self.plan.attend(head, value)

    def gate_own_value(self, term: Term, value: Affine) -> Affine:
        """Return the query's own value where the rest of the conjunction holds for it, and 0
        elsewhere.
        """
        for factor in sorted(term - {Offset(0)}, key=repr):
            if isinstance(factor, QueryHas):
                condition = factor.condition
            elif isinstance(factor, Related):
                condition = self.compare_at_itself(factor)
            else:
                condition = map_elementwise(
                    "==", [cast(Same, factor).keys, cast(Same, factor).queries]
                )
            value = self.plan.gate(value, self.encode_truth(condition))
        return value

    def compare_at_itself(self, factor: Related) -> SOp:
        """Return whether a key that is the query itself is allowed, as an s-op."""
        relation = next(name for name, signs in SIGNS.items() if set(signs) == set(factor.signs))
        return map_elementwise(relation, [factor.keys, factor.queries])

    @override
    def fetch_categorical(self, node: Aggregate | At) -> Categorical:
        """Return a categorical value that attention fetches: a sum over at most one key."""
        node = as_aggregate(node)
        terms = self.expand_selector(node.selector)
        fetched = self.list_values(node.values)
        default: Atom = node.default
        if default is None and node.type in ("number", None):
            default = 0
        can_be_empty = default is not None and not selects_at_least_one(node.selector)
        values = [*fetched, *([default] if can_be_empty and default not in fetched else [])]

        def encode_row(row: list[float]) -> Affine:
            numbers = dict(zip(values, row, strict=True))
            total = self.sum_over(terms, self.encode(node.values, numbers), True)
            if not (can_be_empty and default is not None and numbers[default]):
                return total.tighten(min(0.0, *row), max(0.0, *row))
            width = self.count_keys(terms, True)
            result = total + (-width + 1.0) * numbers[default]
            return result.tighten(min(row), max(row))

        return Categorical(self.plan, values, encode_row)

    @override
    def sum_modulo(self, node: SOp, modulus: int) -> Affine | None:
        """Return a sum of categorical values with each value replaced by its smallest congruent
        one.
        """
        summed = find_summed_aggregate(node)
        if summed is None or not self.is_categorical(summed.values):
            return None
        values = self.list_values(summed.values)
        if not all(float(cast(float, v)) == int(cast(float, v)) for v in values):
            return None
        number, mean = self.lower_number(node), self.lower_number(summed)
        if not isinstance(mean, Ratio) or number.key != mean.total.key:  # type: ignore[union-attr]
            return None
        half = modulus // 2
        smaller = {
            v: float((int(cast(float, v)) + half) % modulus - half) if modulus > 2 else
            float(int(cast(float, v)) % 2)
            for v in values
        }  # fmt: skip
        value = self.encode(summed.values, smaller)
        return self.sum_over(
            self.expand_selector(summed.selector), value, selects_at_most_one(summed.selector)
        )

    # -- heads -------------------------------------------------------------------------------------

    def build_head(self, term: Term, unique: bool) -> Head:
        """Return the head of one conjunction."""
        pairs: list[tuple[Affine, Affine]] = []
        for factor in sorted(term - {Past()}, key=lambda factor: str(type(factor)) + repr(factor)):
            if isinstance(factor, Offset):
                pairs += self.match_offset(factor.distance)
            elif isinstance(factor, Same):
                pairs += self.match_digits(factor)
            elif isinstance(factor, Related):
                pairs += self.match_relation(factor)
            elif isinstance(factor, KeyHas):
                pairs.append((self.plan.one, self.encode_exactly(factor.condition) - 1.0))
            elif isinstance(factor, QueryHas):
                pairs.append((self.encode_exactly(factor.condition) - 1.0, self.plan.one))
        offsets = [factor.distance for factor in term if isinstance(factor, Offset)]
        causal = Past() in term or any(distance < 0 for distance in offsets)
        return self.plan.get_head(causal, pairs, unique or bool(offsets))

    def encode_exactly(self, condition: SOp) -> Affine:
        """Return the indicator of a condition without error, since the sharpness would multiply
        it.
        """
        return self.plan.denoise(self.encode_truth(condition))

    def match_offset(self, distance: int) -> list[tuple[Affine, Affine]]:
        """Return the features of -(k - q - d)^2."""
        positions = np.arange(self.plan.length) - self.plan.center
        position, square = (
            self.plan.encode_positions(positions),
            self.plan.encode_positions(positions**2.0),
        )
        target = (position + float(distance)) * 2.0
        own = square + position * (2.0 * distance) + float(distance**2)
        return [(target, position), (self.plan.one * -1.0, square), (own * -1.0, self.plan.one)]

    def match_digits(self, factor: Same) -> list[tuple[Affine, Affine]]:
        """Return features whose score is minus the number of binary digits that differ."""
        keys, queries = self.lower_affine(factor.keys), self.lower_affine(factor.queries)
        grain = (keys - queries).grain
        low = min(keys.low, queries.low)
        count = max(keys.high, queries.high) - low
        digits = max(1, int(count / float(grain) + 1).bit_length())
        if digits > MOST_DIGITS:
            raise RefusalError(
                factor.keys, f"an equality of numbers of more than {MOST_DIGITS} digits"
            )
        shifted = [(x - low) * float(1 / grain) for x in (keys, queries)]
        pairs = zip(*(self.extract_digits(x, digits) for x in shifted), strict=True)
        result = [((q * 2.0 - 1.0) * 0.5, k * 2.0 - 1.0) for k, q in pairs]
        return [*result, (self.plan.one * (-0.5 * digits), self.plan.one)]

    def extract_digits(self, x: Affine, count: int) -> list[Affine]:
        """Return the binary digits of a nonnegative integer without error, the lowest first."""
        low, high = max(0, floor(x.low)), ceil(x.high)
        if x.terms and all(isinstance(signal, PositionSignal) for signal in x.terms):
            return [self.extract_digit(x, k, low, high) for k in range(count)]
        x = self.plan.denoise(x)
        if high - low < SMALL_RANGE:
            return [self.extract_digit(x, k, low, high) for k in range(count)]
        lower = (count + 1) // 2
        size = 2**lower
        bounds = [float(b) for b in range(size, high + 1, size)]
        upper = self.plan.build_steps(x, bounds, [float(i) for i in range(len(bounds) + 1)])
        rest = (x - upper * float(size)).tighten(0.0, size - 1.0)
        return [
            *(self.extract_digit(rest, k, 0, size - 1) for k in range(lower)),
            *(self.extract_digit(x, k, low, high) for k in range(lower, count)),
        ]

    def extract_digit(self, x: Affine, position: int, low: int, high: int) -> Affine:
        """Return one binary digit as a sum of steps."""
        size = 2**position
        bounds = [float(b) for b in range((low // size + 1) * size, high + 1, size)]
        levels = [float((low // size + i) % 2) for i in range(len(bounds) + 1)]
        return self.plan.denoise(self.plan.build_steps(x, bounds, levels))

    def match_relation(self, factor: Related) -> list[tuple[Affine, Affine]]:
        """Return features whose score is 0 if the pair of values is allowed, and otherwise -1.

        Values that allow the same partners share a feature, on the side that needs fewer of them.
        """
        rows, columns = self.list_values(factor.keys), self.list_values(factor.queries)
        allowed = [[compare_values(k, q) in factor.signs for q in columns] for k in rows]
        by_key = group_equal_rows(allowed)
        by_query = group_equal_rows([list(column) for column in zip(*allowed, strict=True)])
        flipped = len(by_query) < len(by_key)
        result: list[tuple[Affine, Affine]] = []
        for pattern, members in (by_query if flipped else by_key).items():
            others = {i for i, fits in enumerate(pattern) if fits}
            keys, queries = (others, members) if flipped else (members, others)
            if others:
                result.append(
                    (
                        self.indicate_values(factor.queries, columns, queries),
                        self.indicate_values(factor.keys, rows, keys),
                    )
                )
        return [*result, (self.plan.one * -1.0, self.plan.one)]

    def indicate_values(self, node: SOp, values: Sequence[Atom], chosen: set[int]) -> Affine:
        """Return the indicator that a node has one of some values, without error."""
        numbers = {value: float(i in chosen) for i, value in enumerate(values)}
        return self.plan.denoise(self.encode(node, numbers))


def compare_values(key: Atom, query: Atom) -> str:
    """Return how a key's value compares with a query's: ``l``, ``e`` or ``g``."""
    if key == query:
        return "e"
    return "l" if key < query else "g"  # type: ignore[operator]


def group_equal_rows(rows: Sequence[Sequence[bool]]) -> dict[tuple[bool, ...], set[int]]:
    """Return the indices of equal rows as one set for each distinct row."""
    summed: dict[tuple[bool, ...], set[int]] = {}
    for i, row in enumerate(rows):
        summed.setdefault(tuple(row), set()).add(i)
    return summed


def selects_only_first(terms: Polynomial) -> bool:
    """Return whether at most one key is selected because it must be the first of the word."""
    return len(terms) == 1 and KeyHas(FIRST) in next(iter(terms))


def find_summed_aggregate(node: SOp) -> Aggregate | None:
    """Return the aggregate whose sum a node is by its form ``round((..) * aggregate(..))``, or
    None.
    """
    if isinstance(node, Map) and node.function == "round":
        return find_summed_aggregate(node.operands[0])
    if isinstance(node, Map) and node.function == "*":
        summed = [part for part in node.operands if isinstance(part, Aggregate)]
        others = [part for part in node.operands if not isinstance(part, Constant)]
        return summed[0] if len(summed) == 1 and len(others) == 2 else None
    return None


def as_aggregate(node: Aggregate | At) -> Aggregate:
    """Return the value at a fixed position as the aggregate that it is."""
    if isinstance(node, Aggregate):
        return node
    indices = create_input("indices")
    position: SOp | int = node.index
    if node.index < 0:
        first = map_elementwise("indicator", [FIRST])
        length = map_elementwise(
            "round", [map_elementwise("/", [1, aggregate(select(1, 1, "=="), first)])]
        )
        position = map_elementwise("-", [length, -node.index])
    result = aggregate(select(indices, position, "=="), node.values)
    assert isinstance(result, Aggregate)
    return result
