"""Compiled programs in runs: measured, refused, trained from, and drawn as the reference."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import flann
from flann.errors import UserError
from flann.experiments.rasp_models import canonicalise, is_rasp_model
from flann.reports import read_runs
from flann.runs.run import Result

from ..conftest import TINY, Here


def run_in(root: Path, **fields: object) -> Result:
    experiment = flann.Experiment(**{"test_size": 32, **fields})  # type: ignore[arg-type]
    return flann.run(experiment, runs=root, progress=False)


@pytest.mark.parametrize("task", ["parity", "S3", "dyck-2", "majority", "reverse-string", "abab"])
def test_programs_are_right_at_every_length(task: str, tmp_path: Path) -> None:
    result = run_in(tmp_path, task=task, model="rasp", test_lengths=(2, 7, 40))
    assert result.curve.per_word.tolist() == [1, 1, 1]
    assert result.summary["reach"] == 40
    assert result.summary["step"] == 0


def test_too_few_layers_show_the_cliff(tmp_path: Path) -> None:
    result = run_in(tmp_path, task="A5", model="rasp:layers=3", test_lengths=(4, 8, 16))
    assert result.summary["reach"] == 8
    assert result.curve.per_word.tolist()[:2] == [1, 1]
    assert result.curve.per_word.tolist()[2] < 0.2


def test_longer_words_are_refused_and_not_answered(tmp_path: Path) -> None:
    result = run_in(tmp_path, task="parity", model="rasp:max_length=8", test_lengths=(4, 8, 9))
    assert result.curve.length.tolist() == [4, 8]
    assert "at most 8 symbols" in result.summary["refused"]["9"]


def test_names_have_one_spelling() -> None:
    assert canonicalise("rasp:radix=2,layers=4") == "rasp:layers=4"
    assert canonicalise("rasp") == "rasp"
    assert not is_rasp_model("transformer")
    one = flann.Experiment(task="A5", model="rasp:radix=3,layers=2").resolve()
    two = flann.Experiment(task="A5", model="rasp:layers=2,radix=3").resolve()
    assert one.id == two.id
    assert one.command == "flann run --task A5 --model rasp:layers=2,radix=3"
    assert flann.Experiment.from_json(one.settings.to_json()) == one.settings


def test_a_start_makes_another_experiment() -> None:
    experiment = flann.Experiment(task="parity", model="transformer", steps=3)
    plain, started = experiment.resolve(), replace(experiment, start="rasp").resolve()
    assert plain.id != started.id
    assert "--start rasp" in started.command
    assert "start" not in plain.command


def test_training_starts_from_the_program(tmp_path: Path) -> None:
    """Doubling only fetches: small steps leave it as exact as it was."""
    result = run_in(
        tmp_path, task="S3", model="transformer", start="rasp:method=doubling", steps=3,
        train_lengths=(2, 6), test_lengths=(4, 12),
    )  # fmt: skip
    assert result.summary["step"] == 3
    assert result.curve.per_word.min() > 0.9


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--task tomita-3 --model rasp", "no RASP program solves tomita-3"),
        ("--task parity --model rasp --steps 5", "is not trained"),
        ("--task parity --model rasp:layres=5", "did you mean 'layers'"),
        ("--task A5 --model rasp:method=series", "A5 is not solvable"),
        ("--task parity --model rasp:max_length=0", "1 or more"),
        ("--task parity --model lstm --start rasp --steps 5", "expected --model transformer"),
        ("--task parity --model transformer --start lstm --steps 5", "unknown start 'lstm'"),
    ],
)
def test_what_is_refused(words: str, message: str, here: Here, tmp_path: Path) -> None:
    code, _, err = here("run", *words.split())
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_the_page_says_that_nothing_was_trained(here: Here) -> None:
    code, out, _ = here(*"run --task parity --model rasp --test-lengths 4,8".split())
    assert code == 0
    assert "compiled, not trained" in out


# -- the reference curve ---------------------------------------------------------------------------


def test_trained_runs_keep_the_curve_of_the_program(tmp_path: Path) -> None:
    result = run_in(tmp_path, **{**TINY, "task": "parity", "model": "lstm", "steps": 2})
    reference = json.loads((result.path / "reference.json").read_text())
    assert [p["length"] for p in reference["curve"]] == [2, 6, 12]
    assert {p["per_word"] for p in reference["curve"]} == {1.0}
    assert read_runs([result.path])[0].reference == reference


def test_tasks_without_a_program_have_none(tmp_path: Path) -> None:
    result = run_in(tmp_path, **{**TINY, "task": "tomita-3", "model": "lstm", "steps": 2})
    assert not (result.path / "reference.json").exists()


@pytest.mark.parametrize(
    "damaged",
    ["[]", "{}", '{"name": "x", "curve": [1]}',
     '{"name": "x", "curve": [{"length": 0, "per_symbol": 1, "per_word": 1}]}',
     '{"name": "x", "curve": [{"length": 2, "per_symbol": 2, "per_word": 1}]}'],
)  # fmt: skip
def test_damaged_reference_curves_are_refused(damaged: str, tmp_path: Path) -> None:
    result = run_in(tmp_path, **{**TINY, "task": "parity", "model": "lstm", "steps": 2})
    (result.path / "reference.json").write_text(damaged + "\n")
    with pytest.raises(UserError, match=r"reference.json"):
        read_runs([result.path])
