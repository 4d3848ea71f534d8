"""Flip-flop language modelling: instructions to write, read or ignore, each followed by a bit.

A word is a sequence of instructions, each with a bit: ``w b`` writes b to the memory, ``i b`` is to
be ignored, ``r b`` reads, and there b must be the bit that was last written. The first instruction
writes and the last one reads. The others ignore with probability ``ignore`` and write or read with
half of what is left each; bits behind w and i are uniform (Liu et al. 2023, arXiv 2306.00946,
section 3; there T = 512, ``ignore`` 0.8, and 0.98 and 0.1 for the sparse and the dense tail).

The label at every position is the set of symbols that may come next: an instruction after a bit,
either bit after w and i, and the stored bit alone after r. So a wrong answer after r is what the
paper counts as an error.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.core.task import Tokens, register
from flann.tasks.sampling import draw_bits, flip_coins

from .regular_language import RegularLanguage

WRITE, READ, IGNORE, ZERO, ONE = range(5)
SYMBOLS = ("w", "r", "i", "0", "1")

# the bit in memory, and the instruction that waits for its bit; None for a word that is wrong
State = tuple[int | None, int | None] | None


@register("flip-flop-language")
class FlipFlopLanguage(RegularLanguage):
    """Which symbols may come next among instructions to write, read or ignore and their bits?

    Parameters
    ----------
    ignore : float
        how likely an instruction is to be ignored, from 0 to below 1.
    """

    def __init__(self, *, ignore: float = 0.8) -> None:
        if not 0 <= ignore < 1:
            raise UserError(f"flip-flop-language: ignore={ignore}: expected from 0 to below 1")
        about = "Which symbols may come next among write, read and ignore and their bits?"
        super().__init__("flip-flop-language", build_memory(), label="next", about=about)
        share = Fraction(str(ignore))  # as it is typed, so that the threshold is the same anywhere
        self.ignores_below = int(share * 2**32)
        self.writes_below = int((1 + share) / 2 * 2**32)

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the even lengths that hold a write and a read at least."""
        return [t for t in super().valid_lengths(max(low, 4), high) if t % 2 == 0]

    @override
    def count_words(self, length: int) -> None:
        """Return None: not all words are equally likely."""

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words as the module describes."""
        pairs = length // 2
        raw = draw_bits(rng, pairs * size, np.uint32).reshape(pairs, size)
        kinds = np.where(raw < self.ignores_below, IGNORE, READ)
        kinds[(raw >= self.ignores_below) & (raw < self.writes_below)] = WRITE
        kinds[0], kinds[-1] = WRITE, READ
        bits = flip_coins(rng, pairs * size).reshape(pairs, size)
        stored = bits[0]
        for kind, bit in zip(kinds, bits, strict=True):
            stored = np.where(kind == WRITE, bit, stored)
            bit[...] = np.where(kind == READ, stored, bit)
        tokens = np.empty((length, size), np.uint8)
        tokens[::2], tokens[1::2] = kinds, ZERO + bits
        return tokens.T


def build_memory() -> Automaton:
    """Build the automaton of correct words; it accepts where no instruction awaits its bit."""

    def step(state: State, a: int) -> State:
        if state is None:
            return None
        stored, waiting = state
        if a in (WRITE, READ, IGNORE):
            legal = waiting is None and (stored is not None or a == WRITE)
            return (stored, a) if legal else None
        bit = a - ZERO
        if waiting is None or (waiting == READ and bit != stored):
            return None
        return (bit if waiting == WRITE else stored, None)

    empty: State = (None, None)
    return from_function(SYMBOLS, empty, step, lambda state: state is not None and state[1] is None)
