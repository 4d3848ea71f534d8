"""What a witness is built from: a machine of finitely many states, or a counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flann.errors import UserError


@dataclass(frozen=True)
class Moore:
    """A deterministic machine with an answer at every state.

    Attributes
    ----------
    table : sequence of sequences of int, [states][symbols]
        next states.
    outputs : sequence of int, [states]
        the label after a word that ends in the state; negative where none is asked for.
    start : int
        the state before the first symbol.
    """

    table: Sequence[Sequence[int]]
    outputs: Sequence[int]
    start: int = 0

    def __post_init__(self) -> None:
        states = range(len(self.table))
        widths = {len(row) for row in self.table}
        if len(widths) != 1 or any(q not in states for row in self.table for q in row):
            raise UserError("a machine needs a next state for every state and symbol")
        if len(self.outputs) != len(self.table) or self.start not in states:
            raise UserError("a machine needs an output for every state, and a start among them")

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.table)

    @property
    def symbols(self) -> int:
        """How many symbols there are."""
        return len(self.table[0])

    def action(self, symbol: int) -> tuple[int, ...]:
        """Where a symbol leads each state.

        >>> Moore(table=[[0, 1], [1, 0]], outputs=[0, 1]).action(1)
        (1, 0)
        """
        return tuple(row[symbol] for row in self.table)


@dataclass(frozen=True)
class Counter:
    """A number that every symbol raises or lowers by at most one, read against zero.

    Attributes
    ----------
    rises : sequence of int, [symbols]
        -1, 0 or 1.
    above, below : int
        the label where the number is above zero, and where it is zero or less.
    """

    rises: Sequence[int]
    above: int = 1
    below: int = 0

    def __post_init__(self) -> None:
        if any(rise not in (-1, 0, 1) for rise in self.rises):
            raise UserError("a counter moves by at most one at every symbol")

    @property
    def symbols(self) -> int:
        """How many symbols there are."""
        return len(self.rises)
