"""S-ops and selectors written as RASP expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from .sops import (
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

MAX_DEPTH = 5  # parts further down are written ".."
PREFIXES = {"neg": "-", "not": "not "}


def format_formula(node: Node, max_length: int = 60) -> str:
    """Return a node as a RASP expression of at most `max_length` characters.

    >>> from .sops import create_input, select
    >>> format_formula(select(create_input("indices"), 3, "<="))
    'select(indices, 3, <=)'
    """
    text = _format(node, MAX_DEPTH)
    return text if len(text) <= max_length else text[: max_length - 3] + "..."


def _format(node: Node, depth: int) -> str:
    if depth == 0 and node.parts:
        return ".."
    inner: Callable[[Node], str] = lambda part: _format(part, depth - 1)  # noqa: E731
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
    function = node.function if isinstance(node, Map) else cast(Combine, node).connective
    parts = [inner(part) for part in node.parts]
    if function == "if":
        return f"({parts[1]} if {parts[0]} else {parts[2]})"
    if len(parts) == 1:
        if function in ("round", "indicator"):
            return f"{function}({parts[0]})"
        return f"{PREFIXES[function]}{parts[0]}"
    return f"({parts[0]} {function} {parts[1]})"
