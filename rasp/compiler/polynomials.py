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
    create_input,
    map_elementwise,
)

from .refusal import Refused

MOST_TERMS = 64
FARTHEST = 16  # offset of an order of positions
SIGNS = {"<": "l", "<=": "le", "==": "e", "!=": "lg", ">": "g", ">=": "eg"}
ALL = frozenset("leg")


@dataclass(frozen=True)
class Atom:
    """A condition on a key and a query."""


@dataclass(frozen=True)
class Past(Atom):
    """The key stands at or before the query."""


@dataclass(frozen=True)
class Offset(Atom):
    """The key stands this many places after the query."""

    away: int


@dataclass(frozen=True)
class Related(Atom):
    """How the key's value compares with the query's; both have few values."""

    keys: SOp
    queries: SOp
    signs: frozenset[str]


@dataclass(frozen=True)
class Same(Atom):
    """The key's number equals the query's."""

    keys: SOp
    queries: SOp


@dataclass(frozen=True)
class KeyHas(Atom):
    """A condition on the key alone."""

    condition: SOp


@dataclass(frozen=True)
class QueryHas(Atom):
    """A condition on the query alone."""

    condition: SOp


Term = frozenset[Atom]
Polynomial = dict[Term, int]
Few = Callable[[SOp], bool]
"""Whether an s-op has few values."""

EVERYTHING: Polynomial = {frozenset(): 1}


def polynomial(selector: Selector, few: Few) -> Polynomial:
    """A selector as a signed sum of conjunctions.

    Raises
    ------
    Refused
        for a comparison that no head can select exactly.
    """
    if isinstance(selector, Select):
        return simple(selector, few)
    assert isinstance(selector, Combine)
    parts = [polynomial(part, few) for part in selector.operands]
    if selector.connective == "not":
        made = plus(EVERYTHING, parts[0], -1)
    elif selector.connective == "and":
        made = times(parts[0], parts[1])
    else:
        made = plus(plus(parts[0], parts[1], 1), times(parts[0], parts[1]), -1)
    if len(made) > MOST_TERMS:
        raise Refused(selector, f"needs more than {MOST_TERMS} heads")
    return made


def simple(node: Select, few: Few) -> Polynomial:
    """One comparison."""
    keys, queries, relation = node.keys, node.queries, node.relation
    away = offset(keys, queries)
    if away is not None:
        return order(relation, away, node)
    if isinstance(queries, Constant) or isinstance(keys, Constant):
        condition = map_elementwise(relation, [keys, queries])
        if isinstance(queries, Constant) and isinstance(keys, Constant):
            return EVERYTHING if holds(condition) else {}
        atom = KeyHas(condition) if isinstance(queries, Constant) else QueryHas(condition)
        return {frozenset({atom}): 1}
    if few(keys) and few(queries):
        signs = frozenset(SIGNS[relation])
        return {frozenset({Related(keys, queries, signs)}): 1}
    if relation in ("==", "!="):
        same: Polynomial = {frozenset({Same(keys, queries)}): 1}
        return same if relation == "==" else plus(EVERYTHING, same, -1)
    raise Refused(
        node,
        f"compares by {relation} two numbers that may grow with the length",
        "compare indices with indices, values of few kinds, or by ==",
    )


def holds(condition: SOp) -> bool:
    """Whether a comparison of two constants holds."""
    from flann.rasp.graph.evaluator import COMPARISONS

    assert isinstance(condition, Map)
    left, right = (part.value for part in condition.operands if isinstance(part, Constant))
    return bool(COMPARISONS[condition.function](left, right))


def offset(keys: SOp, queries: SOp) -> int | None:
    """d, if keys are the indices and queries are indices + d."""
    indices = create_input("indices")
    if keys is not indices:
        return None
    away = shift(queries)
    return None if away is None else away


def shift(node: SOp) -> int | None:
    """d, if a node is indices + d, by its form."""
    if isinstance(node, Input):
        return 0 if node.name == "indices" else None
    if not (isinstance(node, Map) and node.function in ("+", "-")):
        return None
    left, right = node.operands
    if isinstance(right, Constant) and whole(right.value):
        inner = shift(left)
        sign = 1 if node.function == "+" else -1
        return None if inner is None else inner + sign * int(right.value or 0)
    if isinstance(left, Constant) and whole(left.value) and node.function == "+":
        inner = shift(right)
        return None if inner is None else inner + int(left.value or 0)
    return None


def whole(value: object) -> bool:
    """Whether a constant is a whole number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)


def order(relation: str, away: int, node: Select) -> Polynomial:
    """``k relation q + away`` among positions."""
    if relation in ("==", "!="):
        here: Polynomial = {frozenset({Offset(away)}): 1}
        return here if relation == "==" else plus(EVERYTHING, here, -1)
    if abs(away) > FARTHEST:
        raise Refused(
            node, f"an order of positions {abs(away)} apart", "an equality, or a nearer position"
        )
    last = away - (relation in ("<", ">="))  # k <= q + last, or not that
    upto: Polynomial = {frozenset({Past()}): 1}
    for step in range(1, last + 1):
        upto = plus(upto, {frozenset({Offset(step)}): 1}, 1)
    for step in range(last + 1, 1):
        upto = plus(upto, {frozenset({Offset(step)}): 1}, -1)
    return upto if relation in ("<", "<=") else plus(EVERYTHING, upto, -1)


def plus(left: Polynomial, right: Polynomial, factor: int) -> Polynomial:
    """left + factor * right."""
    made = dict(left)
    for term, count in right.items():
        made[term] = made.get(term, 0) + factor * count
    return {term: count for term, count in made.items() if count}


def times(left: Polynomial, right: Polynomial) -> Polynomial:
    """The product, conjunctions simplified."""
    made: Polynomial = {}
    for a, m in left.items():
        for b, n in right.items():
            term = simplified([*a, *b])
            if term is not None:
                made[term] = made.get(term, 0) + m * n
    return {term: count for term, count in made.items() if count}


def simplified(atoms: Iterable[Atom]) -> Term | None:
    """A conjunction without what follows from the rest; None if it cannot hold."""
    found = set(atoms)
    offsets = {atom for atom in found if isinstance(atom, Offset)}
    if len(offsets) > 1:
        return None
    if offsets and Past() in found:
        if next(iter(offsets)).away > 0:
            return None
        found.discard(Past())
    related: dict[tuple[SOp, SOp], frozenset[str]] = {}
    for atom in [atom for atom in found if isinstance(atom, Related)]:
        found.discard(atom)
        pair = (atom.keys, atom.queries)
        related[pair] = related.get(pair, ALL) & atom.signs
    for (keys, queries), signs in related.items():
        if keys is queries and Offset(0) in found:
            if "e" not in signs:
                return None
        elif not signs:
            return None
        elif signs != ALL:
            found.add(Related(keys, queries, signs))
    if Offset(0) in found:
        moved = [at_itself(atom) for atom in found]
        found = {atom for atom in moved if atom is not None}
    return frozenset(found)


def at_itself(atom: Atom) -> Atom | None:
    """An atom where the key is the query; None where it then always holds."""
    if isinstance(atom, KeyHas):
        return QueryHas(atom.condition)
    if isinstance(atom, Same) and atom.keys is atom.queries:
        return None
    return atom


# -- what is known of how many keys are selected ---------------------------------------------------


def at_most_one(selector: Node) -> bool:
    """Whether a selector's form allows one key at most: some equality with the indices."""
    if isinstance(selector, Combine):
        parts = [at_most_one(part) for part in selector.operands]
        return selector.connective == "and" and any(parts)
    return (
        isinstance(selector, Select)
        and selector.keys is create_input("indices")
        and selector.relation == "=="
    )


def at_least_one(selector: Node) -> bool:
    """Whether a selector's form sees to it that every query selects a key."""
    if isinstance(selector, Combine) and selector.connective == "or":
        return any(at_least_one(part) for part in selector.operands)
    first = (
        isinstance(selector, Select)
        and selector.keys is create_input("indices")
        and isinstance(selector.queries, Constant)
        and selector.queries.value == 0
        and selector.relation in ("==", "<=", ">=")
    )
    return first or with_itself(selector)


def with_itself(selector: Node) -> bool:
    """Whether a selector's form sees to it that every query selects its own position."""
    if isinstance(selector, Combine):
        parts = [with_itself(part) for part in selector.operands]
        return {"and": all(parts), "or": any(parts), "not": False}[selector.connective]
    if not isinstance(selector, Select):
        return False
    if isinstance(selector.keys, Constant) and isinstance(selector.queries, Constant):
        return holds(map_elementwise(selector.relation, [selector.keys, selector.queries]))
    return selector.keys is selector.queries and selector.relation in ("==", "<=", ">=")


FIRST = map_elementwise("==", [create_input("indices"), 0])
"""Whether a position is the first of the word: exactly one is."""
