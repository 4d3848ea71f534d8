"""An experiment: plain data, what its id is made of, JSON both ways, and what is refused."""

from __future__ import annotations

import json
import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from flann.errors import UserError
from flann.experiments.experiment import Experiment

OTHER: dict[str, Any] = {
    "task": "A5",
    "model": "gru",
    "depth": 2,
    "parameters": 3000,
    "train_lengths": (2, 9),
    "growth": 0.25,
    "gate": 0.9,
    "batch": 9,
    "train_words": 50,
    "format": "padding=2",
    "start": "witness",
    "steps": 13,
    "lr": 0.02,
    "beta2": 0.999,
    "weight_decay": 0.1,
    "clip": 2.0,
    "warmup": 3,
    "schedule": "cosine",
    "stop_at": 0.99,
    "seed": 4,
    "test_lengths": (4, 8),
    "test_size": 33,
}
SINGLE = {"loss", "precision", "schema"}  # fields with one value so far


def test_every_field_makes_another_id(tiny: Experiment) -> None:
    changed = {name: replace(tiny, **{name: value}) for name, value in OTHER.items()}
    assert set(OTHER) | SINGLE == {f.name for f in fields(Experiment)}
    ids = {experiment.resolve().id for experiment in (tiny, *changed.values())}
    assert len(ids) == len(changed) + 1


def test_two_ways_to_say_it_are_one_experiment() -> None:
    plain = Experiment(task="parity", model="lstm").resolve()
    explicit = Experiment(
        task="parity:mode=tag", model="lstm", depth=1, lr=plain.lr, test_lengths=plain.test_lengths
    ).resolve()
    assert plain.settings == explicit.settings
    assert plain.id == explicit.id


@pytest.mark.parametrize("name", OTHER)
def test_json_both_ways(tiny: Experiment, name: str) -> None:
    experiment = replace(tiny, **{name: OTHER[name]})
    assert Experiment.from_json(experiment.to_json()) == experiment
    resolved = experiment.resolve().settings
    assert Experiment.from_json(resolved.to_json()) == resolved


@pytest.mark.parametrize("name", OTHER)
def test_the_recorded_command_makes_the_same_experiment(tiny: Experiment, name: str) -> None:
    from flann.cli.run import run as run_command

    experiment = replace(tiny, **{name: OTHER[name]}).resolve()
    words = shlex.split(experiment.command)[2:]
    chosen = run_command.make_context("run", words).params
    again = {n: v for n, v in chosen.items() if v is not None and n in OTHER}
    (task,), (model,) = chosen["tasks"], chosen["models"]
    seed = chosen["seeds"][0] if chosen["seeds"] else 0
    repeated = Experiment(**{**again, "task": task, "model": model, "seed": seed}).resolve()
    assert repeated.id == experiment.id


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"train_lengths": (9, 2)}, "9:2"),
        ({"train_lengths": (0, 2)}, "0:2"),
        ({"parameters": 0}, "parameters 0"),
        ({"steps": -1}, "steps -1"),
        ({"growth": 1.5}, "growth 1.5"),
        ({"lr": 0.0}, "lr 0.0"),
        ({"lr": float("nan")}, "lr nan"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"test_lengths": (0,)}, "test length 0"),
        ({"format": "direkt"}, "did you mean 'direct'"),
        ({"task": "A6x"}, "'A6x'.*did you mean"),
        ({"model": "mmaba"}, "did you mean 'mamba'"),
        ({"schema": 99}, "schema 99"),
    ],
)
def test_what_means_nothing_is_refused(tiny: Experiment, change: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        replace(tiny, **change).resolve()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"task": "parity"}',
        '{"task": "parity", "model": "lstm", "dept": 2}',
        '{"task": "parity", "model": "lstm", "depth": "two"}',
        '{"task": "os.path:join", "model": "lstm"}',
        '{"task": "parity", "model": "os:system"}',
        '{"task": "parity", "model": "os.path:join"}',
        '{"task": 3, "model": "lstm"}',
    ],
)
def test_bad_json_is_one_line(text: str) -> None:
    with pytest.raises(UserError) as caught:
        Experiment.from_json(text).resolve()
    assert "\n" not in str(caught.value)


def test_making_an_experiment_reads_no_file_and_builds_no_task() -> None:
    experiment = Experiment(task="automaton:no-such-file.att", model="no-such-model")
    assert (experiment.steps, experiment.lr, experiment.test_lengths) == (None, None, None)
    with pytest.raises(UserError):
        experiment.resolve()


def test_an_experiment_of_schema_1_still_loads(tiny: Experiment) -> None:
    data = {**json.loads(tiny.resolve().settings.to_json()), "schema": 1}
    assert Experiment.from_json(json.dumps(data)) == tiny.resolve().settings
    with pytest.raises(UserError, match="schema 3"):
        Experiment.from_json(json.dumps({**data, "schema": 3}))


def test_json_is_plain(tiny: Experiment) -> None:
    assert json.loads(tiny.to_json())["train_lengths"] == [1, 6]


def test_default_test_lengths_reach_eight_times_the_longest() -> None:
    experiment = Experiment(task="parity", model="lstm", train_lengths=(3, 40)).resolve()
    assert max(experiment.test_lengths) == 320
    assert {16, 128} <= set(experiment.test_lengths)


def test_another_content_of_the_same_file_is_another_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    machine = Path("machine.att")
    machine.write_text("0 0 a a\n0 1 b b\n1 1 a a\n1 0 b b\n0\n")
    experiment = Experiment(task="automaton:machine.att", model="lstm")
    before = experiment.resolve().id
    machine.write_text("0 0 a a\n0 1 b b\n1 1 a a\n1 0 b b\n1\n")
    assert experiment.resolve().id != before
