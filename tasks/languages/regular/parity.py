"""Parity: is the number of ones odd?

The label at position t is ``(w_1 + ... + w_t) mod 2``. A word is recognised when its number of
ones is odd.

Words are uniform over all words of the length. Another published choice draws the number of ones
uniformly from 0 .. T first, and then a word with that many uniformly: ``ones=uniform``, drawn here
by Pólya's urn (after t symbols, k of them ones, the next is a one with probability
``(k + 1) / (t + 2)``), which gives the same distribution.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from typing_extensions import override

from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.core.task import Chance, Targets, Task, Tokens, register
from flann.tasks.sampling import draw_uniform


@register("parity")
class Parity(Task):
    """Is the number of ones so far odd?

    Parameters
    ----------
    mode : {"tag", "recognise"}
        a label at every position, or at the last alone: odd is accepted.
    ones : {"words", "uniform"}
        words uniform over all words, or the number of ones uniform.

    Examples
    --------
    >>> Parity().targets(np.array([[1, 0, 1, 1]])).tolist()
    [[1, 1, 0, 1]]
    """

    def __init__(
        self,
        *,
        mode: Literal["tag", "recognise"] = "tag",
        ones: Literal["words", "uniform"] = "words",
    ) -> None:
        self.name = "parity"
        self.mode = mode
        self.ones = ones
        self.symbols = ("0", "1")
        self.labels = ("even", "odd") if mode == "tag" else ("rejected", "accepted")

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words uniform over all words, or uniform in their number of ones."""
        if self.ones == "words":
            return draw_uniform(rng, 2, (length, size)).T
        tokens = np.empty((length, size), np.uint8)
        ones = np.zeros(size, np.uint32)
        for t in range(length):
            tokens[t] = draw_uniform(rng, t + 2, (size,)) < ones + 1
            ones += tokens[t]
        return tokens.T

    @override
    def count_words(self, length: int) -> int:
        return 1 << length

    @override
    def label(self, tokens: Tokens) -> Targets:
        targets = self.allocate_targets(tokens)
        np.bitwise_xor.accumulate(tokens.T.astype(np.int8, copy=False), axis=0, out=targets.T)
        return targets if self.mode == "tag" else self.score_last(targets[:, -1].copy(), tokens)

    @override
    def chance(self, length: int) -> Chance:
        """Return the exact chance; with ``ones=uniform`` the ones of a prefix are uniform too."""
        prefixes = np.arange(1, length + 1)
        if self.ones == "words":
            best, best_row = np.full(length, 0.5), 0.5**length
        else:  # t + 1 equally likely numbers of ones; and the likeliest word is all zeros
            best, best_row = (prefixes // 2 + 1) / (prefixes + 1), 1 / (length + 1)
        if self.mode == "recognise":
            return Chance(*[float(best[-1])] * 3)
        return Chance(float(best.mean()), float(best[-1]), float(best_row))

    @cached_property
    @override
    def machine(self) -> MooreMachine:
        """The two states even and odd."""
        return MooreMachine.minimal(
            self.symbols,
            np.array([[0, 1], [1, 0]]),
            np.array([0, 1]),
            members=np.array([False, True]),
            names=("even", "odd"),
        )
