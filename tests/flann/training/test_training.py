"""Training: a run stopped anywhere and resumed equals one never stopped; divergence is reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import flann
from flann.errors import UserError
from flann.evaluation.held_out_words import draw_held_out_words
from flann.experiments.experiment import Experiment
from flann.streams import open_stream
from flann.tasks import get_task
from flann.training.curriculum import Curriculum
from flann.training.loop import Training, drop_records_after, list_training_lengths
from flann.training.optimiser import compute_learning_rate
from flann.training.overlap import count_overlap

CPU = torch.device("cpu")


def weights(training: Training) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in training.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("stop_after", [1, 5, 11])
@pytest.mark.parametrize("gate", [None, 0.3])
def test_stopped_and_resumed_is_never_stopped(
    tiny: Experiment, tmp_path: Path, stop_after: int, gate: float | None
) -> None:
    experiment = replace(tiny, gate=gate).resolve()
    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
    whole = Training(experiment, tmp_path / "whole", CPU)
    assert whole.run().status == "done"
    first = Training(experiment, tmp_path / "parts", CPU)
    assert first.run(stop=lambda: first.step == stop_after).status == "interrupted"
    second = Training(experiment, tmp_path / "parts", CPU)
    assert second.step == stop_after
    assert second.run().status == "done"
    assert same(weights(whole), weights(second))
    logs = [(tmp_path / f / "progress.jsonl").read_text().splitlines() for f in ("whole", "parts")]
    steps = [[json.loads(line)["step"] for line in log] for log in logs]
    assert steps[0] == steps[1]


def test_another_seed_is_another_training(tiny: Experiment, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = Training(tiny.resolve(), tmp_path / "a", CPU)
    other = Training(tiny.with_seed(1).resolve(), tmp_path / "b", CPU)
    assert not same(weights(one), weights(other))
    assert not torch.equal(one._draw_batch()[0], other._draw_batch()[0])


def test_a_loss_that_is_not_finite_ends_the_run_as_diverged(
    tiny: Experiment, tmp_path: Path
) -> None:
    training = Training(tiny.resolve(), tmp_path, CPU)
    with torch.no_grad():
        next(training.model.parameters()).fill_(float("inf"))
    outcome = training.run()
    assert outcome.status == "diverged"
    assert "not finite" in (outcome.message or "")
    assert not training.checkpoint.exists()


def test_a_diverged_run_has_no_curve(tiny: Experiment, tmp_path: Path) -> None:
    result = flann.run(replace(tiny, lr=1e30), runs=tmp_path, progress=False)
    assert result.summary["status"] == "diverged"
    assert result.curve.empty
    assert result.summary["reach"] == 0


def test_stop_at_stops_early(tmp_path: Path) -> None:
    easy = Experiment(
        task="parity", model="lstm", parameters=2000, batch=32, steps=4000,
        train_lengths=(1, 2), test_lengths=(2,), stop_at=0.99, growth=0.0,
    )  # fmt: skip
    training = Training(easy.resolve(), tmp_path, CPU)
    assert training.run().status == "done"
    assert training.step < 4000


def test_lengths_grow_with_the_steps_alone(tiny: Experiment) -> None:
    experiment = replace(tiny, steps=100, growth=0.5, train_lengths=(3, 9)).resolve()
    curriculum = Curriculum(experiment, range(3, 10))
    longest = [curriculum.longest_at(step) for step in range(100)]
    assert longest[0] == 3
    assert longest == sorted(longest)
    assert longest[50:] == [9] * 50
    assert longest[49] < 9
    drawn = [curriculum.length_at(step) for step in range(100)]
    assert all(length <= most for length, most in zip(drawn, longest, strict=True))
    assert set(drawn) == set(range(3, 10))


def test_a_gate_waits_for_accuracy(tiny: Experiment) -> None:
    curriculum = Curriculum(replace(tiny, gate=0.9).resolve(), range(1, 7))
    curriculum.report(3, 0.5)
    assert curriculum.open_at(11) == 1
    curriculum.report(5, 0.95)
    assert (curriculum.open_at(5), curriculum.open_at(6)) == (1, 2)


def test_growth_zero_is_all_lengths_from_the_start(tiny: Experiment) -> None:
    assert Curriculum(replace(tiny, growth=0.0).resolve(), range(1, 7)).longest_at(0) == 6


def test_the_rate_rises_stays_and_falls(tiny: Experiment) -> None:
    experiment = replace(tiny, steps=1000, warmup=100, lr=1.0)
    resolved = experiment.resolve()
    rates = [compute_learning_rate(resolved, step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[99:600] == [1.0] * 501
    assert rates[800] == pytest.approx(0.5)
    assert rates[-1] < 1e-4
    cosine = replace(experiment, schedule="cosine")
    assert compute_learning_rate(cosine.resolve(), 550) == pytest.approx(0.5)


def test_a_range_without_a_valid_length_is_refused(tiny: Experiment) -> None:
    class Odd(type(get_task("parity"))):  # type: ignore[misc]
        def valid_lengths(self, low: int, high: int) -> list[int]:
            return [n for n in range(low, high + 1) if n % 2]

    task = Odd()
    task.name = "odd"
    resolved = replace(tiny, train_lengths=(4, 4)).resolve()
    with pytest.raises(UserError, match="no word of such a length"):
        list_training_lengths(replace(resolved, task=task))


def test_overlap_is_what_a_set_counts(tiny: Experiment, tmp_path: Path) -> None:
    training = Training(tiny.resolve(), tmp_path, CPU)
    training.run()
    task = get_task(tiny.task)
    trained = set()
    for step in range(tiny.resolve().steps):
        length = training.curriculum.length_at(step)
        words = task.sample(open_stream(tiny.seed, "words", step), tiny.batch, length).tokens
        trained |= {tuple(word) for word in words.tolist()}
    test = {n: draw_held_out_words(task, n, 32, "test").tokens.tolist() for n in (2, 6)}
    expected = {str(n): sum(tuple(w) in trained for w in words) for n, words in test.items()}
    assert count_overlap(training) == expected
    assert expected["2"] > 0


def test_streams_differ_by_purpose_seed_and_step() -> None:
    draws = [
        open_stream(seed, purpose, step).integers(2**60)
        for seed in (0, 1)
        for purpose in ("weights", "words", "lengths")
        for step in (0, 1)
    ]
    assert len(set(draws)) == len(draws)
    assert np.random.default_rng(0).integers(2**60) not in draws


def test_a_half_written_record_is_forgotten(tmp_path: Path) -> None:
    log = tmp_path / "progress.jsonl"
    log.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    drop_records_after(log, 2)
    assert log.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_a_damaged_checkpoint_is_one_line(tiny: Experiment, tmp_path: Path) -> None:
    training = Training(tiny.resolve(), tmp_path, CPU)
    training.run()
    whole = training.checkpoint.read_bytes()
    training.checkpoint.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="damaged"):
        Training(tiny.resolve(), tmp_path, CPU)
