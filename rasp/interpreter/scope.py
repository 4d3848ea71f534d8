"""Scopes of names, and the functions that are defined in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flann.rasp.language import syntax

Value = Any
"""An atom, a list, a dict, an s-op, a selector, a Function, or a tuple of several results."""


@dataclass(frozen=True, eq=False)
class Function:
    """A function of a program.

    Attributes
    ----------
    definition : syntax.FunctionDefinition
    scope : Scope
        the scope in which it was defined.
    is_builtin : bool
        whether it belongs to the library.
    """

    definition: syntax.FunctionDefinition
    scope: Scope
    is_builtin: bool

    @property
    def name(self) -> str:
        """The name of its definition."""
        return self.definition.name


@dataclass(eq=False)
class Scope:
    """Names with their values, and the enclosing scope."""

    names: dict[str, Value] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, name: str) -> Scope | None:
        """Return the innermost scope that has a name, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = scope.outer
        return None

    def list_visible(self) -> Iterator[str]:
        """Yield every name that is visible in this scope, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.outer
