"""The metrics against slow loops, scipy, and what must be so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from flann.evaluation.metrics import (
    Score,
    compute_effective_size,
    compute_reach,
    compute_wilson_interval,
)
from flann.tasks import NOT_SCORED


@given(st.integers(1, 400), st.data())
def test_wilson_is_scipys(size: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, size))
    expected = binomtest(hits, size).proportion_ci(0.95, method="wilson")
    assert compute_wilson_interval(hits / size, size) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )


@st.composite
def scored_answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    words, positions = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    targets = rng.integers(0, 3, (words, positions))
    targets[rng.random((words, positions)) < 0.4] = NOT_SCORED
    targets[:, rng.integers(positions)] = 1  # every word has a scored position
    return rng.integers(0, 3, (words, positions)), targets


@given(scored_answers())
def test_metrics_are_what_a_loop_counts(case: tuple[np.ndarray, np.ndarray]) -> None:
    answers, targets = case
    whole, last, right, scored, firsts = [], [], 0, 0, []
    for given_word, true_word in zip(answers, targets, strict=True):
        hits = [a == t for a, t in zip(given_word, true_word, strict=True) if t != NOT_SCORED]
        whole.append(all(hits))
        last.append(hits[-1])
        right += sum(hits)
        scored += len(hits)
        if not all(hits):
            firsts.append(hits.index(False) + 1)
    metrics = Score.of(answers, targets).metrics()
    assert metrics["per_word"] == pytest.approx(np.mean(whole))
    assert metrics["last_symbol"] == pytest.approx(np.mean(last))
    assert metrics["per_symbol"] == pytest.approx(right / scored)
    if firsts:
        assert metrics["first_error"] == pytest.approx(np.mean(firsts))
    else:
        assert np.isnan(metrics["first_error"])
    for name in ("per_word", "last_symbol", "per_symbol"):
        assert 0 <= metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"] <= 1


@given(scored_answers())
def test_positions_add_up(case: tuple[np.ndarray, np.ndarray]) -> None:
    score = Score.of(*case)
    places = score.positions()
    assert sum(int(p["first_errors"]) for p in places) == len(score.first_errors())
    assert all(0 <= p["accuracy"] <= 1 for p in places)


def test_positions_that_move_together_count_as_fewer_words() -> None:
    rng = np.random.default_rng(0)
    together = np.repeat(rng.random((200, 1)) < 0.5, 50, axis=1)  # a word is all right or all wrong
    apart = rng.random((200, 50)) < 0.5
    assert compute_effective_size(together.mean(axis=1)) < 250
    assert compute_effective_size(apart.mean(axis=1)) > 5000


def test_an_error_that_is_not_scored_does_not_count() -> None:
    targets = np.array([[NOT_SCORED, 1]])
    assert Score.of(np.array([[0, 1]]), targets).metrics()["per_word"] == 1.0


def test_reach_stops_at_the_first_length_that_fails() -> None:
    rows = [{"length": n, "per_word": w} for n, w in [(32, 1.0), (8, 1.0), (16, 0.89)]]
    assert compute_reach(rows) == 8
    assert compute_reach([]) == 0
    assert compute_reach([{"length": 4, "per_word": float("nan")}]) == 0
