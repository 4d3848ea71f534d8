"""Transduction: a word goes in and another word comes out.

The word is followed by query symbols, ``?``, as many as the longest answer to a word of its length
has symbols, and the answer stands at the queries, symbol by symbol. Where an answer is shorter, the
queries that are left over are not scored.

An answer as long as its word can also be asked for in place (`InPlace`, ``mode=tag``): no queries,
and the t-th symbol of the answer at the t-th position. It may depend on symbols that come later, so
that only a model without a causal mask can give it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from jaxtyping import Integer
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.sampling import draw_uniform
from flann.tasks.theory.properties import UNKNOWN, TaskProperties

from .task import NOT_SCORED, Mode, Targets, Task, Tokens

QUERY = "?"

Words = Integer[np.ndarray, "size length"]


class Transduction(Task):
    """A function from words to words.

    A subclass implements `answers`, and `draw` if its words are not uniform.

    Parameters
    ----------
    name : str
        what the task is called.
    alphabet : tuple of str
        the symbols of words.
    labels : tuple of str
        the symbols of answers.
    """

    mode: Mode = "transduce"
    known_properties: TaskProperties = UNKNOWN

    def __init__(self, name: str, alphabet: tuple[str, ...], labels: tuple[str, ...]) -> None:
        self.name = name
        self.symbols = (*alphabet, QUERY)
        self.labels = labels
        self.query = len(alphabet)

    # -- what a subclass writes ------------------------------------------------------------------

    def answers(self, words: Words) -> Targets:
        """Return the answers, of shape (size, queries), -100 past their end."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        """Draw words without queries, of shape (size, length); by default uniform ones."""
        return draw_uniform(rng, self.query, (length, size)).T

    @override
    def queries(self, length: int) -> int:
        return length

    # -- what follows ----------------------------------------------------------------------------

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words, each followed by its queries."""
        tokens = np.full((length + self.queries(length), size), self.query, np.uint8).T
        tokens[:, :length] = self.draw(rng, size, length)
        return tokens

    @override
    def label(self, tokens: Tokens) -> Targets:
        length = self.word_length(tokens.shape[1])
        is_query = tokens == self.query
        if is_query[:, :length].any() or not is_query[:, length:].all():
            raise UserError(
                f"tokens: expected words of {length} symbols and then"
                f" {self.queries(length)} times {QUERY}"
            )
        targets = self.allocate_targets(tokens)
        targets[:, :length] = NOT_SCORED
        targets[:, length:] = self.answers(tokens[:, :length])
        return targets

    def word_length(self, positions: int) -> int:
        """Return the length of the words that take this many positions with their queries."""
        for length in range(positions, 0, -1):
            if length + self.queries(length) == positions and self.valid_lengths(length, length):
                return length
        raise UserError(f"tokens: no word of {self.name} takes {positions} positions with queries")

    def require(self, right: bool, expected: str) -> None:
        """Refuse words that do not have the form that the task answers."""
        if not right:
            raise UserError(f"tokens: {self.name}: expected {expected}")

    @cached_property
    @override
    def properties(self) -> TaskProperties:
        """The properties that the subclass states, or those that follow from its machine."""
        return super().properties if self.known_properties is UNKNOWN else self.known_properties

    @property
    @override
    def summary(self) -> str:
        return (type(self).__doc__ or "").partition("\n")[0]


class InPlace(Task):
    """A transduction whose answer stands at the word's own positions.

    Parameters
    ----------
    task : Transduction
        whose answers are as long as their words.
    """

    mode: Mode = "tag"

    def __init__(self, task: Transduction) -> None:
        self.task, self.name = task, task.name
        self.symbols, self.labels = task.symbols[: task.query], task.labels

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw the words of the transduction."""
        return self.task.draw(rng, size, length).astype(np.uint8, copy=False)

    @override
    def label(self, tokens: Tokens) -> Targets:
        targets = self.allocate_targets(tokens)
        targets[...] = self.task.answers(tokens)
        return targets

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the valid lengths of the transduction."""
        return self.task.valid_lengths(low, high)

    @override
    def count_words(self, length: int) -> int | None:
        return self.task.count_words(length)

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of the transduction, whose answers may depend on later symbols."""
        return replace(self.task.properties, looks_ahead=True)

    @property
    @override
    def summary(self) -> str:
        return self.task.summary
