"""Semiautomata of Liu et al. 2022 (arXiv 2210.10749, appendix A): the state after every prefix.

- ``cyclic``             a ring of ``size`` states; the symbols are ``0`` (stay) and ``1`` (go on)
- ``gridworld``          a line of ``size`` places between two walls; the symbols ``L`` and ``R``
- ``abab``               how far in the pattern abab.. is the word, or has it left it for good?
- ``adder``              the digit and the carry of adding two binary numbers, lowest place first;
                         a symbol is a pair of bits
- ``permutation-reset``  a token on one of ``size`` places; symbols rotate them, swap the first two,
                         or put it down at one of them

The start is state 0. Words are uniform, but for ``abab``, where uniform words leave the pattern at
once: with probability one half the word follows it throughout, otherwise one symbol at a uniform
place is changed. Liu's parity is ``parity``, the flip-flop ``flip-flop``, and the symmetric,
alternating, dihedral and quaternion semiautomata are the groups ``Sn An Dn Q8`` by generators.
"""

from __future__ import annotations

from functools import cached_property
from itertools import product

import numpy as np
from jaxtyping import Int
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.automata.semiautomaton import Semiautomaton
from flann.tasks.core.recognition import replace_symbol
from flann.tasks.core.task import Targets, Task, Tokens, register
from flann.tasks.sampling import draw_uniform, flip_coins

LARGEST = 64  # states of a family


class StateTask(Task):
    """The state of a semiautomaton after every prefix of a uniform word.

    Examples
    --------
    >>> gridworld(size=3).targets(np.array([[1, 1, 1, 0]])).tolist()
    [[1, 2, 2, 1]]
    """

    def __init__(
        self,
        name: str,
        symbols: tuple[str, ...],
        states: tuple[str, ...],
        table: Int[np.ndarray, "states symbols"],
        about: str,
    ) -> None:
        self.name, self.symbols, self.labels, self.about = name, symbols, states, about
        self.semiautomaton = Semiautomaton(table)

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words uniform over all words."""
        return draw_uniform(rng, len(self.symbols), (length, size)).T

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.symbols) ** length)

    @override
    def label(self, tokens: Tokens) -> Targets:
        targets = self.allocate_targets(tokens)
        self.semiautomaton.run(tokens, targets)
        return targets

    @property
    @override
    def summary(self) -> str:
        return self.about

    @cached_property
    @override
    def machine(self) -> MooreMachine:
        """The semiautomaton; every state is a label of its own."""
        table = self.semiautomaton.table
        return MooreMachine.minimal(
            self.symbols, table, np.arange(len(table)), self.semiautomaton.start, names=self.labels
        )


def check_size(name: str, size: int, least: int) -> int:
    """Refuse a number of states outside the family's range."""
    if not least <= size <= LARGEST:
        raise UserError(f"{name}: size={size}: expected {least} to {LARGEST}")
    return size


def name_by_number(size: int) -> tuple[str, ...]:
    """Return the numbers of the states as their names."""
    return tuple(map(str, range(size)))


@register("cyclic")
def cyclic(*, size: int = 5) -> StateTask:
    """How many ones so far, modulo the size of a ring?"""
    states = range(check_size("cyclic", size, 2))
    table = np.array([[q, (q + 1) % size] for q in states])
    about = f"How many ones so far, modulo {size}?"
    return StateTask("cyclic", ("0", "1"), name_by_number(size), table, about)


@register("gridworld")
def gridworld(*, size: int = 4) -> StateTask:
    """Where on a line between two walls do steps to the left and right lead?"""
    last = check_size("gridworld", size, 2) - 1
    table = np.array([[max(q - 1, 0), min(q + 1, last)] for q in range(size)])
    about = f"Where on a line of {size} places between two walls do steps lead?"
    return StateTask("gridworld", ("L", "R"), name_by_number(size), table, about)


@register("adder")
def adder() -> StateTask:
    """Adding two binary numbers, lowest place first: the digit and the carry at every place."""
    pairs, states = list(product((0, 1), repeat=2)), list(product((0, 1), repeat=2))
    sums = [[a + b + carry for a, b in pairs] for carry, _ in states]
    table = np.array([[2 * (s // 2) + s % 2 for s in row] for row in sums])
    names = tuple(f"carry {carry} digit {digit}" for carry, digit in states)
    about = "Adding two binary numbers, lowest place first: the digit and the carry."
    return StateTask("adder", ("00", "01", "10", "11"), names, table, about)


@register("permutation-reset")
def permutation_reset(*, size: int = 5) -> StateTask:
    """Where is a token that is moved by a rotation and a swap, or put down anew?"""
    places = range(check_size("permutation-reset", size, 3))
    table = [[(q + 1) % size, {0: 1, 1: 0}.get(q, q), *places] for q in places]
    symbols = ("rotate", "swap", *(f"to {q}" for q in places))
    about = f"On which of {size} places is a token that is rotated, swapped or put down?"
    return StateTask("permutation-reset", symbols, name_by_number(size), np.array(table), about)


@register("abab")
class Abab(StateTask):
    """How far in the pattern abab is the word, or has it left it for good?"""

    def __init__(self) -> None:
        table = np.array([[1, 4], [4, 2], [3, 4], [4, 0], [4, 4]])
        states = ("0", "a", "ab", "aba", "left")
        about = "How far in the pattern abab is the word, or has it left it for good?"
        super().__init__("abab", ("a", "b"), states, table, about)

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw the pattern, with one symbol changed in half of the words."""
        pattern = (np.arange(length) % 2).astype(np.uint8)
        tokens = np.repeat(pattern[:, None], size, axis=1)
        replace_symbol(rng, tokens, flip_coins(rng, size), 2)
        return tokens.T

    @override
    def count_words(self, length: int) -> int:
        return length + 1
