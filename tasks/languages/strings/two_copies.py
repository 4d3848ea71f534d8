"""Languages of words that hold another word twice: reversed, copied, reordered or sorted.

==================== ======================================== =====================================
name                 members                                  alphabet
==================== ======================================== =====================================
marked-reversal      w # w in reverse                         0 1 #
marked-copy          w # w                                    0 1 #
odds-first           w # w1 w3 w5 .. w2 w4 ..                 0 1 #, with ``mode=recognise``
bucket-sort          w # the symbols of w, sorted             1 2 3 4 5 #, with ``mode=recognise``
unmarked-reversal    w, then w in reverse                     0 1
missing-duplicate    ww with a 1 masked                       0 1 _, with ``mode=recognise``
==================== ======================================== =====================================

(Butoi et al. 2024, arXiv 2411.07107, appendix.) Members are uniform over all members of their
length; non-members are drawn as `flann.tasks.core.recognition` describes. A word has the right
format if it has one ``#``, in the middle, or one ``_`` anywhere; every word has the right format
for ``unmarked-reversal``.

Lengths are odd and at least 3 where there is a ``#``, and even otherwise.
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
from flann.tasks.core.task import Task, Tokens, register
from flann.tasks.core.transduction import InPlace
from flann.tasks.sampling import draw_below, draw_uniform
from flann.tasks.theory.properties import TaskProperties

from .string_transductions import COUNTED, BucketSort, MissingDuplicate, OddsFirst

BITS = ("0", "1")
MASK = 2
SAME = "symbols at positions that the length determines are compared"
STACK = TaskProperties("AC0", SAME, stack=True, remembers=True)
QUEUE = TaskProperties("AC0", SAME, remembers=True)

Order = Literal["reversed", "copied", "odds first", "sorted"]


def reorder(word: TokenColumns, order: Order) -> TokenColumns:
    """Return the second half that a first half requires, both of shape (length, size)."""
    if order == "reversed":
        return word[::-1]
    if order == "odds first":
        return np.concatenate([word[::2], word[1::2]])
    return np.sort(word, axis=0) if order == "sorted" else word


class Marked(Recognition):
    """The language of a word, the mark # and the same word in a given order.

    Examples
    --------
    >>> task = marked_copy()
    >>> task.contains(np.array([[0, 1, 2, 0, 1], [0, 1, 2, 1, 0]])).tolist()
    [True, False]
    """

    def __init__(
        self,
        name: str,
        alphabet: tuple[str, ...],
        order: Order,
        negatives: Negatives,
        properties: TaskProperties,
    ) -> None:
        self.name, self.order, self.negatives = name, order, negatives
        self.symbols = (*alphabet, "#")
        self.mark = len(alphabet)
        self.known_properties = properties

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of comparing a word with a reordered copy."""
        return self.known_properties

    @property
    @override
    def summary(self) -> str:
        return f"Is what follows the mark # what precedes it, {self.order}?"

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the odd lengths of at least 3."""
        return [t for t in range(max(low, 3), high + 1) if t % 2]

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.symbols) ** length) if self.negatives == "mixed" else None

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw uniformly over all members of this length."""
        word = draw_uniform(rng, self.mark, (length // 2, size))
        mark = np.full((1, size), self.mark, np.uint8)
        return np.concatenate([word, mark, reorder(word, self.order)])

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        half = tokens.shape[1] // 2
        second = reorder(tokens[:, :half].T, self.order).T
        right: Verdicts = self.in_format(tokens)
        if right.any():  # otherwise the halves may differ in length
            right &= (tokens[:, half + 1 :] == second).all(axis=1)
        return right

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        length = tokens.shape[1]
        marks = tokens == self.mark
        middle: Verdicts = marks[:, length // 2] & (marks.sum(axis=1) == 1) & (length % 2 == 1)
        return middle


@register("marked-reversal")
def marked_reversal(*, negatives: Negatives = "mixed") -> Marked:
    """Is what follows the mark # what precedes it, in reverse?"""
    return Marked("marked-reversal", BITS, "reversed", negatives, STACK)


@register("marked-copy")
def marked_copy(*, negatives: Negatives = "mixed") -> Marked:
    """Is what follows the mark # what precedes it?"""
    return Marked("marked-copy", BITS, "copied", negatives, QUEUE)


@register("odds-first")
def odds_first(
    *, mode: Literal["transduce", "recognise"] = "transduce", negatives: Negatives = "mixed"
) -> Task:
    """The symbols at odd positions, then those at even positions, counted from 1."""
    if mode == "transduce" and negatives != "mixed":
        raise refuse_negatives("odds-first")
    if mode == "transduce":
        return OddsFirst()
    return Marked("odds-first", BITS, "odds first", negatives, QUEUE)


@register("bucket-sort")
def bucket_sort(
    *,
    mode: Literal["transduce", "tag", "recognise"] = "transduce",
    negatives: Negatives = "mixed",
) -> Task:
    """The symbols of the word in sorted order."""
    if mode != "recognise" and negatives != "mixed":
        raise refuse_negatives("bucket-sort")
    if mode != "recognise":
        return InPlace(BucketSort()) if mode == "tag" else BucketSort()
    return Marked("bucket-sort", ("1", "2", "3", "4", "5"), "sorted", negatives, COUNTED)


class Halves(Recognition):
    """A language of words of even length whose first half determines the second."""

    symbols: tuple[str, ...] = BITS
    known_properties = QUEUE

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the even lengths."""
        return [t for t in range(max(low, 2), high + 1) if t % 2 == 0]

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of comparing two halves."""
        return self.known_properties

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.symbols) ** length) if self.negatives == "mixed" else None


@register("unmarked-reversal")
class UnmarkedReversal(Halves):
    """Is the second half the first, in reverse?

    Examples
    --------
    >>> UnmarkedReversal().contains(np.array([[0, 1, 1, 0], [0, 1, 0, 1]])).tolist()
    [True, False]
    """

    def __init__(self, *, negatives: Negatives = "mixed") -> None:
        self.name, self.negatives = "unmarked-reversal", negatives

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw uniformly over all members of this length."""
        word = draw_uniform(rng, 2, (length // 2, size))
        return np.concatenate([word, word[::-1]])

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        same: Verdicts = (tokens == tokens[:, ::-1]).all(axis=1) & (tokens.shape[1] % 2 == 0)
        return same


class MaskedOne(Halves):
    """Is it a word repeated twice, with one of its ones masked?"""

    symbols = ("0", "1", "_")

    def __init__(self, negatives: Negatives) -> None:
        self.name, self.negatives = "missing-duplicate", negatives

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw the masked position and the other symbols, uniformly over all members."""
        position = draw_below(rng, np.full(size, length)).astype(np.intp)
        half = draw_uniform(rng, 2, (length // 2, size))
        half[position % (length // 2), np.arange(size)] = 1
        words = np.concatenate([half, half])
        words[position, np.arange(size)] = MASK
        return words

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        size, length = tokens.shape
        if length % 2:
            return np.zeros(size, bool)
        unmasked = np.where(tokens == MASK, 1, tokens)
        same = (unmasked[:, : length // 2] == unmasked[:, length // 2 :]).all(axis=1)
        right: Verdicts = same & self.in_format(tokens)
        return right

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        masked: Verdicts = (tokens == MASK).sum(axis=1) == 1
        return masked


@register("missing-duplicate")
def missing_duplicate(
    *, mode: Literal["transduce", "recognise"] = "transduce", negatives: Negatives = "mixed"
) -> Task:
    """The symbol that is masked in a word written twice."""
    if mode == "transduce" and negatives != "mixed":
        raise refuse_negatives("missing-duplicate")
    return MissingDuplicate() if mode == "transduce" else MaskedOne(negatives)
