"""Retrieval from the word: induction, associative recall and the most frequent symbol.

- ``induction``           at every position, the symbol that followed the previous occurrence of
                          the current symbol, or ``none`` if there is none (Zhou et al. 2023, arXiv
                          2310.16028; Olsson et al. 2022, arXiv 2209.11895). Words are uniform over
                          a .. d.
- ``associative-recall``  pairs of a key and a value, followed by a key whose value is the answer
                          (Ba et al. 2016, arXiv 1610.06258). Keys and values are uniform, and the
                          last key is uniform among those that occur. If a key occurs several times,
                          its last value is the answer. Lengths are odd and at least 3.
- ``most-frequent``       the symbol that occurs most often, and among ties the alphabetically first
                          (Weiss, Goldberg and Yahav 2021, arXiv 2106.06981). Words are uniform over
                          a .. e.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override

from flann.tasks.core.task import Targets, Task, Tokens, register
from flann.tasks.core.transduction import Transduction, Words
from flann.tasks.sampling import draw_bits, draw_uniform
from flann.tasks.theory.properties import TaskProperties

LAST_SEEN = "star-free, so it counts nothing: the last position of a symbol decides"


@register("induction")
class Induction(Task):
    """Which symbol followed the previous occurrence of this one?

    Examples
    --------
    >>> task = Induction()
    >>> word = np.array([["abcd".index(s) for s in "abca"]])
    >>> task.spell(task.targets(word)[0], task.labels)
    ['none', 'none', 'none', 'b']
    """

    symbols = ("a", "b", "c", "d")
    labels = (*symbols, "none")

    def __init__(self) -> None:
        self.name = "induction"

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words that are uniform over all words of their length."""
        return draw_uniform(rng, len(self.symbols), (length, size)).T

    @override
    def count_words(self, length: int) -> int:
        return int(len(self.symbols) ** length)

    @override
    def label(self, tokens: Tokens) -> Targets:
        targets = self.allocate_targets(tokens)
        words = np.arange(len(tokens))
        followed = np.full((len(tokens), len(self.symbols)), len(self.symbols), targets.dtype)
        for t, symbol in enumerate(tokens.T):
            if t:
                followed[words, tokens[:, t - 1]] = symbol
            targets[:, t] = followed[words, symbol]
        return targets

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of a finite memory that holds the successor of each symbol."""
        return TaskProperties(
            "AC0",
            LAST_SEEN,
            regular=True,
            asks_every_prefix=True,
            star_free=True,
            r_trivial=False,
        )


@register("associative-recall")
class AssociativeRecall(Transduction):
    """The value that was last paired with a key.

    Examples
    --------
    >>> task = AssociativeRecall()
    >>> word = [task.symbols.index(s) for s in ("k1", "v3", "k0", "v2", "k1")]
    >>> task.spell(task.answers(np.array([word]))[0], task.labels)
    ['v3']
    """

    KEYS = 8
    known_properties = TaskProperties(
        "AC0", LAST_SEEN, regular=True, star_free=True, r_trivial=False
    )

    def __init__(self) -> None:
        keys, values = (tuple(f"{kind}{i}" for i in range(self.KEYS)) for kind in "kv")
        super().__init__("associative-recall", (*keys, *values), values)

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the odd lengths of at least 3."""
        return [t for t in range(max(low, 3), high + 1) if t % 2]

    @override
    def queries(self, length: int) -> int:
        return 1

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        words = draw_uniform(rng, self.KEYS, (length, size))
        words[1::2] += self.KEYS
        keys, column = words[:-1:2], np.arange(size)
        occurs = np.zeros((self.KEYS, size), bool)
        occurs[keys, column] = True
        # of the keys in a uniformly random order, the first that occurs
        ranks = draw_bits(rng, self.KEYS * size, np.uint64).reshape(self.KEYS, size)
        order = np.argsort(ranks, axis=0, kind="stable")
        first = np.take_along_axis(occurs, order, axis=0).argmax(axis=0)
        words[-1] = order[first, column]
        return words.T

    @override
    def answers(self, words: Words) -> Targets:
        keys, values = words[:, ::2], words[:, 1::2]
        self.require(
            bool((keys < self.KEYS).all() and (values >= self.KEYS).all()),
            "alternating keys and values, and then a key",
        )
        rows = np.arange(len(words))
        value = np.full((len(words), self.KEYS), -1, np.int8)
        for key, symbol in zip(keys.T, values.T, strict=False):
            value[rows, key] = symbol - self.KEYS
        answers: Targets = value[rows, keys[:, -1]][:, None]
        self.require(bool((answers >= 0).all()), "a last key that occurs before")
        return answers


@register("most-frequent")
class MostFrequent(Transduction):
    """The symbol that occurs most often, and among ties the alphabetically first.

    Examples
    --------
    >>> task = MostFrequent()
    >>> task.spell(task.answers(np.array([[2, 1, 1, 2, 0]]))[0], task.labels)
    ['b']
    """

    known_properties = TaskProperties(
        "TC0", "counts are compared, which AC0 cannot do", proportions=True
    )

    def __init__(self) -> None:
        super().__init__("most-frequent", tuple("abcde"), tuple("abcde"))

    @override
    def queries(self, length: int) -> int:
        return 1

    @override
    def count_words(self, length: int) -> int:
        return int(self.query**length)

    @override
    def answers(self, words: Words) -> Targets:
        counts = [(words == symbol).sum(axis=1) for symbol in range(self.query)]
        most: Targets = np.argmax(counts, axis=0).astype(np.int8)[:, None]
        return most
