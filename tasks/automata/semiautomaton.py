"""Semiautomata: the state after every prefix of many words at once.

A semiautomaton is a table of next states, ``delta[state, symbol]``, and a start state. Every
regular task runs on one: a group word on its Cayley table, flip-flop on two states.

All words take a step together: one bitwise or makes the index of every word, one gather looks the
next states up. Memory is position by position, so each step reads and writes one piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int, Integer, UInt

BLOCK = 1 << 21  # symbols run at a time
FEWEST_WORDS = 1 << 10  # in a block, however long: a step costs two calls whatever its width


@dataclass(frozen=True, eq=False)
class Semiautomaton:
    """A table of next states, of shape (states, symbols), and a start state.

    >>> parity = Semiautomaton(np.array([[0, 1], [1, 0]]))
    >>> states = np.empty((1, 3), np.int8)
    >>> parity.run(np.array([[1, 0, 1]]), states)
    >>> states.tolist()
    [[1, 1, 0]]
    """

    table: Integer[np.ndarray, "states symbols"]
    start: int = 0

    @cached_property
    def symbol_bits(self) -> int:
        """The number of bits of a symbol in an index."""
        return int(self.table.shape[1] - 1).bit_length()

    @cached_property
    def steps(self) -> UInt[np.ndarray, " entries"]:
        """The table in the flat form in which it is stepped.

        Entry ``state << symbol_bits | symbol`` is the next state, itself already shifted, so
        that or-ing the next symbol to it makes the next index. Both sides are padded to powers
        of two for that; 16 bits are enough for 60 states and symbols, and much faster than 32.
        """
        states, symbols = self.table.shape
        bits = self.symbol_bits + (states - 1).bit_length()
        dtype = np.uint16 if bits <= 16 else np.uint32
        padded = np.zeros((1 << (bits - self.symbol_bits), 1 << self.symbol_bits), dtype)
        padded[:states, :symbols] = self.table
        flat: UInt[np.ndarray, " entries"] = (padded << self.symbol_bits).ravel()
        return flat

    def run(
        self,
        tokens: Integer[np.ndarray, "size length"],
        states: Int[np.ndarray, "size length"],
    ) -> None:
        """Write the state after every prefix of every word into `states`."""
        size, length = tokens.shape
        rows = max(FEWEST_WORDS, BLOCK // max(length, 1))
        for first in range(0, size, rows):
            block = slice(first, first + rows)
            self._run_block(tokens[block].T, states[block].T)

    def _run_block(
        self, tokens: Integer[np.ndarray, "length size"], states: Integer[np.ndarray, "length size"]
    ) -> None:
        steps = self.steps
        symbols = np.ascontiguousarray(tokens).astype(steps.dtype, copy=False)
        shifted = np.empty(symbols.shape, steps.dtype)
        index = np.empty(symbols.shape[1], steps.dtype)
        state = np.full_like(index, self.start << self.symbol_bits)
        for t, symbol in enumerate(symbols):
            np.bitwise_or(state, symbol, out=index)
            # every index is in range: "clip" spares numpy the buffer that "raise" needs
            state = np.take(steps, index, out=shifted[t], mode="clip")
        np.right_shift(shifted, self.symbol_bits, out=states, casting="unsafe")
