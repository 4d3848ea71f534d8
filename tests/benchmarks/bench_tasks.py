"""Throughput of every task's sampler, relative to the machine's copy rate.

    python tests/benchmarks/bench_tasks.py [SIZE] [LENGTH]

The table gives symbols per second, for tokens and targets together, as the best of several runs on
one core. The last column is the ratio to the copy rate (bytes per second through numpy.copyto, read
and written once), which is comparable across machines.
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
COPIED_BYTES = 1 << 26  # larger than the caches


def measure_seconds(action: Callable[[], object], runs: int = 7) -> float:
    """Return the shortest time of several runs."""
    durations = []
    for _ in range(runs):
        before = time.perf_counter()
        action()
        durations.append(time.perf_counter() - before)
    return min(durations)


def measure_copy_rate() -> float:
    """Return the bytes per second that one core copies."""
    source, target = np.ones(COPIED_BYTES, np.uint8), np.ones(COPIED_BYTES, np.uint8)
    return COPIED_BYTES / measure_seconds(lambda: np.copyto(target, source))


def measure_symbol_rate(name: str, size: int, length: int) -> float:
    """Return the symbols per second of a task's sampler, including targets."""
    task, rng = get_task(name), np.random.default_rng(0)
    length = task.nearest_length(length)
    task.sample(rng, 1, length)  # builds cached tables
    return size * length / measure_seconds(lambda: task.sample(rng, size, length))


def measure_member_rate(length: int, size: int = 10_000) -> float:
    """Return the words per second of uniform members of dyck-2 of depth at most 3."""
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
    return size / measure_seconds(lambda: counts.draw(rng, size, length))


def main(size: int = 10_000, length: int = 128) -> None:
    """Print the table."""
    copied = measure_copy_rate()
    print(f"{size} words of {length} symbols; one core copies {copied / 1e9:.1f} GB/s")
    print(f"{'task':48}{'M symbols/s':>14}{'k words/s':>14}{'of copy rate':>14}")
    for name in [*task_names(), *MORE]:
        rate = measure_symbol_rate(name, size, length)
        share = rate / copied
        print(f"{name:48}{rate / 1e6:14.1f}{rate / length / 1e3:14.1f}{share:14.4f}")
    for at in (40, 500):
        rate = measure_member_rate(at) / 1e3
        print(f"members of dyck-2, depth 3, length {at}, by automaton: {rate:.0f} k words/s")
    small = 128 * 40 / measure_symbol_rate("A5", 128, 40)
    print(f"a training batch of A5, 128 words of 40: {small * 1e3:.3f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
