"""Boolean expressions in prefix notation with operators of up to n operands.

An expression is a value, ``0`` or ``1``, or an operator ``opk``, 1 <= k <= n, followed by k
expressions (Bhattamishra et al. 2020, arXiv 2009.11264, section 3: Boolean-3, Boolean-5). One
counter suffices: the number of expressions that are still required is 1 at first, decreases by 1 at
a value and increases by k - 1 at opk. A word is a member if the counter reaches 0 for the first
time at its last symbol.

- Tagging, the default, labels each prefix with the symbols that may come next: all of them until
  the expression is complete, and then none. With probability one half a word is a member, uniform
  over those of its length; otherwise it is the first T symbols of a uniform member of length 2T. In
  words supplied by the user, positions after the end of the expression are not scored.
- Recognition follows `flann.tasks.core.recognition`; members are uniform, and the format is that
  the word ends in a value.

Members are drawn by counting (`flann.tasks.automata.counting`) on the automaton of the counter,
which no member of a given length takes beyond that length.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.automata.counting import WordCounts
from flann.tasks.core.recognition import (
    Negatives,
    Recognition,
    TokenColumns,
    Verdicts,
    refuse_negatives,
)
from flann.tasks.core.task import NOT_SCORED, Chance, Targets, Task, Tokens, register
from flann.tasks.sampling import flip_coins
from flann.tasks.theory.properties import TaskProperties

VALUES = ("0", "1")
MOST_OPERANDS = 8
LONGEST = 600  # symbols; the table of counts grows with the square of the length
OPEN, END = 0, 1


@register("boolean-3", "boolean-5", pattern=r"boolean-\d+")
class Boolean(Recognition):
    """Boolean expressions in prefix notation: may another symbol come, or must the word end?

    Examples
    --------
    >>> task = Boolean("boolean-3")
    >>> word = [task.symbols.index(s) for s in "op2 op1 0 1 1".split()]
    >>> task.spell(task.targets(np.array([word]))[0], task.labels)
    ['0 1 op1 op2 op3', '0 1 op1 op2 op3', '0 1 op1 op2 op3', 'end', '.']
    """

    def __init__(
        self,
        name: str,
        *,
        mode: Literal["tag", "recognise"] = "tag",
        negatives: Negatives = "mixed",
    ) -> None:
        most = re.sub(r"\D", "", name)
        if most not in map(str, range(2, MOST_OPERANDS + 1)):
            raise UserError(f"no task {name!r}: expected boolean-2 to boolean-{MOST_OPERANDS}")
        if mode == "tag" and negatives != "mixed":
            raise refuse_negatives(name)
        self.name, self.mode, self.negatives, self.operands = name, mode, negatives, int(most)
        self.symbols = (*VALUES, *(f"op{k}" for k in range(1, self.operands + 1)))
        self.rises = np.array([-1, -1, *range(self.operands)])
        if mode == "tag":
            self.labels = (" ".join(self.symbols), "end")
            self.label_sets: Bool[np.ndarray, "labels symbols"] = np.array(
                [[True] * len(self.symbols), [False] * len(self.symbols)]
            )

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return all lengths, since op1 extends any expression; a near miss has at least two."""
        least = 2 if self.negatives == "near" else 1
        return list(range(max(low, least), min(high, LONGEST) + 1))

    @override
    def count_words(self, length: int) -> int | None:
        mixed = self.mode == "recognise" and self.negatives == "mixed"
        return int(len(self.symbols) ** length) if mixed else None

    # -- drawing ---------------------------------------------------------------------------------

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words from the distribution that the module describes."""
        if self.mode == "recognise":
            return super().words(rng, size, length)
        whole = flip_coins(rng, size)
        words = np.empty((length, size), np.uint8)
        words[:, whole] = self.members(rng, int(whole.sum()), length)
        words[:, ~whole] = self.members(rng, int((~whole).sum()), 2 * length)[:length]
        return words.T

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw uniformly over all members of this length."""
        return build_counts(self.operands, 1 << (length - 1).bit_length()).draw(rng, size, length)

    # -- labelling -------------------------------------------------------------------------------

    @override
    def label(self, tokens: Tokens) -> Targets:
        if self.mode == "recognise":
            return super().label(tokens)
        targets = self.allocate_targets(tokens)
        required = self.count_required(tokens)
        ended = np.logical_or.accumulate(required <= 0, axis=1)
        targets[...] = np.where(ended, END, OPEN)
        targets[:, 1:][ended[:, :-1]] = NOT_SCORED
        return targets

    def count_required(self, tokens: Tokens) -> Int[np.ndarray, "size positions"]:
        """Return the number of expressions that are still required after each prefix."""
        counter: Int[np.ndarray, "size positions"] = 1 + np.cumsum(self.rises[tokens], axis=1)
        return counter

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        required = self.count_required(tokens)
        complete: Verdicts = (required[:, -1] == 0) & (required[:, :-1] > 0).all(axis=1)
        return complete

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        value: Verdicts = tokens[:, -1] < len(VALUES)
        return value

    # -- theory ----------------------------------------------------------------------------------

    @override
    def chance(self, length: int) -> Chance:
        """Return one half in recognition, and an estimate from a fixed stream in tagging."""
        return super().chance(length) if self.mode == "recognise" else Task.chance(self, length)

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of a language with one counter."""
        why = "the number of expressions still required is a count, which AC0 cannot keep"
        tagging = self.mode == "tag"
        return TaskProperties(
            "TC0",
            why,
            partial=tagging,
            asks_every_prefix=tagging,
            counters=1,
            nested=True,
            stack=True,
        )


@lru_cache(maxsize=8)
def build_counts(operands: int, longest: int) -> WordCounts:
    """Return word counts of the counter as an automaton.

    Its states are the values 0 to `longest`, of which 0 accepts, and a dead state.

    >>> [build_counts(2, 8).count(length) for length in range(1, 6)]
    [2, 2, 6, 14, 42]
    """
    counter = np.arange(longest + 1)[:, None]
    rises = np.array([-1, -1, *range(operands)])
    table = np.where(counter > 0, counter + rises, -1)
    dead = longest + 1
    table[(table < 0) | (table > longest)] = dead
    table = np.concatenate([table, np.full((1, len(rises)), dead)])
    return WordCounts(table, np.arange(longest + 2) == 0, start=1)
