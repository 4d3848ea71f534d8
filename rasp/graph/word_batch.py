"""Batches of input words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.rasp.language.syntax import Atom

PAIRS_AT_ONCE = 1 << 22  # pairs of positions of one selector held in memory
LONGEST_WORD = 1 << 14  # symbols

InputWord = str | Sequence[Atom]
"""A word given to a program: a string, whose letters are its symbols, or a list of atoms."""


class WordBatch:
    """A batch of words of one length, as ids of the symbols that occur in them.

    Parameters
    ----------
    words : sequence of InputWord

    Attributes
    ----------
    ids : array of int, (words, positions)
    symbols : list of atoms
        what the ids stand for.
    """

    def __init__(self, words: Sequence[InputWord]) -> None:
        lengths = {len(word) for word in words}
        if len(lengths) != 1:
            raise UserError(f"words of lengths {sorted(lengths)}: expected one length")
        symbols = list(dict.fromkeys((type(s), s) for word in words for s in word))
        numbers = {symbol: i for i, symbol in enumerate(symbols)}
        ids = np.array([[numbers[type(s), s] for s in word] for word in words], np.int64)
        self.ids, self.symbols = ids, [symbol for _, symbol in symbols]
        self._check_length()

    @classmethod
    def from_ids(cls, ids: NDArray[np.integer[Any]], symbols: Sequence[Atom]) -> WordBatch:
        """Return the batch of words with these ids of symbols, (words, positions)."""
        batch = cls.__new__(cls)
        batch.ids, batch.symbols = np.asarray(ids), list(symbols)
        batch._check_length()
        return batch

    def _check_length(self) -> None:
        length = self.ids.shape[1]
        if not length:
            raise UserError("a word without symbols: expected at least one")
        if length > LONGEST_WORD:
            raise UserError(f"a word of {length} symbols: expected at most {LONGEST_WORD}")

    def split(self) -> Iterable[WordBatch]:
        """Yield the words in batches so small that a selector's pairs fit into memory."""
        size, length = self.ids.shape
        rows = max(1, PAIRS_AT_ONCE // length**2)
        for first in range(0, size, rows):
            yield WordBatch.from_ids(self.ids[first : first + rows], self.symbols)
