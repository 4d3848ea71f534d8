"""Regular expressions against Python's own."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flann.errors import UserError
from flann.tasks.automata.expressions import ESCAPED, MOST_POSITIONS, from_expression

ALPHABET = "abc"


def grouped(text: str) -> str:
    return f"({text})"


def repeated(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    bounds = st.tuples(st.integers(0, 2), st.integers(0, 2)).map(
        lambda pair: f"{{{pair[0]},{sum(pair)}}}"
    )
    often = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{,2}"]) | bounds
    return st.builds(lambda text, times: grouped(text) + times, inner, often)


LEAVES = st.sampled_from([*ALPHABET, "()", "[ab]", "[a-c]", "[^a]", "[^bc]", ".", r"\|*"]).map(
    lambda leaf: leaf if leaf != r"\|*" else "(|a)"
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map("".join)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: grouped("|".join(parts)))
        | repeated(inner)
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(EXPRESSIONS, st.lists(st.text(ALPHABET, max_size=12), max_size=10))
def test_against_python(expression: str, long_words: list[str]) -> None:
    automaton = from_expression(expression, ALPHABET)
    pattern = re.compile(expression)
    short = ["".join(word) for n in range(5) for word in product(ALPHABET, repeat=n)]
    for word in [*short, *long_words]:
        ours = automaton.accepts([ALPHABET.index(letter) for letter in word])
        assert ours == bool(pattern.fullmatch(word)), (expression, word)


def test_a_difference_would_be_found() -> None:
    automaton = from_expression("(aa|b)*")
    word = "ba"
    assert automaton.accepts([1, 0]) != bool(re.fullmatch("(aa|b|a)*", word))


@given(st.text("ab|()[]{}*+?.\\^-,123 é", max_size=14))
def test_rubbish_is_refused_in_one_line(text: str) -> None:
    try:
        from_expression(text)
    except UserError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("regular expression")


@given(st.sampled_from(ESCAPED))
def test_a_backslash_makes_a_letter(character: str) -> None:
    assert from_expression("\\" + character).symbols == (character,)
    assert from_expression(f"[\\{character}x]").symbols == tuple(sorted({character, "x"}))


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "the alphabet is empty"),
        ("()", "the alphabet is empty"),
        ("(ab", r"position 3: expected '\)'"),
        ("ab)", "position 2: this '\\)' closes no group"),
        ("*a", r"expected a letter or a group before '\*'"),
        ("a|*", r"expected a letter or a group before '\*'"),
        ("a]", "expected a letter or a group before ']'"),
        ("[ab", "expected ']'"),
        ("[]", "has no letters"),
        ("[b-a]", "expected a range"),
        ("[a(]", "a backslash makes it one"),
        ("a{", "expected a whole number"),
        ("a{2", "expected bounds"),
        ("a{x}", "expected a whole number"),
        ("a{3,2}", "the lower bound first"),
        ("a{9999999}", f"at most {MOST_POSITIONS} repeats"),
        ("(a{2000}){2}", f"expected at most {MOST_POSITIONS}"),
        ("a\\", "after the backslash"),
        ("\\d", "after the backslash"),
        ("(" * 101 + "a" + ")" * 101, "groups inside one another"),
        ("a" * 10_001, "expected at most 10000"),
        ("(a|b)*a(a|b){20}", "too many states"),
    ],
)
def test_mistakes(expression: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        from_expression(expression)


def test_a_given_alphabet_is_kept_and_bounds_the_letters() -> None:
    assert from_expression("a*", "ba").symbols == ("b", "a")
    with pytest.raises(UserError, match="'c' is not in the alphabet"):
        from_expression("ac", "ab")


def test_nothing_blows_up() -> None:
    """Repeats of nothing cost nothing, and long ones stay affordable."""
    assert from_expression("((()){2000}){2000}b").size == 3
    assert from_expression("((a{0}){2000}){2000}b").size == 3
    assert from_expression("(a|b){500}").size == 502
