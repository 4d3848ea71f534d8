"""Transductions: the distribution of words, and the refusal of malformed ones."""

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
from flann.tasks import NOT_SCORED, Task, get_task
from flann.tasks.languages.counters_and_stacks import bracketed_arithmetic as brackets
from flann.tasks.languages.counters_and_stacks.bracketed_arithmetic import (
    draw_expressions,
    evaluate,
)
from flann.tasks.languages.counters_and_stacks.stack_manipulation import StackManipulation
from flann.tasks.languages.strings.string_transductions import CopyUnique, MissingDuplicate

LEAST_P = 1e-4
SYMBOLS = "".join(brackets.SYMBOLS)


def compute_distribution(length: int) -> dict[str, Fraction]:
    """Return the probability of each expression, by the recursion in the module's docstring."""
    short = {1: "{}", 2: "-{}", 3: "({})", 4: "(-{})"}
    if length in short:
        return {short[length].format(d): Fraction(1, 5) for d in range(5)}
    shares: dict[str, Fraction] = Counter()
    for left in range(1, length - 3):
        lefts, rights = compute_distribution(left), compute_distribution(length - 3 - left)
        for (a, p), op, (b, q) in product(lefts.items(), "+-*", rights.items()):
            shares[f"({a}{op}{b})"] += p * q / 3 / (length - 4)
    return shares


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 7, 9])
def test_expressions_follow_their_recursion(length: int, rng: np.random.Generator) -> None:
    words = draw_expressions(rng, 60_000, length)
    drawn = Counter("".join(SYMBOLS[s] for s in word) for word in words.tolist())
    shares = compute_distribution(length)
    assert sum(shares.values()) == 1
    assert set(drawn) <= set(shares)
    expected = np.array([float(p) for p in shares.values()]) * len(words)
    frequencies = np.array([drawn[word] for word in shares])
    kept = expected >= 5
    pooled = np.append(frequencies[kept], frequencies[~kept].sum())
    pooled_expected = np.append(expected[kept], expected[~kept].sum())
    some = pooled_expected > 0
    assert chisquare(pooled[some], pooled_expected[some]).pvalue > LEAST_P


def is_expression(text: str) -> bool:
    """Reduce the innermost brackets until one operand is left."""
    import re

    operand, before = r"-?[0-4]", ""
    while text != before:
        before = text
        text = re.sub(rf"\({operand}([-+*]{operand})?\)", "0", text)
    return bool(re.fullmatch(operand, text))


@given(st.text("012-+*()", min_size=1, max_size=12))
def test_well_formed_expressions_are_recognised(text: str) -> None:
    words = np.array([[SYMBOLS.index(s) for s in text]], np.uint8)
    value, right = evaluate(words)
    assert right == is_expression(text)
    if right:
        assert value[0] == eval(text) % 5


def test_one_malformed_word_among_many_is_detected(rng: np.random.Generator) -> None:
    words = draw_expressions(rng, 10_000, 9)
    assert evaluate(words)[1]
    words[7777, -1] = 0
    assert not evaluate(words)[1]


def test_equations_are_redrawn_until_x_is_unique(rng: np.random.Generator) -> None:
    """Compare with the exact distribution of equations of seven symbols that have one solution."""
    shares: dict[str, Fraction] = Counter()
    for text, p in compute_distribution(5).items():
        positions = [i for i, s in enumerate(text) if s.isdigit()]
        for i in positions:
            equation = f"{text[:i]}x{text[i + 1 :]}"
            value = eval(text) % 5
            solving = [d for d in "01234" if eval(equation.replace("x", d)) % 5 == value]
            if len(solving) == 1:
                shares[f"{equation}={value}"] += p / len(positions)
    task = get_task("solve-equation")
    tokens = task.sample(rng, 50_000, 7).tokens[:, :7]
    drawn = Counter("".join(task.symbols[s] for s in word) for word in tokens.tolist())
    assert set(drawn) <= set(shares)
    expected = np.array([float(p / sum(shares.values())) for p in shares.values()]) * 50_000
    assert chisquare([drawn[word] for word in shares], expected).pvalue > LEAST_P


def test_the_initial_stack_has_a_uniform_height(rng: np.random.Generator) -> None:
    words = StackManipulation().draw(rng, 80_000, 8)
    heights = (words < 2).sum(axis=1)
    assert chisquare(np.bincount(heights, minlength=9)[1:]).pvalue > LEAST_P
    assert chisquare(np.bincount(words[words >= 2])[2:]).pvalue > LEAST_P
    assert chisquare(np.bincount(words[words < 2])).pvalue > LEAST_P


def test_the_operator_has_a_uniform_position(rng: np.random.Generator) -> None:
    tokens = get_task("binary-addition").sample(rng, 50_000, 9).tokens
    positions = (tokens[:, :9] == 2).argmax(axis=1)
    assert chisquare(np.bincount(positions, minlength=9)[1:8]).pvalue > LEAST_P


def test_the_mask_has_a_uniform_position(rng: np.random.Generator) -> None:
    words = MissingDuplicate().draw(rng, 50_000, 10)
    assert chisquare(np.bincount((words == 2).argmax(axis=1))).pvalue > LEAST_P


def test_unique_words_are_uniform(rng: np.random.Generator) -> None:
    words = CopyUnique().draw(rng, 200_000, 3)
    assert (np.diff(np.sort(words, axis=1)) > 0).all()
    for a, b in ((0, 1), (1, 2), (0, 2)):
        pairs = np.bincount(words[:, a] * 64 + words[:, b], minlength=64 * 64).reshape(64, 64)
        assert not np.diag(pairs).any()
        assert chisquare(pairs[~np.eye(64, dtype=bool)]).pvalue > LEAST_P


@pytest.mark.parametrize(
    ("name", "word", "says"),
    [
        ("missing-duplicate", "0101?", "one masked symbol"),
        ("missing-duplicate", "__01?", "one masked symbol"),
        ("binary-addition", "0101????", "one operator"),
        ("binary-addition", "+101????", "one operator"),
        ("binary-multiplication", "1**1????", "one operator"),
        ("modular-arithmetic", "1++?", "alternating digits and operators"),
        ("modular-arithmetic-brackets", "1+1?", "brackets around every operation"),
        ("modular-arithmetic-brackets", "(1?", "brackets around every operation"),
        ("solve-equation", "(1+1)=2?", "one x"),
        ("solve-equation", "(x*0)=0?", "exactly one digit"),
        ("solve-equation", "(x+1=2)?", "one x, =, and a digit"),
        ("reverse-string", "0?1?", "expected words of 2 symbols"),
        ("reverse-string", "0101", "expected words of 2 symbols"),
        ("reverse-string", "010", "takes 3 positions"),
        ("cycle-navigation:mode=transduce", "??", "expected words of 1 symbols"),
    ],
)
def test_malformed_words_are_refused(name: str, word: str, says: str) -> None:
    task = get_task(name)
    with pytest.raises(UserError, match=says):
        task.targets(np.array([[task.symbols.index(symbol) for symbol in word]]))


def test_long_numbers(rng: np.random.Generator) -> None:
    """Numbers of 500 bits do not fit a machine word."""
    task = get_task("binary-multiplication")
    tokens, targets = task.sample(rng, 5, 500)
    for word, answer in zip(tokens[:, :500], targets[:, 500:], strict=True):
        position = int((word == 2).argmax())
        a, b = (
            sum(int(bit) << i for i, bit in enumerate(w))
            for w in (word[:position], word[position + 1 :])
        )
        end = int((answer == 2).argmax())
        assert sum(int(bit) << i for i, bit in enumerate(answer[:end])) == a * b
        assert (answer[end + 1 :] == NOT_SCORED).all()


def test_a_pop_on_an_empty_stack_is_ignored() -> None:
    task = StackManipulation()
    word = ["1", "POP", "POP", "PUSH0"]
    answer = task.answers(np.array([[task.symbols.index(s) for s in word]]))
    assert task.spell(answer[0], task.labels) == ["0", "END", ".", ".", "."]


def test_the_length_of_a_word_follows_from_its_positions(task: Task) -> None:
    if task.mode != "transduce":
        pytest.skip("its words have no queries")
    for length in task.valid_lengths(1, 30):
        assert task.word_length(length + task.queries(length)) == length  # type: ignore[attr-defined]
