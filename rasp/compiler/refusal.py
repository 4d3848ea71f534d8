"""What the compiler refuses, with the reason and, where there is one, a rewriting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flann.errors import UserError
from flann.rasp.graph.formula import format_formula
from flann.rasp.graph.sops import Node
from flann.rasp.language.source_span import NO_SPAN, SourceSpan


class Refused(Exception):  # noqa: N818  # it is caught, collected and told as one UserError
    """One expression that cannot be compiled."""

    def __init__(self, node: Node, reason: str, instead: str = "") -> None:
        super().__init__(reason)
        self.node, self.reason, self.instead = node, reason, instead


class Blocked(Exception):  # noqa: N818
    """An expression whose parts were refused already."""


def refusal(name: str, found: Sequence[Refused], places: Mapping[int, SourceSpan]) -> UserError:
    """All of them as one error of one line."""
    parts = []
    for each in found:
        place = places.get(each.node.number, NO_SPAN)
        where = f"line {place.line}, column {place.column}: " if place.line else ""
        instead = f" (instead: {each.instead})" if each.instead else ""
        parts.append(f"{where}{format_formula(each.node)}: {each.reason}{instead}")
    return UserError(f"{name} cannot be compiled: " + "; ".join(parts))
