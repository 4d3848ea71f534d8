"""Automata made from the classes: random tables of factors, of subsequences, of thresholds.

Each function draws the description of a language of its class and makes the automaton that carries
it out; what it makes is in the class by construction. `change_transition` changes one transition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from flann.tasks.automata.automaton import Automaton, from_function

Rng = np.random.Generator
Word = tuple[int, ...]
MARK, END = -1, -2


def names(letters: int) -> tuple[str, ...]:
    return tuple("abcdefgh"[:letters]) if letters <= 8 else tuple(map(str, range(letters)))


def chance(rng: Rng, odds: float) -> Callable[[object], bool]:
    """A random predicate: every argument's coin is thrown once."""
    thrown: dict[object, bool] = {}

    def holds(key: object) -> bool:
        if key not in thrown:
            thrown[key] = bool(rng.random() < odds)
        return thrown[key]

    return holds


def word(rng: Rng, letters: int, low: int, high: int) -> Word:
    return tuple(rng.integers(0, letters, rng.integers(low, high + 1)).tolist())


def strictly_local(rng: Rng, letters: int = 2) -> Automaton:
    """A random table of allowed k-factors, with marks at both ends."""
    k = int(rng.integers(1, 4))
    allowed = chance(rng, rng.uniform(0.5, 0.95))

    def step(seen: Word | None, a: int) -> Word | None:
        if seen is None or not allowed((*seen, a)):
            return None
        return (*seen, a)[1:]

    start: Word | None = (MARK,) * (k - 1)
    return from_function(
        names(letters), start, step, lambda seen: seen is not None and allowed((*seen, END))
    )


def locally_testable(rng: Rng, letters: int = 2) -> Automaton:
    """Some k-factors are looked for; which were found and how the word ends decides at random."""
    return thresholds(rng, letters, most=1)


def thresholds(rng: Rng, letters: int = 2, most: int | None = None) -> Automaton:
    """Some k-factors are counted up to a threshold; the counts and the end decide at random."""
    k = int(rng.integers(1, 4))
    most = most or int(rng.integers(2, 4))
    watched = [word(rng, letters, k, k) for _ in range(int(rng.integers(1, 3)))]
    accepts = chance(rng, 0.5)
    ends = bool(rng.random() < 0.3)

    def step(state: tuple[Word, Word], a: int) -> tuple[Word, Word]:
        factor = (*state[0], a)
        counts = tuple(min(n + (factor == w), most) for n, w in zip(state[1], watched, strict=True))
        return factor[1:], counts

    start: tuple[Word, Word] = ((MARK,) * (k - 1), (0,) * len(watched))
    return from_function(
        names(letters), start, step, lambda s: accepts((s[1], s[0] if ends else None))
    )


def progress(state: Word, patterns: list[Word], a: int) -> Word:
    """How far each pattern is found as a subsequence, after one symbol more."""
    return tuple(n + (n < len(p) and p[n] == a) for n, p in zip(state, patterns, strict=True))


def strictly_piecewise(rng: Rng, letters: int = 2) -> Automaton:
    """Random forbidden subsequences."""
    forbidden = [word(rng, letters, 1, 4) for _ in range(int(rng.integers(1, 4)))]
    return from_function(
        names(letters),
        (0,) * len(forbidden),
        lambda state, a: progress(state, forbidden, a),
        lambda state: all(n < len(p) for n, p in zip(state, forbidden, strict=True)),
    )


def piecewise_testable(rng: Rng, letters: int = 2) -> Automaton:
    """Which of some subsequences were found decides at random."""
    watched = [word(rng, letters, 1, 3) for _ in range(int(rng.integers(1, 4)))]
    accepts = chance(rng, 0.5)
    return from_function(
        names(letters),
        (0,) * len(watched),
        lambda state, a: progress(state, watched, a),
        lambda state: accepts(tuple(n == len(p) for n, p in zip(state, watched, strict=True))),
    )


def blocks(rng: Rng, letters: int = 2) -> Automaton:
    """Sequences of blocks, A* u1 A* u2 .. A*; which of them were found decides at random."""
    watched = [
        [word(rng, letters, 1, 2) for _ in range(int(rng.integers(1, 4)))]
        for _ in range(int(rng.integers(1, 3)))
    ]
    accepts = chance(rng, 0.5)

    def on(state: tuple[int, Word], sequence: list[Word], a: int) -> tuple[int, Word]:
        found, recent = state  # the symbols since the last block ended, as far as they matter
        if found == len(sequence):
            return found, ()
        recent = (*recent, a)[-len(sequence[found]) :]
        return (found + 1, ()) if recent == sequence[found] else (found, recent)

    def step(state: tuple[tuple[int, Word], ...], a: int) -> tuple[tuple[int, Word], ...]:
        return tuple(on(s, sequence, a) for s, sequence in zip(state, watched, strict=True))

    start: tuple[tuple[int, Word], ...] = ((0, ()),) * len(watched)
    return from_function(
        names(letters),
        start,
        step,
        lambda state: accepts(tuple(n == len(s) for (n, _), s in zip(state, watched, strict=True))),
    )


def partially_ordered(rng: Rng, letters: int = 2) -> Automaton:
    """R-trivial: no symbol leads to a state of smaller number."""
    states = int(rng.integers(2, 6))
    table = [[int(rng.integers(q, states)) for _ in range(letters)] for q in range(states)]
    return Automaton(names(letters), np.array(table), rng.random(states) < 0.5)


def arbitrary(rng: Rng, letters: int = 2) -> Automaton:
    """Any automaton of a few states."""
    states = int(rng.integers(2, 6))
    table = rng.integers(0, states, (states, letters))
    return Automaton(names(letters), table, rng.random(states) < 0.5)


MADE: dict[str, Callable[[Rng, int], Automaton]] = {
    "SL": strictly_local,
    "SP": strictly_piecewise,
    "LT": locally_testable,
    "LTT": thresholds,
    "PT": piecewise_testable,
    "PLT": blocks,
    "R-trivial": partially_ordered,
    "": arbitrary,
}


def with_neutral(automaton: Automaton) -> Automaton:
    """The same language with a new symbol anywhere in between."""
    loops = np.arange(automaton.size)[:, None]
    return replace(
        automaton,
        symbols=(*automaton.symbols, "n"),
        table=np.hstack([automaton.table, loops]),
    )


def change_transition(rng: Rng, automaton: Automaton) -> Automaton:
    """With one transition of the smallest automaton changed."""
    small = automaton.minimise()
    table = small.table.copy()
    q, a = rng.integers(0, small.size), rng.integers(0, len(small.symbols))
    table[q, a] = rng.integers(0, small.size)
    return replace(small, table=table).minimise()
