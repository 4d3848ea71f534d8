"""The number of test words that were also training words.

There are none at lengths beyond training. At short lengths there must be some: parity has eight
words of length 3. Because a training step's words are a function of the step, they are drawn again
here and compared, and nothing needs to be kept while training. A fixed set (``train_words``) is
compared as a whole.
"""

from __future__ import annotations

import numpy as np

from flann.evaluation.held_out_words import draw_held_out_words, pack_rows

from .loop import Training


def count_overlap(training: Training) -> dict[str, int]:
    """Count, at each test length within the training range, the test words that training saw."""
    experiment, task = training.experiment, training.task
    lengths = sorted(set(training.curriculum.lengths) & set(experiment.test_lengths))
    size = experiment.settings.test_size
    test = {n: pack_rows(draw_held_out_words(task, n, size, "test").tokens) for n in lengths}
    if sets := training.words.sets:
        return {str(n): int(np.isin(test[n], pack_rows(sets[n].tokens)).sum()) for n in lengths}
    trained = {n: np.zeros(len(words), bool) for n, words in test.items()}
    for step in range(training.step):
        length = training.curriculum.length_at(step)
        if length in test and not trained[length].all():
            words = pack_rows(training.words.batch(step, length).tokens)
            trained[length] |= np.isin(test[length], words)
    return {str(n): int(flags.sum()) for n, flags in trained.items()}
