"""What is classified: the smallest Moore machine of a language, or of a task that tags.

A Moore machine has states, a next state for every symbol, and an output at every state. Of a
language the output says whether the word so far is accepted, and the smallest machine is the
minimal automaton. Of a task with a label at every position the output is the label.

Two symbols that act alike are *merged*, and one that leads every state to itself is *neutral*. No
class asked about here depends on either, but for the tier: the symbols that are not neutral.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from flann.tasks.algebra.verdict import Stopped

from .automaton import Automaton, check_symbols

MOST_STATES = 3000  # of which it is worked out which reaches which

Word = tuple[int, ...]  # symbol numbers


@dataclass(frozen=True, eq=False)
class Machine:
    """A smallest Moore machine: no state can be left out, no two states are alike.

    Attributes
    ----------
    symbols : tuple of str
        the alphabet.
    table : ndarray of int, shape (states, symbols)
        next states.
    outputs : ndarray of int, shape (states,)
        what each state answers; of a language 1 where it accepts, else 0.
    start : int
        the state before the first symbol.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> machine = Machine.of(from_expression("(ab|c)*"))
    >>> machine.size, machine.neutral.tolist()
    (3, [False, False, False])
    """

    symbols: tuple[str, ...]
    table: Int[np.ndarray, "states symbols"]
    outputs: Int[np.ndarray, " states"]
    start: int

    @classmethod
    def of(cls, automaton: Automaton) -> Machine:
        """The machine of an automaton's language."""
        outputs = automaton.accepting.astype(np.intp)
        return cls.smallest(automaton.symbols, automaton.table, outputs, automaton.start)

    @classmethod
    def smallest(
        cls,
        symbols: Sequence[str],
        table: Int[np.ndarray, "states symbols"],
        outputs: Int[np.ndarray, " states"],
        start: int = 0,
    ) -> Machine:
        """The smallest machine with the same answers, its states numbered breadth first."""
        check_symbols(symbols)
        table = np.asarray(table, np.intp)
        order = breadth_first(table, start)
        number = np.zeros(len(table), np.intp)
        number[order] = np.arange(len(order))
        table, outputs = number[table[order]], np.asarray(outputs)[order]
        block = alike(table, outputs)
        member = np.unique(block, return_index=True)[1]
        small = block[table[member]]
        order = breadth_first(small, int(block[0]))
        number = np.zeros(len(small), np.intp)
        number[order] = np.arange(len(order))
        return cls(tuple(symbols), number[small[order]], outputs[member][order], 0)

    @property
    def size(self) -> int:
        """How many states it has."""
        return len(self.table)

    @property
    def is_language(self) -> bool:
        """Whether it only accepts and rejects."""
        return bool(np.isin(self.outputs, (0, 1)).all())

    @property
    def accepting(self) -> Bool[np.ndarray, " states"]:
        """Which states accept, where it is a language."""
        accepting: Bool[np.ndarray, " states"] = self.outputs == 1
        return accepting

    @cached_property
    def live(self) -> Bool[np.ndarray, " states"]:
        """From which states some word leads to acceptance."""
        return self.automaton.live

    @property
    def automaton(self) -> Automaton:
        """The machine as an automaton, where it is a language."""
        return Automaton(self.symbols, self.table, self.accepting, self.start)

    def complement(self) -> Machine:
        """Of the words that are not in the language."""
        return replace(self, outputs=1 - self.outputs)

    @cached_property
    def neutral(self) -> Bool[np.ndarray, " symbols"]:
        """Which symbols lead every state to itself."""
        neutral: Bool[np.ndarray, " symbols"] = (self.table == np.arange(self.size)[:, None]).all(
            axis=0
        )
        return neutral

    @property
    def tier(self) -> tuple[str, ...]:
        """The symbols that are not neutral."""
        return tuple(s for s, n in zip(self.symbols, self.neutral, strict=True) if not n)

    def on_tier(self) -> Machine:
        """Without the neutral symbols; as it is where there are none."""
        if not self.neutral.any():
            return self
        return replace(self, symbols=self.tier, table=self.table[:, ~self.neutral])

    def merged(self) -> Machine:
        """With one symbol, the first, of those that act alike."""
        kept = np.sort(np.unique(self.table, axis=1, return_index=True)[1])
        if len(kept) == len(self.symbols):
            return self
        return replace(
            self, symbols=tuple(self.symbols[a] for a in kept), table=self.table[:, kept]
        )

    def spelt(self, word: Sequence[int]) -> tuple[str, ...]:
        """A word by its symbols."""
        return tuple(self.symbols[a] for a in word)

    # -- words between states --------------------------------------------------------------------

    def run(self, word: Sequence[int], state: int | None = None) -> int:
        """The state after a word, from the start or from another state."""
        q = self.start if state is None else state
        for a in word:
            q = int(self.table[q, a])
        return q

    def path(self, origin: int, target: int) -> Word | None:
        """A shortest word from one state to another; empty where they are the same."""
        return self.path_into(origin, np.arange(self.size) == target)

    def path_into(self, origin: int, goal: Bool[np.ndarray, " states"]) -> Word | None:
        """A shortest word from a state to one of several."""
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
        """Where a word leads each state."""
        states = np.arange(self.size)
        for a in word:
            states = self.table[states, a]
        return states

    @cached_property
    def reach(self) -> Bool[np.ndarray, "states states"]:
        """``reach[p, q]``: whether some word, maybe the empty one, leads from p to q."""
        if self.size > MOST_STATES:
            raise Stopped(f"more than {MOST_STATES} states")
        reach = np.eye(self.size, dtype=bool)
        reach[np.arange(self.size)[:, None], self.table] = True
        while True:
            further = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
            if (further == reach).all():
                return reach
            reach = further

    @cached_property
    def component(self) -> Int[np.ndarray, " states"]:
        """Of each state, the smallest number of a state that it reaches and that reaches it."""
        component: Int[np.ndarray, " states"] = (self.reach & self.reach.T).argmax(axis=1)
        return component


def breadth_first(table: Int[np.ndarray, "states symbols"], start: int) -> Int[np.ndarray, " met"]:
    """The states that words reach, in the order in which they are met."""
    rows = table.tolist()
    met, queue = {start}, [start]
    for state in queue:
        for following in rows[state]:
            if following not in met:
                met.add(following)
                queue.append(following)
    return np.array(queue, np.intp)


def alike(
    table: Int[np.ndarray, "states symbols"], outputs: Int[np.ndarray, " states"]
) -> Int[np.ndarray, " states"]:
    """A number for each state, the same for two that answer every word alike (Moore 1956).

    States with different outputs differ; so do states that a symbol leads to states that differ.
    """
    block = np.unique(outputs, return_inverse=True)[1].astype(np.int32)
    while True:
        rows = np.ascontiguousarray(np.column_stack([block, block[table]]))
        whole = rows.view(np.dtype((np.void, rows.strides[0]))).ravel()  # a row as one thing
        finer = np.unique(whole, return_inverse=True)[1].astype(np.int32)
        if finer.max() == block.max():
            return block
        block = finer
