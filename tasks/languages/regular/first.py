"""``first``: was the first symbol of the word a 1?

The task asks for one look back over any distance. It is star-free: a model that fails at parity and
solves this one is not broken, but cannot count modulo two.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from typing_extensions import override

from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.core.task import Chance, Targets, Task, Tokens, register
from flann.tasks.sampling import draw_uniform


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

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words uniform over all words."""
        return draw_uniform(rng, 2, (length, size)).T

    @override
    def count_words(self, length: int) -> int:
        return 1 << length

    @override
    def label(self, tokens: Tokens) -> Targets:
        if self.mode == "recognise":
            return self.score_last(tokens[:, 0], tokens)
        targets = self.allocate_targets(tokens)
        targets[...] = tokens[:, :1]
        return targets

    @override
    def chance(self, length: int) -> Chance:
        """Return the exact chance: two rows of labels are equally likely."""
        return Chance(0.5, 0.5, 0.5)

    @cached_property
    @override
    def machine(self) -> MooreMachine:
        """A start state and a state for each first symbol."""
        return MooreMachine.minimal(
            self.symbols,
            np.array([[1, 2], [1, 1], [2, 2]]),
            np.array([0, 0, 1]),
            members=np.array([False, False, True]),
            names=("start", "0", "1"),
        )
