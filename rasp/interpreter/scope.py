"""Names and their values, and the functions that see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flann.rasp.language import syntax

Value = Any
"""An atom, a list, a dict, an s-op, a selector, a Function, or a tuple of several results."""


@dataclass(frozen=True, eq=False)
class Function:
    """A function of a program, and the names it sees."""

    definition: syntax.Define
    scope: Scope
    builtin: bool

    @property
    def name(self) -> str:
        """What it was defined as."""
        return self.definition.name


@dataclass(eq=False)
class Scope:
    """Names and their values; what is not here is looked for further out."""

    names: dict[str, Value] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, name: str) -> Scope | None:
        """The scope that has a name; None if there is none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = scope.outer
        return None

    def visible(self) -> Iterator[str]:
        """Every name that can be seen from here."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.outer
