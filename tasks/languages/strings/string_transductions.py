"""Transductions of strings: reversal, copying, reordering and sorting.

======================= =============================================== ==========================
name                    word -> answer                                  from
======================= =============================================== ==========================
reverse-string          w over 0 1 -> w in reverse                      Delétang et al. 2022
duplicate-string        w over 0 1 -> ww                                the same
missing-duplicate       ww with one symbol masked, ``_`` -> the symbol  the same
odds-first              w over 0 1 -> w1 w3 w5 .. w2 w4 ..              the same
bucket-sort             w over 0 .. 4 -> its symbols, sorted            the same
copy                    w over a .. j -> w                              Zhou et al. 2023
copy-unique             w of distinct symbols, out of 64 -> w           the same
======================= =============================================== ==========================

``odds-first`` counts positions from 1 and outputs the odd ones first, as the paper's text says (its
code does the opposite). In ``missing-duplicate`` w is uniform, the masked position is uniform over
both halves, and lengths are even. In ``copy-unique`` words are uniform over those without a
repeated symbol, and have at most 64 symbols. All other words are uniform. The languages of correct
answers are in `flann.tasks.languages.strings.two_copies`.

With ``mode=tag``, ``reverse-string`` gives its answer in place (`flann.tasks.core.transduction`).

Delétang et al. 2022, arXiv 2207.02098, appendix A; Zhou et al. 2023, arXiv 2310.16028.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from typing_extensions import override

from flann.tasks.core.task import Targets, Task, register
from flann.tasks.core.transduction import InPlace, Transduction, Words
from flann.tasks.sampling import draw_bits, draw_uniform
from flann.tasks.theory.properties import TaskProperties

BITS = ("0", "1")
MOST_UNIQUE = 64
MOVED = TaskProperties(
    "AC0",
    "every answer is one symbol of the word, at a position that the length determines",
    remembers=True,
)
MASKED = TaskProperties(
    "unknown", "in ww the masked bit is also the parity of the ones, so several algorithms find it"
)
BOUNDED = TaskProperties(
    "unknown", "no symbol repeats, so lengths are bounded and results for growing T mean nothing"
)
COUNTED = TaskProperties("TC0", "every answer compares a count of symbols with its own position")


class StringTask(Transduction):
    """A function of strings whose answers have the alphabet of its words."""

    alphabet: tuple[str, ...] = BITS
    task_name: str
    known_properties = MOVED

    def __init__(self) -> None:
        super().__init__(self.task_name, self.alphabet, self.alphabet)

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.alphabet) ** length)


class Reverse(StringTask):
    """The word in reverse.

    Examples
    --------
    >>> Reverse().answers(np.array([[0, 1, 1]])).tolist()
    [[1, 1, 0]]
    """

    task_name = "reverse-string"

    @override
    def answers(self, words: Words) -> Targets:
        return words[:, ::-1].astype(np.int8)


@register("reverse-string")
def reverse_string(*, mode: Literal["transduce", "tag"] = "transduce") -> Task:
    """The word in reverse."""
    return InPlace(Reverse()) if mode == "tag" else Reverse()


@register("duplicate-string")
class Duplicate(StringTask):
    """The word, repeated twice.

    Examples
    --------
    >>> Duplicate().answers(np.array([[0, 1]])).tolist()
    [[0, 1, 0, 1]]
    """

    task_name = "duplicate-string"

    @override
    def answers(self, words: Words) -> Targets:
        return np.concatenate([words, words], axis=1).astype(np.int8)

    @override
    def queries(self, length: int) -> int:
        return 2 * length


class MissingDuplicate(Transduction):
    """The symbol that is masked in a word written twice.

    Examples
    --------
    >>> MissingDuplicate().answers(np.array([[0, 1, 1, 0, 2, 1]])).tolist()
    [[1]]
    """

    known_properties = MASKED

    def __init__(self) -> None:
        super().__init__("missing-duplicate", ("0", "1", "_"), BITS)

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the even lengths."""
        return [t for t in range(max(low, 1), high + 1) if t % 2 == 0]

    @override
    def queries(self, length: int) -> int:
        return 1

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        half = draw_uniform(rng, 2, (length // 2, size))
        words = np.concatenate([half, half])
        words[draw_uniform(rng, length, (size,)), np.arange(size)] = 2
        return words.T

    @override
    def answers(self, words: Words) -> Targets:
        size, length = words.shape
        holes = words == 2
        self.require(bool((holes.sum(axis=1) == 1).all()), "one masked symbol, _, in each word")
        position = (holes.argmax(axis=1) + length // 2) % length
        answers: Targets = words[np.arange(size), position][:, None].astype(np.int8)
        return answers

    @override
    def count_words(self, length: int) -> int:
        return length << (length // 2)


class OddsFirst(StringTask):
    """The symbols at odd positions, then those at even positions, counted from 1.

    Examples
    --------
    >>> OddsFirst().answers(np.array([[0, 1, 0, 1, 0]])).tolist()
    [[0, 0, 0, 1, 1]]
    """

    task_name = "odds-first"

    @override
    def answers(self, words: Words) -> Targets:
        return np.concatenate([words[:, ::2], words[:, 1::2]], axis=1).astype(np.int8)


class BucketSort(StringTask):
    """The symbols of the word in sorted order.

    Examples
    --------
    >>> BucketSort().answers(np.array([[3, 0, 4, 0]])).tolist()
    [[0, 0, 3, 4]]
    """

    task_name = "bucket-sort"
    alphabet = ("0", "1", "2", "3", "4")
    known_properties = COUNTED

    @override
    def answers(self, words: Words) -> Targets:
        return np.sort(words, axis=1).astype(np.int8)


@register("copy")
class Copy(StringTask):
    """A copy of a word in which symbols may repeat.

    Examples
    --------
    >>> Copy().answers(np.array([[3, 0, 3]])).tolist()
    [[3, 0, 3]]
    """

    task_name = "copy"
    alphabet = tuple("abcdefghij")

    @override
    def answers(self, words: Words) -> Targets:
        return words.astype(np.int8)


@register("copy-unique")
class CopyUnique(StringTask):
    """A copy of a word in which no symbol repeats.

    Examples
    --------
    >>> CopyUnique().answers(np.array([[3, 0, 40]])).tolist()
    [[3, 0, 40]]
    """

    task_name = "copy-unique"
    known_properties = BOUNDED
    alphabet = tuple(f"s{i}" for i in range(MOST_UNIQUE))

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the lengths up to the size of the alphabet."""
        return list(range(max(low, 1), min(high, MOST_UNIQUE) + 1))

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        keys = draw_bits(rng, size * MOST_UNIQUE, np.uint64).reshape(size, MOST_UNIQUE)
        return np.argsort(keys, axis=1, kind="stable")[:, :length]

    @override
    def answers(self, words: Words) -> Targets:
        return words.astype(np.int8)

    @override
    def count_words(self, length: int) -> int:
        return int(np.prod([MOST_UNIQUE - i for i in range(length)], dtype=object))
