"""A program told as text: what each of its s-ops needs, and what its heads select."""

from __future__ import annotations

from collections.abc import Sequence

from flann.rasp.graph.analysis import analyse
from flann.rasp.graph.evaluation import Places, pairs_on
from flann.rasp.graph.fragments import fragments
from flann.rasp.graph.sops import Node, Selector, SOp, formula
from flann.rasp.graph.values import Word

from .interpreter import Interpreter


def report_on(interpreter: Interpreter, only: Node | None = None) -> str:
    """Every named s-op and selector of a program (or only one), a line each."""
    named = [
        (name, value)
        for name, value in interpreter.scope.names.items()
        if isinstance(value, SOp | Selector) and name not in ("tokens", "out")
    ]
    if only is not None:
        named = [(name, value) for name, value in named if value is only]
    lines = []
    for name, value in named:
        need = analyse([value])
        lines.append(f"{name}: {counted(need.layers, 'layer')}, {counted(need.heads, 'head')}")
        for number, heads in enumerate(need.selectors, 1):
            lines += [f"  layer {number}: {formula(head, 90)}" for head in heads]
        lines += [f"  {remark}" for remark in need.remarks]
        if isinstance(value, SOp):
            lines += [f"  {verdict}" for verdict in fragments(value)]
    return "\n".join(lines) or "the program names no s-op and no selector"


def heads_of(
    node: Node, word: Word, places: Places | None = None
) -> list[tuple[str, Sequence[Sequence[bool]]]]:
    """A title and the pairs on a word for each head that a node needs."""
    if not isinstance(node, SOp | Selector):
        return []
    return [
        (f"layer {number}: {formula(head, 56)}", pairs_on(head, word, places))
        for number, heads in enumerate(analyse([node]).selectors, 1)
        for head in heads
    ]


def counted(number: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "layer"), counted(2, "head")
    ('1 layer', '2 heads')
    """
    return f"{number} {what}" + ("" if number == 1 else "s")
