"""Recognition: whether the whole word is in the language, on members and on other words.

With probability one half a word is a member, drawn as the task says (`members`). Otherwise it is
drawn from the non-members, by the published mixture (``negatives=mixed``) or from the near misses
(``negatives=near``); `flann.tasks.core.negatives` describes both.

Uniform words mostly do not even have the right format, and a check of the format alone can score
above 99% on them. `format_accuracy` measures this baseline.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from typing_extensions import override

from flann.tasks.sampling import draw_uniform, flip_coins, test_stream

from .negatives import Negatives, draw_near_misses, edit_words, redraw_until_outside
from .task import Chance, Mode, Targets, Task, TokenColumns, Tokens, Verdicts

FORMAT_WORDS = 10_000

PREFIX, ACCEPTED, DEAD = 0, 1, 2
PREFIX_LABELS = ("prefix", "accepted", "dead")
"""Labels of a word so far: some continuation is a member, it is a member, or no continuation is."""


class Recognition(Task):
    """A language, given by a sampler of its members and a test for membership.

    A subclass sets `symbols` and implements `members` and `contains`. If words that are not members
    can look like members, it also implements `in_format`.
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
        return redraw_until_outside(
            self, size, lambda n: draw_uniform(rng, len(self.symbols), (length, n))
        )

    # -- what follows ----------------------------------------------------------------------------

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words of which half are members and half are not, as the module describes."""
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
        return redraw_until_outside(
            self,
            size,
            lambda n: edit_words(rng, self.members(rng, n, length), len(self.symbols)),
            lambda n: self.draw_non_members(rng, n, length),
        )

    def draw_near_misses(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw words in the format that are one replacement away from a member."""
        return draw_near_misses(self, rng, size, length)

    @override
    def label(self, tokens: Tokens) -> Targets:
        return self.score_last(self.contains(tokens), tokens)

    @override
    def chance(self, length: int) -> Chance:
        """Return one half: half of the words are members."""
        return Chance(0.5, 0.5, 0.5)

    @override
    def format_accuracy(self, length: int) -> float | None:
        """Return the accuracy of accepting exactly the words in the format.

        This is the baseline that a model has to beat; it is None in other modes.
        """
        return measure_format(self, length, self.in_format) if self.mode == "recognise" else None


def measure_format(task: Task, length: int, in_format: Callable[[Tokens], Verdicts]) -> float:
    """Measure the accuracy of accepting exactly the words in the format, on a fixed stream."""
    rng = test_stream(task.name, length, "chance")
    tokens, targets = task.sample(rng, FORMAT_WORDS, length)
    return float((in_format(tokens) == targets[:, -1]).mean())
