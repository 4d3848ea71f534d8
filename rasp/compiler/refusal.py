"""What the compiler refuses, why, and what to write instead where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flann.errors import UserError
from flann.rasp.graph.formula import format_formula
from flann.rasp.graph.sops import Node
from flann.rasp.language.source_span import NO_SPAN, SourceSpan


class RefusalError(Exception):
    """An expression that cannot be compiled.

    Parameters
    ----------
    node : Node
        The expression.
    reason : str
        Why it cannot be compiled.
    instead : str
        What to write instead, if that is known.
    """

    def __init__(self, node: Node, reason: str, instead: str = "") -> None:
        super().__init__(reason)
        self.node, self.reason, self.instead = node, reason, instead


def combine_refusals(
    name: str, refusals: Sequence[RefusalError], spans: Mapping[int, SourceSpan]
) -> UserError:
    """Return all refusals of a program as one error of one line."""
    parts = []
    for refusal in refusals:
        span = spans.get(refusal.node.number, NO_SPAN)
        where = f"line {span.line}, column {span.column}: " if span.line else ""
        instead = f" (instead: {refusal.instead})" if refusal.instead else ""
        parts.append(f"{where}{format_formula(refusal.node)}: {refusal.reason}{instead}")
    return UserError(f"{name} cannot be compiled: " + "; ".join(parts))
