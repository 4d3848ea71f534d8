"""The languages a^n b^n, a^n b^n c^n and a^n b^n c^n d^n of equal runs, with n at least 1.

- Tagging, the default, labels each prefix with the symbols that may come next (Bhattamishra et al.
  2020, arXiv 2009.11264, section 4.1): ``a b`` during the a's, then the only possible symbol until
  each run is as long as the first, and ``end`` after the last. Words are prefixes of members, and
  the number of a's is uniform over those that give such a prefix. In words supplied by the user,
  positions from the first that leaves no prefix of a member are not scored.
- Recognition has one member for each length. Non-members are drawn as
  `flann.tasks.core.recognition` describes; the format is the runs in order, ``a+ b+ c+``.

Lengths are multiples of the number of runs.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from typing_extensions import override

from flann.tasks.core.recognition import (
    Negatives,
    Recognition,
    TokenColumns,
    Verdicts,
    refuse_negatives,
)
from flann.tasks.core.task import NOT_SCORED, Chance, Targets, Task, Tokens, register
from flann.tasks.sampling import draw_uniform
from flann.tasks.theory.properties import TaskProperties

LETTERS = "abcd"


@register("a-n-b-n", "a-n-b-n-c-n", "a-n-b-n-c-n-d-n", pattern="a-n-b-n(-c-n(-d-n)?)?")
class EqualRuns(Recognition):
    """Runs of equal length: which symbols may come next, or is the word complete?

    Examples
    --------
    >>> task = EqualRuns("a-n-b-n")
    >>> [task.labels[i] for i in task.targets(np.array([[0, 0, 1, 1]]))[0]]
    ['a b', 'a b', 'b', 'end']
    """

    def __init__(
        self,
        name: str,
        *,
        mode: Literal["tag", "recognise"] = "tag",
        negatives: Negatives = "mixed",
    ) -> None:
        if mode == "tag" and negatives != "mixed":
            raise refuse_negatives(name)
        self.name, self.mode, self.negatives = name, mode, negatives
        self.runs = name.count("n")
        self.symbols = tuple(LETTERS[: self.runs])
        if mode == "tag":
            self.labels = ("a b", *self.symbols[1:], "end")
            sets = np.vstack([np.eye(self.runs, dtype=bool), np.zeros(self.runs, bool)])
            sets[0, 1] = True
            self.label_sets = sets

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return multiples of the number of runs; near misses need runs of at least two."""
        least = 2 * self.runs if self.negatives == "near" else 1
        return [t for t in range(max(low, least), high + 1) if t % self.runs == 0]

    @override
    def count_words(self, length: int) -> int | None:
        if self.mode == "tag":
            return length - length // self.runs + 1
        return int(self.runs**length) if self.negatives == "mixed" else None

    # -- drawing ---------------------------------------------------------------------------------

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words from the distribution that the module describes."""
        if self.mode == "recognise":
            return super().words(rng, size, length)
        least = length // self.runs
        first = least + draw_uniform(rng, length - least + 1, (size,)).astype(np.int64)
        return (np.arange(length)[:, None] // first).astype(np.uint8).T

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Return copies of the only member of this length."""
        word = (np.arange(length) // (length // self.runs)).astype(np.uint8)
        return np.repeat(word[:, None], size, axis=1)

    # -- labelling -------------------------------------------------------------------------------

    @override
    def label(self, tokens: Tokens) -> Targets:
        if self.mode == "recognise":
            return super().label(tokens)
        targets = self.allocate_targets(tokens)
        position = np.arange(tokens.shape[1])
        other = tokens != 0
        first = np.where(other.any(axis=1), other.argmax(axis=1), tokens.shape[1])[:, None]
        expected = position // np.maximum(first, 1)
        alive = np.logical_and.accumulate((tokens == expected) & (first > 0), axis=1)
        following = np.where(position < first, 0, (position + 1) // np.maximum(first, 1))
        targets[...] = np.where(alive, following, NOT_SCORED)
        return targets

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        length = tokens.shape[1]
        if length % self.runs:
            return np.zeros(len(tokens), bool)
        member = np.arange(length) // (length // self.runs)
        same: Verdicts = (tokens == member).all(axis=1)
        return same

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        steps = np.diff(tokens.astype(np.int16), axis=1)
        ends = (tokens[:, 0] == 0) & (tokens[:, -1] == self.runs - 1)
        ordered: Verdicts = ends & ((steps == 0) | (steps == 1)).all(axis=1)
        return ordered

    # -- theory ----------------------------------------------------------------------------------

    @override
    def chance(self, length: int) -> Chance:
        """Return one half in recognition, and an estimate from a fixed stream in tagging."""
        return super().chance(length) if self.mode == "recognise" else Task.chance(self, length)

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of a language with one counter for each pair of adjacent runs."""
        why = "the ends of the runs are at positions that can be found and compared"
        return TaskProperties(
            "AC0", why, asks_every_prefix=self.mode == "tag", counters=self.runs - 1
        )
