"""Random automata of each class, built from random tables of factors, subsequences or thresholds.

Each function draws the description of a language of its class and builds the automaton from it, so
that the language is in the class by construction. `change_transition` perturbs an automaton.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from flann.tasks.automata.automaton import Automaton, from_function

Rng = np.random.Generator
Word = tuple[int, ...]
MARK, END = -1, -2


def list_names(letters: int) -> tuple[str, ...]:
    return tuple("abcdefgh"[:letters]) if letters <= 8 else tuple(map(str, range(letters)))


def draw_predicate(rng: Rng, odds: float) -> Callable[[object], bool]:
    """Return a random predicate, which tosses one coin for each argument."""
    thrown: dict[object, bool] = {}

    def holds(key: object) -> bool:
        if key not in thrown:
            thrown[key] = bool(rng.random() < odds)
        return thrown[key]

    return holds


def draw_word(rng: Rng, letters: int, low: int, high: int) -> Word:
    return tuple(rng.integers(0, letters, rng.integers(low, high + 1)).tolist())


def draw_strictly_local(rng: Rng, letters: int = 2) -> Automaton:
    """Draw a table of allowed k-factors, with marks at both ends."""
    k = int(rng.integers(1, 4))
    allowed = draw_predicate(rng, rng.uniform(0.5, 0.95))

    def step(seen: Word | None, a: int) -> Word | None:
        if seen is None or not allowed((*seen, a)):
            return None
        return (*seen, a)[1:]

    start: Word | None = (MARK,) * (k - 1)
    return from_function(
        list_names(letters), start, step, lambda seen: seen is not None and allowed((*seen, END))
    )


def draw_locally_testable(rng: Rng, letters: int = 2) -> Automaton:
    """Draw a random function of the set of watched k-factors in the word, and of its end."""
    return draw_thresholds(rng, letters, most=1)


def draw_thresholds(rng: Rng, letters: int = 2, most: int | None = None) -> Automaton:
    """Draw a random function of the counts of k-factors up to a threshold, and of the end."""
    k = int(rng.integers(1, 4))
    most = most or int(rng.integers(2, 4))
    watched = [draw_word(rng, letters, k, k) for _ in range(int(rng.integers(1, 3)))]
    accepts = draw_predicate(rng, 0.5)
    ends = bool(rng.random() < 0.3)

    def step(state: tuple[Word, Word], a: int) -> tuple[Word, Word]:
        factor = (*state[0], a)
        counts = tuple(min(n + (factor == w), most) for n, w in zip(state[1], watched, strict=True))
        return factor[1:], counts

    start: tuple[Word, Word] = ((MARK,) * (k - 1), (0,) * len(watched))
    return from_function(
        list_names(letters), start, step, lambda s: accepts((s[1], s[0] if ends else None))
    )


def advance_patterns(state: Word, patterns: list[Word], a: int) -> Word:
    """Advance the progress in each pattern, as a subsequence, by one symbol."""
    return tuple(n + (n < len(p) and p[n] == a) for n, p in zip(state, patterns, strict=True))


def draw_strictly_piecewise(rng: Rng, letters: int = 2) -> Automaton:
    """Draw forbidden subsequences."""
    forbidden = [draw_word(rng, letters, 1, 4) for _ in range(int(rng.integers(1, 4)))]
    return from_function(
        list_names(letters),
        (0,) * len(forbidden),
        lambda state, a: advance_patterns(state, forbidden, a),
        lambda state: all(n < len(p) for n, p in zip(state, forbidden, strict=True)),
    )


def draw_piecewise_testable(rng: Rng, letters: int = 2) -> Automaton:
    """Draw a random function of the set of watched subsequences in the word."""
    watched = [draw_word(rng, letters, 1, 3) for _ in range(int(rng.integers(1, 4)))]
    accepts = draw_predicate(rng, 0.5)
    return from_function(
        list_names(letters),
        (0,) * len(watched),
        lambda state, a: advance_patterns(state, watched, a),
        lambda state: accepts(tuple(n == len(p) for n, p in zip(state, watched, strict=True))),
    )


def draw_blocks(rng: Rng, letters: int = 2) -> Automaton:
    """Draw a random function of the set of watched languages A* u1 A* u2 .. A* of the word."""
    watched = [
        [draw_word(rng, letters, 1, 2) for _ in range(int(rng.integers(1, 4)))]
        for _ in range(int(rng.integers(1, 3)))
    ]
    accepts = draw_predicate(rng, 0.5)

    def advance(state: tuple[int, Word], sequence: list[Word], a: int) -> tuple[int, Word]:
        found, recent = state  # the symbols since the last block ended, as far as they matter
        if found == len(sequence):
            return found, ()
        recent = (*recent, a)[-len(sequence[found]) :]
        return (found + 1, ()) if recent == sequence[found] else (found, recent)

    def step(state: tuple[tuple[int, Word], ...], a: int) -> tuple[tuple[int, Word], ...]:
        return tuple(advance(s, sequence, a) for s, sequence in zip(state, watched, strict=True))

    start: tuple[tuple[int, Word], ...] = ((0, ()),) * len(watched)
    return from_function(
        list_names(letters),
        start,
        step,
        lambda state: accepts(tuple(n == len(s) for (n, _), s in zip(state, watched, strict=True))),
    )


def draw_partially_ordered(rng: Rng, letters: int = 2) -> Automaton:
    """Draw an R-trivial automaton, in which no symbol leads to a state of smaller number."""
    states = int(rng.integers(2, 6))
    table = [[int(rng.integers(q, states)) for _ in range(letters)] for q in range(states)]
    return Automaton(list_names(letters), np.array(table), rng.random(states) < 0.5)


def draw_arbitrary(rng: Rng, letters: int = 2) -> Automaton:
    """Draw an arbitrary automaton of a few states."""
    states = int(rng.integers(2, 6))
    table = rng.integers(0, states, (states, letters))
    return Automaton(list_names(letters), table, rng.random(states) < 0.5)


RANDOM: dict[str, Callable[[Rng, int], Automaton]] = {
    "SL": draw_strictly_local,
    "SP": draw_strictly_piecewise,
    "LT": draw_locally_testable,
    "LTT": draw_thresholds,
    "PT": draw_piecewise_testable,
    "PLT": draw_blocks,
    "R-trivial": draw_partially_ordered,
    "": draw_arbitrary,
}


def add_neutral_symbol(automaton: Automaton) -> Automaton:
    """Return the automaton with a new neutral symbol."""
    loops = np.arange(automaton.size)[:, None]
    return replace(
        automaton,
        symbols=(*automaton.symbols, "n"),
        table=np.hstack([automaton.table, loops]),
    )


def change_transition(rng: Rng, automaton: Automaton) -> Automaton:
    """Return the minimal automaton with one transition redrawn."""
    small = automaton.minimise()
    table = small.table.copy()
    q, a = rng.integers(0, small.size), rng.integers(0, len(small.symbols))
    table[q, a] = rng.integers(0, small.size)
    return replace(small, table=table).minimise()
