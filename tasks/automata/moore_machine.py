"""Moore machines: the one form in which a task's automaton is given.

A Moore machine has states, a next state for every symbol, and a label at every state. The machine
of a task is minimal: no state can be left out, and no two states give the same labels to every
continuation. Its states are numbered breadth first from the start, symbol by symbol, so that a task
has one machine, number for number.

A language is the special case of two labels. The machine of a task whose labels say more than
membership (which symbols may come next, say) also marks the states whose words are members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Integer

from .automaton import Automaton, check_symbols
from .semiautomaton import Semiautomaton

Word = tuple[int, ...]
"""Symbol ids."""


@dataclass(frozen=True, eq=False)
class MooreMachine:
    """A minimal Moore machine.

    Attributes
    ----------
    symbols : tuple of str
        the alphabet.
    table : ndarray of int, shape (states, symbols)
        next states.
    labels : ndarray of int, shape (states,)
        the label id of each state, or a negative number where words ending there are not scored.
    start : int
        the state before the first symbol.
    members : ndarray of bool, shape (states,), or None
        for a language, whether the words that end in each state are members; None where the labels
        alone say what the task is about.
    names : tuple of str or None
        names of the states, for drawings; their numbers by default.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> machine = MooreMachine.from_automaton(from_expression("(ab|c)*"))
    >>> machine.size, machine.neutral.tolist()
    (3, [False, False, False])
    """

    symbols: tuple[str, ...]
    table: Int[np.ndarray, "states symbols"]
    labels: Int[np.ndarray, " states"]
    start: int = 0
    members: Bool[np.ndarray, " states"] | None = None
    names: tuple[str, ...] | None = None

    @classmethod
    def from_automaton(cls, automaton: Automaton) -> MooreMachine:
        """Return the machine of an automaton's language, with the labels 0 and 1."""
        accepting = automaton.accepting
        return cls.minimal(
            automaton.symbols,
            automaton.table,
            accepting.astype(np.intp),
            automaton.start,
            members=accepting,
        )

    @classmethod
    def minimal(
        cls,
        symbols: Sequence[str],
        table: Integer[np.ndarray, "states symbols"],
        labels: Integer[np.ndarray, " states"],
        start: int = 0,
        *,
        members: Bool[np.ndarray, " states"] | None = None,
        names: Sequence[str] | None = None,
    ) -> MooreMachine:
        """Return the minimal machine with the same labels (and members) for every word.

        Raises
        ------
        UserError
            for an alphabet that is empty or names a symbol twice.
        """
        check_symbols(symbols)
        table, labels = np.asarray(table, np.intp), np.asarray(labels, np.intp)
        distinguished = labels if members is None else 2 * labels + members
        order = order_breadth_first(table, start)
        number = np.zeros(len(table), np.intp)
        number[order] = np.arange(len(order))
        block = partition_states(number[table[order]], distinguished[order])
        representative = order[np.unique(block, return_index=True)[1]]
        block_of = np.zeros(len(table), np.intp)
        block_of[order] = block
        quotient = block_of[table[representative]]
        order = order_breadth_first(quotient, int(block_of[start]))
        number = np.zeros(len(quotient), np.intp)
        number[order] = np.arange(len(order))
        kept = representative[order]
        return cls(
            tuple(symbols),
            number[quotient[order]],
            labels[kept],
            0,
            None if members is None else np.asarray(members)[kept],
            None if names is None else tuple(names[q] for q in kept),
        )

    @property
    def size(self) -> int:
        """The number of states."""
        return len(self.table)

    @cached_property
    def acceptor(self) -> MooreMachine:
        """The machine of the language: labels 1 for members and 0 for other words.

        It is the machine itself where the labels alone say what the task is about.
        """
        if self.members is None:
            return self
        return replace(self, labels=self.members.astype(np.intp))

    @property
    def is_partial(self) -> bool:
        """Whether the words that end in some state, other than the empty word, are not scored."""
        return bool((self.labels[self.table] < 0).any())

    @property
    def is_language(self) -> bool:
        """Whether the labels are 0 and 1 alone."""
        return bool(np.isin(self.labels, (0, 1)).all())

    @property
    def accepting(self) -> Bool[np.ndarray, " states"]:
        """The states with the label 1; for a language, those that accept."""
        accepting: Bool[np.ndarray, " states"] = self.labels == 1
        return accepting

    @cached_property
    def live(self) -> Bool[np.ndarray, " states"]:
        """The states from which some word leads to acceptance."""
        return self.automaton.live

    @property
    def automaton(self) -> Automaton:
        """The machine as an automaton that accepts the label 1."""
        return Automaton(self.symbols, self.table, self.accepting, self.start)

    def complement(self) -> MooreMachine:
        """Return the machine of the complement of a language."""
        return replace(self, labels=1 - self.labels)

    @cached_property
    def neutral(self) -> Bool[np.ndarray, " symbols"]:
        """The symbols that lead every state to itself."""
        states = np.arange(self.size)[:, None]
        neutral: Bool[np.ndarray, " symbols"] = (self.table == states).all(axis=0)
        return neutral

    @property
    def tier(self) -> tuple[str, ...]:
        """The symbols that are not neutral."""
        return tuple(s for s, n in zip(self.symbols, self.neutral, strict=True) if not n)

    def on_tier(self) -> MooreMachine:
        """Return the machine without its neutral symbols."""
        if not self.neutral.any():
            return self
        return replace(self, symbols=self.tier, table=self.table[:, ~self.neutral])

    def merge_symbols(self) -> MooreMachine:
        """Return the machine with one symbol, the first, of those with the same transitions."""
        kept = np.sort(np.unique(self.table, axis=1, return_index=True)[1])
        if len(kept) == len(self.symbols):
            return self
        return replace(
            self, symbols=tuple(self.symbols[a] for a in kept), table=self.table[:, kept]
        )

    def spell(self, word: Sequence[int]) -> tuple[str, ...]:
        """Return a word by the names of its symbols."""
        return tuple(self.symbols[a] for a in word)

    def as_dict(self) -> dict[str, Any]:
        """Return the machine as plain JSON, as reports and drawings take it."""
        return {
            "kind": "automaton",
            "states": list(self.names or map(str, range(self.size))),
            "symbols": list(self.symbols),
            "start": self.start,
            "accepting": [] if self.members is None else np.flatnonzero(self.members).tolist(),
            "table": self.table.tolist(),
        }

    # -- words and states ------------------------------------------------------------------------

    def states(self, tokens: Integer[np.ndarray, "size length"]) -> Int[np.ndarray, "size length"]:
        """Return the state after every prefix of many words.

        Parameters
        ----------
        tokens : ndarray of int, shape (size, length)
            symbol ids.

        Returns
        -------
        ndarray of int, shape (size, length)
        """
        states = np.empty(tokens.shape, np.int64)
        Semiautomaton(self.table, self.start).run(tokens, states)
        return states

    def run(self, word: Sequence[int], state: int | None = None) -> int:
        """Return the state after a word, from the start or from another state."""
        q = self.start if state is None else state
        for a in word:
            q = int(self.table[q, a])
        return q

    def path(self, origin: int, target: int) -> Word | None:
        """Return a shortest word from one state to another; it is empty if they are the same."""
        return self.path_into(origin, np.arange(self.size) == target)

    def path_into(self, origin: int, goal: Bool[np.ndarray, " states"]) -> Word | None:
        """Return a shortest word from a state to one of several, or None."""
        arrived: dict[int, tuple[int, int] | None] = {origin: None}
        for state in (queue := [origin]):
            if goal[state]:
                word = []
                while (step := arrived[state]) is not None:
                    state, a = step
                    word.append(a)
                return tuple(word[::-1])
            for a, following in enumerate(self.table[state].tolist()):
                if following not in arrived:
                    arrived[following] = (state, a)
                    queue.append(following)
        return None

    def action(self, word: Sequence[int]) -> Int[np.ndarray, " states"]:
        """Return where a word leads each state."""
        states = np.arange(self.size)
        for a in word:
            states = self.table[states, a]
        return states


def order_breadth_first(
    table: Int[np.ndarray, "states symbols"], start: int
) -> Int[np.ndarray, " reached"]:
    """Return the states that words reach, in the order in which a breadth-first search does."""
    rows = table.tolist()
    reached, queue = {start}, [start]
    for state in queue:
        for following in rows[state]:
            if following not in reached:
                reached.add(following)
                queue.append(following)
    return np.array(queue, np.intp)


def partition_states(
    table: Int[np.ndarray, "states symbols"], labels: Int[np.ndarray, " states"]
) -> Int[np.ndarray, " states"]:
    """Return a number for each state, the same for two that label every word alike (Moore 1956).

    States with different labels differ; so do states that a symbol leads to states that differ.
    """
    block = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    while True:
        rows = np.ascontiguousarray(np.column_stack([block, block[table]]))
        packed = rows.view(np.dtype((np.void, rows.strides[0]))).ravel()  # one value a row
        finer = np.unique(packed, return_inverse=True)[1].astype(np.int32)
        if finer.max() == block.max():
            return block
        block = finer
