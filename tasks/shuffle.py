"""Shuffle-Dyck-k: brackets of k kinds, each kind balanced by itself, in any interleaving.

``([)]`` is a member, ``(]`` is not: one counter for each kind, and no stack. After each prefix a
word is a prefix of a member, a member (``accepted``), or dead (Bhattamishra et al. 2020, arXiv
2009.11264, section 3).

Members of length 2n are uniform. Let S_k(n) be their number. Of these the ones with m pairs of the
last kind number ``binom(2n, 2m) C_m S_{k-1}(n - m)``, with the Catalan number C_m: choose the
places of that kind, its Dyck path, and the rest. So the numbers of pairs are drawn, kind by kind,
in exact proportion (to 63 bits); then the kind of each place in proportion to what is left of each
kind, which makes all interleavings equally likely; and each path as `flann.tasks.paths` says.

Tagging: with probability one half a word is the first T symbols of a uniform member of length 2T;
otherwise such a word with the symbol at a uniform place replaced by a uniform other one.
Recognition: `flann.tasks.recognition`; the format is as many closing as opening brackets.
"""

from __future__ import annotations

import re
from functools import cache
from math import comb
from typing import Literal

import numpy as np
from jaxtyping import Int, UInt

from flann.errors import UserError

from .dyck import bracket_names
from .facts import Facts
from .paths import FreeOdds
from .recognition import Negatives, Recognition, Verdicts, Word, replace_one
from .sampling import coins, raw_bits, uniform_below
from .task import Chance, Targets, Task, Tokens, register

MOST_KINDS = 8
LONGEST = 4096  # of a word
PREFIX, ACCEPTED, DEAD = 0, 1, 2


@register("shuffle-dyck-2", "shuffle-dyck-3", pattern=r"shuffle-dyck-\d+")
class ShuffleDyck(Recognition):
    """Brackets of k kinds, each balanced by itself: prefix of a member, member, or dead.

    Examples
    --------
    >>> task = ShuffleDyck("shuffle-dyck-2")
    >>> word = [task.symbols.index(s) for s in "([)]]"]
    >>> [task.labels[i] for i in task.targets(np.array([word]))[0]]
    ['prefix', 'prefix', 'prefix', 'accepted', 'dead']
    """

    def __init__(
        self,
        name: str,
        *,
        mode: Literal["tag", "recognise"] = "tag",
        negatives: Negatives = "mixed",
    ) -> None:
        kinds = re.sub(r"\D", "", name)
        if kinds not in map(str, range(2, MOST_KINDS + 1)):
            raise UserError(
                f"no task {name!r}: expected shuffle-dyck-2 to shuffle-dyck-{MOST_KINDS}"
            )
        if mode == "tag" and negatives != "mixed":
            raise UserError(f"{name}: negatives=near is for mode=recognise")
        self.name, self.mode, self.negatives, self.kinds = name, mode, negatives, int(kinds)
        self.symbols = bracket_names(self.kinds)
        if mode == "tag":
            self.labels = ("prefix", "accepted", "dead")

    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Any length for tagging; even ones for recognition."""
        lengths = range(max(low, 1), min(high, LONGEST) + 1)
        least = 4 if self.negatives == "near" else 2  # () has no near miss of its format
        if self.mode == "tag":
            return list(lengths)
        return [t for t in lengths if t % 2 == 0 and t >= least]

    # -- drawing ---------------------------------------------------------------------------------

    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words as the module says."""
        if self.mode == "recognise":
            return super().words(rng, size, length)
        words = self.prefixes(rng, size, length, 2 * length)
        replace_one(rng, words, coins(rng, size), len(self.symbols))
        return words.T

    def members(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """Uniform over all members of this length."""
        return self.prefixes(rng, size, length, length)

    def prefixes(self, rng: np.random.Generator, size: int, length: int, total: int) -> Word:
        """The first `length` symbols of uniform members of length `total`."""
        left = 2 * self.pairs(rng, size, total // 2)  # symbols still to come, of each kind
        height = np.zeros_like(left)
        words, column, odds = np.empty((length, size), np.uint8), np.arange(size), FreeOdds()
        for t in range(length):
            chosen = uniform_below(rng, np.full(size, total - t)).astype(np.int64)
            kind = (np.cumsum(left, axis=0) <= chosen).sum(axis=0)
            here = kind, column
            up = odds.ups(rng, left[here], height[here])
            words[t] = 2 * kind + ~up
            height[here] += np.where(up, 1, -1)
            left[here] -= 1
        return words

    def pairs(self, rng: np.random.Generator, size: int, n: int) -> Int[np.ndarray, "kinds size"]:
        """How many pairs of each kind, n in all, in proportion to the members that have them."""
        found = np.zeros((self.kinds, size), np.int64)
        left = np.full(size, n)
        for kind in range(self.kinds - 1, 0, -1):
            raw = raw_bits(rng, size, np.uint64) >> np.uint64(1)
            for most in np.unique(left):
                here = left == most
                found[kind, here] = np.searchsorted(
                    thresholds(kind + 1, int(most)), raw[here], side="right"
                )
            left = left - found[kind]
        found[0] = left
        return found

    # -- labelling -------------------------------------------------------------------------------

    def label(self, tokens: Tokens) -> Targets:
        """The state after every prefix, or whether the last one is `accepted`."""
        if self.mode == "recognise":
            return super().label(tokens)
        targets = self.target_array(tokens)
        targets[...] = self.states(tokens)
        return targets

    def states(self, tokens: Tokens) -> Int[np.ndarray, "size positions"]:
        """Prefix, accepted or dead, by the count of each kind."""
        dead, empty = np.zeros(tokens.shape, bool), np.ones(tokens.shape, bool)
        for kind in range(self.kinds):
            opens, closes = tokens == 2 * kind, tokens == 2 * kind + 1
            height = np.cumsum(opens.astype(np.int16) - closes, axis=1)
            dead |= np.logical_or.accumulate(height < 0, axis=1)
            empty &= height == 0
        return np.where(dead, DEAD, np.where(empty, ACCEPTED, PREFIX))

    def contains(self, tokens: Tokens) -> Verdicts:
        """Whether every kind is balanced in the end."""
        accepted: Verdicts = self.states(tokens)[:, -1] == ACCEPTED
        return accepted

    def in_format(self, tokens: Tokens) -> Verdicts:
        """Whether there are as many closing as opening brackets."""
        even: Verdicts = 2 * (tokens % 2).sum(axis=1) == tokens.shape[1]
        return even

    # -- for reports -----------------------------------------------------------------------------

    def chance(self, length: int) -> Chance:
        """One half in recognition; estimated from a fixed stream in tagging."""
        return super().chance(length) if self.mode == "recognise" else Task.chance(self, length)

    @property
    def facts(self) -> Facts:
        """As many counters as kinds."""
        return Facts(
            "TC0",
            "a count for each kind, which AC0 cannot keep",
            asks_every_prefix=self.mode == "tag",
            counters=self.kinds,
            nested=True,
        )


@cache
def ways(kinds: int, n: int) -> int:
    """How many members of n pairs there are.

    >>> [ways(2, n) for n in range(5)]  # C_n C_{n+1}
    [1, 2, 10, 70, 588]
    """
    if kinds == 1:
        return catalan(n)
    return sum(comb(2 * n, 2 * m) * catalan(m) * ways(kinds - 1, n - m) for m in range(n + 1))


def catalan(n: int) -> int:
    """How many Dyck paths of 2n steps there are."""
    return comb(2 * n, n) // (n + 1)


@cache
def thresholds(kinds: int, n: int) -> UInt[np.ndarray, " numbers"]:
    """2^63 times the chance of at most m pairs of the last kind, for m of 0 to n - 1."""
    total, below, found = ways(kinds, n), 0, []
    for m in range(n):
        below += comb(2 * n, 2 * m) * catalan(m) * ways(kinds - 1, n - m)
        found.append((below << 63) // total)
    return np.array(found, np.uint64)
