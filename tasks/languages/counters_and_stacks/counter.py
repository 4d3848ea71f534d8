"""Tasks that one counter solves.

``majority``: are there strictly more ones than zeros? Not regular, but commutative: an average over
the word answers it, so attention that can only spread evenly manages it.
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
        the answer after every prefix, or after the whole word.

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
        """Uniform over all words."""
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
        """Exact. Ties, which even lengths have, count for the zeros.

        The likeliest row of labels is all zeros, which ``comb(T, T // 2)`` walks have: reflecting
        the stretches above 0 of the walks with any other row gives as many different ones of these.
        """
        zero = 0.5 + count_ties(length) / 2
        if self.mode == "recognise":
            return Chance(*[float(zero[-1])] * 3)
        never_ahead = comb(length, length // 2) / (1 << length)
        return Chance(float(zero.mean()), float(zero[-1]), never_ahead)

    @property
    @override
    def properties(self) -> TaskProperties:
        """One counter; for a whole word, the shares of the symbols."""
        return TaskProperties(
            "TC0",
            "it is what a majority gate computes, which AC0 cannot",
            asks_every_prefix=self.mode == "tag",
            counters=1,
            proportions=self.mode == "recognise",
        )


def count_ties(length: int) -> Float[np.ndarray, " length"]:
    """How likely each prefix of a uniform word has as many ones as zeros: comb(t, t/2) / 2^t.

    >>> count_ties(4).tolist()
    [0.0, 0.5, 0.0, 0.375]
    """
    likely = np.zeros(length)
    halves = np.arange(1, length // 2 + 1)
    likely[1::2] = np.cumprod((2 * halves - 1) / (2 * halves))
    return likely
