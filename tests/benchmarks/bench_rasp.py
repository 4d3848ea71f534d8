"""The compiled reference programs: layers, heads, sizes, times, and how far each is exact.

    python tests/benchmarks/bench_rasp.py [CSV] [LONGEST]

Each program is compiled for words to 256 and compared with its network at some lengths to there.
Then the limit is doubled as long as the compiler accepts it and the network is right at the limit,
up to LONGEST. Times are of one core; the last line gives the interpreter's speed on a histogram as
a ratio to the same counted by numpy outright, and the process's greatest memory.
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
USUAL = 256
COLUMNS = ["program", "layers", "heads", "blocks", "width", "parameters", "compile_seconds"]
COLUMNS += ["error_bound", "least_margin", "words_checked", "exact_to", "why_no_further"]


def seconds(action: Callable[[], object], runs: int = 3) -> float:
    """The best of several runs."""
    taken = []
    for _ in range(runs):
        before = time.perf_counter()
        action()
        taken.append(time.perf_counter() - before)
    return min(taken)


def row_of(name: str, longest: int) -> dict[str, Any]:
    """One program's row."""
    program = load_program(name, max_length=USUAL)
    took = seconds(lambda: load_program(name, max_length=USUAL).compile())
    compiled = program.compile()
    lengths = [1, 2, 3, 4, 7, 8, 16, 33, 64, 100, 128, 200, 255, 256]
    found = check(program.node, compiled, lengths=lengths, size=4)
    exact, why = (USUAL, "") if found.wrong is None else (0, f"wrong at {found.wrong}")
    if found.wrong is None:
        exact, why = furthest(name, longest)
    return {
        "program": name,
        **{key: compiled.notes[key] for key in ("layers", "heads", "blocks", "width")},
        "parameters": compiled.parameters,
        "compile_seconds": round(took, 3),
        "error_bound": f"{compiled.notes['error']:.1e}",
        "least_margin": round(found.margin, 4),
        "words_checked": found.words,
        "exact_to": exact,
        "why_no_further": why,
    }


def furthest(name: str, longest: int) -> tuple[int, str]:
    """The greatest limit, doubling from the usual one, that is compiled and right at its end."""
    exact, length = USUAL, 2 * USUAL
    while length <= longest:
        program = load_program(name, max_length=length)
        try:
            compiled = program.compile()
        except UserError:
            return exact, f"refused at {length}"
        found = check(program.node, compiled, lengths=[length], size=2)
        if found.wrong is not None:
            return exact, f"wrong at {length}"
        exact, length = length, 2 * length
    return exact, "not tried further"


def histogram_speed() -> tuple[float, float]:
    """Seconds for the histogram of 128 words of 512 symbols: interpreted, and by numpy outright."""
    ids = np.random.default_rng(0).integers(26, size=(128, 512))
    letters = "abcdefghijklmnopqrstuvwxyz"
    node = load_program("histogram").node
    labels = range(513)
    outright = seconds(lambda: [np.bincount(row, minlength=26)[row] for row in ids])
    return seconds(lambda: run_on_ids(node, ids, letters, labels)), outright


def main(path: str = "", longest: int = 2048) -> None:
    """Print the table, and write it."""
    torch.set_num_threads(1)
    rows = []
    print(f"{'program':18}{'layers':>7}{'heads':>6}{'blocks':>7}{'width':>6}{'parameters':>11}"
          f"{'compile':>9}{'margin':>8}{'exact to':>10}")  # fmt: skip
    for name in PROGRAMS:
        row = row_of(name, longest)
        rows.append(row)
        print(f"{name:18}{row['layers']:7}{row['heads']:6}{row['blocks']:7}{row['width']:6}"
              f"{row['parameters']:11,}{row['compile_seconds']:8.2f}s{row['least_margin']:8.3f}"
              f"{row['exact_to']:10}  {row['why_no_further']}", flush=True)  # fmt: skip
    taken, outright = histogram_speed()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"histogram of 128 words of 512: {taken:.3f} s, {taken / outright:.0f} times numpy's"
          f" bincount; greatest memory {memory:.2f} GiB")  # fmt: skip
    if path:
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((str, int), sys.argv[1:3], strict=False)))
