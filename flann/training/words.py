"""Where the words of a training step come from: fresh ones, or a fixed set of distinct ones.

By default every word is fresh. With ``train_words=N`` training sees N distinct words and no others,
as when data are scarce: the question is then what an architecture makes of few examples.

The N words are shared out among the training lengths as evenly as their numbers of words allow,
from the shortest up: what a length cannot give, the longer ones make up for. None of them is a test
word where the length has enough others. Where it has not, as parity with its eight words of length
3, test words are taken too, and the result of the run counts them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.evaluation.evaluate import words_for
from flann.experiments.experiment import Experiment
from flann.streams import stream
from flann.tasks import Batch, Task

FRUITLESS = 20  # draws in a row without a new word: the length is taken to have no more
FEWEST_DRAWN = 1000


class TrainingWords:
    """The words of each training step: a function of the experiment and the step.

    Parameters
    ----------
    experiment : Experiment
    task : Task
    lengths : sequence of int
        those that are trained on, ascending.

    Attributes
    ----------
    sets : dict of int to Batch
        the fixed words of each length; empty where every word is fresh.

    Raises
    ------
    UserError
        where the task has fewer words than ``train_words`` asks for.
    """

    def __init__(self, experiment: Experiment, task: Task, lengths: Sequence[int]) -> None:
        self.experiment, self.task = experiment, task
        wanted = experiment.train_words
        self.sets = {} if wanted is None else share_out(experiment, task, lengths, wanted)

    def batch(self, step: int, length: int) -> Batch:
        """The words of one step, all of this length."""
        draw = stream(self.experiment.seed, "words", step)
        if not self.sets:
            return self.task.sample(draw, self.experiment.batch, length)
        tokens, targets = self.sets[length]
        chosen = draw.integers(len(tokens), size=self.experiment.batch)
        return Batch(tokens[chosen], targets[chosen])


def share_out(
    experiment: Experiment, task: Task, lengths: Sequence[int], wanted: int
) -> dict[int, Batch]:
    """`wanted` distinct words, some of each length."""
    if wanted < len(lengths):
        raise UserError(
            f"train words {wanted}: expected {len(lengths)} or more, one for each length"
        )
    sets: dict[int, Batch] = {}
    left = wanted
    for n, length in enumerate(lengths):
        sets[length] = distinct(experiment, task, length, left // (len(lengths) - n))
        left -= len(sets[length].tokens)
    if left:
        raise UserError(
            f"train words {wanted}: {task.name} has only {wanted - left} different words of"
            f" lengths {lengths[0]} to {lengths[-1]}: expected at most so many"
        )
    return sets


def distinct(experiment: Experiment, task: Task, length: int, wanted: int) -> Batch:
    """Up to `wanted` distinct words of one length, test words last."""
    draw = stream(experiment.seed, "set", length)
    tested, every = test_words(experiment, task, length), task.count_words(length)
    found, fruitless = None, 0
    while True:
        drawn = task.sample(draw, max(wanted, FEWEST_DRAWN), length)
        before, found = found, joined(found, drawn)
        fruitless = fruitless + 1 if before and len(before.tokens) == len(found.tokens) else 0
        known = np.isin(rows(found.tokens), tested)
        if (~known).sum() >= wanted or len(found.tokens) == every or fruitless == FRUITLESS:
            order = np.argsort(known, kind="stable")[:wanted]
            return Batch(found.tokens[order], found.targets[order])


def test_words(experiment: Experiment, task: Task, length: int) -> NDArray[np.void]:
    """The test words of one length, as `rows`."""
    size = experiment.test_size if length in experiment.test_lengths else 1
    words = rows(words_for(task, length, size, "test").tokens)
    return words if length in experiment.test_lengths else words[:0]


def joined(found: Batch | None, drawn: Batch) -> Batch:
    """Both together, each word once, in order of first appearance."""
    if found is not None:
        drawn = Batch(*map(np.concatenate, zip(found, drawn, strict=True)))
    first = np.sort(np.unique(rows(drawn.tokens), return_index=True)[1])
    return Batch(drawn.tokens[first], drawn.targets[first])


def rows(tokens: NDArray[np.unsignedinteger]) -> NDArray[np.void]:
    """Each row as one value that compares as a whole."""
    whole = np.ascontiguousarray(tokens)
    return whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
