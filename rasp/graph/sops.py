"""Sequence operators and selectors: the graph that a program builds, independent of any word.

An *s-op* maps a word of T symbols to a sequence of T values, all strings, all booleans or all
numbers. A *selector* maps it to a T x T matrix of booleans, S[q][k] = "query q attends to key k".
Both are nodes of one graph::

    Input(name)                     the word itself, or the indices 0 .. T - 1
    Constant(value)                 the same value at every position
    Map(function, s-ops)            an elementwise function
    Lookup(index, table)            an elementwise lookup in a list or dict
    Member(values, choices)         elementwise, whether the value is one of the choices
    Aggregate(selector, values, d)  y_q = mean of values_k over S[q][k]; d where nothing is selected
    At(values, i)                   the value at position i, at every position
    Select(keys, queries, r)        S[q][k] = keys_k r queries_q
    Combine(connective, selectors)  conjunction, disjunction, negation

Nodes of equal structure are one object, so that equal selectors are one attention head. A node's
number is greater than those of its parts, so sorting by number is a topological order.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast
from weakref import WeakValueDictionary

from typing_extensions import override

from flann.rasp.language.source_span import NO_SPAN, RaspError, SourceSpan
from flann.rasp.language.syntax import Atom

Type = Literal["text", "bool", "number"]
N = TypeVar("N", bound="Node")

INPUTS: dict[str, Type | None] = {
    "tokens_asis": None,  # the type of the word's symbols, unknown until there is a word
    "tokens_str": "text",
    "tokens_int": "number",
    "tokens_float": "number",
    "tokens_bool": "bool",
    "indices": "number",
}
TYPE_NAMES = {"text": "strings", "bool": "booleans", "number": "numbers"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """A node of the graph; nodes of equal structure are the same object.

    Attributes
    ----------
    number : int
        its identity; greater than the numbers of its parts.
    """

    number: int = field(default=0, repr=False)

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes that it is computed from."""
        return ()


@dataclass(frozen=True, eq=False, kw_only=True)
class SOp(Node):
    """A sequence operator, with the type of its values, or None where that depends on the word."""

    type: Type | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Selector(Node):
    """A selector."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(SOp):
    """The symbols of the word, read as one type, or the indices of its positions."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Constant(SOp):
    """The same value at every position."""

    value: Atom


@dataclass(frozen=True, eq=False, kw_only=True)
class Map(SOp):
    """An elementwise function: an operator, ``neg``, ``round``, ``indicator`` or ``if``."""

    function: str
    operands: tuple[SOp, ...]

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return self.operands


@dataclass(frozen=True, eq=False, kw_only=True)
class Lookup(SOp):
    """An elementwise lookup in a table of (key, value) pairs."""

    index: SOp
    table: tuple[tuple[Atom, Atom], ...]

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return (self.index,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Member(SOp):
    """An elementwise test whether the value is one of several atoms."""

    values: SOp
    choices: tuple[Atom, ...]

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return (self.values,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Aggregate(SOp):
    """The mean of the selected values."""

    selector: Selector
    values: SOp
    default: Atom

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return (self.selector, self.values)


@dataclass(frozen=True, eq=False, kw_only=True)
class At(SOp):
    """The value at one position, at every position; a negative index counts from the end."""

    values: SOp
    index: int

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return (self.values,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Select(Selector):
    """The selector ``S[q][k] = keys_k relation queries_q``."""

    keys: SOp
    queries: SOp
    relation: str

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return (self.keys, self.queries)


@dataclass(frozen=True, eq=False, kw_only=True)
class Combine(Selector):
    """Selectors combined by ``and``, ``or`` or ``not``."""

    connective: str
    operands: tuple[Selector, ...]

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return self.operands


# -- construction ----------------------------------------------------------------------------------

_nodes: WeakValueDictionary[Hashable, Node] = WeakValueDictionary()
_numbers = itertools.count(1)


def _intern(kind: type[N], **fields: Any) -> N:
    """Return the node of this structure, created if there is none yet."""
    key = (kind, *(_compute_key(value) for value in fields.values()))
    node = _nodes.get(key)
    if node is None:
        node = kind(number=next(_numbers), **fields)
        _nodes[key] = node
    return cast(N, node)


def _compute_key(value: Any) -> Hashable:
    if isinstance(value, Node):
        return ("node", value.number)
    if isinstance(value, tuple):
        return tuple(map(_compute_key, value))
    return (type(value).__name__, value)  # 1 and True are equal, but different atoms


def get_type(value: Atom) -> Type:
    """Return the type of an atom."""
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number"


def create_input(name: str) -> Input:
    """Return the s-op of this name, one of `INPUTS`."""
    return _intern(Input, type=INPUTS[name], name=name)


def create_constant(value: Atom) -> Constant:
    """Return the s-op that has this value at every position."""
    return _intern(Constant, type=get_type(value), value=value)


def as_sop(value: SOp | Atom) -> SOp:
    """Return an s-op as it is, and an atom as a constant s-op."""
    return value if isinstance(value, SOp) else create_constant(value)


SIGNATURES: dict[str, tuple[Type | None, Type]] = {
    "neg": ("number", "number"),
    "round": ("number", "number"),
    "indicator": ("bool", "number"),
    "not": ("bool", "bool"),
    **dict.fromkeys(("+", "-", "*", "/", "%", "^"), ("number", "number")),
    **dict.fromkeys(("and", "or"), ("bool", "bool")),
    **dict.fromkeys(("==", "!="), (None, "bool")),
    **dict.fromkeys(("<", "<=", ">", ">="), (None, "bool")),
}  # fmt: skip
"""The type of the operands of each function (None: any one type), and that of its result."""


def map_elementwise(
    function: str, operands: Iterable[SOp | Atom], span: SourceSpan = NO_SPAN
) -> SOp:
    """Return an elementwise function of s-ops.

    Raises
    ------
    RaspError
        where the types of the operands are known and do not fit the function.
    """
    parts = tuple(as_sop(operand) for operand in operands)
    if function == "if":
        _check_type(parts[0], "bool", "the condition of 'if'", span)
        return _intern(Map, type=unify_types(parts[1:], span), function="if", operands=parts)
    expected, result = SIGNATURES[function]
    if expected is None:
        unify_types(parts, span, f"'{function}' compares")
        if function not in ("==", "!=") and any(part.type == "bool" for part in parts):
            raise RaspError(f"'{function}': expected numbers or strings, got booleans", span)
    else:
        for part in parts:
            _check_type(part, expected, f"'{function}'", span)
    return _intern(Map, type=result, function=function, operands=parts)


def unify_types(
    parts: Iterable[SOp], span: SourceSpan, subject: str = "an s-op's values are of one type:"
) -> Type | None:
    """Return the common type of several s-ops; None if none of their types is known.

    Raises
    ------
    RaspError
        if their types differ.
    """
    types = list(dict.fromkeys(part.type for part in parts if part.type))
    if len(types) > 1:
        names = " and ".join(TYPE_NAMES[kind] for kind in types)
        raise RaspError(f"{subject} all strings, all booleans or all numbers: got {names}", span)
    return types[0] if types else None


def _check_type(part: SOp, expected: Type, subject: str, span: SourceSpan) -> None:
    if part.type not in (expected, None):
        got = TYPE_NAMES[part.type or "text"]
        raise RaspError(f"{subject}: expected {TYPE_NAMES[expected]}, got {got}", span)


def look_up(index: SOp, table: Mapping[Atom, Atom], span: SourceSpan = NO_SPAN) -> SOp:
    """Return the s-op that replaces each value of `index` by its entry in a table.

    Raises
    ------
    RaspError
        for a table without entries, or with entries of several types.
    """
    types = list(dict.fromkeys(map(get_type, table.values())))
    if len(types) > 1:
        names = " and ".join(TYPE_NAMES[kind] for kind in types)
        raise RaspError(f"a table of {names}: expected values of one type", span)
    if not types:
        raise RaspError("a table without entries: expected at least one", span)
    return _intern(Lookup, type=types[0], index=index, table=tuple(table.items()))


def check_membership(values: SOp, choices: Iterable[Atom]) -> SOp:
    """Return the s-op that tells whether each value is one of the choices."""
    return _intern(Member, type="bool", values=values, choices=tuple(choices))


def select(
    keys: SOp | Atom, queries: SOp | Atom, relation: str, span: SourceSpan = NO_SPAN
) -> Select:
    """Return the selector ``keys_k relation queries_q``; an atom stands for a constant s-op."""
    pair = as_sop(keys), as_sop(queries)
    unify_types(pair, span, "select compares")
    if relation not in ("==", "!=") and any(part.type == "bool" for part in pair):
        raise RaspError(f"select by {relation}: expected numbers or strings, got booleans", span)
    return _intern(Select, keys=pair[0], queries=pair[1], relation=relation)


def combine(connective: str, operands: Iterable[Selector]) -> Selector:
    """Return selectors combined by ``and``, ``or`` or ``not``."""
    return _intern(Combine, connective=connective, operands=tuple(operands))


def aggregate(
    selector: Selector, values: SOp | Atom, default: Atom = None, span: SourceSpan = NO_SPAN
) -> SOp:
    """Return the mean of the selected values; where nothing is selected, the default or 0."""
    values = as_sop(values)
    if default is not None and values.type not in (get_type(default), None):
        unify_types((values, create_constant(default)), span)
    return _intern(Aggregate, type=values.type, selector=selector, values=values, default=default)


def take_at(values: SOp, index: int) -> SOp:
    """Return the s-op that has the value at one position at every position."""
    return _intern(At, type=values.type, values=values, index=index)


def sort_topologically(roots: Iterable[Node]) -> list[Node]:
    """Return these nodes and all that they depend on, parts before wholes."""
    found: dict[int, Node] = {}
    pending = list(roots)
    while pending:
        node = pending.pop()
        if node.number not in found:
            found[node.number] = node
            pending += node.parts
    return [found[number] for number in sorted(found)]
