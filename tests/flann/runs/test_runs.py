"""The store: no half-written run, one writer at a time, and damage that is named."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import flann
from flann.errors import UserError
from flann.experiments.experiment import Experiment
from flann.files import read_json, write_aside, write_json
from flann.runs.run import Result
from flann.runs.store import Store, read_holder

from ..conftest import ROOT

HOLD = """
import sys, time
from flann.experiments.experiment import Experiment
from flann.runs.store import Store
experiment = Experiment.from_json(open(sys.argv[2]).read())
with Store(sys.argv[1]).open(experiment.resolve()):
    print("held", flush=True)
    time.sleep(60)
"""


def run_tiny(tiny: Experiment, root: Path, **options: object) -> Result:
    return flann.run(tiny, runs=root, progress=False, **options)  # type: ignore[arg-type]


def test_a_run_folder_holds_what_reports_read(tiny: Experiment, tmp_path: Path) -> None:
    path = run_tiny(tiny, tmp_path).path
    names = {file.name for file in path.iterdir()}
    assert names == {
        "experiment.json", "result.json", "environment.json", "task.json", "theory.json",
        "curve.csv", "positions.csv", "progress.jsonl", "model.safetensors", "reference.json",
    }  # fmt: skip
    assert Experiment.from_json((path / "experiment.json").read_text()) == tiny.resolve().settings
    assert not list((tmp_path / ".partial").glob("*/*"))


def test_the_same_run_again_is_found(tiny: Experiment, tmp_path: Path) -> None:
    first = run_tiny(tiny, tmp_path)
    again = run_tiny(tiny, tmp_path)
    assert (first.found, again.found) == (False, True)
    assert again.curve.equals(first.curve)


def test_again_makes_the_same_bytes(tiny: Experiment, tmp_path: Path) -> None:
    first = run_tiny(tiny, tmp_path).path
    curve, weights = ((first / n).read_bytes() for n in ("curve.csv", "model.safetensors"))
    second = run_tiny(tiny, tmp_path, again=True)
    assert not second.found
    assert (second.path / "curve.csv").read_bytes() == curve
    assert (second.path / "model.safetensors").read_bytes() == weights


def test_a_run_stopped_by_its_time_limit_goes_on(tiny: Experiment, tmp_path: Path) -> None:
    whole = run_tiny(tiny, tmp_path / "whole")
    stopped = run_tiny(tiny, tmp_path / "parts", time_limit=1e-6)
    assert stopped.summary["status"] == "stopped"
    assert stopped.summary["step"] < tiny.resolve().steps
    assert len(stopped.curve) == 3
    while (result := run_tiny(tiny, tmp_path / "parts", time_limit=1e-6)).summary["status"] == (
        "stopped"
    ):
        pass
    assert result.summary["status"] == "done"
    for name in ("curve.csv", "model.safetensors"):
        assert (result.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_test_words_do_not_depend_on_the_seed(tiny: Experiment, tmp_path: Path) -> None:
    zero = run_tiny(replace(tiny, steps=0), tmp_path).curve
    one = run_tiny(replace(tiny, steps=0, seed=1), tmp_path).curve
    chance = ["chance_per_word", "chance_last_symbol", "chance_per_symbol"]
    assert zero[chance].equals(one[chance])


def test_two_writers_do_not_spoil_one_run(tiny: Experiment, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text(tiny.to_json())
    command = [sys.executable, "-c", HOLD, str(tmp_path / "runs"), str(tmp_path / "e.json")]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"process {holder.pid}"):
            run_tiny(tiny, tmp_path / "runs")
    finally:
        holder.kill()
        holder.wait()
    assert run_tiny(tiny, tmp_path / "runs").summary["status"] == "done"


def test_a_live_run_on_another_machine_is_respected(tiny: Experiment, tmp_path: Path) -> None:
    partial = tmp_path / ".partial"
    partial.mkdir()
    lease = partial / f"{tiny.resolve().folder}.lease"
    lease.write_text(json.dumps({"host": "elsewhere", "process": 7, "heartbeat": 4e9}))
    with pytest.raises(UserError, match="process 7 on elsewhere"):
        run_tiny(tiny, tmp_path)
    lease.write_text(json.dumps({"host": "elsewhere", "process": 7, "heartbeat": 0}))
    assert run_tiny(tiny, tmp_path).summary["status"] == "done"
    assert read_holder(lease) == {}


@pytest.mark.parametrize("name", ["result.json", "curve.csv", "environment.json"])
def test_a_truncated_file_is_named(tiny: Experiment, tmp_path: Path, name: str) -> None:
    path = run_tiny(tiny, tmp_path).path
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=rf"{name} is damaged.*--again"):
        run_tiny(tiny, tmp_path)
    assert run_tiny(tiny, tmp_path, again=True).summary["status"] == "done"


def test_a_folder_that_cannot_be_written_is_one_line(tiny: Experiment, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write the runs folder"):
        run_tiny(tiny, tmp_path / "file")


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    write_aside(path, "old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UserError, match="No space"):
        write_aside(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_an_interrupted_redo_leaves_the_earlier_run(
    tiny: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_tiny(tiny, tmp_path)

    def fails(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flann.runs.run.measure", fails)
    with pytest.raises(KeyboardInterrupt):
        run_tiny(tiny, tmp_path, again=True)
    monkeypatch.undo()
    assert run_tiny(tiny, tmp_path).curve.equals(first.curve)


def test_the_environment_says_how_to_make_it_again(tiny: Experiment, tmp_path: Path) -> None:
    path = run_tiny(tiny, tmp_path).path
    environment = read_json(path / "environment.json")
    assert environment["command"] == tiny.resolve().command
    assert {"torch", "numpy"} <= environment["versions"].keys()
    assert {"commit", "device", "backend", "threads"} <= environment.keys()


def test_a_run_by_other_code_is_used_with_a_warning(
    tiny: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run_tiny(tiny, tmp_path).path
    environment = read_json(path / "environment.json")
    write_json(path / "environment.json", {**environment, "commit": "0000"})
    assert flann.run(tiny, runs=tmp_path).found
    assert "made by commit 0000" in capsys.readouterr().err


def test_the_store_finds_nothing_where_there_is_nothing(tiny: Experiment, tmp_path: Path) -> None:
    assert Store(tmp_path / "none").find(tiny.resolve()) is None
