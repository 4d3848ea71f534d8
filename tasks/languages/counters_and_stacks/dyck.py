"""Dyck-k: balanced brackets of k kinds, of any depth or at most D.

A word is a member when every closing bracket closes the last open one, of the same kind, and none
stays open; with ``depth=D``, never more than D brackets are open at once. After each prefix a
word is in one of three states:

- ``prefix``    not a member, but some continuation is one
- ``accepted``  a member
- ``dead``      no continuation is a member

**Tagging** asks for the state at every position. With probability one half a word is the first T
symbols of a uniformly drawn member of length 2T. Otherwise one symbol of such a word, at a
position e, is replaced by a uniformly drawn one of the symbols that make it dead, so that the
first error is at e and the rest of the word looks as before. e is uniform over all positions where
some prefix leaves room for an error. With k of 2 or more that is every position. With one kind an
error needs a prefix with no open bracket (or with D of them: either one at even odds where both
can be), and the word up to there and the word after it are each drawn uniformly.

**Recognition** asks for membership at the last position; only even lengths have members. With
probability one half a word is a member, uniform over all members of its length. Otherwise it is
one of these, each in a third of the cases, drawn again until it is not a member:

- a uniform word over all 2k symbols;
- a uniform member with one symbol, at a uniform position, replaced by a uniform other one;
- the symbols of a uniform member in a uniformly drawn order, so that counting is not enough.

**Next symbols** (``label=next``) asks at every position which brackets may come next; words are
the first T symbols of uniform members of length 2T. `flann.tasks.languages.counters_and_stacks.dyck_next_symbols` has the labels.

D_n of the star-free literature is Dyck-1 of depth at most n.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int, Integer

from flann.errors import UserError
from flann.tasks.core.recognition import accuracy_of_format
from flann.tasks.core.sampling import coins, raw_bits, uniform, uniform_below
from flann.tasks.core.task import Chance, Targets, Task, Tokens, register
from flann.tasks.theory.properties import Facts

from .dyck_next_symbols import next_labels, next_sets
from .dyck_paths import LONGEST, FreeOdds, LimitedOdds, Odds, draw_paths

PREFIX, ACCEPTED, DEAD = 0, 1, 2
BLOCK = 1 << 20  # symbols drawn or labelled at a time
FEWEST_WORDS = 1 << 10
MOST_KINDS = 128  # 256 symbols
NOTHING = np.uint8(255)  # no kind
PAIRS = ("()", "[]", "{}", "<>")

Word = Integer[np.ndarray, "length size"]  # words as they are drawn: position by position


@register("dyck-1", "dyck-2", "dyck-3", pattern=r"dyck-\d+")
class Dyck(Task):
    """Balanced brackets of k kinds: prefix of a member, member, or dead.

    Parameters
    ----------
    name : str
        ``dyck-k`` for k kinds of brackets.
    depth : int, optional
        the most brackets open at once; any number when left out.
    mode : {"tag", "recognise"}
        the state after every prefix, or membership at the last position.
    label : {"state", "next"}
        the state, or which symbols may come next.

    Examples
    --------
    >>> task = Dyck("dyck-2")
    >>> word = [task.symbols.index(s) for s in "([])()]("]
    >>> [task.labels[i] for i in task.targets(np.array([word]))[0]]
    ['prefix', 'prefix', 'prefix', 'accepted', 'prefix', 'accepted', 'dead', 'dead']
    """

    def __init__(
        self,
        name: str,
        *,
        depth: int | None = None,
        mode: Literal["tag", "recognise"] = "tag",
        label: Literal["state", "next"] = "state",
    ) -> None:
        self.kinds = read_kinds(name)
        if depth is not None and not 1 <= depth <= LONGEST:
            raise UserError(f"{name}: depth={depth}: expected 1 to {LONGEST}")
        self.name = name
        self.depth = depth
        self.mode = mode
        self.symbols = bracket_names(self.kinds)
        tag, self.asks_next = mode == "tag", label == "next"
        self.labels = ("prefix", "accepted", "dead") if tag else ("rejected", "accepted")
        if self.asks_next and not tag:
            raise UserError(f"{name}: label=next asks after every prefix: expected mode=tag")
        if self.asks_next:
            self.labels, self.label_sets = next_sets(self.symbols, depth)

    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Any length for tagging; even ones for recognition."""
        lengths = range(max(low, 1), min(high, LONGEST) + 1)
        return [t for t in lengths if self.mode == "tag" or t % 2 == 0]

    def count_words(self, length: int) -> int | None:
        """Worked out where no bracket stays open for two symbols: opened and closed in turn."""
        if self.asks_next and self.depth == 1:
            return int(self.kinds ** ((length + 1) // 2))
        return None

    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words as the module says, a block at a time."""
        draw = self.tagging_words if self.mode == "tag" else self.recognition_words
        if self.asks_next:
            draw = self.living_words
        rows = max(FEWEST_WORDS, BLOCK // length)
        tokens = np.empty((length, size), np.uint8)
        for start in range(0, size, rows):
            part = tokens[:, start : start + rows]
            part[...] = draw(rng, part.shape[1], length)
        return tokens.T

    def chance(self, length: int) -> Chance:
        """One half in recognition; estimated from a fixed stream in tagging."""
        return Chance(0.5, 0.5, 0.5) if self.mode == "recognise" else super().chance(length)

    def format_accuracy(self, length: int) -> float | None:
        """Of recognition: accepting every word with as many closing as opening brackets."""
        return accuracy_of_format(self, length, as_many) if self.mode == "recognise" else None

    @property
    def facts(self) -> Facts:
        """Regular with a depth limit; one counter with one kind; else a stack.

        Next symbols are asked about after valid prefixes alone.
        """
        return replace(self._facts, partial=self.asks_next)

    @property
    def _facts(self) -> Facts:
        every, dyck = self.mode == "tag", frozenset({"dyck"})
        if self.depth is not None:  # its automaton has kinds^depth states
            return Facts(
                "AC0",
                f"star-free, so it counts nothing: at most {self.depth} open brackets to remember",
                regular=True,
                asks_every_prefix=every,
                star_free=True,
                r_trivial=False,
                nested=True,
                named=dyck,
            )
        if self.kinds == 1:
            why = "the depth is a count, which AC0 cannot keep"
            return Facts(
                "TC0", why, asks_every_prefix=every, counters=1, nested=True, stack=True, named=dyck
            )
        why = "the depth is a count; matching at equal depth is a comparison of counts"
        return Facts(
            "TC0", why, asks_every_prefix=every, nested=True, stack=True, remembers=True, named=dyck
        )

    # -- drawing ---------------------------------------------------------------------------------

    def odds(self, total: int) -> Odds:
        """The law of paths of `total` steps; a limit that they cannot reach is none."""
        if self.depth is None or self.depth >= total // 2:
            return FreeOdds()
        return LimitedOdds(self.depth, total)

    def members(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """Members of exactly this even length, uniform over all of them."""
        anywhere = np.zeros(size, np.int64)
        down = draw_paths(rng, self.odds(length), length, length, anywhere, anywhere)
        return self.bracketed(rng, down, anywhere)[0]

    def living_words(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """The first symbols of members twice as long."""
        anywhere = np.zeros(size, np.int64)
        down = draw_paths(rng, self.odds(2 * length), length, 2 * length, anywhere, anywhere)
        return self.bracketed(rng, down, anywhere)[0]

    def tagging_words(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """Half valid prefixes, half with a first error."""
        position, height = self.error_points(rng, size, length)
        erring = coins(rng, size)
        via, at = np.where(erring, position, 0), np.where(erring, height, 0)
        if self.kinds > 1:  # room for an error at every height: the path need not go anywhere
            via, at = np.zeros_like(via), np.zeros_like(at)
        down = draw_paths(rng, self.odds(2 * length), length, 2 * length, via, at)
        tokens, top = self.bracketed(rng, down, position)
        rows = np.flatnonzero(erring)
        column = position[rows]
        before = np.cumsum(1 - 2 * down.astype(np.int32), axis=0)[column - 1, rows]
        open_before = np.where(column > 0, before, 0)
        tokens[column, rows] = self.wrong_symbols(rng, open_before, top[rows])
        return tokens

    def error_points(
        self, rng: np.random.Generator, size: int, length: int
    ) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """Where the first error is (counted from 0), and with one kind the height before it."""
        positions, limit = np.arange(length), self.depth
        if self.kinds > 1:
            chosen = uniform(rng, length, (size,)).astype(np.int64)
            return chosen, np.zeros_like(chosen)
        empty = positions % 2 == 0
        full = np.zeros(length, bool)
        if limit is not None:
            full = (positions >= limit) & ((positions - limit) % 2 == 0)
        possible = np.flatnonzero(empty | full)
        chosen = possible[uniform(rng, len(possible), (size,))]
        at_limit = full[chosen] & (~empty[chosen] | coins(rng, size))
        return chosen, np.where(at_limit, limit or 0, 0)

    def bracketed(
        self,
        rng: np.random.Generator,
        down: Bool[np.ndarray, "length size"],
        position: Int[np.ndarray, " size"],
    ) -> tuple[Word, Int[np.ndarray, " size"]]:
        """Paths made into words: a kind drawn for each opening bracket, and copied to its closing.

        Returns the words, and the kind that is innermost just before `position` (0 where no
        bracket is open).
        """
        length, size = down.shape
        if self.kinds == 1:
            return down.astype(np.uint8), np.zeros(size, np.int64)
        tokens = uniform(rng, self.kinds, (length, size))  # of a closing one: overwritten
        innermost = np.zeros(size, np.int64)
        words = np.arange(size)
        waiting = np.split(
            np.argsort(position, kind="stable"),
            np.searchsorted(np.sort(position), np.arange(1, length)),
        )
        stack = np.zeros((length + 1) * size, np.uint8)
        height = np.zeros(size, np.int64)
        for t in range(length):
            if (asked := waiting[t]).size:
                below = height[asked] - 1
                innermost[asked] = np.where(below >= 0, stack[below * size + asked], 0)
            closes = down[t]
            height -= closes  # now the level that this bracket opens or closes
            place = height * size + words
            kind = np.where(closes, stack[place], tokens[t])
            stack[place] = kind
            tokens[t] = 2 * kind + closes
            height += ~closes
        return tokens, innermost

    def wrong_symbols(
        self,
        rng: np.random.Generator,
        height: Int[np.ndarray, " rows"],
        top: Int[np.ndarray, " rows"],
    ) -> Int[np.ndarray, " rows"]:
        """One of the symbols that kill a prefix with `height` open brackets, `top` innermost.

        Those are the closing brackets of every kind but the innermost, and at the limit all
        the opening ones.
        """
        empty = height == 0
        closing = np.where(empty, self.kinds, self.kinds - 1)
        opening = np.where(height == self.depth, self.kinds, 0) if self.depth else 0
        choice = uniform_below(rng, closing + opening).astype(np.int64)
        kind = choice + (~empty & (choice >= top))  # skip the innermost
        return np.where(choice < closing, 2 * kind + 1, 2 * (choice - closing))

    def recognition_words(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """Half members, half not."""
        tokens = self.members(rng, size, length)
        rows = np.flatnonzero(coins(rng, size))
        while rows.size:
            tokens[:, rows] = self.candidates(rng, rows.size, length)
            rows = rows[self.final_states(tokens[:, rows]) == ACCEPTED]
        return tokens

    def candidates(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """Words that are to be rejected, if they are not members by chance."""
        tokens = self.members(rng, size, length)
        way = uniform(rng, 3, (size,))
        tokens[:, way == 0] = uniform(rng, len(self.symbols), (length, int((way == 0).sum())))
        rows = np.flatnonzero(way == 1)
        column = uniform(rng, length, (rows.size,))
        shift = 1 + uniform(rng, len(self.symbols) - 1, (rows.size,)).astype(np.int64)
        tokens[column, rows] = (tokens[column, rows] + shift) % len(self.symbols)
        rows = np.flatnonzero(way == 2)
        keys = raw_bits(rng, length * rows.size, np.uint64).reshape(length, rows.size)
        order = np.argsort(keys, axis=0, kind="stable")
        tokens[:, rows] = np.take_along_axis(tokens[:, rows], order, axis=0)
        return tokens

    # -- labelling -------------------------------------------------------------------------------

    def label(self, tokens: Tokens) -> Targets:
        """The state after every prefix, or whether the last one is `accepted`."""
        targets = self.target_array(tokens)
        size, length = tokens.shape
        rows = max(FEWEST_WORDS, BLOCK // max(length, 1))
        if self.mode == "recognise":
            verdicts = np.concatenate(
                [
                    self.final_states(tokens[start : start + rows].T) == ACCEPTED
                    for start in range(0, size, rows)
                ]
            )
            return self.last_only(verdicts, tokens)
        for start in range(0, size, rows):
            block, labels = tokens[start : start + rows].T, targets[start : start + rows].T
            if self.asks_next:
                next_labels(block, labels, self.kinds, self.depth)
            else:
                self.run(block, labels)
        return targets

    def final_states(self, tokens: Word) -> Int[np.ndarray, " size"]:
        """The state after the whole of each word."""
        states = np.empty(tokens.shape, np.int8)
        self.run(tokens, states)
        last: Int[np.ndarray, " size"] = states[-1]
        return last

    def run(self, tokens: Word, states: Int[np.ndarray, "length size"]) -> None:
        """Write the state after every prefix, one position of all words at a time."""
        length, size = tokens.shape
        highest = length if self.depth is None else min(length, self.depth)
        # one level more than the heights at either end: below 0 lies what no bracket matches
        stack = np.full((highest + 2) * size, NOTHING)
        ground = np.arange(size, 2 * size)
        height = np.zeros(size, np.int64)
        dead = np.zeros(size, bool)
        for t in range(length):
            symbol = tokens[t]
            closes = (symbol & 1).astype(bool)
            kind = symbol >> 1
            level = height - closes  # that this bracket opens or closes
            place = level * size + ground
            dead |= closes & (stack[place] != kind)
            dead |= level >= highest
            stack[place] = kind
            height = level + ~closes
            height[dead] = 0  # what a dead word does no longer matters: keep it on the stack
            np.add(
                height == 0, dead, out=states[t], dtype=np.int8
            )  # ACCEPTED, and DEAD is one more


def as_many(tokens: Tokens) -> Bool[np.ndarray, " size"]:
    """Whether there are as many closing as opening brackets."""
    even: Bool[np.ndarray, " size"] = 2 * (tokens % 2).sum(axis=1) == tokens.shape[1]
    return even


def read_kinds(name: str) -> int:
    """The number of kinds in ``dyck-k``."""
    digits = re.sub(r"\D", "", name)
    kinds = int(digits)
    if str(kinds) != digits or not 1 <= kinds <= MOST_KINDS:
        raise UserError(f"no task {name!r}: expected dyck-1 to dyck-{MOST_KINDS}")
    return kinds


def bracket_names(kinds: int) -> tuple[str, ...]:
    """Opening and closing in turn: ``( ) [ ] { } < >``, and past these ``(5 )5``.

    >>> bracket_names(2)
    ('(', ')', '[', ']')
    """
    pairs = [*PAIRS, *((f"({k}", f"){k}") for k in range(len(PAIRS) + 1, kinds + 1))]
    return tuple(bracket for pair in pairs[:kinds] for bracket in pair)
