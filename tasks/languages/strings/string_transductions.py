"""Transductions of strings: reverse, copy, reorder, sort.

======================= =============================================== ==========================
name                    word -> answer                                  from
======================= =============================================== ==========================
reverse-string          w over 0 1 -> w backwards                       Delétang et al. 2022
duplicate-string        w over 0 1 -> ww                                the same
missing-duplicate       ww with one symbol hidden, ``_`` -> the symbol  the same
odds-first              w over 0 1 -> w1 w3 w5 .. w2 w4 ..              the same
bucket-sort             w over 0 .. 4 -> its symbols in order           the same
copy                    w over a .. j -> w                              Zhou et al. 2023
copy-unique             w over 64 symbols, none twice -> w              the same
======================= =============================================== ==========================

``odds-first`` counts places from 1 and gives the odd ones first, as the paper's text says (its code
does the opposite). In ``missing-duplicate`` w is uniform, the hidden place uniform over both
halves, and lengths are even. In ``copy-unique`` words are uniform over those without a repeated
symbol, of at most 64 symbols. All other words are uniform. `flann.tasks.languages.strings.two_copies` has the languages
that ask whether such an answer is right.

With ``mode=tag`` ``reverse-string`` is asked for in place (`flann.tasks.core.transduction`).

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
    "every answer is one symbol of the word, at a place that the length tells",
    remembers=True,
)
OPEN = TaskProperties(
    "unknown", "in ww the hidden bit is also the parity of the ones: several ways lead to it"
)
ENDS = TaskProperties(
    "unknown", "no symbol repeats, so words end where the alphabet does: results on T mean nothing"
)
COUNTED = TaskProperties("TC0", "every answer compares a count of symbols with its own place")


class StringTask(Transduction):
    """A function of strings whose labels are its symbols."""

    alphabet: tuple[str, ...] = BITS
    called: str
    known_properties = MOVED

    def __init__(self) -> None:
        super().__init__(self.called, self.alphabet, self.alphabet)

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.alphabet) ** length)


class Reverse(StringTask):
    """The word backwards.

    Examples
    --------
    >>> Reverse().answers(np.array([[0, 1, 1]])).tolist()
    [[1, 1, 0]]
    """

    called = "reverse-string"

    @override
    def answers(self, words: Words) -> Targets:
        return words[:, ::-1].astype(np.int8)


@register("reverse-string")
def reverse_string(*, mode: Literal["transduce", "tag"] = "transduce") -> Task:
    """The word backwards."""
    return InPlace(Reverse()) if mode == "tag" else Reverse()


@register("duplicate-string")
class Duplicate(StringTask):
    """The word twice over.

    Examples
    --------
    >>> Duplicate().answers(np.array([[0, 1]])).tolist()
    [[0, 1, 0, 1]]
    """

    called = "duplicate-string"

    @override
    def answers(self, words: Words) -> Targets:
        return np.concatenate([words, words], axis=1).astype(np.int8)

    @override
    def queries(self, length: int) -> int:
        return 2 * length


class MissingDuplicate(Transduction):
    """The symbol that is hidden in a word written twice.

    Examples
    --------
    >>> MissingDuplicate().answers(np.array([[0, 1, 1, 0, 2, 1]])).tolist()
    [[1]]
    """

    known_properties = OPEN

    def __init__(self) -> None:
        super().__init__("missing-duplicate", ("0", "1", "_"), BITS)

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Even ones."""
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
        self.require(bool((holes.sum(axis=1) == 1).all()), "one hidden symbol, _, in each word")
        place = (holes.argmax(axis=1) + length // 2) % length
        hidden: Targets = words[np.arange(size), place][:, None].astype(np.int8)
        return hidden

    @override
    def count_words(self, length: int) -> int:
        return length << (length // 2)


class OddsFirst(StringTask):
    """The symbols at odd places, and then those at even places; places are counted from 1.

    Examples
    --------
    >>> OddsFirst().answers(np.array([[0, 1, 0, 1, 0]])).tolist()
    [[0, 0, 0, 1, 1]]
    """

    called = "odds-first"

    @override
    def answers(self, words: Words) -> Targets:
        return np.concatenate([words[:, ::2], words[:, 1::2]], axis=1).astype(np.int8)


class BucketSort(StringTask):
    """The symbols of the word in order.

    Examples
    --------
    >>> BucketSort().answers(np.array([[3, 0, 4, 0]])).tolist()
    [[0, 0, 3, 4]]
    """

    called = "bucket-sort"
    alphabet = ("0", "1", "2", "3", "4")
    known_properties = COUNTED

    @override
    def answers(self, words: Words) -> Targets:
        return np.sort(words, axis=1).astype(np.int8)


@register("copy")
class Copy(StringTask):
    """The word once more; symbols may repeat.

    Examples
    --------
    >>> Copy().answers(np.array([[3, 0, 3]])).tolist()
    [[3, 0, 3]]
    """

    called = "copy"
    alphabet = tuple("abcdefghij")

    @override
    def answers(self, words: Words) -> Targets:
        return words.astype(np.int8)


@register("copy-unique")
class CopyUnique(StringTask):
    """The word once more; no symbol repeats.

    Examples
    --------
    >>> CopyUnique().answers(np.array([[3, 0, 40]])).tolist()
    [[3, 0, 40]]
    """

    called = "copy-unique"
    known_properties = ENDS
    alphabet = tuple(f"s{i}" for i in range(MOST_UNIQUE))

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """As many symbols as there are, at most."""
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
