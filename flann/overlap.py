"""How many test words were also training words.

At lengths beyond training there are none. At the short ones there must be: parity has eight
words of length 3. Since a training step's words are a function of the step, they are made again
here and compared, and nothing needs to be kept while training.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .evaluation import words_for
from .streams import stream
from .training import Training


def count_overlap(training: Training) -> dict[str, int]:
    """For each test length within the training range: test words that training saw."""
    experiment, task = training.experiment, training.task
    lengths = sorted(set(training.curriculum.lengths) & set(experiment.test_lengths))
    size = experiment.test_size
    test = {length: rows(words_for(task, length, size, "test").tokens) for length in lengths}
    seen = {n: np.zeros(len(words), bool) for n, words in test.items()}
    for step in range(training.step):
        length = training.curriculum.length_at(step)
        if length in test and not seen[length].all():
            draw = stream(experiment.seed, "words", step)
            words = rows(task.sample(draw, experiment.batch, length).tokens)
            seen[length] |= np.isin(test[length], words)
    return {str(n): int(found.sum()) for n, found in seen.items()}


def rows(tokens: NDArray[np.unsignedinteger]) -> NDArray[np.void]:
    """Each row as one value that compares as a whole."""
    whole = np.ascontiguousarray(tokens)
    return whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
