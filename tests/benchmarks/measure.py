"""How the benchmarks measure: rivals in turn, medians, ratios, beside the machine's own rates.

A shared machine is noisy. Rivals are therefore timed in turn (ours, theirs, ours, theirs, ...), so
that a disturbance meets both, the medians are compared, and time is the processor's own (with one
thread, what the clock on the wall would show on a machine with nothing else to do). Peak memory is
that of a process of its own, less what it held before.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

LEAST = 0.5
"""Seconds that a rival is timed for, at least."""
MOST = 15
"""Timings of a rival, at most."""
PATIENCE = 20
"""Seconds; a rival that takes longer is timed in the first turn alone."""


def in_turn(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median milliseconds of each, timed in turn after one turn that does not count."""
    first = {name: _seconds(run) for name, run in runs.items()}
    slow = {name: took * 1e3 for name, took in first.items() if took > PATIENCE}
    times: dict[str, list[float]] = {name: [] for name in runs if name not in slow}
    while (
        times
        and min(map(len, times.values())) < MOST
        and (min(map(len, times.values())) < 3 or min(map(sum, times.values())) < LEAST)
    ):
        for name in times:
            times[name].append(_seconds(runs[name]))
    return {name: slow.get(name) or median(times[name]) * 1e3 for name in runs}


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def machine() -> None:
    """Print the rates of a matrix product, of exp and of a copy."""
    a, b = torch.randn(1024, 1024), torch.randn(1 << 24)
    c = torch.empty_like(b)
    took = in_turn({"product": lambda: a @ a, "exp": lambda: torch.exp(b, out=c),
                    "copy": lambda: c.copy_(b)})  # fmt: skip
    rates = {
        "matrix product": f"{2 * 1024**3 / took['product'] / 1e6:.1f} GFLOP/s",
        "exp": f"{len(b) / took['exp'] / 1e6:.2f} G/s",
        "copy": f"{8 * len(b) / took['copy'] / 1e6:.1f} GB/s",
    }
    print("machine, one thread: " + ", ".join(f"{name} {rate}" for name, rate in rates.items()))


def peak_of(script: str, *arguments: str) -> float:
    """Megabytes that a script called with ``--peak`` says it took; nan if it died of it."""
    command = [sys.executable, script, "--peak", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path.cwd())
    return float(done.stdout) if done.returncode == 0 else float("nan")


def append(folder: Path | None, name: str, header: list[str], rows: list[Any]) -> None:
    """Rows to the end of a table, which begins with its header."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows(rows if file.tell() else [header, *rows])


def print_peak(run: Callable[[], object]) -> None:
    """Run, and print by how many megabytes that raised this process's peak (on Linux)."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is held
    before = high_water()
    run()
    print(high_water() - before)


def high_water() -> float:
    """The most megabytes that this process has held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
