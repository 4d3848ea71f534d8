"""Deterministic finite automata: made, made smaller, combined, compared.

An automaton is (Q, A, delta, q0, F): `states` Q = 0 .. n - 1, the alphabet `symbols` A, the next
state ``table[q, a] = delta(q, a)``, the `start` q0 and `accepting[q]`, whether q is in F. It is
complete: every state has a next state for every symbol, so a word that no longer leads anywhere
ends in a dead state. Without `accepting` it would be a semiautomaton (`flann.tasks.automata.semiautomaton`).

Everything that explores states breadth first goes through `from_function`: products, subset
constructions, reversals, regular expressions. It numbers states in the order in which it meets
them, symbol by symbol, so `minimise` gives one automaton per language, number for number.

Minimisation is by refining partitions (Hopcroft 1971, "An n log n algorithm for minimizing states
in a finite automaton"). Equivalence is decided on the product, breadth first, which finds a
shortest word that only one of the two accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import and_
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Int

from flann.errors import UserError

MOST_STATES = 10_000

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Automaton:
    """A complete deterministic finite automaton.

    Attributes
    ----------
    symbols : tuple of str
        the alphabet; words are sequences of their numbers.
    table : ndarray of int, shape (states, symbols)
        next states.
    accepting : ndarray of bool, shape (states,)
        which states accept.
    start : int
        the state before the first symbol.

    Examples
    --------
    >>> odd = Automaton(("0", "1"), np.array([[0, 1], [1, 0]]), np.array([False, True]))
    >>> odd.accepts([1, 0, 0]), odd.complement().accepts([1, 0, 0])
    (True, False)
    """

    symbols: tuple[str, ...]
    table: Int[np.ndarray, "states symbols"]
    accepting: Bool[np.ndarray, " states"]
    start: int = 0

    @property
    def size(self) -> int:
        """How many states it has."""
        return len(self.table)

    def accepts(self, word: Iterable[int]) -> bool:
        """Whether a word, given by symbol numbers, is in the language."""
        return bool(self.accepting[self.state_after(word)])

    def state_after(self, word: Iterable[int]) -> int:
        """The state in which a word ends."""
        state = self.start
        for symbol in word:
            state = int(self.table[state, symbol])
        return state

    @cached_property
    def live(self) -> Bool[np.ndarray, " states"]:
        """From which states some word leads to acceptance."""
        live = self.accepting.copy()
        while (more := live | live[self.table].any(axis=1)).sum() > live.sum():
            live = more
        return live

    def states_after_length(self, length: int) -> Int[np.ndarray, " reached"]:
        """The states that some word of this length ends in, in order of number."""
        while len(self._reached) <= length:
            self._reached.append(np.unique(self.table[self._reached[-1]]))
        return self._reached[length]

    @cached_property
    def _reached(self) -> list[Int[np.ndarray, " reached"]]:
        return [np.array([self.start])]

    @property
    def is_empty(self) -> bool:
        """Whether it accepts no word at all."""
        return not self.live[self.start]

    # -- one automaton out of one ----------------------------------------------------------------

    def minimise(self) -> Automaton:
        """The automaton of the same language with the fewest states, numbered breadth first."""
        whole = self.trim()
        block_of = refine_partition(whole)
        member = np.unique(block_of, return_index=True)[1]  # one state of each block
        return from_function(
            self.symbols,
            int(block_of[whole.start]),
            lambda block, a: int(block_of[whole.table[member[block], a]]),
            lambda block: bool(whole.accepting[member[block]]),
        )

    def trim(self) -> Automaton:
        """Without the states that no word reaches, the rest numbered breadth first."""
        table, accepting = self.table, self.accepting
        return from_function(
            self.symbols, self.start, lambda q, a: int(table[q, a]), lambda q: bool(accepting[q])
        )

    def complement(self) -> Automaton:
        """Accepts exactly the words that this one does not."""
        return replace(self, accepting=~self.accepting)

    def reverse(self) -> Automaton:
        """Accepts the words whose reversal this one accepts.

        Its states are sets: those from which the word read so far, backwards, leads to acceptance.
        """
        before: list[list[list[int]]] = [[[] for _ in self.symbols] for _ in range(self.size)]
        for q, row in enumerate(self.table.tolist()):
            for a, following in enumerate(row):
                before[following][a].append(q)
        return from_function(
            self.symbols,
            frozenset(np.flatnonzero(self.accepting).tolist()),
            lambda states, a: frozenset(p for q in states for p in before[q][a]),
            lambda states: self.start in states,
        )

    def with_alphabet(self, symbols: Sequence[str]) -> Automaton:
        """The same language over more symbols, or over the same ones in another order.

        Raises
        ------
        UserError
            where one of the present symbols is missing.
        """
        check_symbols(symbols)
        if missing := [s for s in self.symbols if s not in symbols]:
            raise UserError(f"the alphabet {' '.join(symbols)} has no {missing[0]!r}: it is needed")
        dead = self.size
        columns = [self.symbols.index(s) if s in self.symbols else -1 for s in symbols]
        wide = np.full((dead + 1, len(self.symbols) + 1), dead)
        wide[:dead, :-1] = self.table
        accepting = np.append(self.accepting, False)
        return Automaton(tuple(symbols), wide[:, columns], accepting, self.start).trim()

    # -- one out of two --------------------------------------------------------------------------

    def product(self, other: Automaton, accept: Callable[[bool, bool], bool] = and_) -> Automaton:
        """Both run side by side; `accept` says when a pair of states accepts.

        ``and_`` (the default) gives the intersection, ``or_`` the union, ``xor`` where they differ.

        Raises
        ------
        UserError
            for different alphabets.
        """
        if self.symbols != other.symbols:
            raise UserError(
                f"the alphabets differ: {' '.join(self.symbols)} and {' '.join(other.symbols)}"
            )
        return from_function(
            self.symbols,
            (self.start, other.start),
            lambda pair, a: (int(self.table[pair[0], a]), int(other.table[pair[1], a])),
            lambda pair: bool(
                accept(bool(self.accepting[pair[0]]), bool(other.accepting[pair[1]]))
            ),
        )

    def counterexample(self, other: Automaton) -> list[str] | None:
        """A shortest word that exactly one of the two accepts; None where they are equivalent.

        >>> from .expressions import from_expression
        >>> from_expression("(aa|b)*").counterexample(from_expression("(aa)*b*"))
        ['b', 'a', 'a']
        """
        return self.product(other, lambda a, b: a != b).shortest_member()

    def shortest_member(self) -> list[str] | None:
        """A shortest accepted word, first in the order of the symbols; None where there is none."""
        arrived: dict[int, tuple[int, int] | None] = {self.start: None}
        for state in (queue := [self.start]):
            if self.accepting[state]:
                return self._trace_back(state, arrived)
            for a, following in enumerate(self.table[state].tolist()):
                if following not in arrived:
                    arrived[following] = (state, a)
                    queue.append(following)
        return None

    def _trace_back(self, state: int, arrived: dict[int, tuple[int, int] | None]) -> list[str]:
        word = []
        while (step := arrived[state]) is not None:
            state, a = step
            word.append(self.symbols[a])
        return word[::-1]


def from_function(
    symbols: Sequence[str],
    start: State,
    step: Callable[[State, int], State],
    accepts: Callable[[State], bool],
    limit: int = MOST_STATES,
) -> Automaton:
    """The automaton that a function runs: its states are whatever `step` returns.

    Parameters
    ----------
    symbols : sequence of str
        the alphabet.
    start : hashable
        the state before the first symbol.
    step : callable
        ``step(state, symbol number)`` is the next state: hashable, equal where states are the same.
    accepts : callable
        whether a state accepts.
    limit : int
        the most states.

    Raises
    ------
    UserError
        for an alphabet that is empty or names a symbol twice, or more states than `limit`.

    Examples
    --------
    >>> third = from_function("ab", 0, lambda q, a: (q + a) % 3, lambda q: q == 0)
    >>> third.table.tolist()
    [[0, 1], [1, 2], [2, 0]]
    """
    check_symbols(symbols)
    numbers: dict[State, int] = {start: 0}
    rows: list[list[int]] = []
    for state in (queue := [start]):
        row = []
        for a in range(len(symbols)):
            following = step(state, a)
            if following not in numbers:
                if len(numbers) == limit:
                    raise UserError(f"the automaton has too many states: expected at most {limit}")
                numbers[following] = len(numbers)
                queue.append(following)
            row.append(numbers[following])
        rows.append(row)
    accepting = np.array([bool(accepts(state)) for state in queue])
    return Automaton(tuple(symbols), np.array(rows), accepting)


def check_symbols(symbols: Sequence[str]) -> None:
    """Refuse an empty alphabet and one that names a symbol twice."""
    if not symbols:
        raise UserError("the alphabet is empty: expected one symbol or more")
    if twice := [s for i, s in enumerate(symbols) if s in symbols[:i]]:
        raise UserError(f"the alphabet names {twice[0]!r} twice: expected each symbol once")


def refine_partition(automaton: Automaton) -> Int[np.ndarray, " states"]:
    """Hopcroft's partition: states in one block accept the same words from there on.

    A splitter is a block S and a symbol a. It cuts every block into the states that a leads into S
    and the rest. Of the two halves only the smaller need become a splitter again, so each state
    takes part in at most log n splits for each symbol.
    """
    size, alphabet = automaton.table.shape
    before = [find_predecessors(automaton.table[:, a]) for a in range(alphabet)]
    accepting = set(np.flatnonzero(automaton.accepting).tolist())
    blocks = [block for block in (accepting, set(range(size)) - accepting) if block]
    block_of = np.zeros(size, int)
    if len(blocks) == 2:
        block_of[list(blocks[1])] = 1
    waiting = {(number, a) for number in range(len(blocks)) for a in range(alphabet)}
    while waiting:
        splitter, a = waiting.pop()
        led = {p for q in blocks[splitter] for p in before[a][q]}
        for number in {int(block_of[p]) for p in led}:
            inside = blocks[number] & led
            if len(inside) == len(blocks[number]):
                continue
            outside = blocks[number] - inside
            smaller, larger = sorted((inside, outside), key=len)
            blocks[number] = larger
            blocks.append(smaller)
            block_of[list(smaller)] = len(blocks) - 1
            # if (number, b) still waits, both halves must; if not, either half will do
            waiting |= {(len(blocks) - 1, b) for b in range(alphabet)}
    return block_of


def find_predecessors(following: Int[np.ndarray, " states"]) -> list[list[int]]:
    """For each state, those that one symbol leads to it."""
    before: list[list[int]] = [[] for _ in following]
    for state, after in enumerate(following.tolist()):
        before[after].append(state)
    return before
