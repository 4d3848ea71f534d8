"""The majority task, which one counter solves.

``majority`` asks whether there are strictly more ones than zeros. The language is not regular, but
it is commutative: the mean over the word decides it, so uniform attention suffices.
"""

from __future__ import annotations

from math import comb
from typing import Literal

import numpy as np
from jaxtyping import Float
from typing_extensions import override

from flann.tasks.core.task import Chance, Targets, Task, Tokens, register
from flann.tasks.sampling import draw_uniform
from flann.tasks.theory.properties import TaskProperties


@register("majority")
class Majority(Task):
    """Are there strictly more ones than zeros so far?

    Words are uniform.

    Parameters
    ----------
    mode : {"tag", "recognise"}
        whether every prefix is labelled, or only the whole word.

    Examples
    --------
    >>> Majority().targets(np.array([[1, 0, 1, 1]])).tolist()
    [[1, 0, 1, 1]]
    """

    def __init__(self, *, mode: Literal["tag", "recognise"] = "tag") -> None:
        self.name = "majority"
        self.mode = mode
        self.symbols = ("0", "1")
        self.labels = ("no", "yes") if mode == "tag" else ("rejected", "accepted")

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words that are uniform over all words of their length."""
        return draw_uniform(rng, 2, (length, size)).T

    @override
    def count_words(self, length: int) -> int:
        return 1 << length

    @override
    def label(self, tokens: Tokens) -> Targets:
        if self.mode == "recognise":
            ones = tokens.sum(axis=1, dtype=np.int64)
            return self.score_last(2 * ones > tokens.shape[1], tokens)
        targets = self.allocate_targets(tokens)
        lead = np.zeros(len(tokens), np.int32)
        for t, symbol in enumerate(tokens.T):
            lead += symbol
            lead += symbol
            lead -= 1
            np.greater(lead, 0, out=targets[:, t], casting="unsafe")
        return targets

    @override
    def chance(self, length: int) -> Chance:
        """Return the exact chance level; ties, which occur at even lengths, count for the zeros.

        The likeliest sequence of labels is all zeros, which ``comb(T, T // 2)`` walks have:
        reflecting the excursions above 0 maps the walks of any other sequence injectively to these.
        """
        zero = 0.5 + count_ties(length) / 2
        if self.mode == "recognise":
            return Chance(*[float(zero[-1])] * 3)
        never_ahead = comb(length, length // 2) / (1 << length)
        return Chance(float(zero.mean()), float(zero[-1]), never_ahead)

    @property
    @override
    def properties(self) -> TaskProperties:
        """One counter; over a whole word, the proportions of the symbols suffice."""
        return TaskProperties(
            "TC0",
            "it is the function of a majority gate, which AC0 cannot compute",
            asks_every_prefix=self.mode == "tag",
            counters=1,
            proportions=self.mode == "recognise",
        )


def count_ties(length: int) -> Float[np.ndarray, " length"]:
    """Return the probability of as many ones as zeros in each prefix: comb(t, t/2) / 2^t.

    >>> count_ties(4).tolist()
    [0.0, 0.5, 0.0, 0.375]
    """
    probability = np.zeros(length)
    halves = np.arange(1, length // 2 + 1)
    probability[1::2] = np.cumprod((2 * halves - 1) / (2 * halves))
    return probability
