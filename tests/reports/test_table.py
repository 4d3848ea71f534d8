"""Tests that the tidy table holds every point, with labels that distinguish settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from flann.reports import curve_table, read_runs

MakeRun = Callable[..., Path]


def test_a_row_for_each_run_and_length(make_folder: MakeRun) -> None:
    runs = read_runs([make_folder("a", model="lstm"), make_folder("b", model="gru")])
    table = curve_table(runs)
    assert len(table) == sum(len(run.curve) for run in runs)
    assert not table.duplicated(["run", "length"]).any()
    mine = table[table["run"] == "b"]
    pd.testing.assert_series_equal(
        mine["per_symbol"], runs[1].curve["per_symbol"], check_index=False
    )


def test_a_diverged_run_is_a_row_without_a_length(make_folder: MakeRun) -> None:
    table = curve_table(
        read_runs([make_folder("good"), make_folder("bad", seed=1, status="diverged")])
    )
    bad = table[table["run"] == "bad"]
    assert len(bad) == 1
    assert bad["length"].isna().all()
    assert bad["per_symbol"].isna().all()
    assert bad["status"].item() == "diverged"


def test_seeds_share_a_setting(make_folder: MakeRun) -> None:
    table = curve_table(read_runs([make_folder(f"s{seed}", seed=seed) for seed in range(3)]))
    assert table["setting"].nunique() == 1
    assert table["seed"].nunique() == 3
    assert set(table["label"]) == {"mamba"}


def test_labels_say_what_differs_and_nothing_else(make_folder: MakeRun) -> None:
    runs = [
        make_folder("a", depth=1),
        make_folder("b", depth=2),
        make_folder("c", depth=2, train=(2, 16)),
    ]
    labels = curve_table(read_runs(runs))["label"].unique().tolist()
    assert labels == [
        "mamba, depth 1, trained on 2–40",
        "mamba, depth 2, trained on 2–40",
        "mamba, depth 2, trained on 2–16",
    ]


def test_a_rate_that_follows_from_the_model_is_not_labelled(make_folder: MakeRun) -> None:
    runs = [make_folder("a", model="lstm", lr=0.01), make_folder("b", model="gru", lr=0.003)]
    assert set(curve_table(read_runs(runs))["label"]) == {"lstm", "gru"}
    runs.append(make_folder("c", model="gru", lr=0.03))
    labels = set(curve_table(read_runs(runs))["label"])
    assert labels == {"lstm, lr 0.01", "gru, lr 0.003", "gru, lr 0.03"}


def test_names_from_folders_stay_on_one_line(make_folder: MakeRun) -> None:
    table = curve_table(read_runs([make_folder("a", model="my\nmodel\x07", task="a\tb")]))
    assert table["model"].iloc[0] == "my model\ufffd"
    assert table["task"].iloc[0] == "a b"
