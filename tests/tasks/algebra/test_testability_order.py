"""The least k against the definition of each class, on all short words or on all factors."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest

from flann.tasks.algebra import classify
from flann.tasks.algebra.varieties.testability_order import (
    find_least_subsequence,
    find_least_window,
)
from flann.tasks.algebra.verdict import Clock, Stopped
from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.expressions import from_expression
from flann.tasks.automata.moore_machine import MooreMachine

from .random_languages import END, MARK, RANDOM, Word, advance_patterns, change_transition

LONGEST = 9


def is_strictly_local(automaton: Automaton, k: int) -> bool:
    """Whether every word whose k-factors all occur in members is a member."""
    small = automaton.minimise()
    start = ((MARK,) * (k - 1), small.start)
    factors: set[Word] = set()
    met = {start}
    for recent, q in (queue := [start]):
        if small.accepting[q]:
            factors.add((*recent, END))
        for a, following in enumerate(small.table[q].tolist()):
            if small.live[following]:
                factors.add((*recent, a))
                longer = ((*recent, a)[1:], following)
                if longer not in met:
                    met.add(longer)
                    queue.append(longer)

    def step(recent: Word | None, a: int) -> Word | None:
        if recent is None or (*recent, a) not in factors:
            return None
        return (*recent, a)[1:]

    first: Word | None = start[0]
    closure = from_function(
        small.symbols, first, step, lambda r: r is not None and (*r, END) in factors
    )
    if not small.live[small.start]:
        return True  # the empty language
    return small.counterexample(closure) is None


def is_strictly_piecewise(automaton: Automaton, k: int) -> bool:
    """Whether every word whose subsequences of length at most k occur in members is a member."""
    small = automaton.minimise()

    def occurs(v: Word) -> bool:
        states = reached({small.start})
        for a in v:
            states = reached({int(small.table[q, a]) for q in states})
        return any(small.accepting[q] for q in states)

    def reached(states: set[int]) -> set[int]:
        for q in (queue := list(states)):
            for following in small.table[q].tolist():
                if following not in states:
                    states.add(following)
                    queue.append(following)
        return states

    letters = range(len(small.symbols))
    absent = [v for n in range(k + 1) for v in product(letters, repeat=n) if not occurs(v)]
    least = [v for v in absent if not any(is_subsequence(u, v) for u in absent if u != v)]
    closure = from_function(
        small.symbols,
        (0,) * len(least),
        lambda state, a: advance_patterns(state, least, a),
        lambda state: all(n < len(v) for n, v in zip(state, least, strict=True)),
    )
    return small.counterexample(closure) is None


def is_subsequence(u: Word, v: Word) -> bool:
    rest = iter(v)
    return all(a in rest for a in u)


def list_factors(word: Word, k: int) -> object:
    marked = (*(MARK,) * (k - 1), *word)
    found = frozenset(marked[i : i + k] for i in range(len(marked) - k + 1))
    return found, marked[len(marked) - k + 1 :]


def list_subsequences(word: Word, k: int) -> object:
    return frozenset(v for n in range(1, k + 1) for v in combinations(word, n))


def is_determined_by(automaton: Automaton, features, k: int, longest: int) -> bool:  # type: ignore[no-untyped-def]
    """Whether words up to a length with the same features are equally members."""
    verdict: dict[object, bool] = {}
    for n in range(longest + 1):
        for word in product(range(len(automaton.symbols)), repeat=n):
            accepted = automaton.accepts(word)
            if verdict.setdefault(features(word, k), accepted) != accepted:
                return False
    return True


def draw_small(name: str, count: int, seed: int = 0) -> list[Automaton]:
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < count:
        automaton = RANDOM[name](rng, 2).minimise()
        if len(found) % 3 == 2:
            automaton = change_transition(rng, automaton)
        if automaton.size <= 6:
            found.append(automaton)
    return found


@pytest.mark.parametrize("name", ["SL", "LT", ""])
def test_strictly_local_k(name: str) -> None:
    tally: Counter[int] = Counter()
    for automaton in draw_small(name, 40):
        k = classify(automaton).k.get("SL", 0)
        right = [width for width in range(1, 6) if is_strictly_local(automaton, width)]
        assert right == (list(range(k, 6)) if k else []) or k >= 6
        tally[k] += 1
    assert tally[0]
    assert tally.total() - tally[0] >= 3


@pytest.mark.parametrize("name", ["SP", "PT", "R-trivial"])
def test_strictly_piecewise_k(name: str) -> None:
    tally: Counter[int] = Counter()
    for automaton in draw_small(name, 40):
        k = classify(automaton).k.get("SP", 0)
        right = [length for length in range(1, 6) if is_strictly_piecewise(automaton, length)]
        assert right == (list(range(k, 6)) if k else []) or k >= 6, automaton.table.tolist()
        tally[k] += 1
    assert tally[0]
    assert tally.total() - tally[0] >= 3


def test_testable_k() -> None:
    tally: Counter[int] = Counter()
    for automaton in draw_small("LT", 30, seed=3):
        k = classify(automaton).k.get("LT")
        if k is not None and automaton.size <= 5:
            assert is_determined_by(automaton, list_factors, k, LONGEST)
            assert k == 1 or not is_determined_by(automaton, list_factors, k - 1, LONGEST)
            tally[k] += 1
    assert sum(n for k, n in tally.items() if k > 1) >= 5


def test_piecewise_testable_k() -> None:
    tally: Counter[int] = Counter()
    for automaton in draw_small("PT", 30, seed=3):
        k = classify(automaton).k.get("PT")
        if k is not None and automaton.size <= 5:
            assert is_determined_by(automaton, list_subsequences, k, 7)
            assert k == 1 or not is_determined_by(automaton, list_subsequences, k - 1, 7)
            tally[k] += 1
    assert sum(n for k, n in tally.items() if k > 1) >= 5


def test_a_k_that_is_too_small_or_too_large_would_be_found() -> None:
    automaton = from_expression("[ab]*aab[ab]*").complement()  # no factor aab
    assert [k for k in range(1, 6) if is_strictly_local(automaton, k)] == [3, 4, 5]
    assert classify(automaton).k["SL"] == 3
    no_aab = from_expression("b*|b*ab*|b*ab*aa*")  # no subsequence aab
    assert [k for k in range(1, 6) if is_strictly_piecewise(no_aab, k)] == [3, 4, 5]
    assert classify(no_aab).k["SP"] == 3


def test_what_stops_the_search_is_said() -> None:
    many = tuple(map(str, range(20)))
    first = np.array([[1, *[0] * 19], [1] * 20])  # the symbol 0 occurs; the rest act alike
    machine = MooreMachine.minimal(many, first, np.array([0, 1]))
    assert find_least_window(machine, Clock.of(10)) == 1
    apart = np.minimum(np.arange(21)[:, None] + (np.arange(20) == np.arange(21)[:, None]), 20)
    chain = MooreMachine.minimal(many, apart, (np.arange(21) == 20).astype(int))
    for search in (find_least_window, find_least_subsequence):
        with pytest.raises(Stopped, match="20 symbols make more than 20000 classes"):
            search(chain, Clock.of(10))
