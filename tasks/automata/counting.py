"""Uniform random words of one length that an automaton accepts, drawn by counting.

Let N(r, q) be the number of words of length r that lead from state q to acceptance:
``N(0, q) = 1`` where q accepts, else 0, and ``N(r, q) = sum over a of N(r - 1, delta(q, a))``. A
word drawn symbol by symbol, with r symbols still to come at state q, that takes the symbol a with
probability

    N(r - 1, delta(q, a)) / N(r, q)

is uniform over all accepted words of its length (Hickey and Cohen 1983, "Uniform random generation
of strings in a context-free language", SIAM Journal on Computing 12(4)). N is counted in whole
numbers of any size. For each r and q the sums of the ratios over the symbols up to a are kept as
thresholds of 63 bits, and one uniform number of 63 bits falls between two of them.
"""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate

import numpy as np
from jaxtyping import Bool, Integer, UInt

from flann.errors import UserError
from flann.tasks.sampling import choose_unsigned, draw_bits

MOST_THRESHOLDS = 1 << 26  # half a gigabyte
BLOCK = 1 << 18  # symbols drawn at a time
FEWEST_WORDS = 1 << 10
ALWAYS = np.uint64((1 << 64) - 1)  # a threshold above every number that is drawn


class WordCounts:
    """The number of accepted words of each length, and uniform draws from them.

    The thresholds depend on how many symbols are still to come, not on the length of the word, so
    one table, grown when a longer word is asked for, serves all lengths.

    Examples
    --------
    >>> no_11 = WordCounts(np.array([[0, 1], [0, 2], [2, 2]]), np.array([True, True, False]))
    >>> [no_11.count(length) for length in range(7)]
    [1, 2, 3, 5, 8, 13, 21]
    """

    def __init__(
        self,
        table: Integer[np.ndarray, "states symbols"],
        accepting: Bool[np.ndarray, " states"],
        start: int = 0,
    ) -> None:
        self.table, self.start = table, start
        self.states, self.alphabet = table.shape
        self.bits = int(self.alphabet - 1).bit_length()
        self._following: list[list[int]] = table.tolist()
        self._counts: list[list[int]] = [[int(accepts) for accepts in accepting]]
        self._thresholds = np.empty((0, self.states, 1 << self.bits), np.uint64)

    def count(self, length: int) -> int:
        """Return how many words of this length are accepted."""
        self._count_to(length)
        return self._counts[length][self.start]

    def _count_to(self, length: int) -> None:
        while len(self._counts) <= length:
            before = self._counts[-1]
            self._counts.append([sum([before[q] for q in row]) for row in self._following])

    def draw(
        self, rng: np.random.Generator, size: int, length: int
    ) -> UInt[np.ndarray, "length size"]:
        """Draw uniform accepted words of this length, position-major in memory.

        Raises
        ------
        UserError
            where there are none, or where the table of thresholds would not fit.
        """
        if not self.count(length):
            raise UserError(f"the automaton accepts no word of length {length}")
        thresholds = self.thresholds(length)
        words = np.empty((length, size), choose_unsigned(self.alphabet))
        columns = max(FEWEST_WORDS, BLOCK // max(length, 1))
        for first in range(0, size, columns):
            block = words[:, first : first + columns]
            state = np.full(block.shape[1], self.start << self.bits)
            for t in range(length):
                state = self._step(rng, thresholds[length - 1 - t], state, block[t])
        return words

    def _step(
        self,
        rng: np.random.Generator,
        thresholds: UInt[np.ndarray, "states padded"],
        state: Integer[np.ndarray, " size"],
        symbols: UInt[np.ndarray, " size"],
    ) -> Integer[np.ndarray, " size"]:
        """Draw one symbol of every word: a binary search among the thresholds of its state.

        States come and go shifted by the bits of a symbol, so that adding a symbol to one gives
        the place in a flat table.
        """
        raw = draw_bits(rng, len(state), np.uint64) >> np.uint64(1)
        flat, place = thresholds.ravel(), state
        for bit in reversed(range(self.bits)):
            # the threshold before symbol s stands at place s: is the number at or above it?
            beyond = np.take(flat, place + (1 << bit), mode="clip") <= raw
            place = place + (beyond.astype(np.intp) << bit)
        np.bitwise_and(place, (1 << self.bits) - 1, out=symbols, casting="unsafe")
        following: Integer[np.ndarray, " size"] = np.take(self._steps, place, mode="clip")
        return following

    @cached_property
    def _steps(self) -> Integer[np.ndarray, " entries"]:
        padded = np.zeros((self.states, 1 << self.bits), np.intp)
        padded[:, : self.alphabet] = self.table << self.bits
        return padded.ravel()

    def thresholds(self, length: int) -> UInt[np.ndarray, "length states padded"]:
        """Return 2^63 times the probability of a symbol before a, at [r - 1, q, a] with r to come."""
        known, longest = len(self._thresholds), MOST_THRESHOLDS // (self.states << self.bits)
        if length > longest:
            raise UserError(
                f"{self.states} states, {self.alphabet} symbols and words of length {length} make"
                f" too large a table: expected at most {MOST_THRESHOLDS} entries"
            )
        if length > known:
            grown = min(max(length, 2 * known), longest)  # doubled: lengths are asked for in turn
            self._count_to(grown)
            more = [self._thresholds_of(r) for r in range(known + 1, grown + 1)]
            self._thresholds = np.concatenate([self._thresholds, np.stack(more)])
        return self._thresholds

    def _thresholds_of(self, r: int) -> UInt[np.ndarray, "states padded"]:
        before, ways = self._counts[r - 1], self._counts[r]
        rows = np.full((self.states, 1 << self.bits), ALWAYS)
        for q, row in enumerate(self._following):
            if total := ways[q]:
                sums = accumulate((before[following] for following in row[:-1]), initial=0)
                rows[q, : self.alphabet] = [(below << 63) // total for below in sums]
        return rows
