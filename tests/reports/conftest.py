"""Synthetic run folders: their numbers follow a formula, and no model is trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

LENGTHS = (2, 4, 8, 16, 32, 40, 64, 128, 256, 320)
WORDS = 512
STATEMENT = {
    "family": "nonnegative-ssm",
    "regime": "log precision",
    "verdict": "cannot unless TC0 = NC1",
    "why": "the recurrence is in TC0",
    "citation": "Merrill, Petty & Sabharwal 2024, arXiv 2404.08819",
}
MakeRun = Callable[..., Path]


def compute_wilson_interval(share: float, size: float = WORDS) -> tuple[float, float]:
    """Compute Wilson's 95% interval, independently of the code under test."""
    z = 1.96
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def build_falling_accuracy(
    holds: float, chance: float, fall: float = 1.0
) -> Callable[[int], float]:
    """Return the accuracy by position: 1 up to `holds`, then falling to chance."""
    return lambda position: (
        1.0 if position <= holds else chance + (1 - chance) * (holds / position) ** (2 * fall)
    )


def build_curve_rows(
    accuracy: Callable[[int], float], lengths: Sequence[int], chance: float, recognise: bool
) -> list[Any]:
    rows = []
    for length in lengths:
        at = [accuracy(position) for position in list_scored_positions(length, recognise)]
        word = 1.0
        for share in at:
            word *= share
        symbol = sum(at) / len(at)
        numbers: list[float] = []
        for share, size in (
            (word, WORDS),
            (at[-1], WORDS),
            (symbol, WORDS * (1 if recognise else 3)),
        ):
            numbers += [share, *compute_wilson_interval(share, size)]
        first = "" if word == 1 else next(n for n, share in enumerate(at, 1) if share < 1)
        rows.append([length, WORDS, *numbers, chance ** len(at), chance, chance, first])
    return rows


def list_scored_positions(length: int, recognise: bool) -> range:
    """Return the scored positions: the last one when recognising, all when tagging."""
    return range(length, length + 1) if recognise else range(1, length + 1)


def build_position_rows(
    accuracy: Callable[[int], float], lengths: Sequence[int], recognise: bool
) -> list[Any]:
    rows = []
    for length in lengths:
        faultless = 1.0
        for position in list_scored_positions(length, recognise):
            share = accuracy(position)
            rows.append([length, position, share, round(WORDS * faultless * (1 - share))])
            faultless *= share
    return rows


def write_csv(file: Path, header: str, rows: list[Any]) -> None:
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


CURVE_HEADER = (
    "length,words,per_word,per_word_low,per_word_high,last_symbol,last_symbol_low,"
    "last_symbol_high,per_symbol,per_symbol_low,per_symbol_high,chance_per_word,"
    "chance_last_symbol,chance_per_symbol,first_error"
)


def make_run(
    folder: Path,
    *,
    task: str = "A5",
    model: str = "mamba",
    seed: int = 0,
    status: str = "done",
    accuracy: Callable[[int], float] | None = None,
    recognise: bool = False,
    chance: float = 1 / 60,
    lengths: Sequence[int] = LENGTHS,
    train: tuple[int, int] = (2, 40),
    statements: Sequence[dict[str, str]] = (STATEMENT,),
    **experiment: Any,
) -> Path:
    """Write a complete run folder."""
    folder.mkdir(parents=True)
    accuracy = accuracy or build_falling_accuracy(40, chance)
    steps = 2000
    step = steps if status == "done" else 812
    measured = [] if status == "diverged" else list(lengths)
    rows = build_curve_rows(accuracy, measured, chance, recognise)
    holding = [row[0] for row in rows if row[2] >= 0.9]
    content: dict[str, Any] = {
        "experiment.json": {
            "task": task,
            "model": model,
            "format": "direct",
            "depth": 1,
            "parameters": 100_000,
            "train_lengths": list(train),
            "batch": 128,
            "steps": steps,
            "lr": 0.003,
            "seed": seed,
            "test_lengths": list(lengths),
            "test_size": WORDS,
            "schema": 1,
            **experiment,
        },
        "result.json": {
            "id": "0123456789ab",
            "status": status,
            "message": {
                "done": None,
                "stopped": "time limit of 60 s reached",
                "diverged": "the loss was not finite at step 812",
            }[status],
            "reach": max(holding, default=0),
            "parameters": 99_800,
            "state_size": 1600,
            "state_size_at": max(lengths),
            "sizes": {"width": 40},
            "step": step,
            "steps": steps,
            "seconds": 51.25,
            "overlap": {"2": WORDS, "8": 3},
            "refused": {},
            "rows": len(rows),
        },
        "environment.json": {
            "command": f"flann run --task {task} --model {model} --seed {seed}",
            "flann": "0.1.0",
            "commit": "c0ffee123456",
            "python": "3.11.7",
            "versions": {"torch": "2.13.0", "numpy": "2.4.6"},
            "platform": "Linux x86_64",
            "device": "cpu",
            "threads": 1,
            "backend": "torch",
        },
        "task.json": {
            "name": task,
            "summary": f"Word problem of {task}: the product of the symbols so far.",
            "mode": "recognise" if recognise else "tag",
            "symbols": ["a", "b"],
            "labels": ["a", "b"],
        },
        "theory.json": {
            "task": task,
            "model": model,
            "family": "nonnegative-ssm",
            "circuit_class": "NC1-complete",
            "why": "A5 is not solvable",
            "statements": list(statements),
        },
    }
    for file, data in content.items():
        (folder / file).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    write_csv(folder / "curve.csv", CURVE_HEADER, rows)
    positions = build_position_rows(accuracy, measured, recognise)
    write_csv(folder / "positions.csv", "length,position,accuracy,first_errors", positions)
    with (folder / "progress.jsonl").open("w", encoding="utf-8") as progress:
        for now in range(1, step + 1, 20):
            loss = 4.1 * 0.997**now if status != "diverged" or now < 780 else float("nan")
            record = {"step": now, "length": 2 + 38 * now // steps, "loss": loss, "accuracy": 0.9}
            progress.write(json.dumps(record) + "\n")
    return folder


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeRun:
    """Return a function that writes a run folder: ``make_folder("name", model="lstm", seed=1)``."""
    return lambda name="run", **choices: make_run(tmp_path / "runs" / name, **choices)
