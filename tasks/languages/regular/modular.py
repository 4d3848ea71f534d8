"""Words that end in their own result: cycle navigation and left-to-right arithmetic modulo 5.

``cycle-navigation``: moves on a ring of five places, from place 0.

- tagging and transduction: the symbols are ``stay``, ``+1`` and ``-1``, the label is the place,
  after every move, or at one query symbol behind the word (Delétang et al. 2022, arXiv
  2207.02098). Words are uniform.
- recognition: moves, then the digit of the place where they end (Butoi et al. 2024, arXiv
  2411.07107). A word is a member when its last symbol, and no other, is a digit, the right one.

``modular-arithmetic-simple``: ``d op d op d = v``, recognition alone. The operations ``+ - *`` are
done from left to right, * binds no tighter: ``1 + 2 * 2 = 1``. Lengths are odd, 3 or more. Formats
are ``move* digit`` and ``digit (op digit)* = digit``.

In recognition members are uniform over all members of their length; the rest as
`flann.tasks.core.recognition` says.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from typing_extensions import override

from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.core.recognition import Negatives, refuse_negatives
from flann.tasks.core.task import Targets, Task, register
from flann.tasks.core.transduction import Transduction, Words

from .regular_language import RegularLanguage
from .semiautomata import StateTask

MODULUS = 5
MOVES = ("stay", "+1", "-1")
OPERATIONS = ("+", "-", "*")
DIGITS = tuple(map(str, range(MODULUS)))
DEAD = "dead"

Place = int | str | tuple[int, str]


@register("cycle-navigation")
def cycle_navigation(
    *,
    mode: Literal["tag", "recognise", "transduce"] = "tag",
    negatives: Negatives = "mixed",
) -> Task:
    """Where on a ring of five places do the moves lead?"""
    about = "Where on a ring of five places do the moves lead?"
    if mode == "recognise":
        return RegularLanguage(
            "cycle-navigation",
            build_navigation(check=True),
            mode="recognise",
            negatives=negatives,
            form=build_navigation(check=False),
            about="Moves on a ring of five places, and the place where they end.",
        )
    if negatives != "mixed":
        raise refuse_negatives("cycle-navigation")
    ring = StateTask("cycle-navigation", MOVES, DIGITS, build_ring_table(), about)
    return ring if mode == "tag" else Navigation(ring)


def build_ring_table() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return the next place for each place and move."""
    return np.array([[q, (q + 1) % MODULUS, (q - 1) % MODULUS] for q in range(MODULUS)])


class Navigation(Transduction):
    """Where on a ring of five places do the moves lead? Asked once, after the word."""

    def __init__(self, ring: StateTask) -> None:
        super().__init__("cycle-navigation", MOVES, DIGITS)
        self.ring = ring

    @property
    @override
    def machine(self) -> MooreMachine:
        """The ring; its state after the word is the answer to the query."""
        return self.ring.machine

    @override
    def answers(self, words: Words) -> Targets:
        return self.ring.label(words)[:, -1:]

    @override
    def queries(self, length: int) -> int:
        return 1


def build_navigation(check: bool) -> Automaton:
    """Build the automaton of moves followed by a digit, the right one if that is checked."""
    moves = len(MOVES)

    def step(place: Place, a: int) -> Place:
        if not isinstance(place, int):
            return DEAD
        if a < moves:
            return (place + (0, 1, -1)[a]) % MODULUS
        return "end" if a - moves == place or not check else DEAD

    start: Place = 0
    return from_function([*MOVES, *DIGITS], start, step, lambda place: place == "end")


@register("modular-arithmetic-simple")
def modular_arithmetic_simple(*, negatives: Negatives = "mixed") -> RegularLanguage:
    """Is an equation modulo 5 right, worked out from left to right?"""
    return RegularLanguage(
        "modular-arithmetic-simple",
        build_arithmetic(check=True),
        mode="recognise",
        negatives=negatives,
        form=build_arithmetic(check=False),
        about="Is an equation modulo 5 right, worked out from left to right?",
    )


def build_arithmetic(check: bool) -> Automaton:
    """Build the automaton of ``d op d ... = v``; a state is what is due next and the value so far."""
    symbols = (*DIGITS, *OPERATIONS, "=")

    def step(state: Place, a: int) -> Place:
        symbol = symbols[a]
        if isinstance(state, int):  # after a digit: an operation, or the equals sign
            return DEAD if symbol in DIGITS else (state, symbol)
        if not isinstance(state, tuple) or symbol not in DIGITS:
            return DEAD
        value, operation = state
        if operation == "=":
            return "end" if a == value or not check else DEAD
        return {"+": value + a, "-": value - a, "*": value * a}[operation] % MODULUS

    start: Place = (0, "+")
    return from_function(symbols, start, step, lambda state: state == "end")
