"""Small regular tasks that ask for memory, but not for counting.

- ``first``      was the first symbol a 1? One look back over any distance.
- ``flip-flop``  the bit that was last written. The memory cell out of which, by Krohn and
                 Rhodes, every star-free language is built (Liu et al. 2022, arXiv 2210.10749).

Both are star-free: a model that fails at parity and manages these is not broken, it cannot count
modulo two.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from flann.tasks.automata.semiautomaton import Semiautomaton
from flann.tasks.core.sampling import uniform
from flann.tasks.core.task import Chance, Targets, Task, Tokens, register


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

    @property
    def structure(self) -> dict[str, Any]:
        """The three-state automaton."""
        return {
            "kind": "automaton",
            "states": ["start", "0", "1"],
            "symbols": list(self.symbols),
            "start": 0,
            "accepting": [2],
            "table": [[1, 2], [1, 1], [2, 2]],
        }


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
        self.machine = Semiautomaton(np.array(self.table))

    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Uniform over all words."""
        return uniform(rng, 3, (length, size)).T

    def count_words(self, length: int) -> int:
        """All of them."""
        return int(3**length)

    def label(self, tokens: Tokens) -> Targets:
        """The state of the two-state automaton."""
        targets = self.target_array(tokens)
        self.machine.run(tokens, targets)
        return targets

    def chance(self, length: int) -> Chance:
        """Exact: the state is 1 after t symbols with probability ``(1 - 3^-t) / 2``.

        The likeliest row of labels is all zeros: two of three symbols keep the state.
        """
        best = [(1 + 3.0**-t) / 2 for t in range(1, length + 1)]
        return Chance(float(np.mean(best)), best[-1], (2 / 3) ** length)

    @property
    def structure(self) -> dict[str, Any]:
        """The two-state automaton."""
        return {
            "kind": "automaton",
            "states": list(self.labels),
            "symbols": list(self.symbols),
            "start": 0,
            "accepting": [1],
            "table": [list(row) for row in self.table],
        }
