"""Tests that whole run folders are read, and others refused with one line that names the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flann.errors import UserError
from flann.reports import read_run, read_runs
from flann.reports.runs import CURVE

MakeRun = Callable[..., Path]
JSON_FILES = [f"{name}.json" for name in ("experiment", "result", "environment", "task", "theory")]
CSV_FILES = ["curve.csv", "positions.csv"]


def catch_refusal(folder: Path) -> str:
    """Return the one-line error with which a folder is refused."""
    with pytest.raises(UserError) as caught:
        read_run(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def change_fields(file: Path, **fields: Any) -> None:
    """Change fields of a JSON file; the value ``...`` removes a field."""
    content = {**json.loads(file.read_text()), **fields}
    kept = {name: value for name, value in content.items() if value is not ...}
    file.write_text(json.dumps(kept) + "\n")


def test_a_whole_run_is_read(make_folder: MakeRun) -> None:
    run = read_run(make_folder("whole", model="lstm", seed=3))
    assert (run.name, run.status, run.train_lengths) == ("whole", "done", (2, 40))
    assert run.experiment["model"] == "lstm"
    assert list(run.curve.columns) == CURVE
    assert run.curve["length"].tolist() == sorted(run.experiment["test_lengths"])
    assert len(run.positions) == run.curve["length"].sum()
    assert run.progress["loss"].is_monotonic_decreasing


def test_rows_in_any_order_are_read_in_order(make_folder: MakeRun) -> None:
    folder = make_folder()
    header, *rows = (folder / "curve.csv").read_text().splitlines()
    (folder / "curve.csv").write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert read_run(folder).curve["length"].is_monotonic_increasing


def test_no_folder(tmp_path: Path) -> None:
    assert "no run folder" in catch_refusal(tmp_path / "absent")


@pytest.mark.parametrize("file", [*JSON_FILES, "curve.csv"])
def test_a_missing_file_is_named(make_folder: MakeRun, file: str) -> None:
    folder = make_folder()
    (folder / file).unlink()
    assert file in catch_refusal(folder)


@pytest.mark.parametrize("file", ["positions.csv", "progress.jsonl"])
def test_optional_files_may_be_missing(make_folder: MakeRun, file: str) -> None:
    folder = make_folder()
    (folder / file).unlink()
    run = read_run(folder)
    assert len(run.positions if file == "positions.csv" else run.progress) == 0


@pytest.mark.parametrize(
    ("file", "share"),
    [
        (file, share)
        for file in [*JSON_FILES, *CSV_FILES, "progress.jsonl"]
        for share in (0.0, 0.3, 0.999)
        if (file, share) != ("progress.jsonl", 0.0)  # a run too short to report any progress
    ],
)
def test_a_truncated_file_is_named(make_folder: MakeRun, file: str, share: float) -> None:
    folder = make_folder(lengths=(2, 4, 8))
    content = (folder / file).read_bytes()
    # one byte less than the last brace or digit and line end, so that the last number is short
    (folder / file).write_bytes(content[: min(int(len(content) * share), len(content) - 3)])
    assert file in catch_refusal(folder)


def test_a_curve_cut_between_two_lines_is_refused(make_folder: MakeRun) -> None:
    folder = make_folder()
    lines = (folder / "curve.csv").read_text().splitlines(keepends=True)
    (folder / "curve.csv").write_text("".join(lines[:-2]))
    assert "8 rows: expected 10" in catch_refusal(folder)


def test_a_done_run_has_a_curve(make_folder: MakeRun) -> None:
    folder = make_folder()
    change_fields(folder / "result.json", rows=...)
    (folder / "curve.csv").write_text(",".join(CURVE) + "\n")
    assert "0 rows" in catch_refusal(folder)


@pytest.mark.parametrize("column", [c for c in CURVE if c != "format_alone"])
def test_a_missing_column_is_named(make_folder: MakeRun, column: str) -> None:
    folder = make_folder()
    table = pd.read_csv(folder / "curve.csv").drop(columns=column)
    table.to_csv(folder / "curve.csv", index=False)
    assert f"no column {column!r}" in catch_refusal(folder)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("per_word", 1.5, "0 to 1"),
        ("per_symbol", -0.1, "0 to 1"),
        ("per_symbol", float("nan"), "no number"),
        ("chance_per_word", float("inf"), "0 to 1"),
        ("length", 0, "1 or more"),
        ("length", 4, "twice"),
        ("words", "many", "other than numbers"),
    ],
)
def test_a_number_out_of_range_is_refused(
    make_folder: MakeRun, column: str, value: Any, expected: str
) -> None:
    folder = make_folder()
    table = pd.read_csv(folder / "curve.csv").astype({column: object})
    table.loc[0, column] = value
    table.to_csv(folder / "curve.csv", index=False)
    message = catch_refusal(folder)
    assert expected in message
    assert "curve.csv" in message


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("experiment.json", "task", ...),
        ("experiment.json", "model", 5),
        ("experiment.json", "seed", "zero"),
        ("experiment.json", "seed", True),
        ("experiment.json", "train_lengths", [40, 2]),
        ("experiment.json", "train_lengths", [2]),
        ("experiment.json", "test_lengths", "16,32"),
        ("result.json", "status", "fine"),
        ("result.json", "status", ["done"]),
        ("result.json", "reach", "far"),
        ("result.json", "parameters", 10**400),
        ("environment.json", "versions", "2.13"),
        ("theory.json", "statements", ["cannot"]),
        ("theory.json", "statements", [{"why": "no verdict"}]),
        ("theory.json", "circuit_class", 1),
        ("task.json", "summary", []),
    ],
)
def test_a_field_of_another_type_is_refused(
    make_folder: MakeRun, file: str, field: str, value: Any
) -> None:
    folder = make_folder()
    change_fields(folder / file, **{field: value})
    message = catch_refusal(folder)
    assert file in message
    assert "expected" in message


@given(junk=st.binary(max_size=60), which=st.sampled_from([*JSON_FILES, *CSV_FILES]))
def test_rubbish_is_refused_in_one_line(
    junk: bytes, which: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from .conftest import make_run

    folder = make_run(tmp_path_factory.mktemp("rubbish") / "run", lengths=(2, 4))
    (folder / which).write_bytes(junk)
    assert which in catch_refusal(folder)


@pytest.mark.parametrize("text", ['{"task": "\\ud800"}', "[" * 100_000, "[]", "7" * 5000])
def test_json_that_cannot_be_encoded_again_is_refused(make_folder: MakeRun, text: str) -> None:
    folder = make_folder()
    (folder / "task.json").write_text(text)
    assert "task.json" in catch_refusal(folder)


def test_progress_may_hold_a_loss_that_is_no_number(make_folder: MakeRun) -> None:
    run = read_run(make_folder(status="diverged"))
    assert run.progress["loss"].isna().any()
    assert run.curve.empty


def test_a_damaged_line_of_progress_is_numbered(make_folder: MakeRun) -> None:
    folder = make_folder()
    lines = (folder / "progress.jsonl").read_text().splitlines()
    lines[4] = '{"step": 80'
    (folder / "progress.jsonl").write_text("\n".join(lines) + "\n")
    assert "progress.jsonl, line 5" in catch_refusal(folder)


def test_several_runs_keep_their_order(make_folder: MakeRun) -> None:
    folders = [make_folder(name, model=name) for name in ("mamba", "gru", "lstm")]
    assert [run.name for run in read_runs(folders)] == ["mamba", "gru", "lstm"]


def test_a_folder_given_twice_is_read_once(make_folder: MakeRun) -> None:
    folder = make_folder()
    assert len(read_runs([folder, folder / ".." / folder.name])) == 1


def test_one_experiment_in_two_folders_is_refused(make_folder: MakeRun) -> None:
    with pytest.raises(UserError, match="same experiment"):
        read_runs([make_folder("first"), make_folder("second")])


def test_no_folder_given() -> None:
    with pytest.raises(UserError, match="at least one"):
        read_runs([])
