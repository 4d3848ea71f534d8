"""Any task as a torch dataset, for training loops that are not flann's.

Nothing else of `flann.tasks` imports this module, so `import flann.tasks` never loads torch.

>>> from torch.utils.data import DataLoader
>>> dataset = TaskDataset("A5", lengths=(2, 40), batch=64, seed=0)
>>> tokens, targets = next(iter(DataLoader(dataset, batch_size=None)))
>>> tokens.shape == targets.shape, tokens.dtype
(True, torch.int64)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from flann.errors import UserError

from . import get_task
from .core.task import Task

Pair = tuple[Int64[Tensor, "batch positions"], Int64[Tensor, "batch positions"]]


class TaskDataset(IterableDataset[Pair]):
    """An endless stream of batches of labelled words, each batch of one length.

    Lengths are uniform over those that the task has between the two ends. A target of -100 is
    not scored, and torch's own losses pass it over. Give it to a ``DataLoader`` with
    ``batch_size=None``, for it makes batches itself.

    Every worker draws from a stream of its own, which follows from the seed and the worker's
    number. Every ``iter`` starts at the first batch again: keep one iterator for the whole
    training, or give every epoch, and every process of a distributed training, a seed of its own.

    Parameters
    ----------
    task : Task or str
        the task or its name.
    lengths : (int, int)
        the shortest and the longest, both included.
    batch : int
        words in a batch, 1 or more.
    seed : int
        0 or more.

    Raises
    ------
    UserError
        for lengths that the task has no words of, or a batch or seed too small.

    Examples
    --------
    >>> dataset = TaskDataset("parity", lengths=(8, 8), batch=3, seed=0)
    >>> tokens, targets = next(iter(dataset))
    >>> tokens.shape
    torch.Size([3, 8])
    """

    def __init__(self, task: Task | str, lengths: tuple[int, int], batch: int, seed: int) -> None:
        self.task = get_task(task) if isinstance(task, str) else task
        self.lengths = self.task.valid_lengths(*lengths)
        if not self.lengths:
            raise UserError(f"{self.task.name} has no words of length {lengths[0]}:{lengths[1]}")
        for name, value, least in (("batch", batch, 1), ("seed", seed, 0)):
            if value < least:
                raise UserError(f"{name} {value}: expected {least} or more")
        self.batch, self.seed = batch, seed

    def __iter__(self) -> Iterator[Pair]:
        worker = get_worker_info()
        own = np.random.SeedSequence(self.seed, spawn_key=(0 if worker is None else worker.id,))
        rng = np.random.Generator(np.random.PCG64(own))
        while True:
            length = self.lengths[int(rng.integers(len(self.lengths)))]
            tokens, targets = self.task.sample(rng, self.batch, length)
            yield as_tensor(tokens), as_tensor(targets)


def as_tensor(ids: np.ndarray) -> Int64[Tensor, "batch positions"]:
    """Return ids in the type that torch's embeddings and losses take."""
    return torch.from_numpy(np.ascontiguousarray(ids, dtype=np.int64))
