"""How many test words were also training words.

At lengths beyond training there are none. At the short ones there must be: parity has eight
words of length 3. Since a training step's words are a function of the step, they are made again
here and compared, and nothing needs to be kept while training. A fixed set (``train_words``)
counts as a whole.
"""

from __future__ import annotations

import numpy as np

from flann.evaluation.evaluate import words_for

from .loop import Training
from .words import rows


def count_overlap(training: Training) -> dict[str, int]:
    """For each test length within the training range: test words that training saw."""
    experiment, task = training.experiment, training.task
    lengths = sorted(set(training.curriculum.lengths) & set(experiment.test_lengths))
    size = experiment.test_size
    test = {length: rows(words_for(task, length, size, "test").tokens) for length in lengths}
    if sets := training.words.sets:
        return {str(n): int(np.isin(test[n], rows(sets[n].tokens)).sum()) for n in lengths}
    seen = {n: np.zeros(len(words), bool) for n, words in test.items()}
    for step in range(training.step):
        length = training.curriculum.length_at(step)
        if length in test and not seen[length].all():
            words = rows(training.words.batch(step, length).tokens)
            seen[length] |= np.isin(test[length], words)
    return {str(n): int(found.sum()) for n, found in seen.items()}
