"""A fixed set of training words: distinct, divided among lengths, and disjoint from test words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from flann.errors import UserError
from flann.evaluation.held_out_words import draw_held_out_words, pack_rows
from flann.experiments.experiment import Experiment
from flann.tasks import get_task
from flann.training.loop import Training
from flann.training.overlap import count_overlap
from flann.training.words import TrainingWords, divide_among_lengths

CPU = torch.device("cpu")


@pytest.fixture
def few() -> Experiment:
    return Experiment(
        task="parity",
        model="lstm",
        parameters=2000,
        train_words=200,
        train_lengths=(1, 12),
        test_lengths=(2, 4, 8, 12),
        test_size=64,
        steps=10,
        batch=8,
    )


def count_common(tokens: np.ndarray, others: np.ndarray) -> int:
    return int(np.isin(pack_rows(tokens), pack_rows(others)).sum())


def words(experiment: Experiment) -> TrainingWords:
    resolved = experiment.resolve()
    return TrainingWords(resolved, resolved.task.valid_lengths(*experiment.train_lengths))


def test_as_many_as_asked_for_each_once_and_shared_out(few: Experiment) -> None:
    sets = words(few).sets
    sizes = {length: len(batch.tokens) for length, batch in sets.items()}
    assert sum(sizes.values()) == 200
    assert [sizes[length] for length in (1, 2, 3, 4)] == [2, 4, 8, 16]  # all that there are
    assert max(sizes.values()) - min(sizes[n] for n in range(5, 13)) <= 1  # and then evenly
    for batch in sets.values():
        assert len(np.unique(batch.tokens, axis=0)) == len(batch.tokens)
        np.testing.assert_array_equal(get_task("parity").targets(batch.tokens), batch.targets)


def test_no_test_word_where_there_are_others(few: Experiment) -> None:
    sets, task = words(few).sets, get_task(few.task)
    overlap = {
        n: count_common(draw_held_out_words(task, n, 64, "test").tokens, sets[n].tokens)
        for n in few.resolve().test_lengths
    }
    assert overlap[2] == overlap[4] == 64  # four and sixteen words: all of them are trained on
    assert overlap[12] == 0


def test_the_result_counts_the_overlap(few: Experiment, tmp_path: Path) -> None:
    training = Training(few.resolve(), tmp_path, CPU)
    assert count_overlap(training) == {"2": 64, "4": 64, "8": 0, "12": 0}


def test_training_sees_these_words_and_no_others(few: Experiment) -> None:
    source = words(few)
    for step in range(50):
        tokens, targets = source.batch(step, 10)
        assert count_common(tokens, source.sets[10].tokens) == len(tokens)
        np.testing.assert_array_equal(get_task("parity").targets(tokens), targets)
    steps = [source.batch(step, 10).tokens.tobytes() for step in (0, 0, 1)]
    assert steps[0] == steps[1] != steps[2]
    everything = np.concatenate([source.batch(step, 10).tokens for step in range(200)])
    assert len(np.unique(everything, axis=0)) == len(source.sets[10].tokens)


def test_another_seed_has_other_words(few: Experiment) -> None:
    one, other = (words(few.with_seed(seed)).sets[12].tokens for seed in (0, 1))
    assert set(map(bytes, one)) != set(map(bytes, other))


def test_words_that_the_task_does_not_have_are_refused(few: Experiment) -> None:
    with pytest.raises(UserError, match="train words 5: expected 12 or more"):
        words(replace(few, train_words=5))
    small = replace(few, train_words=100, train_lengths=(1, 4))
    with pytest.raises(UserError, match="only 30 different words of lengths 1 to 4"):
        words(small)
    with pytest.raises(UserError, match="train words 0: expected 1 or more"):
        replace(few, train_words=0)


def test_a_task_that_does_not_count_its_words_runs_dry(few: Experiment) -> None:
    """Dyck prefixes of length 1: one bracket, or the wrong one."""
    task = get_task("dyck-1")
    assert task.count_words(1) is None
    experiment = replace(few, task="dyck-1", test_lengths=(1,), train_words=40).resolve()
    sets = divide_among_lengths(experiment, [1, 30], 40)
    assert [len(batch.tokens) for batch in sets.values()] == [2, 38]


def test_a_resumed_run_goes_on_with_the_same_words(few: Experiment, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole = Training(few.resolve(), tmp_path / "whole", CPU)
    whole.run()
    Training(few.resolve(), tmp_path / "parts", CPU).run(time_limit=1e-9)
    parts = Training(few.resolve(), tmp_path / "parts", CPU)
    assert 0 < parts.step < few.resolve().steps
    parts.run()
    for one, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_number_of_words_changes_the_id(few: Experiment) -> None:
    changed = [few, replace(few, train_words=None), replace(few, train_words=201)]
    assert len({experiment.resolve().id for experiment in changed}) == 3
    assert Experiment.from_json(few.to_json()) == few
    assert "--train-words 200" in few.resolve().command
