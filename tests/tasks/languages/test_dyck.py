"""Dyck words: counts and samples against enumeration, and the documented distribution."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from flann.errors import UserError
from flann.tasks import get_task
from flann.tasks.languages.counters_and_stacks import dyck_paths as paths
from flann.tasks.languages.counters_and_stacks.dyck import DEAD, Dyck, name_brackets
from flann.tasks.languages.counters_and_stacks.dyck_paths import (
    FreeOdds,
    LimitedOdds,
    compute_thresholds,
    draw_paths,
)

LEAST_P = 1e-4


def count_paths(remaining: int, height: int, limit: int | None = None) -> int:
    """Count the paths from `height` down to 0 in exactly `remaining` steps, by recursion."""
    if height < 0 or (limit is not None and height > limit):
        return 0
    if remaining == 0:
        return height == 0
    down = count_paths(remaining - 1, height - 1, limit)
    up = count_paths(remaining - 1, height + 1, limit)
    return down + up


def is_member(word: tuple[int, ...], limit: int | None = None) -> bool:
    stack: list[int] = []
    for symbol in word:
        if symbol % 2 == 0:
            stack.append(symbol)
        elif not stack or stack.pop() != symbol - 1:
            return False
        if limit is not None and len(stack) > limit:
            return False
    return not stack


def list_members(kinds: int, length: int, limit: int | None = None) -> list[tuple[int, ...]]:
    words = product(range(2 * kinds), repeat=length)
    return [word for word in words if is_member(word, limit)]


def count_words(tokens: np.ndarray, words: list[tuple[int, ...]]) -> np.ndarray:
    counted = Counter(map(tuple, tokens.tolist()))
    assert set(counted) <= set(words)
    return np.array([counted[word] for word in words])


@given(st.integers(1, 12), st.integers(0, 10), st.integers(1, 10))
def test_thresholds_are_the_ratios_of_the_counts(remaining: int, height: int, limit: int) -> None:
    table = compute_thresholds(limit, 16).reshape(17, limit + 1)
    total = count_paths(remaining, height, limit)
    if height <= limit and total:
        exact = Fraction(count_paths(remaining - 1, height + 1, limit), total)
        assert int(table[remaining, height]) == int(exact * 2**63)


@given(st.integers(1, 14), st.integers(0, 12))
def test_free_odds_are_the_ratios_of_the_counts(remaining: int, height: int) -> None:
    """Recover the fraction that is drawn by returning every number below the denominator."""
    total = count_paths(remaining, height)
    if not total:
        return
    denominator = remaining * (height + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "draw_below", lambda rng, bounds: np.arange(denominator))
        arguments = np.full(denominator, remaining), np.full(denominator, height)
        ups = FreeOdds().ups(np.random.default_rng(0), *arguments).sum()
    assert Fraction(int(ups), denominator) == Fraction(
        count_paths(remaining - 1, height + 1), total
    )


@pytest.mark.parametrize(
    ("name", "length", "count"),
    [
        ("dyck-1", 10, 42),
        ("dyck-2", 6, 40),
        ("dyck-3", 4, 18),
        ("dyck-1:depth=2", 10, 16),
        ("dyck-1:depth=1", 6, 1),
        ("dyck-2:depth=2", 6, 32),
    ],
)
def test_members_are_uniform(name: str, length: int, count: int, rng: np.random.Generator) -> None:
    task = get_task(name)
    assert isinstance(task, Dyck)
    words = list_members(task.kinds, length, task.depth)
    assert len(words) == count
    counts = count_words(task.members(rng, 200_000, length).T, words)
    assert count == 1 or chisquare(counts).pvalue > LEAST_P


def test_a_biased_member_sampler_is_detected(rng: np.random.Generator) -> None:
    """A fair coin at every free step does not give uniform Dyck words."""

    class Coins(FreeOdds):
        def ups(self, rng, remaining, height):  # type: ignore[no-untyped-def]
            return ((rng.random(len(height)) < 0.5) | (height == 0)) & (remaining > height)

    task = get_task("dyck-1")
    object.__setattr__(task.sampler, "odds", lambda total: Coins())  # type: ignore[attr-defined]
    counts = count_words(task.members(rng, 100_000, 8).T, list_members(1, 8))  # type: ignore[attr-defined]
    assert chisquare(counts).pvalue < LEAST_P


@pytest.mark.parametrize("name", ["dyck-1", "dyck-2", "dyck-1:depth=2", "dyck-2:depth=2"])
def test_living_words_are_prefixes_of_uniform_members(name: str, rng: np.random.Generator) -> None:
    task, length = get_task(name), 4
    assert isinstance(task, Dyck)
    continued = Counter(word[:length] for word in list_members(task.kinds, 2 * length, task.depth))
    tokens, targets = task.sample(rng, 200_000, length)
    alive = (targets != DEAD).all(axis=1)
    assert abs(alive.mean() - 0.5) < 0.01
    counts = count_words(tokens[alive], list(continued))
    shares = np.array(list(continued.values())) / continued.total()
    assert chisquare(counts, shares * counts.sum()).pvalue > LEAST_P


@pytest.mark.parametrize(
    ("name", "positions"),
    [
        ("dyck-1", [0, 2, 4, 6, 8]),
        ("dyck-2", range(9)),
        ("dyck-2:depth=1", range(9)),
        ("dyck-1:depth=1", range(9)),
        ("dyck-1:depth=2", [0, 2, 4, 6, 8]),
        ("dyck-1:depth=3", [0, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_the_first_error_is_uniform_over_possible_positions(
    name: str, positions: list[int], rng: np.random.Generator
) -> None:
    targets = get_task(name).sample(rng, 100_000, 9).targets
    dead = (targets == DEAD).any(axis=1)
    first = np.bincount((targets[dead] == DEAD).argmax(axis=1), minlength=9)
    possible = np.isin(np.arange(9), positions)
    assert not first[~possible].any()
    assert chisquare(first[possible]).pvalue > LEAST_P


def test_wrong_symbols_are_uniform(rng: np.random.Generator) -> None:
    """In Dyck-2 of depth 1 the wrong symbols after '(' are '(', '[' and ']'."""
    tokens, targets = get_task("dyck-2:depth=1").sample(rng, 100_000, 2)
    rows = (targets[:, 0] != DEAD) & (targets[:, 1] == DEAD) & (tokens[:, 0] == 0)
    counts = np.bincount(tokens[rows, 1], minlength=4)
    assert counts[1] == 0
    assert chisquare(counts[[0, 2, 3]]).pvalue > LEAST_P


def test_a_dead_word_has_one_wrong_symbol(rng: np.random.Generator) -> None:
    """With two kinds, restoring the right symbol gives a valid prefix."""
    task = get_task("dyck-2")
    tokens, targets = task.sample(rng, 300, 12)
    for word, labels in zip(tokens, targets, strict=True):
        if DEAD in labels:
            position = int((labels == DEAD).argmax())
            repaired = np.repeat(word[None], 4, axis=0)
            repaired[:, position] = range(4)
            assert (task.targets(repaired)[:, -1] != DEAD).any()


@pytest.mark.parametrize("name", ["dyck-1", "dyck-2", "dyck-2:depth=2", "dyck-1:depth=1"])
def test_rejected_words_follow_their_distribution(name: str, rng: np.random.Generator) -> None:
    """Compare with an enumeration of the three ways to draw a word, given that it is no member."""
    base = get_task(name)
    assert isinstance(base, Dyck)
    separator = "," if ":" in name else ":"
    task, length, symbols = get_task(f"{name}{separator}mode=recognise"), 4, range(2 * base.kinds)
    inside = list_members(base.kinds, length, base.depth)
    shares_of = Counter[tuple[int, ...]]()
    for word in product(symbols, repeat=length):
        shares_of[word] += Fraction(1, 3 * len(symbols) ** length)
    for word in inside:
        share = Fraction(1, 3 * len(inside))
        for position, other in product(range(length), symbols):
            if other != word[position]:
                changed = (*word[:position], other, *word[position + 1 :])
                shares_of[changed] += share / (length * (len(symbols) - 1))
        orders = list(product(range(length), repeat=length))
        orders = [o for o in orders if len(set(o)) == length]
        for order in orders:
            shares_of[tuple(word[i] for i in order)] += share / len(orders)
    outside = {w: p for w, p in shares_of.items() if w not in inside}
    tokens, targets = task.sample(rng, 200_000, length)
    accepted = targets[:, -1] == 1
    assert abs(accepted.mean() - 0.5) < 0.01
    counts = count_words(tokens[~accepted], list(outside))
    shares = np.array([float(p / sum(outside.values())) for p in outside.values()])
    assert chisquare(counts, shares * counts.sum()).pvalue > LEAST_P


def test_long_paths_agree_with_the_ballot_numbers(rng: np.random.Generator) -> None:
    """Compare the height at the midpoint with a product of ballot numbers."""
    total, size = 100, 200_000
    ground = np.zeros(size, np.int64)
    for odds in (FreeOdds(), LimitedOdds(60, total)):
        down = draw_paths(rng, odds, 50, total, ground, ground)
        heights = (1 - 2 * down.astype(int)).sum(axis=0)
        possible = np.arange(0, 51, 2)
        # paths of 50 steps from height h to 0, squared: there and back
        ballots = [comb(50, (50 + h) // 2) * (h + 1) / ((50 + h) // 2 + 1) for h in possible]
        shares = np.square(ballots) / np.square(ballots).sum()
        counts = np.bincount(heights, minlength=51)[possible]
        kept = shares * size > 5
        pooled = np.append(counts[kept], counts[~kept].sum())
        expected = np.append(shares[kept], shares[~kept].sum()) * size
        assert chisquare(pooled, expected).pvalue > LEAST_P


def test_lengths() -> None:
    assert get_task("dyck-2").valid_lengths(1, 5) == [1, 2, 3, 4, 5]
    assert get_task("dyck-2:mode=recognise").valid_lengths(1, 7) == [2, 4, 6]
    assert get_task("dyck-2").valid_lengths(paths.LONGEST, 10**9) == [paths.LONGEST]


def test_long_words(rng: np.random.Generator) -> None:
    for name in ("dyck-2", "dyck-2:depth=4", "dyck-1:mode=recognise"):
        task = get_task(name)
        batch = task.sample(rng, 3, 4096)
        np.testing.assert_array_equal(batch.targets, task.targets(batch.tokens))
    paths_of_longest = FreeOdds().ups(
        rng, np.array([2 * paths.LONGEST - 1]), np.array([1])
    )  # the greatest products that can occur stay below 2^32
    assert paths_of_longest.shape == (1,)
    assert paths.LONGEST * (paths.LONGEST + 1) < 2**32


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dyck-0", "expected dyck-1 to dyck-128"),
        ("dyck-129", "expected dyck-1 to dyck-128"),
        ("dyck-02", "expected dyck-1 to dyck-128"),
        ("dyck2", "did you mean 'dyck-2'"),
        ("dyck-2:depth=0", "expected 1 to"),
        ("dyck-2:mode=transduce", "expected tag or recognise"),
    ],
)
def test_wrong_names(name: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as error:
        get_task(name)
    assert "\n" not in str(error.value)


def test_many_kinds_have_distinct_names() -> None:
    names = name_brackets(128)
    assert len(set(names)) == len(names) == 256
    assert names[8:10] == ("(5", ")5")
