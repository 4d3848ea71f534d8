"""Deterministic finite automata: construction, minimisation, Boolean operations, equivalence.

An automaton is (Q, A, delta, q0, F): `states` Q = 0 .. n - 1, the alphabet `symbols` A, the next
state ``table[q, a] = delta(q, a)``, the `start` q0 and `accepting[q]`, whether q is in F. It is
complete: every state has a next state for every symbol, so that a word without accepted
continuations ends in a dead state.

Products, subset constructions, reversals and regular expressions all explore states breadth first
with `from_function`. It numbers states in the order in which they are reached, symbol by symbol, so
that `minimise` gives one automaton per language, number for number.

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
        """The number of states."""
        return len(self.table)

    def accepts(self, word: Iterable[int]) -> bool:
        """Return whether a word, given by symbol numbers, is in the language."""
        return bool(self.accepting[self.state_after(word)])

    def state_after(self, word: Iterable[int]) -> int:
        """Return the state in which a word ends."""
        state = self.start
        for symbol in word:
            state = int(self.table[state, symbol])
        return state

    @cached_property
    def live(self) -> Bool[np.ndarray, " states"]:
        """The states from which some word leads to acceptance."""
        live = self.accepting.copy()
        while (more := live | live[self.table].any(axis=1)).sum() > live.sum():
            live = more
        return live

    def states_after_length(self, length: int) -> Int[np.ndarray, " reached"]:
        """Return the states in which words of this length end, in ascending order."""
        while len(self._reached) <= length:
            self._reached.append(np.unique(self.table[self._reached[-1]]))
        return self._reached[length]

    @cached_property
    def _reached(self) -> list[Int[np.ndarray, " reached"]]:
        return [np.array([self.start])]

    @property
    def is_empty(self) -> bool:
        """Whether the language is empty."""
        return not self.live[self.start]

    # -- one automaton out of one ----------------------------------------------------------------

    def minimise(self) -> Automaton:
        """Return the minimal automaton of the language, its states numbered breadth first."""
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
        """Return the automaton without unreachable states, the others numbered breadth first."""
        table, accepting = self.table, self.accepting
        return from_function(
            self.symbols, self.start, lambda q, a: int(table[q, a]), lambda q: bool(accepting[q])
        )

    def complement(self) -> Automaton:
        """Return the automaton of the complement."""
        return replace(self, accepting=~self.accepting)

    def reverse(self) -> Automaton:
        """Return the automaton of the reversed words.

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
        """Return the automaton of the same language over more symbols, or in another order.

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
        """Return the product automaton, in which `accept` decides when a pair of states accepts.

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
        """Return a shortest word that exactly one of two automata accepts, or None if there is
        none.

        >>> from flann.tasks.automata.expressions import from_expression
        >>> from_expression("(aa|b)*").counterexample(from_expression("(aa)*b*"))
        ['b', 'a', 'a']
        """
        return self.product(other, lambda a, b: a != b).shortest_member()

    def shortest_member(self) -> list[str] | None:
        """Return a shortest accepted word, the first in symbol order, or None if there is none."""
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
    """Build the automaton whose transitions a function computes; states are what it returns.

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
    """Refuse an alphabet that is empty or names a symbol twice."""
    if not symbols:
        raise UserError("the alphabet is empty: expected one symbol or more")
    if twice := [s for i, s in enumerate(symbols) if s in symbols[:i]]:
        raise UserError(f"the alphabet names {twice[0]!r} twice: expected each symbol once")


def refine_partition(automaton: Automaton) -> Int[np.ndarray, " states"]:
    """Return Hopcroft's partition: states of one block accept the same continuations.

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
    """Return, for each state, the states that one symbol leads to it."""
    before: list[list[int]] = [[] for _ in following]
    for state, after in enumerate(following.tolist()):
        before[after].append(state)
    return before
