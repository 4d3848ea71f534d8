"""Dyck-k: balanced brackets of k kinds, of any depth or of depth at most D.

A word is a member when every closing bracket closes the last open one, of the same kind, and none
stays open; with ``depth=D``, never more than D brackets are open at once. After each prefix a word
is in one of three states:

- ``prefix``    not a member, but some continuation is one
- ``accepted``  a member
- ``dead``      no continuation is a member

**Tagging** asks for the state at every position. With probability one half a word is the first T
symbols of a uniform member of length 2T. Otherwise one symbol of such a word, at a position e, is
replaced by a uniform one of the symbols that make it dead, so that the first error is at e and the
rest of the word looks as before. The position e is uniform over all positions where some prefix
leaves room for an error. With two kinds or more that is every position. With one kind an error
needs a prefix with no open bracket, or with D of them (either at even odds where both are
possible), and the word up to there and the word after it are each drawn uniformly.

**Recognition** asks for membership at the last position. Only even lengths have members. With
probability one half a word is a member, uniform over all members of its length. Otherwise, with
``negatives=mixed``, it is one of these, each in a third of the cases, drawn again until it is not a
member:

- a uniform word over all 2k symbols;
- a uniform member with one symbol, at a uniform position, replaced by a uniform other one;
- the symbols of a uniform member in a uniform order, so that counting is not enough.

With ``negatives=near`` it is one replacement away from a member and has as many closing as opening
brackets, which is the format (`flann.tasks.core.recognition`). With one kind no word is both.

**Next symbols** (``label=next``) asks at every position which brackets may come next; words are
the first T symbols of uniform members of length 2T (see `dyck_next_symbols` for the labels).

D_n of the star-free literature is Dyck-1 of depth at most n.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Int
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.automata.automaton import MOST_STATES, Automaton, from_function
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.core.negatives import Negatives, refuse_negatives
from flann.tasks.core.recognition import ACCEPTED, DEAD, PREFIX, PREFIX_LABELS, Recognition
from flann.tasks.core.task import (
    NOT_SCORED,
    Chance,
    Targets,
    Task,
    TokenColumns,
    Tokens,
    Verdicts,
    register,
)
from flann.tasks.sampling import draw_bits, draw_uniform, flip_coins
from flann.tasks.theory.properties import TaskProperties

from .dyck_next_symbols import label_next_symbols, list_next_sets
from .dyck_paths import LONGEST
from .dyck_words import DyckWords

BLOCK = 1 << 20
FEWEST_WORDS = 1 << 10
"""Symbols, and words or more, drawn or labelled at a time."""

MOST_KINDS = 128
NOTHING = np.uint8(255)
"""The kind of no bracket."""

PAIRS = ("()", "[]", "{}", "<>")


@register("dyck-1", "dyck-2", "dyck-3", pattern=r"dyck-\d+")
class Dyck(Recognition):
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
    negatives : {"mixed", "near"}
        which words that are not members recognition shows.

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
        negatives: Negatives = "mixed",
    ) -> None:
        self.kinds = read_kinds(name)
        if depth is not None and not 1 <= depth <= LONGEST:
            raise UserError(f"{name}: depth={depth}: expected 1 to {LONGEST}")
        self.name = name
        self.depth = depth
        self.mode = mode
        self.symbols = name_brackets(self.kinds)
        tag, self.asks_next = mode == "tag", label == "next"
        self.negatives = negatives
        self.labels = PREFIX_LABELS if tag else self.labels
        if self.asks_next and not tag:
            raise UserError(f"{name}: label=next asks after every prefix: expected mode=tag")
        if negatives == "near" and tag:
            raise refuse_negatives(name)
        if negatives == "near" and self.kinds == 1:
            raise UserError(
                f"{name}: negatives=near: one replacement changes how many brackets close:"
                " expected two kinds or more"
            )
        if self.asks_next:
            self.labels, self.label_sets = list_next_sets(self.symbols, depth)
        self.sampler = DyckWords(self.kinds, depth)

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Any length for tagging; even ones for recognition."""
        lengths = range(max(low, 1), min(high, LONGEST) + 1)
        return [t for t in lengths if self.mode == "tag" or t % 2 == 0]

    @override
    def count_words(self, length: int) -> int | None:
        if self.asks_next and self.depth == 1:
            return int(self.kinds ** ((length + 1) // 2))
        return None

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words as the module says, a block at a time."""
        if self.negatives == "near":
            return super().words(rng, size, length)
        if self.mode == "recognise":
            draw = self.draw_recognition_words
        else:
            sampler = self.sampler
            draw = sampler.draw_prefixes if self.asks_next else sampler.draw_tagging_words
        rows = max(FEWEST_WORDS, BLOCK // length)
        tokens = np.empty((length, size), np.uint8)
        for start in range(0, size, rows):
            part = tokens[:, start : start + rows]
            part[...] = draw(rng, part.shape[1], length)
        return tokens.T

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        return self.sampler.draw_members(rng, size, length)

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        size, length = tokens.shape
        rows = max(FEWEST_WORDS, BLOCK // max(length, 1))
        parts = [tokens[start : start + rows] for start in range(0, size, rows)]
        ends = [self.final_states(part.T) == ACCEPTED for part in parts]
        return np.concatenate(ends) if ends else np.ones(0, bool)

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        return close_all(tokens)

    @override
    def chance(self, length: int) -> Chance:
        return super().chance(length) if self.mode == "recognise" else Task.chance(self, length)

    @cached_property
    @override
    def machine(self) -> MooreMachine | None:
        """With a depth limit, the automaton whose states are the stacks of open brackets.

        It is None without a limit, or where there are too many stacks.
        """
        if self.depth is None or count_stacks(self.kinds, self.depth) > MOST_STATES:
            return None
        machine = MooreMachine.from_automaton(
            build_stack_automaton(self.kinds, self.depth, self.symbols)
        )
        return (
            machine
            if self.mode == "recognise"
            else replace(machine, labels=self.label_states(machine))
        )

    def label_states(self, machine: MooreMachine) -> Int[np.ndarray, " states"]:
        """Return the label of each state of the acceptor, when every prefix is labelled."""
        if not self.asks_next:
            return np.where(machine.accepting, ACCEPTED, np.where(machine.live, PREFIX, DEAD))
        assert self.label_sets is not None
        number = {tuple(row): label for label, row in enumerate(self.label_sets.tolist())}
        rows = machine.live[machine.table].tolist()
        labels = [number.get(tuple(row), NOT_SCORED) for row in rows]
        return np.where(machine.live, labels, NOT_SCORED)

    @property
    @override
    def properties(self) -> TaskProperties:
        """Regular with a depth limit; one counter with one kind; else a stack.

        Next symbols are scored after valid prefixes alone.
        """
        return replace(self._properties, partial=self.asks_next)

    @property
    def _properties(self) -> TaskProperties:
        every, dyck = self.mode == "tag", frozenset({"dyck"})
        if self.depth is not None:  # its automaton has kinds^depth states
            return TaskProperties(
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
            return TaskProperties(
                "TC0", why, asks_every_prefix=every, counters=1, nested=True, stack=True, named=dyck
            )
        why = "the depth is a count; matching at equal depth is a comparison of counts"
        return TaskProperties(
            "TC0", why, asks_every_prefix=every, nested=True, stack=True, remembers=True, named=dyck
        )

    def draw_recognition_words(
        self, rng: np.random.Generator, size: int, length: int
    ) -> TokenColumns:
        """Draw words of which half are members and half are not."""
        tokens = self.members(rng, size, length)
        rows = np.flatnonzero(flip_coins(rng, size))
        while rows.size:
            tokens[:, rows] = self.draw_candidates(rng, rows.size, length)
            rows = rows[self.final_states(tokens[:, rows]) == ACCEPTED]
        return tokens

    def draw_candidates(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw words that are not members, except by chance."""
        tokens = self.members(rng, size, length)
        way = draw_uniform(rng, 3, (size,))
        tokens[:, way == 0] = draw_uniform(rng, len(self.symbols), (length, int((way == 0).sum())))
        rows = np.flatnonzero(way == 1)
        column = draw_uniform(rng, length, (rows.size,))
        shift = 1 + draw_uniform(rng, len(self.symbols) - 1, (rows.size,)).astype(np.int64)
        tokens[column, rows] = (tokens[column, rows] + shift) % len(self.symbols)
        rows = np.flatnonzero(way == 2)
        keys = draw_bits(rng, length * rows.size, np.uint64).reshape(length, rows.size)
        order = np.argsort(keys, axis=0, kind="stable")
        tokens[:, rows] = np.take_along_axis(tokens[:, rows], order, axis=0)
        return tokens

    # -- labelling -------------------------------------------------------------------------------

    @override
    def label(self, tokens: Tokens) -> Targets:
        if self.mode == "recognise":
            return super().label(tokens)
        targets = self.allocate_targets(tokens)
        size, length = tokens.shape
        rows = max(FEWEST_WORDS, BLOCK // max(length, 1))
        for start in range(0, size, rows):
            block, labels = tokens[start : start + rows].T, targets[start : start + rows].T
            if self.asks_next:
                label_next_symbols(block, labels, self.kinds, self.depth)
            else:
                self.run(block, labels)
        return targets

    def final_states(self, tokens: TokenColumns) -> Int[np.ndarray, " size"]:
        """Return the state after the whole of each word."""
        states = np.empty(tokens.shape, np.int8)
        self.run(tokens, states)
        last: Int[np.ndarray, " size"] = states[-1]
        return last

    def run(self, tokens: TokenColumns, states: Int[np.ndarray, "length size"]) -> None:
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
            slot = level * size + ground
            dead |= closes & (stack[slot] != kind)
            dead |= level >= highest
            stack[slot] = kind
            height = level + ~closes
            height[dead] = 0  # what a dead word does no longer matters: keep it on the stack
            np.add(
                height == 0, dead, out=states[t], dtype=np.int8
            )  # ACCEPTED, and DEAD is one more


def close_all(tokens: Tokens) -> Verdicts:
    """Return which words have as many closing as opening brackets."""
    equal: Verdicts = 2 * (tokens % 2).sum(axis=1) == tokens.shape[1]
    return equal


def count_stacks(kinds: int, depth: int) -> int:
    """Return how many stacks of at most `depth` brackets there are.

    >>> count_stacks(2, 3)
    15
    """
    return depth + 1 if kinds == 1 else (kinds ** (depth + 1) - 1) // (kinds - 1)


def build_stack_automaton(kinds: int, depth: int, symbols: tuple[str, ...]) -> Automaton:
    """Return the automaton of balanced brackets with at most `depth` open.

    Its states are the stacks of open brackets, and one dead state.

    >>> build_stack_automaton(1, 2, ("(", ")")).size
    4
    """

    def step(stack: tuple[int, ...] | None, a: int) -> tuple[int, ...] | None:
        if stack is None:
            return None
        kind, closes = divmod(a, 2)
        if not closes:
            return (*stack, kind) if len(stack) < depth else None
        return stack[:-1] if stack[-1:] == (kind,) else None

    start: tuple[int, ...] | None = ()
    return from_function(symbols, start, step, lambda stack: stack == ())


def read_kinds(name: str) -> int:
    """Return the number of kinds in ``dyck-k``."""
    digits = re.sub(r"\D", "", name)
    kinds = int(digits)
    if str(kinds) != digits or not 1 <= kinds <= MOST_KINDS:
        raise UserError(f"no task {name!r}: expected dyck-1 to dyck-{MOST_KINDS}")
    return kinds


def name_brackets(kinds: int) -> tuple[str, ...]:
    """Return opening and closing brackets in turn: ``( ) [ ] { } < >``, and past these ``(5 )5``.

    >>> name_brackets(2)
    ('(', ')', '[', ']')
    """
    pairs = [*PAIRS, *((f"({k}", f"){k}") for k in range(len(PAIRS) + 1, kinds + 1))]
    return tuple(bracket for pair in pairs[:kinds] for bracket in pair)
