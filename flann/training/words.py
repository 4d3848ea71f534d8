"""The words of a training step: fresh ones, or words of a fixed set.

By default every word is fresh. With ``train_words=N`` training sees N distinct words and no others,
as when data are scarce; the question is then what an architecture makes of few examples.

The N words are divided among the training lengths as evenly as the numbers of words allow, from the
shortest up; where a length has too few, the longer ones make up for it. No word of the set is a
test word if its length has enough others. If it has not (parity has eight words of length 3), test
words are used too, and the result of the run counts them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.evaluation.held_out_words import draw_held_out_words, pack_rows
from flann.experiments.experiment import ResolvedExperiment
from flann.streams import open_stream
from flann.tasks import Batch

FRUITLESS_DRAWS = 20
"""After so many draws in a row without a new word, a length counts as having no more words."""

FEWEST_DRAWN = 1000
"""Words in a draw, or more."""


class TrainingWords:
    """The words of each training step, a function of the experiment and the step.

    Parameters
    ----------
    experiment : ResolvedExperiment
    lengths : sequence of int
        the training lengths, ascending.

    Attributes
    ----------
    sets : dict of int to Batch
        the fixed words of each length; empty if every word is fresh.

    Raises
    ------
    UserError
        if the task has fewer words than ``train_words`` asks for.
    """

    def __init__(self, experiment: ResolvedExperiment, lengths: Sequence[int]) -> None:
        self.settings, self.task = experiment.settings, experiment.task
        count = self.settings.train_words
        self.sets = {} if count is None else divide_among_lengths(experiment, lengths, count)

    def batch(self, step: int, length: int) -> Batch:
        """Draw the words of one step, all of this length."""
        rng = open_stream(self.settings.seed, "words", step)
        if not self.sets:
            return self.task.sample(rng, self.settings.batch, length)
        tokens, targets = self.sets[length]
        rows = rng.integers(len(tokens), size=self.settings.batch)
        return Batch(tokens[rows], targets[rows])


def divide_among_lengths(
    experiment: ResolvedExperiment, lengths: Sequence[int], count: int
) -> dict[int, Batch]:
    """Draw `count` distinct words in all, some of each length.

    Raises
    ------
    UserError
        if there are more lengths than words, or fewer words than asked for.
    """
    if count < len(lengths):
        raise UserError(
            f"train words {count}: expected {len(lengths)} or more, one for each length"
        )
    sets: dict[int, Batch] = {}
    left = count
    for n, length in enumerate(lengths):
        sets[length] = draw_distinct(experiment, length, left // (len(lengths) - n))
        left -= len(sets[length].tokens)
    if left:
        raise UserError(
            f"train words {count}: {experiment.task.name} has only {count - left} different words"
            f" of lengths {lengths[0]} to {lengths[-1]}: expected at most so many"
        )
    return sets


def draw_distinct(experiment: ResolvedExperiment, length: int, count: int) -> Batch:
    """Draw up to `count` distinct words of one length, test words last."""
    task = experiment.task
    rng = open_stream(experiment.settings.seed, "set", length)
    test, possible = list_test_words(experiment, length), task.count_words(length)
    known: Batch | None = None
    fruitless = 0
    while True:
        batch = task.sample(rng, max(count, FEWEST_DRAWN), length)
        before, known = known, merge_distinct(known, batch)
        fruitless = fruitless + 1 if before and len(before.tokens) == len(known.tokens) else 0
        is_test = np.isin(pack_rows(known.tokens), test)
        exhausted = len(known.tokens) == possible or fruitless == FRUITLESS_DRAWS
        if (~is_test).sum() >= count or exhausted:
            order = np.argsort(is_test, kind="stable")[:count]
            return Batch(known.tokens[order], known.targets[order])


def list_test_words(experiment: ResolvedExperiment, length: int) -> NDArray[np.void]:
    """Return the test words of one length, packed; none if the length is not tested."""
    tested = length in experiment.test_lengths
    size = experiment.settings.test_size if tested else 1
    words = pack_rows(draw_held_out_words(experiment.task, length, size, "test").tokens)
    return words if tested else words[:0]


def merge_distinct(known: Batch | None, batch: Batch) -> Batch:
    """Return both batches as one, each word once, in order of first appearance."""
    if known is not None:
        batch = Batch(*map(np.concatenate, zip(known, batch, strict=True)))
    first = np.sort(np.unique(pack_rows(batch.tokens), return_index=True)[1])
    return Batch(batch.tokens[first], batch.targets[first])
