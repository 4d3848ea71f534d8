"""Counting symbols: the histogram of RASP, and the histogram of the histogram.

- ``histogram``         the number of occurrences in the word of the symbol at each position
- ``double-histogram``  the number of symbols that occur as often as the one at each position

(Weiss, Goldberg and Yahav 2021, arXiv 2106.06981, sections 3 and 4.) In transduction, the default,
the answers are given at the queries. With ``mode=tag`` they are given at the word's own positions,
as in RASP, which requires a model without a causal mask.

``histogram`` has 32 symbols and the labels 1 to 64. Its words have at most 1,024 symbols and are
drawn so that both small and large counts occur: m is uniform from 1 to 32, or from T / 32 rounded
up for words of T > 64 symbols; m of the symbols are drawn without replacement; and every position
is uniform over those m. Words with a count above 64 are redrawn. The words of ``double-histogram``
are uniform over 8 symbols.
"""

from __future__ import annotations

from string import ascii_letters
from typing import Literal

import numpy as np
from jaxtyping import Int
from typing_extensions import override

from flann.tasks.core.task import Targets, Task, register
from flann.tasks.core.transduction import InPlace, Transduction, Words
from flann.tasks.sampling import draw_below, draw_bits, draw_uniform
from flann.tasks.theory.properties import TaskProperties

KINDS = 32  # symbols of histogram
GREATEST = 64  # the largest count that has a label
COUNTED = TaskProperties("TC0", "counts of symbols, which AC0 cannot keep")

HistogramMode = Literal["transduce", "tag"]


def count_symbols(words: Words, kinds: int) -> Int[np.ndarray, "size kinds"]:
    """Count the occurrences of each symbol in each word.

    >>> count_symbols(np.array([[0, 2, 0]]), 3).tolist()
    [[2, 0, 1]]
    """
    size = len(words)
    flat = words + kinds * np.arange(size)[:, None]
    return np.bincount(flat.ravel(), minlength=size * kinds).reshape(size, kinds)


class Histogram(Transduction):
    """How often does each position's symbol occur in the word?

    Examples
    --------
    >>> task = Histogram()
    >>> word = np.array([["abcdefgh".index(s) for s in "abbac"]])
    >>> task.spell(task.answers(word)[0], task.labels)
    ['2', '2', '2', '2', '1']
    """

    known_properties = COUNTED

    def __init__(self) -> None:
        labels = tuple(str(n) for n in range(1, GREATEST + 1))
        super().__init__("histogram", tuple(ascii_letters[:KINDS]), labels)

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the lengths up to half of the total count that the labels allow."""
        return list(range(max(low, 1), min(high, KINDS * GREATEST // 2) + 1))

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        words = np.empty((size, length), np.uint8)
        left = np.arange(size)
        while left.size:
            words[left] = draw_over_subsets(rng, left.size, length)
            left = left[count_symbols(words[left], KINDS).max(axis=1) > GREATEST]
        return words

    @override
    def answers(self, words: Words) -> Targets:
        counts = np.take_along_axis(count_symbols(words, KINDS), words.astype(np.intp), axis=1)
        self.require(bool(counts.max(initial=1) <= GREATEST), f"no symbol over {GREATEST} times")
        return (counts - 1).astype(np.int8)


def draw_over_subsets(rng: np.random.Generator, size: int, length: int) -> Words:
    """Draw words, of shape (size, length), over a uniform set of m symbols with m uniform."""
    fewest = 1 if length <= GREATEST else -(-2 * length // GREATEST)
    m = fewest + draw_uniform(rng, KINDS + 1 - fewest, (size,)).astype(np.int64)
    order = np.argsort(draw_bits(rng, KINDS * size, np.uint64).reshape(size, KINDS), kind="stable")
    ranks = draw_below(rng, np.repeat(m, length)).astype(np.intp).reshape(size, length)
    return np.take_along_axis(order, ranks, axis=1).astype(np.uint8)


class DoubleHistogram(Transduction):
    """How many symbols occur in the word as often as each position's symbol does?

    Examples
    --------
    >>> task = DoubleHistogram()
    >>> word = np.array([["abcdefgh".index(s) for s in "abbac"]])
    >>> task.spell(task.answers(word)[0], task.labels)
    ['2', '2', '2', '2', '1']
    """

    KINDS = 8
    known_properties = COUNTED

    def __init__(self) -> None:
        labels = tuple(str(n) for n in range(1, self.KINDS + 1))
        super().__init__("double-histogram", tuple(ascii_letters[: self.KINDS]), labels)

    @override
    def count_words(self, length: int) -> int:
        return int(self.KINDS**length)

    @override
    def answers(self, words: Words) -> Targets:
        counts = count_symbols(words, self.KINDS)
        equal = (counts[:, :, None] == counts[:, None, :]).sum(axis=2)
        answers: Targets = np.take_along_axis(equal, words.astype(np.intp), axis=1)
        return (answers - 1).astype(np.int8)


@register("histogram")
def histogram(*, mode: HistogramMode = "transduce") -> Task:
    """How often does each position's symbol occur in the word?"""
    return InPlace(Histogram()) if mode == "tag" else Histogram()


@register("double-histogram")
def double_histogram(*, mode: HistogramMode = "transduce") -> Task:
    """How many symbols occur in the word as often as each position's symbol does?"""
    return InPlace(DoubleHistogram()) if mode == "tag" else DoubleHistogram()
