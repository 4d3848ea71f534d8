"""Sequence operators and selectors: what a program builds, before any word is there.

An *s-op* maps a word of T symbols to a sequence of T values, all strings, all booleans or all
numbers. A *selector* maps it to a T x T matrix of booleans, S[q][k] = "query q attends to key k".
Both are nodes of one graph::

    Input(name)                     the word itself, or the indices 0 .. T - 1
    Constant(value)                 the same value at every position
    Map(function, s-ops)            elementwise
    Lookup(index, table)            elementwise, in a list or dict
    Member(values, choices)         elementwise, is the value one of these
    Aggregate(selector, values, d)  y_q = mean of values_k over S[q][k]; d where nothing is selected
    At(values, i)                   the value at position i, everywhere
    Select(keys, queries, r)        S[q][k] = keys_k r queries_q
    Combine(how, selectors)         and, or, not

Equal nodes are one object, so that a node's identity is its structure: two equal selectors are one
attention head. Numbers grow from parts to wholes, so sorting by number sorts by dependence.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast
from weakref import WeakValueDictionary

from typing_extensions import override

from flann.rasp.language.source_span import NOWHERE, Place, RaspError
from flann.rasp.language.syntax import Atom

Type = Literal["text", "bool", "number"]
N = TypeVar("N", bound="Node")

INPUTS: dict[str, Type | None] = {
    "tokens_asis": None,  # known when a word is there
    "tokens_str": "text",
    "tokens_int": "number",
    "tokens_float": "number",
    "tokens_bool": "bool",
    "indices": "number",
}
TYPE_WORDS = {"text": "strings", "bool": "booleans", "number": "numbers"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """A node of the graph; equal ones are the same object."""

    number: int = field(default=0, repr=False)

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes that it is made of."""
        return ()


@dataclass(frozen=True, eq=False, kw_only=True)
class SOp(Node):
    """A sequence operator, and the type of its values where that is known."""

    type: Type | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Selector(Node):
    """A selector."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(SOp):
    """The word, or where in it."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Constant(SOp):
    """One value everywhere."""

    value: Atom


@dataclass(frozen=True, eq=False, kw_only=True)
class Map(SOp):
    """An elementwise function: a sign, ``neg``, ``round``, ``indicator``, ``not``, ``if``."""

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
    """Whether a value is one of several."""

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
    """The value at one position, counted from the end if negative."""

    values: SOp
    index: int

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return (self.values,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Select(Selector):
    """``S[q][k] = keys_k relation queries_q``."""

    keys: SOp
    queries: SOp
    relation: str

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return (self.keys, self.queries)


@dataclass(frozen=True, eq=False, kw_only=True)
class Combine(Selector):
    """``and``, ``or`` or ``not`` of selectors."""

    how: str
    operands: tuple[Selector, ...]

    @property
    @override
    def parts(self) -> tuple[Node, ...]:
        return self.operands


# -- making nodes ----------------------------------------------------------------------------------

_known: WeakValueDictionary[Hashable, Node] = WeakValueDictionary()
_numbers = itertools.count(1)


def _made(kind: type[N], **fields: Any) -> N:
    """The node of this structure: the one that is known, or a new one."""
    key = (kind, *(_key(value) for value in fields.values()))
    node = _known.get(key)
    if node is None:
        node = kind(number=next(_numbers), **fields)
        _known[key] = node
    return cast(N, node)


def _key(value: Any) -> Hashable:
    if isinstance(value, Node):
        return ("node", value.number)
    if isinstance(value, tuple):
        return tuple(map(_key, value))
    return (type(value).__name__, value)  # 1 is not True


def type_of(value: Atom) -> Type:
    """The type of an atom."""
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number"


def input_named(name: str) -> Input:
    """One of `INPUTS`."""
    return _made(Input, type=INPUTS[name], name=name)


def constant(value: Atom) -> Constant:
    """An atom at every position."""
    return _made(Constant, type=type_of(value), value=value)


def as_sop(value: SOp | Atom) -> SOp:
    """An s-op as it is, an atom at every position."""
    return value if isinstance(value, SOp) else constant(value)


SAME: Any = object()
SIGNATURES: dict[str, tuple[Type | Any | None, Type | Any]] = {  # operands' type, and result's
    "neg": ("number", "number"),
    "round": ("number", "number"),
    "indicator": ("bool", "number"),
    "not": ("bool", "bool"),
    **dict.fromkeys(("+", "-", "*", "/", "%", "^"), ("number", "number")),
    **dict.fromkeys(("and", "or"), ("bool", "bool")),
    **dict.fromkeys(("==", "!="), (None, "bool")),
    **dict.fromkeys(("<", "<=", ">", ">="), (None, "bool")),
}


def mapped(function: str, operands: Iterable[SOp | Atom], place: Place = NOWHERE) -> SOp:
    """An elementwise function of s-ops.

    Raises
    ------
    RaspError
        where the types of the operands are known and do not fit.
    """
    parts = tuple(as_sop(operand) for operand in operands)
    if function == "if":
        _demand(parts[0], "bool", "the condition of 'if'", place)
        return _made(Map, type=common_type(parts[1:], place), function="if", operands=parts)
    wanted, result = SIGNATURES[function]
    if wanted is None:
        common_type(parts, place, f"'{function}' compares")
        if function not in ("==", "!=") and any(part.type == "bool" for part in parts):
            raise RaspError(f"'{function}': expected numbers or strings, got booleans", place)
    else:
        for part in parts:
            _demand(part, wanted, f"'{function}'", place)
    return _made(Map, type=result, function=function, operands=parts)


def common_type(
    parts: Iterable[SOp], place: Place, what: str = "an s-op's values are of one type:"
) -> Type | None:
    """The one type of several s-ops, None if none is known."""
    known = list(dict.fromkeys(part.type for part in parts if part.type))
    if len(known) > 1:
        words = " and ".join(TYPE_WORDS[kind] for kind in known)
        raise RaspError(f"{what} all strings, all booleans or all numbers: got {words}", place)
    return known[0] if known else None


def _demand(part: SOp, wanted: Type, what: str, place: Place) -> None:
    if part.type not in (wanted, None):
        got = TYPE_WORDS[part.type or "text"]
        raise RaspError(f"{what}: expected {TYPE_WORDS[wanted]}, got {got}", place)


def looked_up(index: SOp, table: Mapping[Atom, Atom], place: Place = NOWHERE) -> SOp:
    """Each value of `index` replaced by what stands in the table."""
    types = list(dict.fromkeys(map(type_of, table.values())))
    if len(types) > 1:
        words = " and ".join(TYPE_WORDS[kind] for kind in types)
        raise RaspError(f"a table of {words}: expected values of one type", place)
    if not types:
        raise RaspError("a table without entries: expected one at least", place)
    return _made(Lookup, type=types[0], index=index, table=tuple(table.items()))


def member(values: SOp, choices: Iterable[Atom]) -> SOp:
    """Whether each value is one of the choices."""
    return _made(Member, type="bool", values=values, choices=tuple(choices))


def select(keys: SOp | Atom, queries: SOp | Atom, relation: str, place: Place = NOWHERE) -> Select:
    """The selector ``keys_k relation queries_q``; atoms are the same at every position."""
    pair = as_sop(keys), as_sop(queries)
    common_type(pair, place, "select compares")
    if relation not in ("==", "!=") and any(part.type == "bool" for part in pair):
        raise RaspError(f"select by {relation}: expected numbers or strings, got booleans", place)
    return _made(Select, keys=pair[0], queries=pair[1], relation=relation)


def combine(how: str, operands: Iterable[Selector]) -> Selector:
    """``and``, ``or``, ``not`` of selectors."""
    return _made(Combine, how=how, operands=tuple(operands))


def aggregate(
    selector: Selector, values: SOp | Atom, default: Atom = None, place: Place = NOWHERE
) -> SOp:
    """The mean of the selected values; the default, or 0, where nothing is selected."""
    values = as_sop(values)
    if default is not None and values.type not in (type_of(default), None):
        common_type((values, constant(default)), place)
    return _made(Aggregate, type=values.type, selector=selector, values=values, default=default)


def at(values: SOp, index: int) -> SOp:
    """The value at one position, at every position."""
    return _made(At, type=values.type, values=values, index=index)


# -- walking ---------------------------------------------------------------------------------------


def ordered(roots: Iterable[Node]) -> list[Node]:
    """These nodes and all they are made of, parts before wholes; without recursion."""
    found: dict[int, Node] = {}
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node.number not in found:
            found[node.number] = node
            waiting += node.parts
    return [found[number] for number in sorted(found)]


def formula(node: Node, longest: int = 60) -> str:
    """A node as one would write it, cut where it is long.

    >>> formula(select(input_named("indices"), 3, "<="))
    'select(indices, 3, <=)'
    """
    text = _formula(node, 5)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _formula(node: Node, depth: int) -> str:
    if depth == 0 and node.parts:
        return ".."
    inner: Callable[[Node], str] = lambda part: _formula(part, depth - 1)  # noqa: E731
    if isinstance(node, Input):
        return "tokens" if node.name == "tokens_str" else node.name
    if isinstance(node, Constant):
        return f'"{node.value}"' if isinstance(node.value, str) else str(node.value)
    if isinstance(node, Select):
        return f"select({inner(node.keys)}, {inner(node.queries)}, {node.relation})"
    if isinstance(node, Aggregate):
        return f"aggregate({inner(node.selector)}, {inner(node.values)})"
    if isinstance(node, At):
        return f"{inner(node.values)}[{node.index}]"
    if isinstance(node, Lookup):
        return f"table[{inner(node.index)}]"
    if isinstance(node, Member):
        return f"{inner(node.values)} in [..]"
    how = node.function if isinstance(node, Map) else cast(Combine, node).how
    parts = [inner(part) for part in node.parts]
    if how == "if":
        return f"({parts[1]} if {parts[0]} else {parts[2]})"
    if len(parts) == 1:
        return f"{how}({parts[0]})" if how in ("round", "indicator") else f"{SIGNS[how]}{parts[0]}"
    return f"({parts[0]} {how} {parts[1]})"


SIGNS = {"neg": "-", "not": "not "}
