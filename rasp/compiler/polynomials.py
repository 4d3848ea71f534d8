"""Selectors as signed sums of conjunctions, each of which one attention head can select exactly.

With 1[S] the indicator of a selector,

    1[not A] = 1 - 1[A],   1[A and B] = 1[A] 1[B],   1[A or B] = 1[A] + 1[B] - 1[A] 1[B]

so every selector is a sum of products of these *atoms*, and what it sums is the same sum of what
the products sum::

    Past()               the key stands at or before the query (a causal mask)
    Offset(d)            the key stands d places from the query; Offset(0) is the query itself
    Related(k, q, signs) the key's value is less, equal or greater, as `signs` allows; few values
    Same(k, q)           two numbers that may grow with the length are equal
    KeyHas(p), QueryHas(p)   a condition on the key, or on the query, alone

Orders of positions need no other mask: k < q is Past without Offset(0), k > q is all without Past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flann.rasp.graph.sops import (
    Combine,
    Constant,
    Input,
    Map,
    Node,
    Select,
    Selector,
    SOp,
    input_named,
    mapped,
)

from .refusal import RefusalError

MOST_TERMS = 64
FARTHEST = 16  # offset of an order of positions
SIGNS = {"<": "l", "<=": "le", "==": "e", "!=": "lg", ">": "g", ">=": "eg"}
ALL = frozenset("leg")


@dataclass(frozen=True)
class Factor:
    """A condition on a key and a query."""


@dataclass(frozen=True)
class Past(Factor):
    """The key stands at or before the query."""


@dataclass(frozen=True)
class Offset(Factor):
    """The key stands this many places after the query."""

    distance: int


@dataclass(frozen=True)
class Related(Factor):
    """How the key's value compares with the query's; both have few values."""

    keys: SOp
    queries: SOp
    signs: frozenset[str]


@dataclass(frozen=True)
class Same(Factor):
    """The key's number equals the query's."""

    keys: SOp
    queries: SOp


@dataclass(frozen=True)
class KeyHas(Factor):
    """A condition on the key alone."""

    condition: SOp


@dataclass(frozen=True)
class QueryHas(Factor):
    """A condition on the query alone."""

    condition: SOp


Term = frozenset[Factor]
Polynomial = dict[Term, int]
CategoricalTest = Callable[[SOp], bool]
"""Whether an s-op has few values."""

EVERYTHING: Polynomial = {frozenset(): 1}


def expand(selector: Selector, is_categorical: CategoricalTest) -> Polynomial:
    """A selector as a signed sum of conjunctions.

    Raises
    ------
    Refused
        for a comparison that no head can select exactly.
    """
    if isinstance(selector, Select):
        return expand_comparison(selector, is_categorical)
    assert isinstance(selector, Combine)
    parts = [expand(part, is_categorical) for part in selector.operands]
    if selector.how == "not":
        result = add(EVERYTHING, parts[0], -1)
    elif selector.how == "and":
        result = multiply(parts[0], parts[1])
    else:
        result = add(add(parts[0], parts[1], 1), multiply(parts[0], parts[1]), -1)
    if len(result) > MOST_TERMS:
        raise RefusalError(selector, f"needs more than {MOST_TERMS} heads")
    return result


def expand_comparison(node: Select, is_categorical: CategoricalTest) -> Polynomial:
    """One comparison."""
    keys, queries, relation = node.keys, node.queries, node.relation
    distance = find_offset(keys, queries)
    if distance is not None:
        return expand_order(relation, distance, node)
    if isinstance(queries, Constant) or isinstance(keys, Constant):
        condition = mapped(relation, [keys, queries])
        if isinstance(queries, Constant) and isinstance(keys, Constant):
            return EVERYTHING if evaluate_constants(condition) else {}
        factor = KeyHas(condition) if isinstance(queries, Constant) else QueryHas(condition)
        return {frozenset({factor}): 1}
    if is_categorical(keys) and is_categorical(queries):
        signs = frozenset(SIGNS[relation])
        return {frozenset({Related(keys, queries, signs)}): 1}
    if relation in ("==", "!="):
        same: Polynomial = {frozenset({Same(keys, queries)}): 1}
        return same if relation == "==" else add(EVERYTHING, same, -1)
    raise RefusalError(
        node,
        f"compares by {relation} two numbers that may grow with the length",
        "compare indices with indices, values of few kinds, or by ==",
    )


def evaluate_constants(condition: SOp) -> bool:
    """Whether a comparison of two constants holds."""
    from flann.rasp.graph.values import COMPARE

    assert isinstance(condition, Map)
    left, right = (part.value for part in condition.operands if isinstance(part, Constant))
    return bool(COMPARE[condition.function](left, right))


def find_offset(keys: SOp, queries: SOp) -> int | None:
    """d, if keys are the indices and queries are indices + d."""
    indices = input_named("indices")
    if keys is not indices:
        return None
    distance = find_shift(queries)
    return None if distance is None else distance


def find_shift(node: SOp) -> int | None:
    """d, if a node is indices + d, by its form."""
    if isinstance(node, Input):
        return 0 if node.name == "indices" else None
    if not (isinstance(node, Map) and node.function in ("+", "-")):
        return None
    left, right = node.operands
    if isinstance(right, Constant) and is_whole(right.value):
        inner = find_shift(left)
        sign = 1 if node.function == "+" else -1
        return None if inner is None else inner + sign * int(right.value or 0)
    if isinstance(left, Constant) and is_whole(left.value) and node.function == "+":
        inner = find_shift(right)
        return None if inner is None else inner + int(left.value or 0)
    return None


def is_whole(value: object) -> bool:
    """Whether a constant is a whole number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)


def expand_order(relation: str, distance: int, node: Select) -> Polynomial:
    """``k relation q + away`` among positions."""
    if relation in ("==", "!="):
        exact: Polynomial = {frozenset({Offset(distance)}): 1}
        return exact if relation == "==" else add(EVERYTHING, exact, -1)
    if abs(distance) > FARTHEST:
        raise RefusalError(
            node,
            f"an order of positions {abs(distance)} apart",
            "an equality, or a nearer position",
        )
    last = distance - (relation in ("<", ">="))  # k <= q + last, or not that
    prefix: Polynomial = {frozenset({Past()}): 1}
    for step in range(1, last + 1):
        prefix = add(prefix, {frozenset({Offset(step)}): 1}, 1)
    for step in range(last + 1, 1):
        prefix = add(prefix, {frozenset({Offset(step)}): 1}, -1)
    return prefix if relation in ("<", "<=") else add(EVERYTHING, prefix, -1)


def add(left: Polynomial, right: Polynomial, multiple: int) -> Polynomial:
    """left + factor * right."""
    result = dict(left)
    for term, count in right.items():
        result[term] = result.get(term, 0) + multiple * count
    return {term: count for term, count in result.items() if count}


def multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    """The product, conjunctions simplified."""
    result: Polynomial = {}
    for a, m in left.items():
        for b, n in right.items():
            term = simplify([*a, *b])
            if term is not None:
                result[term] = result.get(term, 0) + m * n
    return {term: count for term, count in result.items() if count}


def simplify(factors: Iterable[Factor]) -> Term | None:
    """A conjunction without what follows from the rest; None if it cannot hold."""
    result = set(factors)
    offsets = {factor for factor in result if isinstance(factor, Offset)}
    if len(offsets) > 1:
        return None
    if offsets and Past() in result:
        if next(iter(offsets)).distance > 0:
            return None
        result.discard(Past())
    related: dict[tuple[SOp, SOp], frozenset[str]] = {}
    for factor in [factor for factor in result if isinstance(factor, Related)]:
        result.discard(factor)
        pair = (factor.keys, factor.queries)
        related[pair] = related.get(pair, ALL) & factor.signs
    for (keys, queries), signs in related.items():
        if keys is queries and Offset(0) in result:
            if "e" not in signs:
                return None
        elif not signs:
            return None
        elif signs != ALL:
            result.add(Related(keys, queries, signs))
    if Offset(0) in result:
        moved = [restrict_to_own_position(factor) for factor in result]
        result = {factor for factor in moved if factor is not None}
    return frozenset(result)


def restrict_to_own_position(factor: Factor) -> Factor | None:
    """An atom where the key is the query; None where it then always holds."""
    if isinstance(factor, KeyHas):
        return QueryHas(factor.condition)
    if isinstance(factor, Same) and factor.keys is factor.queries:
        return None
    return factor


# -- what is known of how many keys are selected ---------------------------------------------------


def selects_at_most_one(selector: Node) -> bool:
    """Whether a selector's form allows one key at most: some equality with the indices."""
    if isinstance(selector, Combine):
        parts = [selects_at_most_one(part) for part in selector.operands]
        return selector.how == "and" and any(parts)
    return (
        isinstance(selector, Select)
        and selector.keys is input_named("indices")
        and selector.relation == "=="
    )


def selects_at_least_one(selector: Node) -> bool:
    """Whether a selector's form sees to it that every query selects a key."""
    if isinstance(selector, Combine) and selector.how == "or":
        return any(selects_at_least_one(part) for part in selector.operands)
    first = (
        isinstance(selector, Select)
        and selector.keys is input_named("indices")
        and isinstance(selector.queries, Constant)
        and selector.queries.value == 0
        and selector.relation in ("==", "<=", ">=")
    )
    return first or selects_itself(selector)


def selects_itself(selector: Node) -> bool:
    """Whether a selector's form sees to it that every query selects its own position."""
    if isinstance(selector, Combine):
        parts = [selects_itself(part) for part in selector.operands]
        return {"and": all(parts), "or": any(parts), "not": False}[selector.how]
    if not isinstance(selector, Select):
        return False
    if isinstance(selector.keys, Constant) and isinstance(selector.queries, Constant):
        return evaluate_constants(mapped(selector.relation, [selector.keys, selector.queries]))
    return selector.keys is selector.queries and selector.relation in ("==", "<=", ">=")


FIRST = mapped("==", [input_named("indices"), 0])
"""Whether a position is the first of the word: exactly one is."""
