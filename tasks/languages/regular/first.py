"""``first``: was the first symbol of the word a 1?

The task asks for one look back over any distance. It is star-free: a model that fails at parity and
solves this one is not broken, but cannot count modulo two.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np

from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.core.task import Chance, Targets, Task, Tokens, register
from flann.tasks.sampling import uniform


@register("first")
class First(Task):
    """Was the first symbol of the word a 1?

    Words are uniform.

    Parameters
    ----------
    mode : {"tag", "recognise"}
        the answer at every position, or at the last alone.

    Examples
    --------
    >>> First().targets(np.array([[1, 0, 0], [0, 1, 1]])).tolist()
    [[1, 1, 1], [0, 0, 0]]
    """

    def __init__(self, *, mode: Literal["tag", "recognise"] = "tag") -> None:
        self.name = "first"
        self.mode = mode
        self.symbols = ("0", "1")
        self.labels = ("0", "1") if mode == "tag" else ("rejected", "accepted")

    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Uniform over all words."""
        return uniform(rng, 2, (length, size)).T

    def count_words(self, length: int) -> int:
        """All of them."""
        return 1 << length

    def label(self, tokens: Tokens) -> Targets:
        """The first symbol, everywhere or at the end."""
        if self.mode == "recognise":
            return self.last_only(tokens[:, 0], tokens)
        targets = self.target_array(tokens)
        targets[...] = tokens[:, :1]
        return targets

    def chance(self, length: int) -> Chance:
        """Exact: there are two rows of labels, equally likely."""
        return Chance(0.5, 0.5, 0.5)

    @cached_property
    def machine(self) -> MooreMachine:
        """A start state and a state for each first symbol."""
        return MooreMachine.minimal(
            self.symbols,
            np.array([[1, 2], [1, 1], [2, 2]]),
            np.array([0, 0, 1]),
            members=np.array([False, False, True]),
            names=("start", "0", "1"),
        )
