"""Streams of random numbers, one for each purpose and step.

Initial weights, training words and training lengths are drawn from the experiment's seed, each from
a stream of its own, with a separate generator for every step. A resumed run therefore draws the
words that it would have drawn, and nothing needs to be saved for that. The words of a data file are
drawn in the same way, block by block, and a fixed set of training words (``train_words``) has a
stream for each length. Test words depend on the task and the length alone
(`flann.tasks.test_stream`).
"""

from __future__ import annotations

import numpy as np

PURPOSES = {"weights": 0, "words": 1, "lengths": 2, "data": 3, "set": 4, "draws": 5}


def open_stream(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """Return the generator for one purpose at one step.

    >>> one, other = (open_stream(0, "words", 3).integers(2**60) for _ in range(2))
    >>> bool(one == other)
    True
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(PURPOSES[purpose], step))
    return np.random.Generator(np.random.PCG64(sequence))


def draw_seed(seed: int, step: int) -> int:
    """Return the seed of torch's global generator at a step, for models that use dropout."""
    return int(open_stream(seed, "draws", step).integers(2**63))


def derive_weight_seed(seed: int) -> int:
    """Return the seed of the initial weights, as torch takes it."""
    return int(open_stream(seed, "weights").integers(2**63))
