"""The slow, obviously right interpreter: one word, one position, one value at a time."""

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


class WrongError(Exception):
    """What the program asks for does not exist."""


def evaluate(node: Node, word: Any) -> list[Any]:
    """The values of an s-op on one word."""
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
            made = [FUNCTIONS[node.function](*values) for values in zip(*parts, strict=True)]
        except (ZeroDivisionError, OverflowError) as error:
            raise WrongError from error
        if any(isinstance(x, complex) or (not isinstance(x, str) and abs(x) > 2**53) for x in made):
            raise WrongError
        if node.function == "if" and len({kind(x) for x in made}) > 1:
            raise WrongError
        return made
    if isinstance(node, Lookup):
        table = dict(node.table)
        try:
            return [table[index] for index in evaluate(node.index, word)]
        except KeyError as error:
            raise WrongError from error
    if isinstance(node, Member):
        return [value in node.choices for value in evaluate(node.values, word)]
    if isinstance(node, At):
        if not -length <= node.index < length:
            raise WrongError
        return [evaluate(node.values, word)[node.index]] * length
    assert isinstance(node, Aggregate)
    rows, values = pairs(node.selector, word), evaluate(node.values, word)
    return [mean([v for v, on in zip(values, row, strict=True) if on], node) for row in rows]


def mean(chosen: list[Any], node: Aggregate) -> Any:
    if not chosen:
        if node.default is None and node.type in ("text", "bool"):
            raise WrongError
        return 0 if node.default is None else node.default
    if len(chosen) == 1:
        return chosen[0]
    if kind(chosen[0]) != "number":
        raise WrongError
    return sum(chosen) / len(chosen)


def kind(value: Any) -> str:
    return {bool: "bool", str: "text"}.get(type(value), "number")


def pairs(node: Node, word: Any) -> list[list[bool]]:
    """What a selector selects: a row for each query."""
    if isinstance(node, Select):
        keys, queries = evaluate(node.keys, word), evaluate(node.queries, word)
        return [[FUNCTIONS[node.relation](k, q) for k in keys] for q in queries]
    assert isinstance(node, Combine)
    parts = [pairs(part, word) for part in node.operands]
    length = range(len(word))
    return [
        [FUNCTIONS[node.connective](*(part[q][k] for part in parts)) for k in length]
        for q in length
    ]
