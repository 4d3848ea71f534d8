"""Training from exact weights, and measuring exact weights without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flann import Experiment, run
from flann.errors import UserError
from flann.experiments.starts import find_witnessed, solves
from flann.models.witnesses import Counter, MooreTable
from flann.tasks import get_task, task_names

TINY = Experiment(
    task="parity",
    model="lstm",
    start="witness",
    steps=0,
    train_lengths=(1, 4),
    test_lengths=(4, 32, 200),
    test_size=32,
)


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("parity", "lstm"),
        ("parity", "mamba:eigenvalues=negative"),
        ("A4xZ5:generators=2", "ids4"),
        ("tomita-4", "rnn"),
        ("tomita-3:label=next", "gru"),
        ("regex-recognise:(aa|b)*", "lstm"),
        ("flip-flop", "mamba"),
        ("aa-star", "s4d"),
        ("Z7:generators=1", "s4d"),
        ("majority", "lstm"),
        ("dyck-1:label=next", "lstm"),
        ("S3", "deltaproduct:eigenvalues=negative"),
    ],
)
def test_a_witness_is_right_at_every_length(task: str, model: str, tmp_path: Path) -> None:
    experiment = replace(TINY, task=task, model=model)
    result = run(experiment, runs=tmp_path, progress=False)
    assert (result.curve.per_word == 1).all()
    assert result.summary["reach"] == 200
    assert result.summary["parameters"] > 0


def test_training_goes_on_from_the_witness(tmp_path: Path) -> None:
    """A few small steps leave it right; from drawn weights they would get nowhere."""
    few = replace(TINY, steps=3, lr=1e-5, test_lengths=(4, 32))
    started = run(few, runs=tmp_path, progress=False)
    assert (started.curve.per_word == 1).all()
    drawn = run(replace(few, start=None), runs=tmp_path, progress=False)
    assert (drawn.curve.per_word < 0.9).any()


def test_the_start_is_part_of_the_id_and_the_command() -> None:
    assert TINY.resolve().id != replace(TINY, start=None).resolve().id
    assert "--start witness" in TINY.resolve().command
    assert Experiment.from_json(TINY.to_json()) == TINY


def test_starts_that_there_are_not_are_refused_in_one_line(tmp_path: Path) -> None:
    for change, says in (
        ({"start": "witnes"}, "unknown start 'witnes': did you mean 'witness'?"),
        ({"depth": 2}, "a witness has one layer"),
        ({"task": "dyck-2"}, "dyck-2 is not answered by a machine"),
        ({"task": "reverse-string"}, "not answered by a machine"),
        ({"format": "padding=2"}, "a witness answers directly"),
    ):
        with pytest.raises(UserError, match=says) as refused:
            replace(TINY, **change).resolve()
        assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match="no witness for mamba"):
        run(replace(TINY, model="mamba"), runs=tmp_path, progress=False)


def test_every_machine_is_held_against_its_task() -> None:
    """Whatever is found for a registered task answers it; a wrong one would be refused."""
    found = []
    for name in task_names():
        try:
            language = find_witnessed(get_task(name))
        except UserError:
            continue
        found.append(name)
        assert isinstance(language, MooreTable | Counter)
    assert {"A5", "parity", "flip-flop", "cyclic", "tomita-3", "even-pairs", "majority"} <= {*found}
    wrong = MooreTable(table=[[0, 1], [1, 0]], labels=[1, 0])
    assert not solves(wrong, get_task("parity"))
