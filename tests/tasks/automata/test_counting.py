"""Words of exactly one length: counted right, and drawn uniformly."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from flann.errors import UserError
from flann.tasks.automata import counting
from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.counting import WordCounts
from flann.tasks.automata.expressions import from_expression

LEAST_P = 1e-4
EXPRESSIONS = [
    "(aa|b)*",
    "(01)*",
    "a*b*c*",
    "[abc]*a[abc]{3}",
    "(a|b{3})*",
    "[a-e]*b",
    "a",
    "(ab?){3}",
]


def members(automaton: Automaton, length: int) -> list[tuple[int, ...]]:
    words = product(range(len(automaton.symbols)), repeat=length)
    return [word for word in words if automaton.accepts(word)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_counts(expression: str) -> None:
    automaton = from_expression(expression)
    counts = WordCounts(automaton.table, automaton.accepting)
    assert [counts.count(n) for n in range(7)] == [len(members(automaton, n)) for n in range(7)]


@given(st.sampled_from(EXPRESSIONS), st.integers(1, 9))
def test_thresholds_are_the_ratios_of_the_counts(expression: str, r: int) -> None:
    automaton = from_expression(expression)
    thresholds = WordCounts(automaton.table, automaton.accepting).thresholds(r)[r - 1]
    for q in range(automaton.size):
        ways = [
            WordCounts(automaton.table, automaton.accepting, p).count(r - 1)
            for p in automaton.table[q].tolist()
        ]
        if total := sum(ways):
            exact = [int(Fraction(sum(ways[:a]), total) * 2**63) for a in range(len(ways))]
            assert thresholds[q, : len(ways)].tolist() == exact


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_draws_are_uniform(expression: str, rng: np.random.Generator) -> None:
    automaton = from_expression(expression)
    counts = WordCounts(automaton.table, automaton.accepting)
    for length in range(1, 7):
        if words := members(automaton, length):
            drawn = Counter(map(tuple, counts.draw(rng, 30 * len(words), length).T.tolist()))
            assert set(drawn) <= set(words)
            frequencies = [drawn[word] for word in words]
            assert len(words) == 1 or chisquare(frequencies).pvalue > LEAST_P


def test_a_walk_with_fair_choices_would_be_found(rng: np.random.Generator) -> None:
    """Drawing each symbol evenly among those that keep the word alive is not uniform."""
    automaton = from_expression("(aa|b)*")
    counts = WordCounts(automaton.table, automaton.accepting)
    counts.thresholds(8)
    open_choice = counts._thresholds[:, :, 1]
    open_choice[(open_choice > 0) & (open_choice < 2**63)] = 2**62
    words = members(automaton, 8)
    drawn = Counter(map(tuple, counts.draw(rng, 30_000, 8).T.tolist()))
    assert chisquare([drawn[word] for word in words]).pvalue < LEAST_P


def test_long_words_follow_the_counts(rng: np.random.Generator) -> None:
    """Of the words without two ones in a row of length 1000: ones at the ends and in the middle."""
    automaton = from_expression("(10|0)*1?")
    counts = WordCounts(automaton.table, automaton.accepting)
    drawn = counts.draw(rng, 20_000, 1000)
    for place in (0, 500, 999):
        left, right = counts.count(max(place - 1, 0)), counts.count(max(998 - place, 0))
        exact = Fraction(left * right, counts.count(1000))
        assert abs(drawn[place].mean() - float(exact)) < 0.015
    assert not (drawn[1:] & drawn[:-1]).any()


def test_many_symbols(rng: np.random.Generator) -> None:
    """300 symbols: a search through nine thresholds, and symbols of 16 bits."""
    machine = from_function([str(a) for a in range(300)], 0, lambda q, a: int(a > 150), bool)
    drawn = WordCounts(machine.table, machine.accepting).draw(rng, 60_000, 2)
    assert drawn.dtype == np.uint16
    assert chisquare(np.bincount(drawn[0], minlength=300)).pvalue > LEAST_P
    assert chisquare(np.bincount(drawn[1], minlength=300)[151:]).pvalue > LEAST_P
    assert drawn[1].min() > 150


def test_lengths_in_any_order_and_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    automaton = from_expression("[abc]*a[abc]{3}")
    monkeypatch.setattr(counting, "BLOCK", 1)
    one, other = (WordCounts(automaton.table, automaton.accepting) for _ in range(2))
    one.thresholds(50)
    one.thresholds(10)
    for length in (4, 30, 5):
        drawn = [c.draw(np.random.default_rng(0), 3000, length) for c in (one, other)]
        np.testing.assert_array_equal(*drawn)


def test_mistakes() -> None:
    counts = WordCounts(np.array([[1], [1]]), np.array([True, False]))
    with pytest.raises(UserError, match="accepts no word of length 3"):
        counts.draw(np.random.default_rng(0), 1, 3)
    with pytest.raises(UserError, match="too large a table"):
        counts.thresholds(1 << 30)
