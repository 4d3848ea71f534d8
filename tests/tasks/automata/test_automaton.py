"""Automata: every operation against words, and against sets of words."""

from __future__ import annotations

from itertools import product
from operator import or_, xor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flann.errors import UserError
from flann.tasks.automata.automaton import Automaton, from_function

LENGTHS = range(7)


@st.composite
def automata(draw: st.DrawFn, symbols: str = "ab", most: int = 7) -> Automaton:
    states = draw(st.integers(1, most))
    state = st.integers(0, states - 1)
    row = st.lists(state, min_size=len(symbols), max_size=len(symbols))
    table = draw(st.lists(row, min_size=states, max_size=states))
    accepting = draw(st.lists(st.booleans(), min_size=states, max_size=states))
    return Automaton(tuple(symbols), np.array(table), np.array(accepting), draw(state))


def language(automaton: Automaton) -> set[tuple[int, ...]]:
    """All members up to a length."""
    alphabet = range(len(automaton.symbols))
    words = (word for n in LENGTHS for word in product(alphabet, repeat=n))
    return {word for word in words if automaton.accepts(word)}


def equivalence_classes(automaton: Automaton) -> int:
    """Moore's way: states apart at once, or one symbol before states that are apart."""
    reached, queue = {automaton.start}, [automaton.start]
    for q in queue:
        for p in automaton.table[q].tolist():
            if p not in reached:
                reached.add(p)
                queue.append(p)
    apart = {
        (p, q) for p in reached for q in reached if automaton.accepting[p] != automaton.accepting[q]
    }
    changed = True
    while changed:
        more = {
            (p, q)
            for p in reached
            for q in reached
            if any(
                (x, y) in apart for x, y in zip(automaton.table[p], automaton.table[q], strict=True)
            )
        }
        changed = not more <= apart
        apart |= more
    return len({frozenset(q for q in reached if (p, q) not in apart) for p in reached})


@given(automata())
def test_minimised_is_the_same_language_with_the_fewest_states(automaton: Automaton) -> None:
    small = automaton.minimise()
    assert language(small) == language(automaton)
    assert small.size == equivalence_classes(automaton)
    assert small.start == 0


@given(automata(most=4), automata(most=4))
def test_one_smallest_automaton_for_each_language(one: Automaton, other: Automaton) -> None:
    same_numbers = (
        one.minimise().table.tolist() == other.minimise().table.tolist()
        and one.minimise().accepting.tolist() == other.minimise().accepting.tolist()
    )
    assert same_numbers == (one.counterexample(other) is None)


@given(automata(), automata())
def test_products_and_complements(one: Automaton, other: Automaton) -> None:
    a, b = language(one), language(other)
    assert language(one.product(other)) == a & b
    assert language(one.product(other, or_)) == a | b
    assert language(one.product(other, xor)) == a ^ b
    assert not language(one.complement()) & a
    assert len(language(one.complement())) + len(a) == 2 ** (max(LENGTHS) + 1) - 1


@given(automata())
def test_reversed(automaton: Automaton) -> None:
    assert language(automaton.reverse()) == {word[::-1] for word in language(automaton)}


@given(automata(), automata())
def test_the_counterexample_is_a_shortest_one(one: Automaton, other: Automaton) -> None:
    differing = language(one) ^ language(other)
    found = one.counterexample(other)
    if found is None:
        assert not differing
    else:
        word = [one.symbols.index(symbol) for symbol in found]
        assert one.accepts(word) != other.accepts(word)
        assert all(len(word) <= len(other_word) for other_word in differing)


@given(automata())
def test_live_states_and_emptiness(automaton: Automaton) -> None:
    for q in range(automaton.size):
        from_q = Automaton(automaton.symbols, automaton.table, automaton.accepting, q)
        assert automaton.live[q] == (from_q.shortest_member() is not None)
    assert automaton.is_empty == (not automaton.live[automaton.start])


@given(automata())
def test_more_symbols(automaton: Automaton) -> None:
    wide = automaton.with_alphabet("cba")
    renamed = {tuple("ab"[a] for a in word) for word in language(automaton)}
    assert {tuple("cba"[a] for a in word) for word in language(wide)} == renamed


def test_hopcroft_on_many_states() -> None:
    """A ring of 3000 states that counts modulo 5."""
    ring = from_function("ab", 0, lambda q, a: (q + 1) % 3000, lambda q: q % 5 == 0)
    assert ring.size == 3000
    assert ring.minimise().size == 5


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: from_function("", 0, lambda q, a: q, bool), "the alphabet is empty"),
        (lambda: from_function("aba", 0, lambda q, a: q, bool), "names 'a' twice"),
        (lambda: from_function("a", 0, lambda q, a: q + 1, bool), "too many states"),
        (lambda: ONE.product(from_function("b", 0, lambda q, a: q, bool)), "alphabets differ"),
        (lambda: ONE.with_alphabet("b"), "has no 'a'"),
    ],
)
def test_mistakes(make, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=says):
        make()


ONE = from_function("a", 0, lambda q, a: q, bool)
