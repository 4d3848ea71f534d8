"""Negatives of recognition tasks: near misses, edited members, and words drawn by rejection.

- ``negatives=mixed``, as published (Butoi et al. 2024, arXiv 2411.07107): with equal odds a
  uniform word, or a member with K edits, drawn again until it is not a member. K is 1 with
  probability 1/2, 2 with probability 1/4, and so on. All words of a batch have one length, so an
  edit is, with equal odds, either the replacement of the symbol at a uniform position by a uniform
  other one, or the removal of the symbol at a uniform position and the insertion of a uniform
  symbol at another. If `PATIENCE` draws all gave members, a uniform non-member is drawn instead.
- ``negatives=near``: words in the format that are one replacement away from a member. They are
  uniform over the pairs of a member (as `Language.members` draws them) and a replacement that
  leads to such a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from flann.errors import UserError
from flann.tasks.sampling import draw_uniform, flip_coins

from .task import TokenColumns, Tokens, Verdicts

PATIENCE = 100
"""The most draws for one word before another sampler is used."""

MOST_SEARCHED = 1000
"""The most rounds in which near misses are searched for."""

FEWEST_TRIED = 512
"""The fewest words that one of these rounds draws."""

Negatives = Literal["mixed", "near"]


@runtime_checkable
class Language(Protocol):
    """What the samplers of negatives need of a recognition task."""

    name: str
    symbols: tuple[str, ...]

    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw members of exactly this length, of shape (length, size)."""

    def contains(self, tokens: Tokens) -> Verdicts:
        """Return which words, of shape (size, length), are members."""

    def in_format(self, tokens: Tokens) -> Verdicts:
        """Return which words have the members' format."""


def refuse_negatives(name: str) -> UserError:
    """Return the error for ``negatives=near`` in a mode that draws no negatives."""
    return UserError(f"{name}: negatives=near is for mode=recognise")


def draw_near_misses(
    language: Language, rng: np.random.Generator, size: int, length: int
) -> TokenColumns:
    """Draw words in the format that are one replacement away from a member."""
    alphabet = len(language.symbols)
    words = np.empty((length, size), np.min_scalar_type(alphabet - 1))
    found = searched = 0
    while found < size:
        searched += 1
        if searched > MOST_SEARCHED:
            raise UserError(
                f"{language.name} has hardly any near miss of length {length}: found none in"
                f" {MOST_SEARCHED} draws"
            )
        tried = max(2 * (size - found), FEWEST_TRIED)
        drawn = language.members(rng, tried, length)
        replace_symbol(rng, drawn, np.ones(tried, bool), alphabet)
        missed = language.in_format(drawn.T)
        missed[missed] = ~language.contains(drawn.T[missed])  # the format is the cheaper test
        kept = np.flatnonzero(missed)[: size - found]
        words[:, found : found + kept.size] = drawn[:, kept]
        found += kept.size
    return words


def redraw_until_outside(
    language: Language,
    size: int,
    draw: Callable[[int], TokenColumns],
    otherwise: Callable[[int], TokenColumns] | None = None,
) -> TokenColumns:
    """Draw words until none is a member; `otherwise` draws those that remain after `PATIENCE`."""
    words = draw(size)
    left = np.flatnonzero(language.contains(words.T))
    draws = 1
    while left.size:
        if otherwise and draws == PATIENCE:
            words[:, left] = otherwise(left.size)
            break
        words[:, left] = draw(left.size)
        left = left[language.contains(words[:, left].T)]
        draws += 1
    return words


# -- edits ---------------------------------------------------------------------------------------


def edit_words(rng: np.random.Generator, words: TokenColumns, alphabet: int) -> TokenColumns:
    """Return the words after K edits each, where K - 1 is geometric with probability one half."""
    words = words.copy()
    left = np.ones(words.shape[1], bool)
    while left.any():
        replaced = flip_coins(rng, left.size)
        replace_symbol(rng, words, left & replaced, alphabet)
        move_symbol(rng, words, left & ~replaced, alphabet)
        left &= flip_coins(rng, left.size)
    return words


def replace_symbol(
    rng: np.random.Generator, words: TokenColumns, which: Verdicts, alphabet: int
) -> None:
    """Replace the symbol at a uniform position by a uniform other one, in the selected words."""
    columns = np.flatnonzero(which)
    if alphabet == 1 or not columns.size:
        return
    position = draw_uniform(rng, len(words), (columns.size,)).astype(np.intp)
    shift = 1 + draw_uniform(rng, alphabet - 1, (columns.size,)).astype(np.int64)
    words[position, columns] = (words[position, columns] + shift) % alphabet


def move_symbol(
    rng: np.random.Generator, words: TokenColumns, which: Verdicts, alphabet: int
) -> None:
    """Remove the symbol at a uniform position and insert one at another, in the selected words.

    After the removal at i and the insertion at j, what stands at p comes from p, from p + 1 where
    ``i <= p < j``, and from p - 1 where ``j < p <= i``.
    """
    columns, length = np.flatnonzero(which), len(words)
    if not columns.size:
        return
    removed, inserted = draw_uniform(rng, length, (2, columns.size)).astype(np.intp)
    position = np.arange(length)[:, None]
    forward = (removed <= position) & (position < inserted)
    backward = (inserted < position) & (position <= removed)
    source = position + forward - backward
    moved = np.take_along_axis(words[:, columns], source, axis=0)
    moved[inserted, np.arange(columns.size)] = draw_uniform(rng, alphabet, (columns.size,))
    words[:, columns] = moved
