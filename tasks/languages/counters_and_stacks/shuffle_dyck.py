"""Shuffle-Dyck-k: k kinds of brackets, each balanced on its own, in any interleaving.

``([)]`` is a member and ``(]`` is not: the language needs one counter for each kind, and no stack.
Each prefix is labelled as a proper prefix of a member (``prefix``), a member (``accepted``) or
neither (``dead``) (Bhattamishra et al. 2020, arXiv 2009.11264, section 3).

Members of length 2n are uniform. Let S_k(n) be their number. The number of those with m pairs of
the last kind is ``binom(2n, 2m) C_m S_{k-1}(n - m)``, with the Catalan number C_m: choose the
positions of that kind, its Dyck path, and the rest. The numbers of pairs are therefore drawn kind
by kind in exact proportion (to 63 bits); then the kind at each position is drawn in proportion to
the remaining symbols of each kind, which makes all interleavings equally likely; and each path is
drawn as in `flann.tasks.languages.counters_and_stacks.dyck_paths`.

Tagging: with probability one half a word is the first T symbols of a uniform member of length 2T;
otherwise it is such a word in which the symbol at a uniform position is replaced by a uniform other
one. With ``label=next`` the label is the set of brackets that may come next, a function of the set
of kinds that are open; words are always prefixes of members, and in words supplied by the user,
positions after a dead prefix are not scored.

Recognition follows `flann.tasks.core.recognition`; the format is that there are as many closing as
opening brackets.
"""

from __future__ import annotations

import re
from functools import cache
from math import comb
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int, UInt
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.core.recognition import (
    ACCEPTED,
    DEAD,
    PREFIX,
    PREFIX_LABELS,
    Negatives,
    Recognition,
    TokenColumns,
    Verdicts,
    refuse_negatives,
    replace_symbol,
)
from flann.tasks.core.task import NOT_SCORED, Chance, Targets, Task, Tokens, register
from flann.tasks.sampling import draw_below, draw_bits, flip_coins
from flann.tasks.theory.properties import TaskProperties

from .dyck import close_all, name_brackets
from .dyck_paths import FreeOdds

MOST_KINDS = 8
LONGEST = 4096  # symbols in a word


@register("shuffle-dyck-2", "shuffle-dyck-3", pattern=r"shuffle-dyck-\d+")
class ShuffleDyck(Recognition):
    """Brackets of k kinds, each balanced on its own: prefix of a member, member, or dead.

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
        label: Literal["state", "next"] = "state",
        negatives: Negatives = "mixed",
    ) -> None:
        kinds = re.sub(r"\D", "", name)
        if kinds not in map(str, range(2, MOST_KINDS + 1)):
            raise UserError(
                f"no task {name!r}: expected shuffle-dyck-2 to shuffle-dyck-{MOST_KINDS}"
            )
        if mode == "tag" and negatives != "mixed":
            raise refuse_negatives(name)
        self.asks_next = label == "next"
        if self.asks_next and mode == "recognise":
            raise UserError(f"{name}: label=next asks after every prefix: expected mode=tag")
        self.name, self.mode, self.negatives, self.kinds = name, mode, negatives, int(kinds)
        self.symbols = name_brackets(self.kinds)
        if self.asks_next:
            self.labels, self.label_sets = list_next_sets(self.symbols)
        elif mode == "tag":
            self.labels = PREFIX_LABELS

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return all lengths for tagging, and the even ones for recognition."""
        lengths = range(max(low, 1), min(high, LONGEST) + 1)
        least = 4 if self.negatives == "near" else 2  # () has no near miss of its format
        if self.mode == "tag":
            return list(lengths)
        return [t for t in lengths if t % 2 == 0 and t >= least]

    # -- drawing ---------------------------------------------------------------------------------

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words from the distribution that the module describes."""
        if self.mode == "recognise":
            return super().words(rng, size, length)
        words = self.draw_prefixes(rng, size, length, 2 * length)
        if not self.asks_next:
            replace_symbol(rng, words, flip_coins(rng, size), len(self.symbols))
        return words.T

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw uniformly over all members of this length."""
        return self.draw_prefixes(rng, size, length, length)

    def draw_prefixes(
        self, rng: np.random.Generator, size: int, length: int, total: int
    ) -> TokenColumns:
        """Draw the first `length` symbols of uniform members of length `total`."""
        left = 2 * self.draw_pair_counts(rng, size, total // 2)  # remaining symbols of each kind
        height = np.zeros_like(left)
        words, column, odds = np.empty((length, size), np.uint8), np.arange(size), FreeOdds()
        for t in range(length):
            rank = draw_below(rng, np.full(size, total - t)).astype(np.int64)
            kind = (np.cumsum(left, axis=0) <= rank).sum(axis=0)
            here = kind, column
            up = odds.ups(rng, left[here], height[here])
            words[t] = 2 * kind + ~up
            height[here] += np.where(up, 1, -1)
            left[here] -= 1
        return words

    def draw_pair_counts(
        self, rng: np.random.Generator, size: int, n: int
    ) -> Int[np.ndarray, "kinds size"]:
        """Draw the number of pairs of each kind, n in all, in proportion to the members with it."""
        counts = np.zeros((self.kinds, size), np.int64)
        left = np.full(size, n)
        for kind in range(self.kinds - 1, 0, -1):
            raw = draw_bits(rng, size, np.uint64) >> np.uint64(1)
            for most in np.unique(left):
                here = left == most
                counts[kind, here] = np.searchsorted(
                    compute_thresholds(kind + 1, int(most)), raw[here], side="right"
                )
            left = left - counts[kind]
        counts[0] = left
        return counts

    # -- labelling -------------------------------------------------------------------------------

    @override
    def label(self, tokens: Tokens) -> Targets:
        if self.mode == "recognise":
            return super().label(tokens)
        targets = self.allocate_targets(tokens)
        targets[...] = (
            self.encode_open_kinds(tokens) if self.asks_next else self.label_prefixes(tokens)
        )
        return targets

    def label_prefixes(self, tokens: Tokens) -> Int[np.ndarray, "size positions"]:
        """Label every prefix as `PREFIX`, `ACCEPTED` or `DEAD` from the count of each kind."""
        numbers = self.encode_open_kinds(tokens)
        return np.where(numbers < 0, DEAD, np.where(numbers == 0, ACCEPTED, PREFIX))

    def encode_open_kinds(self, tokens: Tokens) -> Int[np.ndarray, "size positions"]:
        """Encode the open kinds after each prefix, kind k as bit k; -100 where it is dead."""
        dead, numbers = np.zeros(tokens.shape, bool), np.zeros(tokens.shape, np.int16)
        for kind in range(self.kinds):
            opens, closes = tokens == 2 * kind, tokens == 2 * kind + 1
            height = np.cumsum(opens.astype(np.int16) - closes, axis=1)
            dead |= np.logical_or.accumulate(height < 0, axis=1)
            numbers |= (height > 0).astype(np.int16) << kind
        numbers[dead] = NOT_SCORED
        return numbers

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        accepted: Verdicts = self.label_prefixes(tokens)[:, -1] == ACCEPTED
        return accepted

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        return close_all(tokens)

    # -- theory ----------------------------------------------------------------------------------

    @override
    def chance(self, length: int) -> Chance:
        """Return one half in recognition, and an estimate from a fixed stream in tagging."""
        return super().chance(length) if self.mode == "recognise" else Task.chance(self, length)

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of a language with one counter for each kind."""
        return TaskProperties(
            "TC0",
            "a count for each kind, which AC0 cannot keep",
            partial=self.asks_next,
            asks_every_prefix=self.mode == "tag",
            counters=self.kinds,
            nested=True,
        )


def list_next_sets(
    symbols: tuple[str, ...],
) -> tuple[tuple[str, ...], Bool[np.ndarray, "labels symbols"]]:
    """Return, for every set of open kinds, the symbols that may come next, as text and as a set.

    >>> list_next_sets(("(", ")", "[", "]"))[0]
    ('( [ end', '( ) [', '( [ ]', '( ) [ ]')
    """
    kinds = len(symbols) // 2
    sets = np.ones((1 << kinds, 2 * kinds), bool)
    sets[:, 1::2] = np.arange(1 << kinds)[:, None] >> np.arange(kinds) & 1
    names = [" ".join(s for s, may in zip(symbols, row, strict=True) if may) for row in sets]
    return (f"{names[0]} end", *names[1:]), sets


@cache
def count_members(kinds: int, n: int) -> int:
    """Count the members of n pairs.

    >>> [count_members(2, n) for n in range(5)]  # C_n C_{n+1}
    [1, 2, 10, 70, 588]
    """
    if kinds == 1:
        return compute_catalan(n)
    return sum(
        comb(2 * n, 2 * m) * compute_catalan(m) * count_members(kinds - 1, n - m)
        for m in range(n + 1)
    )


def compute_catalan(n: int) -> int:
    """Return the Catalan number C_n, the number of Dyck paths of 2n steps."""
    return comb(2 * n, n) // (n + 1)


@cache
def compute_thresholds(kinds: int, n: int) -> UInt[np.ndarray, " numbers"]:
    """Return 2^63 times the probability of at most m pairs of the last kind, for 0 <= m < n."""
    total, below, thresholds = count_members(kinds, n), 0, []
    for m in range(n):
        below += comb(2 * n, 2 * m) * compute_catalan(m) * count_members(kinds - 1, n - m)
        thresholds.append((below << 63) // total)
    return np.array(thresholds, np.uint64)
