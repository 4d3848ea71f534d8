"""A slow and simple evaluator: one word, one position and one value at a time."""

from __future__ import annotations

from typing import Any

from flann.rasp.graph.sops import (
    Aggregate,
    At,
    Combine,
    Constant,
    Input,
    Lookup,
    Map,
    Member,
    Node,
    Select,
)

FUNCTIONS: dict[str, Any] = {
    "neg": lambda a: -a,
    "round": round,
    "indicator": int,
    "not": lambda a: not a,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "^": lambda a, b: float(a) ** b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "if": lambda c, a, b: a if c else b,
}


class NoValueError(Exception):
    """The program has no value on this word."""


def evaluate(node: Node, word: Any) -> list[Any]:
    """Return the values of an s-op on one word."""
    length = len(word)
    if isinstance(node, Input):
        if node.name == "indices":
            return list(range(length))
        read = {"tokens_str": str, "tokens_int": int, "tokens_asis": lambda s: s}[node.name]
        return [read(symbol) for symbol in word]
    if isinstance(node, Constant):
        return [node.value] * length
    if isinstance(node, Map):
        parts = [evaluate(part, word) for part in node.operands]
        try:
            values = [FUNCTIONS[node.function](*row) for row in zip(*parts, strict=True)]
        except (ZeroDivisionError, OverflowError) as error:
            raise NoValueError from error
        if any(
            isinstance(x, complex) or (not isinstance(x, str) and abs(x) > 2**53) for x in values
        ):
            raise NoValueError
        if node.function == "if" and len({get_kind(x) for x in values}) > 1:
            raise NoValueError
        return values
    if isinstance(node, Lookup):
        table = dict(node.table)
        try:
            return [table[index] for index in evaluate(node.index, word)]
        except KeyError as error:
            raise NoValueError from error
    if isinstance(node, Member):
        return [value in node.choices for value in evaluate(node.values, word)]
    if isinstance(node, At):
        if not -length <= node.index < length:
            raise NoValueError
        return [evaluate(node.values, word)[node.index]] * length
    assert isinstance(node, Aggregate)
    rows, values = evaluate_pairs(node.selector, word), evaluate(node.values, word)
    return [
        compute_mean([v for v, on in zip(values, row, strict=True) if on], node) for row in rows
    ]


def compute_mean(selected: list[Any], node: Aggregate) -> Any:
    """Return the mean of the selected values, or the default where there are none."""
    if not selected:
        if node.default is None and node.type in ("text", "bool"):
            raise NoValueError
        return 0 if node.default is None else node.default
    if len(selected) == 1:
        return selected[0]
    if get_kind(selected[0]) != "number":
        raise NoValueError
    return sum(selected) / len(selected)


def get_kind(value: Any) -> str:
    """Return the type of an atom."""
    return {bool: "bool", str: "text"}.get(type(value), "number")


def evaluate_pairs(node: Node, word: Any) -> list[list[bool]]:
    """Return the pairs that a selector selects: a row for each query."""
    if isinstance(node, Select):
        keys, queries = evaluate(node.keys, word), evaluate(node.queries, word)
        return [[FUNCTIONS[node.relation](k, q) for k in keys] for q in queries]
    assert isinstance(node, Combine)
    parts = [evaluate_pairs(part, word) for part in node.operands]
    length = range(len(word))
    return [
        [FUNCTIONS[node.connective](*(part[q][k] for part in parts)) for k in length]
        for q in length
    ]
