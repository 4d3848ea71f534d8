"""The languages that witnesses solve, given as a Moore machine or as a counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flann.errors import UserError


@dataclass(frozen=True)
class MooreTable:
    """A complete Moore machine as plain tables.

    Attributes
    ----------
    table : sequence of sequences of int, [states][symbols]
        Next state for every state and symbol.
    labels : sequence of int, [states]
        Label of a word that ends in the state; negative if such positions are not scored.
    start : int
        State before the first symbol.
    """

    table: Sequence[Sequence[int]]
    labels: Sequence[int]
    start: int = 0

    def __post_init__(self) -> None:
        states = range(len(self.table))
        row_lengths = {len(row) for row in self.table}
        if len(row_lengths) != 1 or any(q not in states for row in self.table for q in row):
            raise UserError("expected a next state for every state and symbol of a Moore machine")
        if len(self.labels) != len(self.table) or self.start not in states:
            raise UserError("expected a label for every state of a Moore machine, and a start")

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.table)

    @property
    def symbols(self) -> int:
        """Number of symbols."""
        return len(self.table[0])

    def get_action(self, symbol: int) -> tuple[int, ...]:
        """Return the map on states that a symbol induces.

        >>> MooreTable(table=[[0, 1], [1, 0]], labels=[0, 1]).get_action(1)
        (1, 0)
        """
        return tuple(row[symbol] for row in self.table)


@dataclass(frozen=True)
class Counter:
    """An integer, initially 0, to which every symbol adds -1, 0 or 1, compared with zero.

    Attributes
    ----------
    increments : sequence of int, [symbols]
        Increment of every symbol: -1, 0 or 1.
    above, below : int
        Label where the count is positive, and where it is zero or negative.
    """

    increments: Sequence[int]
    above: int = 1
    below: int = 0

    def __post_init__(self) -> None:
        wrong = [n for n in self.increments if n not in (-1, 0, 1)]
        if wrong:
            raise UserError(f"expected increments of a counter of -1, 0 or 1, got {wrong[0]}")

    @property
    def symbols(self) -> int:
        """Number of symbols."""
        return len(self.increments)
