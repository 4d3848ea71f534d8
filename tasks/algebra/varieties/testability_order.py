"""The least k of a locally testable and of a piecewise testable language, where it can be searched.

Both kinds of language are unions of classes of words: for *k-testable*, the words with the same
set of factors of length k, marks before the word included as in `strictly_local`, and the same
last k - 1 symbols; for *piecewise k-testable*, the words with the same subsequences of length k at
most. A class and a symbol behind it give a class, so the language is such a union just when no
class contains words that lead the smallest machine to two different states. That is looked at
class by class. There can be very many: for every k one at least for each set of symbols that a
word can have.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from flann.tasks.algebra.verdict import Clock, Stopped
from flann.tasks.automata.moore_machine import MooreMachine

MOST_CLASSES = 20_000
LARGEST = 12  # k

Class = TypeVar("Class", bound=Hashable)
Tuple = tuple[int, ...]
MARK = -1


def find_least_window(machine: MooreMachine, clock: Clock) -> int:
    """The least k for which a locally testable language is k-testable.

    Raises
    ------
    Stopped
        where there are too many classes.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> find_least_window(MooreMachine.from_automaton(from_expression("[ab]*aa[ab]*")), Clock.of(1))
    2
    """

    def search(k: int) -> bool:
        def step(seen: tuple[frozenset[Tuple], Tuple], a: int) -> tuple[frozenset[Tuple], Tuple]:
            factor = (*seen[1], a)
            return seen[0] | {factor}, factor[1:]

        start: tuple[frozenset[Tuple], Tuple] = (frozenset(), (MARK,) * (k - 1))
        return is_decided_by(machine, start, step, clock)

    return find_least(search)


def find_least_subsequence(machine: MooreMachine, clock: Clock) -> int:
    """The least k for which a piecewise testable language is piecewise k-testable.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> find_least_subsequence(MooreMachine.from_automaton(from_expression("[ab]*a[ab]*b[ab]*")), Clock.of(1))
    2
    """
    machine = machine.on_tier()  # a neutral symbol is in no subsequence that is asked for

    def search(k: int) -> bool:
        def step(seen: frozenset[Tuple], a: int) -> frozenset[Tuple]:
            return seen | {(*v, a) for v in seen if len(v) < k}

        empty: Tuple = ()
        return is_decided_by(machine, frozenset({empty}), step, clock)

    return find_least(search)


def find_least(decided: Callable[[int], bool]) -> int:
    """The first k that decides."""
    for k in range(1, LARGEST + 1):
        if decided(k):
            return k
    raise Stopped(f"k is more than {LARGEST}")


def is_decided_by(
    machine: MooreMachine, start: Class, step: Callable[[Class, int], Class], clock: Clock
) -> bool:
    """Whether all words of one class lead the machine to one state."""
    rows = machine.merge_symbols().table.tolist()
    if len(rows[0]) > MOST_CLASSES.bit_length():
        raise Stopped(f"{len(rows[0])} symbols make more than {MOST_CLASSES} classes of words")
    state = {start: machine.start}
    for seen in (queue := [start]):
        clock.check()
        for a, following in enumerate(rows[state[seen]]):
            after = step(seen, a)
            if after not in state:
                if len(state) == MOST_CLASSES:
                    raise Stopped(f"not found among {MOST_CLASSES} classes of words")
                state[after] = following
                queue.append(after)
            elif state[after] != following:
                return False
    return True
