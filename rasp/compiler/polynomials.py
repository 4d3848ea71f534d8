"""Selectors as signed sums of conjunctions, each of which one attention head can select exactly.

With 1[S] the indicator of a selector S, the identities ::

    1[not A] = 1 - 1[A],   1[A and B] = 1[A] 1[B],   1[A or B] = 1[A] + 1[B] - 1[A] 1[B]

turn every selector into a polynomial: a signed sum of products of the *factors* below. The sum of a
value over the keys that the selector selects is the same signed sum of the sums over each product::

    Past()                     the key is at or before the query (a causal mask)
    Offset(d)                  the key is d positions after the query; Offset(0) is the query itself
    Related(k, q, signs)       the key's value is less, equal or greater, as `signs` allows;
                               both values are categorical
    Same(k, q)                 two numbers that may grow with the length are equal
    KeyHas(p), QueryHas(p)     a condition on the key alone, or on the query alone

Comparisons of positions need no other mask: k < q is Past without Offset(0), and k > q is
everything without Past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flann.rasp.graph.evaluator import COMPARISONS
from flann.rasp.graph.sops import (
    Combine,
    Constant,
    Input,
    Map,
    Node,
    Select,
    Selector,
    SOp,
    create_input,
    map_elementwise,
)

from .refusal import RefusalError

MOST_TERMS = 64
FARTHEST = 16  # offset in a comparison of positions by order
SIGNS = {"<": "l", "<=": "le", "==": "e", "!=": "lg", ">": "g", ">=": "eg"}
ALL = frozenset("leg")


@dataclass(frozen=True)
class Factor:
    """A condition on a key and a query."""


@dataclass(frozen=True)
class Past(Factor):
    """The key is at or before the query."""


@dataclass(frozen=True)
class Offset(Factor):
    """The key is this many positions after the query."""

    distance: int


@dataclass(frozen=True)
class Related(Factor):
    """How the key's value compares with the query's; both are categorical."""

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
"""A predicate: whether an s-op is categorical."""

EVERYTHING: Polynomial = {frozenset(): 1}


def expand(selector: Selector, is_categorical: CategoricalTest) -> Polynomial:
    """Expand a selector into a signed sum of conjunctions.

    Raises
    ------
    RefusalError
        For a comparison that no head can select exactly.
    """
    if isinstance(selector, Select):
        return expand_comparison(selector, is_categorical)
    assert isinstance(selector, Combine)
    parts = [expand(part, is_categorical) for part in selector.operands]
    if selector.connective == "not":
        result = add(EVERYTHING, parts[0], -1)
    elif selector.connective == "and":
        result = multiply(parts[0], parts[1])
    else:
        result = add(add(parts[0], parts[1], 1), multiply(parts[0], parts[1]), -1)
    if len(result) > MOST_TERMS:
        raise RefusalError(selector, f"needs more than {MOST_TERMS} heads")
    return result


def expand_comparison(node: Select, is_categorical: CategoricalTest) -> Polynomial:
    """Expand a single comparison of keys and queries."""
    keys, queries, relation = node.keys, node.queries, node.relation
    distance = find_offset(keys, queries)
    if distance is not None:
        return expand_order(relation, distance, node)
    if isinstance(queries, Constant) or isinstance(keys, Constant):
        condition = map_elementwise(relation, [keys, queries])
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
        "compare indices with indices, compare categorical values, or compare by ==",
    )


def evaluate_constants(condition: SOp) -> bool:
    """Return whether a comparison of two constants holds."""
    assert isinstance(condition, Map)
    left, right = (part.value for part in condition.operands if isinstance(part, Constant))
    return bool(COMPARISONS[condition.function](left, right))


def find_offset(keys: SOp, queries: SOp) -> int | None:
    """Return d if the keys are the indices and the queries are indices + d, and None otherwise."""
    indices = create_input("indices")
    if keys is not indices:
        return None
    return find_shift(queries)


def find_shift(node: SOp) -> int | None:
    """Return d if an expression has the form indices + d, and None otherwise."""
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
    """Return whether the value of a constant is an integer."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)


def expand_order(relation: str, distance: int, node: Select) -> Polynomial:
    """Expand the comparison of positions ``k relation q + distance``."""
    if relation in ("==", "!="):
        exact: Polynomial = {frozenset({Offset(distance)}): 1}
        return exact if relation == "==" else add(EVERYTHING, exact, -1)
    if abs(distance) > FARTHEST:
        raise RefusalError(
            node,
            f"an order of positions {abs(distance)} apart",
            "an equality, or a nearer position",
        )
    last = distance - (relation in ("<", ">="))  # the comparison is k <= q + last, or its negation
    prefix: Polynomial = {frozenset({Past()}): 1}
    for step in range(1, last + 1):
        prefix = add(prefix, {frozenset({Offset(step)}): 1}, 1)
    for step in range(last + 1, 1):
        prefix = add(prefix, {frozenset({Offset(step)}): 1}, -1)
    return prefix if relation in ("<", "<=") else add(EVERYTHING, prefix, -1)


def add(left: Polynomial, right: Polynomial, multiple: int) -> Polynomial:
    """Return left + multiple * right."""
    result = dict(left)
    for term, count in right.items():
        result[term] = result.get(term, 0) + multiple * count
    return {term: count for term, count in result.items() if count}


def multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    """Return the product, with every conjunction simplified."""
    result: Polynomial = {}
    for a, m in left.items():
        for b, n in right.items():
            term = simplify([*a, *b])
            if term is not None:
                result[term] = result.get(term, 0) + m * n
    return {term: count for term, count in result.items() if count}


def simplify(factors: Iterable[Factor]) -> Term | None:
    """Return a conjunction without the factors that follow from others, or None if it cannot
    hold.
    """
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
    """Return a factor for the case that the key is the query, or None if it then always holds."""
    if isinstance(factor, KeyHas):
        return QueryHas(factor.condition)
    if isinstance(factor, Same) and factor.keys is factor.queries:
        return None
    return factor


# -- bounds on the number of selected keys ---------------------------------------------------------


def selects_at_most_one(selector: Node) -> bool:
    """Return whether a selector, by its form, selects at most one key: it equates the indices
    with something.
    """
    if isinstance(selector, Combine):
        parts = [selects_at_most_one(part) for part in selector.operands]
        return selector.connective == "and" and any(parts)
    return (
        isinstance(selector, Select)
        and selector.keys is create_input("indices")
        and selector.relation == "=="
    )


def selects_at_least_one(selector: Node) -> bool:
    """Return whether a selector, by its form, selects a key for every query."""
    if isinstance(selector, Combine) and selector.connective == "or":
        return any(selects_at_least_one(part) for part in selector.operands)
    first = (
        isinstance(selector, Select)
        and selector.keys is create_input("indices")
        and isinstance(selector.queries, Constant)
        and selector.queries.value == 0
        and selector.relation in ("==", "<=", ">=")
    )
    return first or selects_itself(selector)


def selects_itself(selector: Node) -> bool:
    """Return whether a selector, by its form, selects for every query its own position."""
    if isinstance(selector, Combine):
        parts = [selects_itself(part) for part in selector.operands]
        return {"and": all(parts), "or": any(parts), "not": False}[selector.connective]
    if not isinstance(selector, Select):
        return False
    if isinstance(selector.keys, Constant) and isinstance(selector.queries, Constant):
        return evaluate_constants(
            map_elementwise(selector.relation, [selector.keys, selector.queries])
        )
    return selector.keys is selector.queries and selector.relation in ("==", "<=", ">=")


FIRST = map_elementwise("==", [create_input("indices"), 0])
"""Indicator of the first position of the word, which holds at exactly one position."""
