"""Chance, worked out exactly, against every word of a length."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest

from flann.tasks import NOT_SCORED, Batch, Chance, Task, get_task

EXACT = [
    "parity",
    "parity:mode=recognise",
    "parity:ones=uniform",
    "parity:mode=recognise,ones=uniform",
    "first",
    "first:mode=recognise",
    "flip-flop",
    "majority",
    "majority:mode=recognise",
    "Z3",
    "S3",
    "S3:generators=2",
    "S3:label=last",
    "S4:generators=swaps",
    "Q8:generators=2",
    "Q8:generators=2,label=last",
    "Z6:generators=1",
]


def weight(task: Task, word: tuple[int, ...]) -> Fraction:
    """How likely the task draws this word."""
    length, ones = len(word), sum(word)
    if getattr(task, "ones", "words") == "uniform":
        return Fraction(1, (length + 1) * comb(length, ones))
    return Fraction(1, len(task.symbols) ** length)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", EXACT)
def test_exact_chance(name: str, length: int) -> None:
    task = get_task(name)
    words = list(product(range(len(task.symbols)), repeat=length))
    targets = task.targets(np.array(words))
    weights = [weight(task, word) for word in words]
    assert sum(weights) == 1
    scored = targets[:, (targets != NOT_SCORED).any(axis=0)]
    best = [heaviest(column.tolist(), weights) for column in scored.T]
    rows = heaviest(list(map(tuple, scored.tolist())), weights)
    expected = (float(np.mean([float(b) for b in best])), float(best[-1]), float(rows))
    assert task.chance(length) == pytest.approx(expected)


def heaviest(labels: list, weights: list[Fraction]) -> Fraction:
    total = Counter()
    for label, share in zip(labels, weights, strict=True):
        total[label] += share
    return max(total.values())


@pytest.mark.parametrize("name", ["majority", "flip-flop"])
def test_the_likeliest_row_stays_the_likeliest(name: str) -> None:
    task = get_task(name)
    for length in range(6, 11 if name == "majority" else 9):
        words = np.array(list(product(range(len(task.symbols)), repeat=length)))
        rows = np.unique(task.targets(words), axis=0, return_counts=True)[1]
        assert task.chance(length).per_word == pytest.approx(rows.max() / len(words))


@pytest.mark.parametrize("name", [n for n in EXACT if n != "parity"])
def test_long_lengths_stay_numbers(name: str) -> None:
    assert all(0 <= c <= 1 for c in get_task(name).chance(4096))


def test_the_general_estimate_agrees() -> None:
    for name in ("parity", "majority", "S3:generators=2"):
        task = get_task(name)
        assert Task.chance(task, 8) == pytest.approx(task.chance(8), abs=0.015)


def test_the_estimate_uses_few_words_where_they_are_long() -> None:
    asked = []

    class Counting(Task):
        name, symbols, labels = "counting", ("0",), ("0",)

        def sample(self, rng: np.random.Generator, size: int, length: int) -> Batch:
            asked.append(size)
            return Batch(np.zeros((size, 1), np.uint8), np.zeros((size, 1), np.int8))

    assert Counting().chance(8) == Chance(1.0, 1.0, 1.0)
    Counting().chance(10_000)
    assert asked == [10_000, 1000]
