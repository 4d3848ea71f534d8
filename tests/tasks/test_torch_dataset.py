"""The dataset for torch: true labels, the same words again, other words in every worker."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from flann.errors import UserError
from flann.tasks import get_task
from flann.tasks.torch_dataset import Pair, TaskDataset


def first(dataset: TaskDataset, count: int, workers: int = 0) -> list[Pair]:
    return list(islice(DataLoader(dataset, batch_size=None, num_workers=workers), count))


def same(one: list[Pair], other: list[Pair]) -> bool:
    return all(torch.equal(a[0], b[0]) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", ["A5", "dyck-2:mode=recognise", "reverse-string"])
def test_labels_are_true_and_of_torchs_types(name: str) -> None:
    dataset = TaskDataset(name, lengths=(2, 9), batch=5, seed=0)
    task = get_task(name)
    for tokens, targets in first(dataset, 20):
        assert tokens.dtype == targets.dtype == torch.int64
        assert len(tokens) == 5
        np.testing.assert_array_equal(targets.numpy(), task.targets(tokens.numpy()))


def test_every_valid_length_comes_up() -> None:
    batches = first(TaskDataset(get_task("parity"), lengths=(3, 6), batch=1, seed=0), 60)
    assert {tokens.shape[1] for tokens, _ in batches} == {3, 4, 5, 6}


def test_the_same_seed_gives_the_same_words() -> None:
    one, again, other = (TaskDataset("A5", (8, 8), batch=4, seed=seed) for seed in (0, 0, 1))
    assert same(first(one, 5), first(again, 5))
    assert not same(first(one, 5), first(other, 5))


def test_every_worker_has_words_of_its_own() -> None:
    dataset = TaskDataset("A5", (8, 8), batch=4, seed=0)
    batches = first(dataset, 6, workers=2)
    assert len({tokens.numpy().tobytes() for tokens, _ in batches}) == 6
    assert same(batches, first(dataset, 6, workers=2))
    assert same(batches[::2], first(dataset, 3))  # the first worker draws as no worker does


@pytest.mark.parametrize(
    ("lengths", "batch", "seed", "says"),
    [
        ((9, 2), 4, 0, "no words of length 9:2"),
        ((2, 9), 0, 0, "batch 0"),
        ((2, 9), 4, -1, "seed -1"),
    ],
)
def test_a_mistake_is_one_line(lengths: tuple[int, int], batch: int, seed: int, says: str) -> None:
    with pytest.raises(UserError, match=says):
        TaskDataset("A5", lengths, batch, seed)
