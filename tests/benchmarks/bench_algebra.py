"""How long the classes of large automata take, and how much memory, beside minimising them.

    python tests/benchmarks/bench_algebra.py [LETTERS] [STATES]

The yardstick is Hopcroft's minimisation of the same automaton (`Automaton.minimised`), in the same
process; every time is also given as a multiple of it. Each automaton has a process of its own, so
that the memory is its own. The automata: one at random, one of permutations, and members of the
classes that have a test on the automaton, which have to be searched through to the end.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from flann.tasks.algebra import classify_machine
from flann.tasks.algebra.varieties.locally_testable import decide_locally_testable
from flann.tasks.algebra.varieties.piecewise_testable import (
    decide_piecewise_testable,
    decide_r_trivial,
)
from flann.tasks.algebra.varieties.strictly_local import decide_strictly_local
from flann.tasks.algebra.varieties.strictly_piecewise import decide_strictly_piecewise
from flann.tasks.algebra.verdict import Clock, Verdict
from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.moore_machine import MooreMachine

Rng = np.random.Generator
Word = tuple[int, ...]

DECIDED: dict[str, Callable[[MooreMachine], Verdict]] = {
    "SL": decide_strictly_local,
    "SP": lambda machine: decide_strictly_piecewise(machine, Clock.of(3)),
    "R-trivial": decide_r_trivial,
    "PT": decide_piecewise_testable,
    "LT": decide_locally_testable,
}


def names(letters: int) -> tuple[str, ...]:
    return tuple(map(str, range(letters)))


def word(rng: Rng, letters: int, length: int) -> Word:
    return tuple(rng.integers(0, letters, length).tolist())


def at_random(rng: Rng, letters: int, states: int) -> Automaton:
    table = rng.integers(0, states, (states, letters))
    return Automaton(names(letters), table, rng.random(states) < 0.5)


def permutations(rng: Rng, letters: int, states: int) -> Automaton:
    table = np.stack([rng.permutation(states) for _ in range(letters)], axis=1)
    return Automaton(names(letters), table, rng.random(states) < 0.5)


def no_factors(rng: Rng, letters: int, states: int) -> Automaton:
    """No factor of some of length 4: strictly local."""
    forbidden = {word(rng, letters, 4) for _ in range(states * 5 // 14)}
    prefixes = {v[:n] for v in forbidden for n in range(4)}

    def step(recent: Word | None, a: int) -> Word | None:
        if recent is None or (*recent, a)[-4:] in forbidden:
            return None
        recent = (*recent, a)[-3:]
        return next(recent[i:] for i in range(4) if recent[i:] in prefixes)

    start: Word | None = ()
    return from_function(names(letters), start, step, lambda recent: recent is not None)


def some_factors(rng: Rng, letters: int, states: int) -> Automaton:
    """Which of some factors of length 3 were met decides at random: locally testable."""
    watched = [word(rng, letters, 3) for _ in range(6)]
    prefixes = {v[:n] for v in watched for n in range(3)}
    accepts: dict[object, bool] = {}

    def step(state: tuple[Word, tuple[bool, ...]], a: int) -> tuple[Word, tuple[bool, ...]]:
        factor = (*state[0], a)
        met = tuple(m or factor[-3:] == v for m, v in zip(state[1], watched, strict=True))
        recent = factor[-2:]
        return next(recent[i:] for i in range(3) if recent[i:] in prefixes), met

    start: tuple[Word, tuple[bool, ...]] = ((), (False,) * len(watched))
    return from_function(
        names(letters), start, step, lambda s: accepts.setdefault(s[1], bool(rng.random() < 0.5))
    )


def subsequences(rng: Rng, letters: int, states: int, strict: bool) -> Automaton:
    """Three subsequences are looked for, so that there are (n + 1)^3 states."""
    length = round(states ** (1 / 3))
    watched = [word(rng, letters, n) for n in (length - 1, length, length)]
    accepts: dict[object, bool] = {}

    def step(state: Word, a: int) -> Word:
        return tuple(n + (n < len(v) and v[n] == a) for n, v in zip(state, watched, strict=True))

    def accepted(state: Word) -> bool:
        found = tuple(n == len(v) for n, v in zip(state, watched, strict=True))
        return not any(found) if strict else accepts.setdefault(found, bool(rng.random() < 0.5))

    return from_function(names(letters), (0, 0, 0), step, accepted)


def downward(rng: Rng, letters: int, states: int) -> Automaton:
    """Every symbol stays or goes on to one of the next states: R-trivial."""
    state = np.arange(states)[:, None]
    jump = rng.integers(1, 8, (states, letters)) * (rng.random((states, letters)) < 0.5)
    table = np.minimum(state + jump, states - 1)
    return Automaton(names(letters), table, rng.random(states) < 0.5)


def chain(rng: Rng, letters: int, states: int) -> Automaton:
    """Every symbol stays or goes on by one: the longest paths."""
    state = np.arange(states)
    table = np.minimum(state[:, None] + (rng.random((states, letters)) < 0.4), states - 1)
    return Automaton(names(letters), table, state == states - 1)


MADE: dict[str, Callable[[Rng, int, int], Automaton]] = {
    "at random": at_random,
    "permutations": permutations,
    "SL": no_factors,
    "LT": some_factors,
    "SP": lambda rng, letters, states: subsequences(rng, letters, states, strict=True),
    "PT": lambda rng, letters, states: subsequences(rng, letters, states, strict=False),
    "R-trivial": downward,
    "chain": chain,
}


def measured(name: str, letters: int, states: int) -> str:
    """One line of the table."""
    automaton = MADE[name](np.random.default_rng(0), letters, states)
    marks = [time.perf_counter()]
    automaton.minimise()
    marks.append(time.perf_counter())
    machine = MooreMachine.from_automaton(automaton)
    marks.append(time.perf_counter())
    answers = []
    for decide in DECIDED.values():
        answers.append(decide(machine).answer)
        marks.append(time.perf_counter())
    found = classify_machine(machine)
    marks.append(time.perf_counter())
    unit, _, *seconds = [late - early for early, late in pairwise(marks)]
    cells = [
        f"{s:6.2f}{'+' if answer else '-'}" for s, answer in zip(seconds, answers, strict=False)
    ]
    unknown = " ".join(n for n, answer in found.classes.items() if answer is None) or "nothing"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{name:14}{machine.size:5}{unit:9.2f}  {' '.join(cells)}{seconds[-1]:7.1f}"
        f"{seconds[-1] / unit:8.1f}x{memory:7.0f}  {unknown}"
    )


def main(letters: int = 64, states: int = 600) -> None:
    """Print the table."""
    print(f"{letters} letters; seconds, + for yes and - for no; not decided at the right")
    heads = "".join(f"{name:>8}"[-8:] for name in ("SL", "SP", "R", "PT", "LT"))
    print(f"{'made':14}{'size':>5}{'Hopcroft':>9} {heads}{'all':>7}{'ratio':>9}{'MiB':>7}")
    for name in MADE:
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            print(alone.apply(measured, (name, letters, states)), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
