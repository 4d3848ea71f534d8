"""Regular languages as tasks: any automaton, asked about in three ways.

- ``mode=tag``        is the word so far in the language? Asked after every prefix.
- ``mode=recognise``  is the whole word in it? Words are drawn as in
                      `flann.tasks.core.recognition`; members are uniform over all members of
                      their length.
- ``label=next``      which symbols may come next, so that some continuation is in the language,
                      and may the word end here? A label stands for such a set of symbols
                      (Bhattamishra et al. 2020, arXiv 2009.11264, section 4.1).

Words for tagging are, with probability one half, uniform over the *living* words of their length,
which are the prefixes of members. Otherwise they are such a word with the symbol at a uniform
position replaced by a uniform other one, so that errors occur at every position and not only early,
as they do in uniform words. If every word is living, as for parity, both halves are uniform over
all words. With ``label=next`` all words are living, and uniform. In words supplied by the user,
positions after a dead prefix are not scored.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.counting import WordCounts
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.automata.semiautomaton import Semiautomaton
from flann.tasks.core.recognition import (
    Negatives,
    Recognition,
    TokenColumns,
    Verdicts,
    refuse_negatives,
    replace_symbol,
)
from flann.tasks.core.task import NOT_SCORED, Chance, Targets, Task, Tokens
from flann.tasks.sampling import flip_coins

LONGEST = 100_000

Ask = Literal["tag", "recognise"]
Label = Literal["member", "next"]


class RegularLanguage(Recognition):
    """Is the word, or each of its prefixes, in a regular language?

    Parameters
    ----------
    name : str
        what the task is called.
    automaton : Automaton
        of the language.
    mode : {"tag", "recognise"}
        the answer after every prefix, or after the whole word.
    label : {"member", "next"}
        membership, or the set of symbols that may come next.
    negatives : {"mixed", "near"}
        which words that are no members recognition shows.
    form : Automaton, optional
        of the words that have the right format; all words where left out.
    about : str, optional
        one line on what the language is.

    Raises
    ------
    UserError
        for a language without words of length 1 or more, and for options that contradict.
    """

    def __init__(
        self,
        name: str,
        automaton: Automaton,
        *,
        mode: Ask = "tag",
        label: Label = "member",
        negatives: Negatives = "mixed",
        form: Automaton | None = None,
        about: str | None = None,
    ) -> None:
        self.name = name
        self.mode = mode
        self.automaton = automaton.minimise()
        self.form, self.about = form, about
        self.symbols = automaton.symbols
        self.negatives = negatives
        self.asks_next = label == "next"
        self._check()
        if self.asks_next:
            self.labels, self.label_sets, self.state_labels = label_next_symbols(self.automaton)
        else:
            self.state_labels = self.automaton.accepting.astype(np.int16)
        self.semiautomaton = Semiautomaton(self.automaton.table, self.automaton.start)

    def _check(self) -> None:
        if self.automaton.is_empty:
            raise UserError(f"{self.name}: the language is empty: expected one with words")
        if self.asks_next and self.mode == "recognise":
            raise UserError(f"{self.name}: label=next asks after every prefix: expected mode=tag")
        if self.negatives == "near" and self.mode == "tag":
            raise refuse_negatives(self.name)
        if not self.valid_lengths(1, 2 * self.automaton.size + 2):
            what = "a word" if self.mode == "tag" else "both a member and another word"
            raise UserError(f"{self.name}: there is no length of 1 or more with {what}")

    # -- lengths ---------------------------------------------------------------------------------

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the lengths of living words or, for recognition, of both members and others."""
        lengths = range(max(low, 1), min(high, LONGEST) + 1)
        if self.mode == "tag":
            live = self.automaton.live
            return [t for t in lengths if live[self.automaton.states_after_length(t)].any()]
        return [t for t in lengths if self._has_both(t)]

    def _has_both(self, length: int) -> bool:
        ends = self.automaton.accepting[self.automaton.states_after_length(length)]
        if self.negatives == "mixed" or not ends.any() or ends.all():
            return bool(ends.any() and not ends.all())
        missed = self.near_pairs.states_after_length(length)
        return bool(self.near_pairs.accepting[missed].any())

    @override
    def count_words(self, length: int) -> int | None:
        if self.asks_next:
            return self.living.count(length)
        if self.negatives == "mixed" and (self.mode == "recognise" or self.automaton.live.all()):
            return int(len(self.symbols) ** length)
        return None

    # -- drawing ---------------------------------------------------------------------------------

    @cached_property
    def living(self) -> WordCounts:
        """The prefixes of members."""
        return WordCounts(self.automaton.table, self.automaton.live, self.automaton.start)

    @cached_property
    def inside(self) -> WordCounts:
        """The members."""
        return WordCounts(self.automaton.table, self.automaton.accepting, self.automaton.start)

    @cached_property
    def others(self) -> WordCounts:
        """The words that are not members."""
        return WordCounts(self.automaton.table, ~self.automaton.accepting, self.automaton.start)

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words as the module describes."""
        if self.mode == "recognise":
            return super().words(rng, size, length)
        tokens = self.living.draw(rng, size, length)
        if not self.asks_next:
            replace_symbol(rng, tokens, flip_coins(rng, size), len(self.symbols))
        return tokens.T

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw members uniform over all members of this length."""
        return self.inside.draw(rng, size, length)

    @override
    def draw_non_members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw words uniform over all other words of this length."""
        return self.others.draw(rng, size, length)

    @override
    def draw_near_misses(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw uniformly over pairs of a member and a replacement that gives a near miss."""
        pairs = self.near_counts.draw(rng, size, length) % len(self.symbols)
        return pairs.astype(np.min_scalar_type(len(self.symbols) - 1), copy=False)

    @cached_property
    def near_counts(self) -> WordCounts:
        """The words of `near_pairs`."""
        return WordCounts(self.near_pairs.table, self.near_pairs.accepting)

    @cached_property
    def near_pairs(self) -> Automaton:
        """Members beside near misses: symbol ``a * |A| + b`` puts b in the place of a.

        A state is the state of the member, of the other word, of the other word's format, and
        whether a symbol has been replaced already.
        """
        inside, count = self.automaton, len(self.symbols)
        form = self.form or from_function(self.symbols, 0, lambda q, a: 0, lambda q: True)
        dead = (-1, -1, -1, True)

        def step(state: tuple[int, int, int, bool], pair: int) -> tuple[int, int, int, bool]:
            (member, other, format_state, replaced), (a, b) = state, divmod(pair, count)
            if state == dead or (replaced and a != b) or not inside.live[member]:
                return dead
            following = form.table[format_state, b]
            if not form.live[following]:
                return dead
            return (
                int(inside.table[member, a]),
                int(inside.table[other, b]),
                int(following),
                replaced or a != b,
            )

        def accepts(state: tuple[int, int, int, bool]) -> bool:
            member, other, format_state, replaced = state
            return bool(
                state != dead
                and replaced
                and inside.accepting[member]
                and not inside.accepting[other]
                and form.accepting[format_state]
            )

        names = [f"{a} {b}" for a in self.symbols for b in self.symbols]
        start = (inside.start, inside.start, form.start, False)
        return from_function(names, start, step, accepts).minimise()

    # -- labelling -------------------------------------------------------------------------------

    @override
    def label(self, tokens: Tokens) -> Targets:
        if self.mode == "recognise":
            return super().label(tokens)
        targets = self.allocate_targets(tokens)
        if self.automaton.size <= 1 << 7:
            self.semiautomaton.run(tokens, targets)
            states = targets
        else:
            states = np.empty(tokens.shape[::-1], np.int16).T
            self.semiautomaton.run(tokens, states)
        np.take(self.state_labels.astype(targets.dtype), states.T, out=targets.T, mode="clip")
        return targets

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        verdicts: Verdicts = self.automaton.accepting[self.final_states(self.semiautomaton, tokens)]
        return verdicts

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        if self.form is None:
            return super().in_format(tokens)
        machine = Semiautomaton(self.form.table, self.form.start)
        verdicts: Verdicts = self.form.accepting[self.final_states(machine, tokens)]
        return verdicts

    def final_states(self, machine: Semiautomaton, tokens: Tokens) -> Int[np.ndarray, " size"]:
        """Return the state after the whole of each word."""
        states = np.empty(tokens.shape[::-1], np.int16).T
        machine.run(tokens, states)
        last: Int[np.ndarray, " size"] = states[:, -1].copy()
        return last

    @cached_property
    @override
    def machine(self) -> MooreMachine:
        """The minimal automaton, each state with its label."""
        return MooreMachine.minimal(
            self.symbols,
            self.automaton.table,
            self.state_labels,
            self.automaton.start,
            members=self.automaton.accepting,
        )

    # -- for reports -----------------------------------------------------------------------------

    @property
    @override
    def summary(self) -> str:
        return self.about or super().summary

    @override
    def chance(self, length: int) -> Chance:
        """Return one half for recognition; estimate the chance of tagging from a fixed stream."""
        if self.mode == "recognise":
            return super().chance(length)
        return Task.chance(self, length)


def label_next_symbols(
    automaton: Automaton,
) -> tuple[tuple[str, ...], Bool[np.ndarray, "labels symbols"], Int[np.ndarray, " states"]]:
    """Return the sets of symbols that may come next, and the set of each state.

    Two states have the same label when the same symbols may come next and both or neither
    accepts: ``0 1`` and ``0 1 end`` are two labels of one set. Dead states are not asked about,
    nor is the start where no symbol leads back to it.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> label_next_symbols(from_expression("(01)*"))[0]
    ('0 end', '1')
    """
    rows: dict[tuple[bool, ...], int] = {}
    state_labels = np.full(automaton.size, NOT_SCORED, np.int16)
    entered = np.isin(np.arange(automaton.size), automaton.table)  # by some symbol
    for q in np.flatnonzero(automaton.live & entered):
        allowed = automaton.live[automaton.table[q]]
        row = (*allowed.tolist(), bool(automaton.accepting[q]))
        state_labels[q] = rows.setdefault(row, len(rows))
    words = (*automaton.symbols, "end")
    labels = tuple(
        " ".join(word for word, may in zip(words, row, strict=True) if may) for row in rows
    )
    return labels, np.array([row[:-1] for row in rows]), state_labels
