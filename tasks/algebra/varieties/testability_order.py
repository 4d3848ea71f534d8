"""The order of testability: the least k of a locally or piecewise testable language, by search.

Both kinds of languages are unions of classes of a congruence on words. Words are *k-testable
equivalent* if they have the same set of factors of length k, with marks before the word as in
`strictly_local`, and the same last k - 1 symbols. They are *piecewise k-testable equivalent* if
they have the same subsequences of length at most k. The language is a union of classes if and only
if no class contains words that lead the minimal machine to different states, which is tested class
by class. The number of classes can be large: for every k there is at least one for each set of
symbols that a word can contain.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from flann.tasks.algebra.verdict import Clock, Stopped
from flann.tasks.automata.moore_machine import MooreMachine, Word

MOST_CLASSES = 20_000  # of words
LARGEST = 12  # value of k that is tried

Class = TypeVar("Class", bound=Hashable)
MARK = -1


def find_least_window(machine: MooreMachine, clock: Clock) -> int:
    """Return the least k for which a locally testable language is k-testable.

    Raises
    ------
    Stopped
        if there are too many classes, or the time is up.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> find_least_window(MooreMachine.from_automaton(from_expression("[ab]*aa[ab]*")), Clock.of(1))
    2
    """

    def search(k: int) -> bool:
        def step(seen: tuple[frozenset[Word], Word], a: int) -> tuple[frozenset[Word], Word]:
            factor = (*seen[1], a)
            return seen[0] | {factor}, factor[1:]

        start: tuple[frozenset[Word], Word] = (frozenset(), (MARK,) * (k - 1))
        return is_decided_by(machine, start, step, clock)

    return find_least(search)


def find_least_subsequence(machine: MooreMachine, clock: Clock) -> int:
    """Return the least k for which a piecewise testable language is piecewise k-testable.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> machine = MooreMachine.from_automaton(from_expression("[ab]*a[ab]*b[ab]*"))
    >>> find_least_subsequence(machine, Clock.of(1))
    2
    """
    machine = machine.on_tier()  # no relevant subsequence has a neutral symbol

    def search(k: int) -> bool:
        def step(seen: frozenset[Word], a: int) -> frozenset[Word]:
            return seen | {(*v, a) for v in seen if len(v) < k}

        empty: Word = ()
        return is_decided_by(machine, frozenset({empty}), step, clock)

    return find_least(search)


def find_least(is_enough: Callable[[int], bool]) -> int:
    """Return the first k for which the predicate holds."""
    for k in range(1, LARGEST + 1):
        if is_enough(k):
            return k
    raise Stopped(f"k is more than {LARGEST}")


def is_decided_by(
    machine: MooreMachine, start: Class, step: Callable[[Class, int], Class], clock: Clock
) -> bool:
    """Return whether all words of each class lead the machine to the same state."""
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
                    raise Stopped(f"there are more than {MOST_CLASSES} classes of words")
                state[after] = following
                queue.append(after)
            elif state[after] != following:
                return False
    return True
