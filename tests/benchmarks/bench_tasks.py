"""How fast every task makes labelled words, beside the machine's own copy rate.

    python tests/benchmarks/bench_tasks.py [SIZE] [LENGTH]

Symbols per second, tokens and targets both made, best of several runs on one core. The last
column is the share of the copy rate (bytes a second through numpy.copyto, read and written once):
it says how far a task is from merely moving memory, and compares across machines.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from flann.tasks import get_task, task_names
from flann.tasks.automata.automaton import from_function
from flann.tasks.automata.counting import WordCounts

MORE = ["A5:generators=2", "A5:label=last", "parity:ones=uniform", "dyck-1:depth=3"]
MORE += ["dyck-2:depth=3", "dyck-2:mode=recognise", "dyck-2:depth=3,mode=recognise"]
MORE += ["regex:(aa|b)*", "regex-recognise:(aa|b)*", "cycle-navigation:mode=recognise"]
MORE += [
    "cycle-navigation:mode=recognise,negatives=near",
    "modular-arithmetic-simple:negatives=near",
]
MORE += ["tomita-3:label=next", "bucket-sort:mode=recognise", "missing-duplicate:mode=recognise"]
MORE += ["binary-addition:mode=recognise", "binary-multiplication:mode=recognise"]
MORE += ["compute-sqrt:mode=recognise", "stack-manipulation:mode=recognise"]
MORE += ["stack-manipulation:mode=recognise,negatives=near", "boolean-3:mode=recognise"]
MORE += ["dyck-2:label=next", "shuffle-dyck-2:label=next", "histogram:mode=tag"]
COPIED = 1 << 26  # bytes: larger than the caches


def seconds(action: Callable[[], object], runs: int = 7) -> float:
    """The best of several runs."""
    taken = []
    for _ in range(runs):
        before = time.perf_counter()
        action()
        taken.append(time.perf_counter() - before)
    return min(taken)


def copy_rate() -> float:
    """Bytes a second that this core copies."""
    source, target = np.ones(COPIED, np.uint8), np.ones(COPIED, np.uint8)
    return COPIED / seconds(lambda: np.copyto(target, source))


def symbol_rate(name: str, size: int, length: int) -> float:
    """Symbols a second, tokens and targets both made."""
    task, rng = get_task(name), np.random.default_rng(0)
    length = task.nearest_length(length)
    task.sample(rng, 1, length)  # tables are built once
    return size * length / seconds(lambda: task.sample(rng, size, length))


def member_rate(length: int, size: int = 10_000) -> float:
    """Words a second of dyck-2 of depth at most 3, uniform over its members of one length."""
    kinds = {"(": ")", "[": "]"}
    symbols = [bracket for pair in kinds.items() for bracket in pair]

    def step(open_ones: str | None, a: int) -> str | None:
        if open_ones is None or (symbols[a] in kinds and len(open_ones) == 3):
            return None
        if symbols[a] in kinds:
            return open_ones + kinds[symbols[a]]
        return open_ones[:-1] if open_ones[-1:] == symbols[a] else None

    start: str | None = ""
    machine = from_function(symbols, start, step, lambda open_ones: open_ones == "")
    counts, rng = WordCounts(machine.table, machine.accepting), np.random.default_rng(0)
    counts.draw(rng, 1, length)
    return size / seconds(lambda: counts.draw(rng, size, length))


def main(size: int = 10_000, length: int = 128) -> None:
    """Print the table."""
    copied = copy_rate()
    print(f"{size} words of {length} symbols; one core copies {copied / 1e9:.1f} GB/s")
    print(f"{'task':48}{'M symbols/s':>14}{'k words/s':>14}{'of copy rate':>14}")
    for name in [*task_names(), *MORE]:
        rate = symbol_rate(name, size, length)
        share = rate / copied
        print(f"{name:48}{rate / 1e6:14.1f}{rate / length / 1e3:14.1f}{share:14.4f}")
    for at in (40, 500):
        rate = member_rate(at) / 1e3
        print(f"members of dyck-2, depth 3, length {at}, by automaton: {rate:.0f} k words/s")
    small = 128 * 40 / symbol_rate("A5", 128, 40)
    print(f"a training batch of A5, 128 words of 40: {small * 1e3:.3f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
