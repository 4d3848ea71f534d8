"""Formats: what a model sees, where its labels are read, and which positions count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import flann
from flann.errors import UserError
from flann.evaluation.predictor import Predictor
from flann.experiments.experiment import Experiment
from flann.formats import Format, get_format
from flann.models import model_of_width
from flann.tasks import Task, get_task, task_names
from flann.tasks.core.task import NOT_SCORED
from flann.training.initial_weights import build_initial_model

NAMES = [*task_names(), "parity:mode=recognise", "A5:label=last", "regex:(aa|b)*"]
NAMES += ["tomita-4:mode=recognise", "A5:generators=2,label=last"]
FORMATS = ["direct", "cot", "padding=1", "padding=3"]


class TruthfulPredictor:
    """A predictor that knows the targets of one batch, and checks what the format asks of it.

    A format that presented other tokens, or read labels at other positions, would be noticed.
    """

    def __init__(self, presented: Format, task: Task, length: int) -> None:
        self.batch = task.sample(np.random.default_rng(length), 9, length)
        self.encoded = presented.encode(self.batch)

    def predict(self, tokens: Any, labels: int) -> Any:
        assert np.array_equal(tokens, self.encoded.tokens)
        return np.where(self.encoded.targets == NOT_SCORED, 0, self.encoded.targets)

    def generate(self, prompts: Any, steps: int, labels: int, symbol_offset: int) -> Any:
        asked = prompts.shape[1]
        assert np.array_equal(prompts, self.encoded.tokens[:, :asked])
        written = self.encoded.targets[:, asked - 1 :]
        assert written.shape[1] == steps
        assert written.max() < labels
        assert np.array_equal(written[:, :-1] + symbol_offset, self.encoded.tokens[:, asked:])
        return written


def get_format_or_none(name: str, task: Task) -> Format | None:
    try:
        return get_format(name, task)
    except UserError as error:
        assert name == "cot"
        assert task.mode == "recognise"
        assert "no automaton whose states" in str(error)
        return None


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("task_name", NAMES)
def test_what_is_encoded_is_decoded(task_name: str, name: str) -> None:
    task = get_task(task_name)
    presented = get_format_or_none(name, task)
    if presented is None:
        return
    for wanted in (1, 6, 11):
        length = task.nearest_length(wanted)
        model = TruthfulPredictor(presented, task, length)
        tokens, targets = model.encoded
        assert tokens.shape == targets.shape
        assert tokens.shape[1] == presented.positions(length) + (
            0 if name == "cot" else task.queries(length)
        )
        assert 0 <= tokens.min() <= tokens.max() < presented.symbols
        assert targets.max() < presented.labels
        scored = model.batch.targets != NOT_SCORED
        decoded = presented.predict(model, model.batch.tokens)
        assert decoded.shape == model.batch.targets.shape
        assert np.array_equal(decoded[scored], model.batch.targets[scored])


def test_the_words_come_through_padding() -> None:
    task = get_task("parity")
    batch = task.sample(np.random.default_rng(0), 4, 5)
    tokens, targets = get_format("padding=2", task).encode(batch)
    assert np.array_equal(tokens[:, ::3], batch.tokens)
    assert (np.delete(tokens, np.s_[::3], axis=1) == 2).all()
    assert np.array_equal(targets[:, 2::3], batch.targets)
    assert (targets != NOT_SCORED).sum() == batch.targets.size


def test_padding_stands_before_the_answer() -> None:
    task = get_task("parity:mode=recognise")
    tokens, targets = get_format("padding=2", task).encode(
        task.sample(np.random.default_rng(0), 4, 5)
    )
    assert (tokens[:, 5:] == 2).all()
    assert tokens.shape[1] == 7
    assert (targets[:, -1] != NOT_SCORED).all()
    transduction = get_task("reverse-string")
    batch = transduction.sample(np.random.default_rng(0), 4, 5)
    tokens, targets = get_format("padding=2", transduction).encode(batch)
    assert np.array_equal(tokens[:, 7:], batch.tokens[:, 5:])
    assert np.array_equal(targets[:, 7:], batch.targets[:, 5:])


def test_a_chain_of_thought_is_the_states_and_then_the_answer() -> None:
    task = get_task("parity:mode=recognise")
    batch = task.sample(np.random.default_rng(0), 50, 6)
    presented = get_format("cot", task)
    tokens, targets = presented.encode(batch)
    parities = batch.tokens.cumsum(1) % 2
    assert np.array_equal(targets[:, 6:-1], 2 + parities)  # after the two labels
    assert np.array_equal(targets[:, -1], batch.targets[:, -1])
    assert (tokens[:, 6] == 2).all()
    assert np.array_equal(tokens[:, 7:], 3 + targets[:, 6:-1])
    assert (targets[:, :6] == NOT_SCORED).all()


@pytest.mark.parametrize("name", ["regex:(aa|b)*", "tomita-4", "tomita-7", "A5:generators=2"])
def test_the_last_state_tells_the_answer(name: str) -> None:
    """The automaton that is written is that of the task: a function of its last state is it."""
    option = "label=last" if name.startswith("A5") else "mode=recognise"
    task = get_task(name if name.startswith("regex") else f"{name}{':,'[':' in name]}{option}")
    if task.mode != "recognise":
        return
    batch = task.sample(np.random.default_rng(0), 300, task.nearest_length(8))
    targets = get_format("cot", task).encode(batch).targets
    labels_after: dict[int, set[int]] = {}
    for state, label in targets[:, -2:].tolist():
        labels_after.setdefault(state, set()).add(label)
    assert all(len(labels) == 1 for labels in labels_after.values())


# -- generating ------------------------------------------------------------------------------------


class Copying:
    """Writes the word's symbols in turn, seeing all that it wrote; counts how it is asked."""

    has_step = False

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def __call__(self, words: Tensor) -> Tensor:
        self.seen.append(words)
        length = (words == 2).int().argmax(1)[:, None]
        written = words.shape[1] - 1 - length
        answer = words.gather(1, written.clamp(0))
        return answer.expand(words.shape)


def test_what_is_generated_is_read_again() -> None:
    model = Copying()
    prompts = np.array([[0, 1, 1, 2], [1, 0, 0, 2]])
    written = Predictor(model, "cpu").generate(prompts, 3, 2, symbol_offset=3)
    assert written.tolist() == [[0, 1, 1], [1, 0, 0]]
    assert [words.shape[1] for words in model.seen] == [4, 5, 6]
    assert model.seen[-1][:, 4:].tolist() == [[3, 4], [4, 3]]


@pytest.mark.parametrize("name", ["lstm", "transformer", "transformer:attention=window"])
def test_stepwise_and_anew_generate_the_same(name: str) -> None:
    model = model_of_width(name, symbols=6, labels=3, depth=2, width=16).double().eval()
    prompts = np.random.default_rng(0).integers(3, size=(20, 7))
    by_steps = Predictor(model, "cpu").generate(prompts, 9, 3, symbol_offset=3)
    growing = Predictor(lambda words: model(words), "cpu")  # nothing else is known of it
    assert np.array_equal(growing.generate(prompts, 9, 3, symbol_offset=3), by_steps)
    assert len(np.unique(by_steps, axis=0)) > 1


@pytest.mark.parametrize("name", ["transformer:loops=log", "transformer:randomised=true"])
def test_loops_and_positions_are_those_of_the_whole_word(name: str) -> None:
    """As it was trained: what it writes is what it says when all of it is read at once."""
    model = model_of_width(name, symbols=6, labels=3, depth=1, width=16).double().eval()
    prompts = np.random.default_rng(0).integers(3, size=(20, 5))
    written = Predictor(model, "cpu").generate(prompts, 6, 3, symbol_offset=3)
    whole = torch.from_numpy(np.concatenate([prompts, written[:, :-1] + 3], axis=1))
    assert np.array_equal(model(whole).argmax(-1)[:, 4:].numpy(), written)


def test_an_error_stays_in_front_of_the_model() -> None:
    """Scored on what it writes itself: one early error, and a model that adds up is lost."""

    def adds(words: Tensor) -> Tensor:
        """Knows y_t = y_{t-1} + w_t, but takes the very first for 1 - w_1."""
        length = (words == 2).int().argmax(1)
        step = words.shape[1] - 1 - length
        here = words.gather(1, step.clamp(0)[:, None])[:, 0]
        before = torch.where(step == 0, torch.ones_like(step), words[:, -1] - 3)
        return ((before + here) % 2)[:, None].expand(words.shape)

    curve = flann.evaluate(adds, "parity", [6], format="cot").curve
    assert curve.per_symbol.item() == 0


def test_cot_of_the_truth_scores_one() -> None:
    def adds(words: Tensor) -> Tensor:
        length = (words == 2).int().argmax(1)
        step = words.shape[1] - 1 - length
        here = words.gather(1, step.clamp(0)[:, None])[:, 0]
        before = torch.where(step == 0, torch.zeros_like(step), words[:, -1] - 3)
        return ((before + here) % 2)[:, None].expand(words.shape)

    curve = flann.evaluate(adds, "parity", [1, 6, 20], format="cot").curve
    assert (curve.per_word == 1).all()


# -- experiments -----------------------------------------------------------------------------------


def test_each_format_is_another_experiment_and_folder(tiny: Experiment) -> None:
    several = [replace(tiny, format=name).resolve() for name in FORMATS]
    assert len({e.id for e in several}) == 4
    assert "-cot-" in several[1].folder
    assert replace(tiny, format="padding=03").resolve().id == several[3].id


@pytest.mark.parametrize(
    ("name", "task", "says"),
    [
        ("padding", "parity", "padding=2"),
        ("padding=0", "parity", "1 or more"),
        ("padding=two", "parity", "whole number"),
        ("cott", "parity", "did you mean 'cot'"),
        ("cot", "dyck-2:mode=recognise", "no automaton whose states"),
    ],
)
def test_what_cannot_be_is_one_line(tiny: Experiment, name: str, task: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        replace(tiny, task=task, format=name, test_lengths=None).resolve()
    assert "\n" not in str(caught.value)


def test_a_model_that_sees_ahead_cannot_write(tiny: Experiment) -> None:
    blind = replace(tiny, model="transformer:causal=false", format="cot", parameters=10_000)
    with pytest.raises(UserError, match="expected a causal model"):
        build_initial_model(blind.resolve())


@pytest.mark.parametrize("name", FORMATS[1:])
@pytest.mark.parametrize("task", ["parity", "parity:mode=recognise", "reverse-string"])
def test_every_format_through_the_main_job(
    tiny: Experiment, tmp_path: Path, name: str, task: str
) -> None:
    experiment = replace(tiny, task=task, format=name, test_lengths=None, train_lengths=(2, 6))
    result = flann.run(experiment, runs=tmp_path, progress=False)
    assert result.summary["status"] == "done"
    assert result.curve.length.tolist() == list(experiment.resolve().test_lengths)
    assert not result.summary["refused"]


def test_cot_takes_a_machine_of_any_size() -> None:
    task = get_task("dyck-2:depth=3,mode=recognise")
    assert task.machine is not None
    presented = get_format("cot", task)
    assert presented.labels == 2 + task.machine.size
    assert task.machine.size == 16


def test_lstm_learns_to_write_parity(tmp_path: Path) -> None:
    experiment = Experiment(
        task="parity:mode=recognise", model="lstm", format="cot", parameters=8000, steps=900,
        batch=64, train_lengths=(1, 4), test_lengths=(2, 4), lr=1e-2, stop_at=1.0,
    )  # fmt: skip
    result = flann.run(experiment, runs=tmp_path, progress=False)
    assert result.curve.per_word.min() > 0.99
