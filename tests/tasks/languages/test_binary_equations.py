"""Binary equations and the stack language: the distribution of members, and long numbers."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise, product
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from flann.errors import UserError
from flann.tasks import get_task
from flann.tasks.languages.counters_and_stacks.stack_language import count_ways, list_sizes
from flann.tasks.sampling import draw_whole_below

LEAST_P = 1e-4
NAMES = ["binary-addition", "binary-multiplication", "compute-sqrt"]


def write_bits(number: int, width: int) -> str:
    return "".join(str(number >> n & 1) for n in range(width))


def compute_distribution(name: str, length: int) -> dict[str, Fraction]:
    """Compute the documented distribution of members in exact fractions."""
    sign = {"binary-addition": "+", "binary-multiplication": "*", "compute-sqrt": ""}[name]
    numbers = 3 if sign else 2
    widths = [
        width
        for width in product(range(1, length), repeat=numbers)
        if sum(width) == length - numbers + 1
    ]
    shares: dict[str, Fraction] = Counter()
    for i, *rest, k in widths:
        if not sign:
            fits = [a for a in range(2**i) if isqrt(a) < 2**k]
            for a in fits:
                word = f"{write_bits(a, i)}={write_bits(isqrt(a), k)}"
                shares[word] += Fraction(1, len(widths) * len(fits))
            continue
        result = (lambda a, b: a + b) if sign == "+" else (lambda a, b: a * b)
        pairs = {a: [b for b in range(2 ** rest[0]) if result(a, b) < 2**k] for a in range(2**i)}
        pairs = {a: seconds for a, seconds in pairs.items() if seconds}
        for a, seconds in pairs.items():
            for b in seconds:
                left = f"{write_bits(a, i)}{sign}{write_bits(b, rest[0])}"
                word = f"{left}={write_bits(result(a, b), k)}"
                shares[word] += Fraction(1, len(widths) * len(pairs) * len(seconds))
    return shares


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [5, 6, 8, 10])
def test_members_follow_their_distribution(
    name: str, length: int, rng: np.random.Generator
) -> None:
    task = get_task(f"{name}:mode=recognise")
    shares = compute_distribution(name, length)
    assert sum(shares.values()) == 1
    words = task.members(rng, 60_000, length).T
    drawn = Counter("".join(task.spell(word, task.symbols)) for word in words)
    assert set(drawn) <= set(shares)
    expected = np.array([float(p) for p in shares.values()]) * len(words)
    frequencies = np.array([drawn[word] for word in shares])
    kept = expected >= 5
    pooled = np.append(frequencies[kept], frequencies[~kept].sum())
    pooled_expected = np.append(expected[kept], expected[~kept].sum())
    some = pooled_expected > 0
    assert chisquare(pooled[some], pooled_expected[some]).pvalue > LEAST_P


@pytest.mark.parametrize("name", NAMES)
def test_the_members_are_the_words_of_positive_probability(name: str) -> None:
    task, length = get_task(f"{name}:mode=recognise"), 6
    words = np.array(list(product(range(len(task.symbols)), repeat=length)))
    inside = task.targets(words)[:, -1] == 1
    members = {"".join(task.spell(word, task.symbols)) for word in words[inside]}
    assert members == set(compute_distribution(name, length))


@pytest.mark.parametrize("name", NAMES)
def test_long_numbers(name: str, rng: np.random.Generator) -> None:
    """Numbers of hundreds of bits are members, and one changed bit is detected."""
    task = get_task(f"{name}:mode=recognise")
    words = task.members(rng, 50, 601).T
    assert (task.targets(words)[:, -1] == 1).all()
    changed = words.copy()
    changed[:, -1] ^= 1  # the highest bit of the result
    assert (task.targets(changed)[:, -1] == 0).all()


@given(st.lists(st.integers(1, 1 << 70), max_size=20), st.integers(0, 99))
def test_whole_numbers_are_below_their_bounds(bounds: list[int], seed: int) -> None:
    drawn = draw_whole_below(np.random.Generator(np.random.PCG64(seed)), bounds)
    assert all(0 <= number < bound for number, bound in zip(drawn, bounds, strict=True))


@pytest.mark.parametrize("bound", [1, 3, 255, 256, 257, 3 << 64])
def test_whole_numbers_are_uniform(bound: int, rng: np.random.Generator) -> None:
    drawn = draw_whole_below(rng, [bound] * 60_000)
    parts = min(bound, 12)
    edges = [-(-bound * n // parts) for n in range(parts + 1)]
    counted = [sum(a <= number < b for number in drawn) for a, b in pairwise(edges)]
    shares = [(b - a) / bound for a, b in pairwise(edges)]
    assert parts == 1 or chisquare(counted, np.array(shares) * len(drawn)).pvalue > LEAST_P


def test_action_sequences_are_counted_as_by_enumeration() -> None:
    """Compare W(u, h) with an enumeration of all sequences of pushes and pops."""
    for u, h in product(range(4), range(4)):
        count = 0
        for pops in range(u + h + 1):
            for actions in product((1, -1), repeat=u + pops):
                heights = np.cumsum((h, *actions))
                count += actions.count(1) == u and bool((heights >= 0).all())
        assert count_ways(3, 3)[u][h] == count


def test_the_members_of_stack_manipulation_are_counted_correctly() -> None:
    task = get_task("stack-manipulation:mode=recognise")
    for length in (1, 3, 4, 5, 6, 7):
        words = np.array(list(product(range(5), repeat=length)))
        members = int((task.targets(words)[:, -1] == 1).sum())
        assert members == sum(count_ways(u, n)[u][n] << (n + u) for n, u in list_sizes(length))


def test_contradicting_options_are_refused() -> None:
    for name in [*NAMES, "stack-manipulation", "bucket-sort", "odds-first"]:
        with pytest.raises(UserError, match="negatives=near is for mode=recognise"):
            get_task(f"{name}:negatives=near")
    for name in ("dyck-2", "shuffle-dyck-2"):
        with pytest.raises(UserError, match="expected mode=tag"):
            get_task(f"{name}:mode=recognise,label=next")
    for name in ("boolean-1", "boolean-9", "boolean-03"):
        with pytest.raises(UserError, match="expected boolean-2 to boolean-8"):
            get_task(name)
