"""The tidy table: every point of every curve, and the words that tell settings apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from flann.reports import curve_table, read_runs

MakeRun = Callable[..., Path]


def test_a_row_a_run_and_length(made: MakeRun) -> None:
    runs = read_runs([made("a", model="lstm"), made("b", model="gru")])
    table = curve_table(runs)
    assert len(table) == sum(len(run.curve) for run in runs)
    assert not table.duplicated(["run", "length"]).any()
    mine = table[table["run"] == "b"]
    pd.testing.assert_series_equal(
        mine["per_symbol"], runs[1].curve["per_symbol"], check_index=False
    )


def test_a_diverged_run_is_a_row_without_a_length(made: MakeRun) -> None:
    table = curve_table(read_runs([made("good"), made("bad", seed=1, status="diverged")]))
    bad = table[table["run"] == "bad"]
    assert len(bad) == 1
    assert bad["length"].isna().all()
    assert bad["per_symbol"].isna().all()
    assert bad["status"].item() == "diverged"


def test_seeds_share_a_setting(made: MakeRun) -> None:
    table = curve_table(read_runs([made(f"s{seed}", seed=seed) for seed in range(3)]))
    assert table["setting"].nunique() == 1
    assert table["seed"].nunique() == 3
    assert set(table["label"]) == {"mamba"}


def test_labels_say_what_differs_and_nothing_else(made: MakeRun) -> None:
    runs = [made("a", depth=1), made("b", depth=2), made("c", depth=2, train=(2, 16))]
    labels = curve_table(read_runs(runs))["label"].unique().tolist()
    assert labels == [
        "mamba, depth 1, trained on 2–40",
        "mamba, depth 2, trained on 2–40",
        "mamba, depth 2, trained on 2–16",
    ]


def test_a_rate_that_follows_from_the_model_is_not_said(made: MakeRun) -> None:
    runs = [made("a", model="lstm", lr=0.01), made("b", model="gru", lr=0.003)]
    assert set(curve_table(read_runs(runs))["label"]) == {"lstm", "gru"}
    runs.append(made("c", model="gru", lr=0.03))
    labels = set(curve_table(read_runs(runs))["label"])
    assert labels == {"lstm, lr 0.01", "gru, lr 0.003", "gru, lr 0.03"}


def test_names_from_folders_stay_on_one_line(made: MakeRun) -> None:
    table = curve_table(read_runs([made("a", model="my\nmodel\x07", task="a\tb")]))
    assert table["model"].iloc[0] == "my model\ufffd"
    assert table["task"].iloc[0] == "a b"
