"""Streams of random numbers, one for each purpose.

Initial weights, training words and lengths come from the experiment's seed, each by a stream of
its own and each step by its own part of it; the words of a data file likewise, block by block. So
a run that was stopped goes on with the words it would have seen, and nothing needs to be saved
for that. A fixed set of training words (``train_words``) has a stream for each length. Test words
are no business of this module: they depend on the task and the length alone (`flann.tasks`).
"""

from __future__ import annotations

import numpy as np

PURPOSES = {"weights": 0, "words": 1, "lengths": 2, "data": 3, "set": 4, "draws": 5}


def stream(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """The generator for one purpose at one step.

    >>> bool(stream(0, "words", 3).integers(2**60) == stream(0, "words", 3).integers(2**60))
    True
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(PURPOSES[purpose], step))
    return np.random.Generator(np.random.PCG64(sequence))


def draw_seed(seed: int, step: int) -> int:
    """What torch's own generator is set to at a step, for models that drop something out."""
    return int(stream(seed, "draws", step).integers(2**63))


def weight_seed(seed: int) -> int:
    """The seed of the initial weights, as torch takes it."""
    return int(stream(seed, "weights").integers(2**63))
