"""Time and memory to classify large automata, relative to minimising them.

    python tests/benchmarks/bench_algebra.py [LETTERS] [STATES]

The baseline is Hopcroft's minimisation of the same automaton (`Automaton.minimise`) in the same
process; the total is also given as a multiple of it. Each automaton is classified in a process of
its own, so that its memory is measured separately. The automata are a random one, one of
permutations, and members of the classes with a test on the automaton, which are the worst case of
the test as it must complete the search.
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


def list_names(letters: int) -> tuple[str, ...]:
    return tuple(map(str, range(letters)))


def draw_word(rng: Rng, letters: int, length: int) -> Word:
    return tuple(rng.integers(0, letters, length).tolist())


def draw_table(rng: Rng, letters: int, states: int) -> Automaton:
    table = rng.integers(0, states, (states, letters))
    return Automaton(list_names(letters), table, rng.random(states) < 0.5)


def draw_permutations(rng: Rng, letters: int, states: int) -> Automaton:
    table = np.stack([rng.permutation(states) for _ in range(letters)], axis=1)
    return Automaton(list_names(letters), table, rng.random(states) < 0.5)


def draw_forbidden_factors(rng: Rng, letters: int, states: int) -> Automaton:
    """Build a strictly local automaton that forbids some factors of length 4."""
    forbidden = {draw_word(rng, letters, 4) for _ in range(states * 5 // 14)}
    prefixes = {v[:n] for v in forbidden for n in range(4)}

    def step(recent: Word | None, a: int) -> Word | None:
        if recent is None or (*recent, a)[-4:] in forbidden:
            return None
        recent = (*recent, a)[-3:]
        return next(recent[i:] for i in range(4) if recent[i:] in prefixes)

    start: Word | None = ()
    return from_function(list_names(letters), start, step, lambda recent: recent is not None)


def draw_watched_factors(rng: Rng, letters: int, states: int) -> Automaton:
    """Build a locally testable automaton from a random function of the factors of length 3."""
    watched = [draw_word(rng, letters, 3) for _ in range(6)]
    prefixes = {v[:n] for v in watched for n in range(3)}
    accepts: dict[object, bool] = {}

    def step(state: tuple[Word, tuple[bool, ...]], a: int) -> tuple[Word, tuple[bool, ...]]:
        factor = (*state[0], a)
        met = tuple(m or factor[-3:] == v for m, v in zip(state[1], watched, strict=True))
        recent = factor[-2:]
        return next(recent[i:] for i in range(3) if recent[i:] in prefixes), met

    start: tuple[Word, tuple[bool, ...]] = ((), (False,) * len(watched))
    return from_function(
        list_names(letters),
        start,
        step,
        lambda s: accepts.setdefault(s[1], bool(rng.random() < 0.5)),
    )


def draw_subsequences(rng: Rng, letters: int, states: int, strict: bool) -> Automaton:
    """Build an automaton of about `states` states that tracks three subsequences."""
    length = round(states ** (1 / 3))
    watched = [draw_word(rng, letters, n) for n in (length - 1, length, length)]
    accepts: dict[object, bool] = {}

    def step(state: Word, a: int) -> Word:
        return tuple(n + (n < len(v) and v[n] == a) for n, v in zip(state, watched, strict=True))

    def accepted(state: Word) -> bool:
        found = tuple(n == len(v) for n, v in zip(state, watched, strict=True))
        return not any(found) if strict else accepts.setdefault(found, bool(rng.random() < 0.5))

    return from_function(list_names(letters), (0, 0, 0), step, accepted)


def draw_partially_ordered(rng: Rng, letters: int, states: int) -> Automaton:
    """Draw an R-trivial automaton, in which a symbol loops or leads to a later state."""
    state = np.arange(states)[:, None]
    jump = rng.integers(1, 8, (states, letters)) * (rng.random((states, letters)) < 0.5)
    table = np.minimum(state + jump, states - 1)
    return Automaton(list_names(letters), table, rng.random(states) < 0.5)


def draw_chain(rng: Rng, letters: int, states: int) -> Automaton:
    """Draw an automaton in which a symbol loops or leads to the next state."""
    state = np.arange(states)
    table = np.minimum(state[:, None] + (rng.random((states, letters)) < 0.4), states - 1)
    return Automaton(list_names(letters), table, state == states - 1)


AUTOMATA: dict[str, Callable[[Rng, int, int], Automaton]] = {
    "at random": draw_table,
    "permutations": draw_permutations,
    "SL": draw_forbidden_factors,
    "LT": draw_watched_factors,
    "SP": lambda rng, letters, states: draw_subsequences(rng, letters, states, strict=True),
    "PT": lambda rng, letters, states: draw_subsequences(rng, letters, states, strict=False),
    "R-trivial": draw_partially_ordered,
    "chain": draw_chain,
}


def measure(name: str, letters: int, states: int) -> str:
    """Measure one automaton and return its line of the table."""
    automaton = AUTOMATA[name](np.random.default_rng(0), letters, states)
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
    """Print the table of measurements."""
    print(f"{letters} letters; seconds, + for yes and - for no; undecided classes at the right")
    heads = "".join(f"{name:>8}"[-8:] for name in ("SL", "SP", "R", "PT", "LT"))
    print(f"{'automaton':14}{'size':>5}{'Hopcroft':>9} {heads}{'all':>7}{'ratio':>9}{'MiB':>7}")
    for name in AUTOMATA:
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            print(alone.apply(measure, (name, letters, states)), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
