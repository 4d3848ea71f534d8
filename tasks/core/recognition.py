"""Recognition: whether the whole word is in the language, on members and on other words.

With probability one half a word is a member, drawn as the task says (`members`). Otherwise:

- ``negatives=mixed``, as published (Butoi et al. 2024, arXiv 2411.07107): with equal odds a
  uniform word, or a member with K edits, drawn again until it is no member. K is 1 with
  probability 1/2, 2 with probability 1/4, and so on. All words of a batch have one length, so an
  edit is either the replacement of a symbol at a uniform place by a uniform other one, or the
  removal of a symbol at a uniform place and the insertion of a uniform one at another, with equal
  odds. Where `PATIENCE` draws all gave members, a uniform word that is none is taken.
- ``negatives=near``: one replacement away from a member and of the right format, which is what
  `in_format` says: uniform over the pairs of a member (as `members` draws them) and a replacement
  that leads to such a word.

Uniform words mostly do not even have the right format, and a check of the format alone can score
above 99% on them. `format_accuracy` says what it scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Bool, UInt
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.sampling import draw_uniform, flip_coins, test_stream

from .task import Chance, Mode, Targets, Task, Tokens

PATIENCE = 100  # draws for one word
MOST_SEARCHED = 1000  # rounds of draws for near misses, and how many
FEWEST_TRIED = 512  # words one of them draws at least
FORMAT_WORDS = 10_000

PREFIX, ACCEPTED, DEAD = 0, 1, 2
PREFIX_LABELS = ("prefix", "accepted", "dead")
"""Labels of a word so far: some continuation is a member, it is a member, or no continuation is."""

Negatives = Literal["mixed", "near"]
TokenColumns = UInt[np.ndarray, "length size"]  # one word in each column, as words are drawn
Verdicts = Bool[np.ndarray, " size"]


def refuse_negatives(name: str) -> UserError:
    """Return the error for ``negatives=near`` in a mode that draws no negatives."""
    return UserError(f"{name}: negatives=near is for mode=recognise")


class Recognition(Task):
    """A language, given by a sampler of its members and a test for membership.

    A subclass sets `symbols` and implements `members` and `contains`. If words that are not members
    can look like members, it also implements `in_format`.

    A subclass sets `symbols` and writes `members` and `contains`, and `in_format` where a word
    that is no member can still look like one.
    """

    mode: Mode = "recognise"
    labels: tuple[str, ...] = ("rejected", "accepted")
    negatives: Negatives = "mixed"

    # -- what a subclass writes ------------------------------------------------------------------

    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw members of exactly this length, of shape (length, size)."""
        raise NotImplementedError

    def contains(self, tokens: Tokens) -> Verdicts:
        """Return which words, of shape (size, length), are members."""
        raise NotImplementedError

    def in_format(self, tokens: Tokens) -> Verdicts:
        """Return which words have the members' format; by default all of them."""
        return np.ones(len(tokens), bool)

    def draw_non_members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw words that are not members, uniform over all of them, by rejection."""
        return self.redraw_until_outside(
            size, lambda n: draw_uniform(rng, len(self.symbols), (length, n))
        )

    # -- what follows ----------------------------------------------------------------------------

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Half members, half not, as the module says."""
        accepted = flip_coins(rng, size)
        members = self.members(rng, int(accepted.sum()), length)
        tokens = np.empty((length, size), members.dtype)
        tokens[:, accepted] = members
        rejected = np.flatnonzero(~accepted)
        if self.negatives == "near":
            tokens[:, rejected] = self.draw_near_misses(rng, len(rejected), length)
            return tokens.T
        edit = flip_coins(rng, len(rejected))
        tokens[:, rejected[~edit]] = self.draw_non_members(rng, int((~edit).sum()), length)
        tokens[:, rejected[edit]] = self.edit_members(rng, int(edit.sum()), length)
        return tokens.T

    def edit_members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw members with one edit or more that are no longer members."""
        return self.redraw_until_outside(
            size,
            lambda n: edit_words(rng, self.members(rng, n, length), len(self.symbols)),
            lambda n: self.draw_non_members(rng, n, length),
        )

    def draw_near_misses(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw words in the format that are one replacement away from a member."""
        words = np.empty((length, size), np.min_scalar_type(len(self.symbols) - 1))
        found = searched = 0
        while found < size:
            searched += 1
            if searched > MOST_SEARCHED:
                raise UserError(
                    f"{self.name} has hardly any near miss of length {length}: found none in"
                    f" {MOST_SEARCHED} draws"
                )
            tried = max(2 * (size - found), FEWEST_TRIED)
            drawn = self.members(rng, tried, length)
            replace_symbol(rng, drawn, np.ones(tried, bool), len(self.symbols))
            missed = self.in_format(drawn.T)
            missed[missed] = ~self.contains(drawn.T[missed])  # the format is quicker to tell
            kept = np.flatnonzero(missed)[: size - found]
            words[:, found : found + kept.size] = drawn[:, kept]
            found += kept.size
        return words

    def redraw_until_outside(
        self,
        size: int,
        draw: Callable[[int], TokenColumns],
        otherwise: Callable[[int], TokenColumns] | None = None,
    ) -> TokenColumns:
        """Draw words again until none is a member, in the end by another sampler."""
        words = draw(size)
        left = np.flatnonzero(self.contains(words.T))
        draws = 1
        while left.size:
            if otherwise and draws == PATIENCE:
                words[:, left] = otherwise(left.size)
                break
            words[:, left] = draw(left.size)
            left = left[self.contains(words[:, left].T)]
            draws += 1
        return words

    @override
    def label(self, tokens: Tokens) -> Targets:
        return self.score_last(self.contains(tokens), tokens)

    @override
    def chance(self, length: int) -> Chance:
        """Half of the words are members."""
        return Chance(0.5, 0.5, 0.5)

    @override
    def format_accuracy(self, length: int) -> float | None:
        """Return the accuracy of accepting exactly the words in the format.

        This is the baseline that a model has to beat; it is None in other modes.

        The baseline that a model has to beat: `measure_format` on `in_format`.
        """
        return measure_format(self, length, self.in_format) if self.mode == "recognise" else None


def measure_format(task: Task, length: int, in_format: Callable[[Tokens], Verdicts]) -> float:
    """Measure the accuracy of accepting exactly the words in the format, on a fixed stream."""
    rng = test_stream(task.name, length, "chance")
    tokens, targets = task.sample(rng, FORMAT_WORDS, length)
    return float((in_format(tokens) == targets[:, -1]).mean())


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
    place = draw_uniform(rng, len(words), (columns.size,)).astype(np.intp)
    shift = 1 + draw_uniform(rng, alphabet - 1, (columns.size,)).astype(np.int64)
    words[place, columns] = (words[place, columns] + shift) % alphabet


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
    place = np.arange(length)[:, None]
    forward = (removed <= place) & (place < inserted)
    backward = (inserted < place) & (place <= removed)
    source = place + forward - backward
    moved = np.take_along_axis(words[:, columns], source, axis=0)
    moved[inserted, np.arange(columns.size)] = draw_uniform(rng, alphabet, (columns.size,))
    words[:, columns] = moved
