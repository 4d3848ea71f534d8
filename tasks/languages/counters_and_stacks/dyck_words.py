"""Random words of Dyck-k: members, prefixes, and words with a first error at a uniform position.

A bracket word is a path (up for an opening bracket, down for a closing one) together with a kind
for each pair of brackets. Paths are drawn exactly uniformly by counting
(`flann.tasks.languages.counters_and_stacks.dyck_paths`), and kinds uniformly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Integer

from flann.tasks.sampling import draw_below, draw_uniform, flip_coins

from .dyck_paths import FreeOdds, LimitedOdds, Odds, draw_paths

Symbols = Integer[np.ndarray, "length size"]
"""Words as they are drawn, position by position."""


@dataclass(frozen=True)
class DyckWords:
    """The words over k kinds of brackets, with at most `depth` open at once.

    Attributes
    ----------
    kinds : int
        how many kinds of brackets there are.
    depth : int or None
        the most brackets open at once; any number if None.
    """

    kinds: int
    depth: int | None

    def odds(self, total: int) -> Odds:
        """Return the law of paths of `total` steps; a limit that they cannot reach is none."""
        if self.depth is None or self.depth >= total // 2:
            return FreeOdds()
        return LimitedOdds(self.depth, total)

    def draw_members(self, rng: np.random.Generator, size: int, length: int) -> Symbols:
        """Draw members of exactly this even length, uniform over all of them."""
        anywhere = np.zeros(size, np.int64)
        down = draw_paths(rng, self.odds(length), length, length, anywhere, anywhere)
        return self.draw_kinds(rng, down, anywhere)[0]

    def draw_prefixes(self, rng: np.random.Generator, size: int, length: int) -> Symbols:
        """Draw the first symbols of uniform members twice as long."""
        anywhere = np.zeros(size, np.int64)
        down = draw_paths(rng, self.odds(2 * length), length, 2 * length, anywhere, anywhere)
        return self.draw_kinds(rng, down, anywhere)[0]

    def draw_tagging_words(self, rng: np.random.Generator, size: int, length: int) -> Symbols:
        """Draw words for tagging: half of them valid prefixes, half with a first error."""
        position, height = self.draw_error_positions(rng, size, length)
        erring = flip_coins(rng, size)
        via, at = np.where(erring, position, 0), np.where(erring, height, 0)
        if (
            self.kinds > 1
        ):  # an error is possible at every height, so that the path is not constrained
            via, at = np.zeros_like(via), np.zeros_like(at)
        down = draw_paths(rng, self.odds(2 * length), length, 2 * length, via, at)
        tokens, top = self.draw_kinds(rng, down, position)
        rows = np.flatnonzero(erring)
        column = position[rows]
        before = np.cumsum(1 - 2 * down.astype(np.int32), axis=0)[column - 1, rows]
        open_before = np.where(column > 0, before, 0)
        tokens[column, rows] = self.draw_errors(rng, open_before, top[rows])
        return tokens

    def draw_error_positions(
        self, rng: np.random.Generator, size: int, length: int
    ) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """Draw the position of the first error and, with one kind, the height before it."""
        positions, limit = np.arange(length), self.depth
        if self.kinds > 1:
            chosen = draw_uniform(rng, length, (size,)).astype(np.int64)
            return chosen, np.zeros_like(chosen)
        empty = positions % 2 == 0
        full = np.zeros(length, bool)
        if limit is not None:
            full = (positions >= limit) & ((positions - limit) % 2 == 0)
        possible = np.flatnonzero(empty | full)
        chosen = possible[draw_uniform(rng, len(possible), (size,))]
        at_limit = full[chosen] & (~empty[chosen] | flip_coins(rng, size))
        return chosen, np.where(at_limit, limit or 0, 0)

    def draw_kinds(
        self,
        rng: np.random.Generator,
        down: Bool[np.ndarray, "length size"],
        position: Int[np.ndarray, " size"],
    ) -> tuple[Symbols, Int[np.ndarray, " size"]]:
        """Turn paths into words: draw a kind for each opening bracket and copy it to its closing.

        Parameters
        ----------
        rng : numpy.random.Generator
        down : ndarray of bool, shape (length, size)
            where a bracket closes.
        position : ndarray of int, shape (size,)
            a position of each word.

        Returns
        -------
        tokens : ndarray of int, shape (length, size)
        innermost : ndarray of int, shape (size,)
            the kind of the innermost bracket open before `position`; 0 where none is open.
        """
        length, size = down.shape
        if self.kinds == 1:
            return down.astype(np.uint8), np.zeros(size, np.int64)
        tokens = draw_uniform(
            rng, self.kinds, (length, size)
        )  # a closing bracket's kind is overwritten
        innermost = np.zeros(size, np.int64)
        words = np.arange(size)
        waiting = np.split(
            np.argsort(position, kind="stable"),
            np.searchsorted(np.sort(position), np.arange(1, length)),
        )
        stack = np.zeros((length + 1) * size, np.uint8)
        height = np.zeros(size, np.int64)
        for t in range(length):
            if (due := waiting[t]).size:
                below = height[due] - 1
                innermost[due] = np.where(below >= 0, stack[below * size + due], 0)
            closes = down[t]
            height -= closes  # the level that this bracket opens or closes
            slot = height * size + words
            kind = np.where(closes, stack[slot], tokens[t])
            stack[slot] = kind
            tokens[t] = 2 * kind + closes
            height += ~closes
        return tokens, innermost

    def draw_errors(
        self,
        rng: np.random.Generator,
        height: Int[np.ndarray, " rows"],
        top: Int[np.ndarray, " rows"],
    ) -> Int[np.ndarray, " rows"]:
        """Draw a symbol that makes a prefix dead.

        Those are the closing brackets of every kind but the innermost, and at the depth limit all
        opening brackets.

        Parameters
        ----------
        rng : numpy.random.Generator
        height : ndarray of int, shape (rows,)
            how many brackets are open.
        top : ndarray of int, shape (rows,)
            the kind of the innermost open bracket.
        """
        empty = height == 0
        closing = np.where(empty, self.kinds, self.kinds - 1)
        opening = np.where(height == self.depth, self.kinds, 0) if self.depth else 0
        choice = draw_below(rng, closing + opening).astype(np.int64)
        kind = choice + (~empty & (choice >= top))  # skip the innermost kind
        return np.where(choice < closing, 2 * kind + 1, 2 * (choice - closing))
