"""What the compiler refuses, why, and what to write instead where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flann.errors import UserError
from flann.rasp.graph.sops import Node, formula
from flann.rasp.language.source_span import NOWHERE, Place


class RefusalError(Exception):  # it is caught, collected and told as one UserError
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
    name: str, refusals: Sequence[RefusalError], places: Mapping[int, Place]
) -> UserError:
    """Return all refusals of a program as one error of one line."""
    parts = []
    for refusal in refusals:
        place = places.get(refusal.node.number, NOWHERE)
        where = f"line {place.line}, column {place.column}: " if place.line else ""
        instead = f" (instead: {refusal.instead})" if refusal.instead else ""
        parts.append(f"{where}{formula(refusal.node)}: {refusal.reason}{instead}")
    return UserError(f"{name} cannot be compiled: " + "; ".join(parts))
