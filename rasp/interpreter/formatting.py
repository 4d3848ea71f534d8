"""Values and programs as text: as RASP writes a value, and what each s-op of a program requires."""

from __future__ import annotations

from typing import Any

from flann.rasp.graph.analysis import analyse
from flann.rasp.graph.formula import format_formula
from flann.rasp.graph.fragments import classify
from flann.rasp.graph.sops import Node, Selector, SOp

from .interpreter import Interpreter
from .scope import Function, Value

MAX_ITEMS = 2000  # of a list or dict that are written
MAX_INNER_ITEMS = 40  # of one inside another
MAX_LEVELS = 4  # of lists in lists


def format_value(value: Value) -> str:
    """Return a value as RASP writes it, cut where it is long.

    >>> format_value(["a", 0.5, True])
    '["a", 0.5, True]'
    """
    return _format_value(value, MAX_LEVELS)


def _format_value(value: Value, levels: int) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple | dict):
        return _format_items(value, levels)
    if isinstance(value, float):
        return f"{value:.6g}" if value != int(value) else str(int(value))
    if isinstance(value, Function):
        return f"function {value.name}({', '.join(value.definition.parameters)})"
    if isinstance(value, SOp):
        return f"s-op {describe_node(value)}"
    if isinstance(value, Selector):
        return f"selector {describe_node(value)}"
    return str(value)


def _format_items(value: list[Value] | tuple[Value, ...] | dict[Any, Value], levels: int) -> str:
    if levels == 0:
        return ".."
    limit = MAX_ITEMS if levels == MAX_LEVELS else MAX_INNER_ITEMS
    items = value.items() if isinstance(value, dict) else value
    parts = [
        ": ".join(_format_value(part, levels - 1) for part in item)
        if isinstance(value, dict)
        else _format_value(item, levels - 1)
        for _, item in zip(range(limit), items, strict=False)
    ]
    more = ", .." if len(value) > len(parts) else ""
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + ", ".join(parts) + more + closing


def describe_node(node: SOp | Selector) -> str:
    """Return a node's formula, with the layers and heads that it requires."""
    required = analyse([node])
    layers, heads = format_count(required.layers, "layer"), format_count(required.heads, "head")
    return f"{format_formula(node)}: {layers}, {heads}"


def format_count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not 1.

    >>> format_count(1, "layer"), format_count(2, "head")
    ('1 layer', '2 heads')
    """
    return f"{number} {noun}" + ("" if number == 1 else "s")


def format_requirements(interpreter: Interpreter, only: Node | None = None) -> str:
    """Return what a program requires, with a paragraph for each named s-op and selector.

    Parameters
    ----------
    interpreter : Interpreter
        has built the program.
    only : Node, optional
        report this node alone.
    """
    named = [
        (name, value)
        for name, value in interpreter.scope.names.items()
        if isinstance(value, SOp | Selector) and name not in ("tokens", "out")
    ]
    if only is not None:
        named = [(name, value) for name, value in named if value is only]
    lines = []
    for name, value in named:
        required = analyse([value])
        layers, heads = format_count(required.layers, "layer"), format_count(required.heads, "head")
        lines.append(f"{name}: {layers}, {heads}")
        for number, selectors in enumerate(required.selectors, 1):
            lines += [f"  layer {number}: {format_formula(head, 90)}" for head in selectors]
        lines += [f"  {remark}" for remark in required.remarks]
        if isinstance(value, SOp):
            lines += [f"  {verdict}" for verdict in classify(value)]
    return "\n".join(lines) or "the program names no s-op and no selector"
