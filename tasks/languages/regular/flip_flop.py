"""``flip-flop``: the bit that was last written.

This is the memory cell from which, by Krohn and Rhodes, every star-free language is built (Liu et
al. 2022, arXiv 2210.10749). It is star-free: a model that fails at parity and solves this one is
not broken, but cannot count modulo two.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from typing_extensions import override

from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.automata.semiautomaton import Semiautomaton
from flann.tasks.core.task import Chance, Targets, Task, Tokens, register
from flann.tasks.sampling import draw_uniform


@register("flip-flop")
class FlipFlop(Task):
    """The bit that was last written, at every position; 0 before the first is written.

    The symbols are ``hold``, ``0`` and ``1``; words are uniform, so a third of the symbols are
    to be passed over.

    Examples
    --------
    >>> FlipFlop().targets(np.array([[0, 2, 0, 0, 1, 0]])).tolist()
    [[0, 1, 1, 1, 0, 0]]
    """

    table = ((0, 0, 1), (1, 0, 1))

    def __init__(self) -> None:
        self.name = "flip-flop"
        self.symbols = ("hold", "0", "1")
        self.labels = ("0", "1")
        self.semiautomaton = Semiautomaton(np.array(self.table))

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words uniform over all words."""
        return draw_uniform(rng, 3, (length, size)).T

    @override
    def count_words(self, length: int) -> int:
        return int(3**length)

    @override
    def label(self, tokens: Tokens) -> Targets:
        targets = self.allocate_targets(tokens)
        self.semiautomaton.run(tokens, targets)
        return targets

    @override
    def chance(self, length: int) -> Chance:
        """Return the exact chance: after t symbols the state is 1 with probability ``(1 - 3^-t) /
        2``.

        The likeliest row of labels is all zeros: two of three symbols keep the state.
        """
        best = [(1 + 3.0**-t) / 2 for t in range(1, length + 1)]
        return Chance(float(np.mean(best)), best[-1], (2 / 3) ** length)

    @cached_property
    @override
    def machine(self) -> MooreMachine:
        """The two states 0 and 1."""
        return MooreMachine.minimal(
            self.symbols,
            np.array(self.table),
            np.array([0, 1]),
            members=np.array([False, True]),
            names=self.labels,
        )
