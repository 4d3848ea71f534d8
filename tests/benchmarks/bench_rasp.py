"""Benchmark of the compiled reference programs: their sizes, times and exact lengths.

    python tests/benchmarks/bench_rasp.py [CSV] [LONGEST]

Each program is compiled for words of up to 256 symbols and compared with its network at some of
these lengths. Then the limit is doubled for as long as the compiler accepts it and the network is
right at the limit, up to LONGEST. Times are of one core. The last line gives the time of the
interpreter on a histogram, as a ratio to that of numpy's bincount, and the peak memory.
"""

from __future__ import annotations

import csv
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from flann.errors import UserError
from flann.rasp import load_program
from flann.rasp.compiler.check import check
from flann.rasp.graph.evaluation import run_on_ids

PROGRAMS = ["parity", "Z60", "S3", "D4", "Q8", "A4", "S4", "A4xZ5", "A5", "S5"]
PROGRAMS += ["dyck-1", "dyck-2", "dyck-3", "dyck-2:depth=3", "shuffle-dyck-2", "majority"]
PROGRAMS += ["reverse", "copy", "sort", "bucket-sort", "most-frequent"]
PROGRAMS += ["histogram", "histogram-bos", "double-histogram", "gridworld"]
DEFAULT_LENGTH = 256
COLUMNS = ["program", "layers", "heads", "blocks", "width", "parameters", "compile_seconds"]
COLUMNS += ["error_bound", "least_margin", "words_checked", "exact_to", "why_no_further"]


def time_action(action: Callable[[], object], runs: int = 3) -> float:
    """Return the shortest time of several runs, in seconds."""
    times = []
    for _ in range(runs):
        before = time.perf_counter()
        action()
        times.append(time.perf_counter() - before)
    return min(times)


def measure_program(name: str, longest: int) -> dict[str, Any]:
    """Return the row of one program."""
    program = load_program(name, max_length=DEFAULT_LENGTH)
    compile_time = time_action(lambda: load_program(name, max_length=DEFAULT_LENGTH).compile())
    compiled = program.compile()
    lengths = [1, 2, 3, 4, 7, 8, 16, 33, 64, 100, 128, 200, 255, 256]
    comparison = check(program.node, compiled, lengths=lengths, size=4)
    exact, why = 0, f"wrong at {comparison.wrong}"
    if comparison.wrong is None:
        exact, why = find_longest_exact(name, longest)
    return {
        "program": name,
        **{key: compiled.notes[key] for key in ("layers", "heads", "blocks", "width")},
        "parameters": compiled.parameters,
        "compile_seconds": round(compile_time, 3),
        "error_bound": f"{compiled.notes['error']:.1e}",
        "least_margin": round(comparison.margin, 4),
        "words_checked": comparison.words,
        "exact_to": exact,
        "why_no_further": why,
    }


def find_longest_exact(name: str, longest: int) -> tuple[int, str]:
    """Return the greatest limit, by doubling, with an exact network, and what ends the search."""
    exact, length = DEFAULT_LENGTH, 2 * DEFAULT_LENGTH
    while length <= longest:
        program = load_program(name, max_length=length)
        try:
            compiled = program.compile()
        except UserError:
            return exact, f"refused at {length}"
        comparison = check(program.node, compiled, lengths=[length], size=2)
        if comparison.wrong is not None:
            return exact, f"wrong at {length}"
        exact, length = length, 2 * length
    return exact, "not tried further"


def time_histogram() -> tuple[float, float]:
    """Return the seconds that 128 histograms of 512 symbols take: interpreted, and in numpy."""
    ids = np.random.default_rng(0).integers(26, size=(128, 512))
    letters = "abcdefghijklmnopqrstuvwxyz"
    node = load_program("histogram").node
    labels = range(513)
    numpy_time = time_action(lambda: [np.bincount(row, minlength=26)[row] for row in ids])
    return time_action(lambda: run_on_ids(node, ids, letters, labels)), numpy_time


def main(path: str = "", longest: int = 2048) -> None:
    """Print the table, and write it to a file if one is named."""
    torch.set_num_threads(1)
    rows = []
    print(f"{'program':18}{'layers':>7}{'heads':>6}{'blocks':>7}{'width':>6}{'parameters':>11}"
          f"{'compile':>9}{'margin':>8}{'exact to':>10}")  # fmt: skip
    for name in PROGRAMS:
        row = measure_program(name, longest)
        rows.append(row)
        print(f"{name:18}{row['layers']:7}{row['heads']:6}{row['blocks']:7}{row['width']:6}"
              f"{row['parameters']:11,}{row['compile_seconds']:8.2f}s{row['least_margin']:8.3f}"
              f"{row['exact_to']:10}  {row['why_no_further']}", flush=True)  # fmt: skip
    interpreted_time, numpy_time = time_histogram()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    ratio = interpreted_time / numpy_time
    print(f"histogram of 128 words of 512: {interpreted_time:.3f} s, {ratio:.0f} times numpy's"
          f" bincount; greatest memory {memory:.2f} GiB")  # fmt: skip
    if path:
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((str, int), sys.argv[1:3], strict=False)))
