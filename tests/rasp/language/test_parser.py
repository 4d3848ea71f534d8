"""The parser: precedence, errors with their spans, and malformed text of every kind."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flann.errors import UserError
from flann.rasp.interpreter.program_files import PROGRAMS
from flann.rasp.interpreter.session import Session
from flann.rasp.language.parser import parse
from flann.rasp.language.token_reader import MAX_NESTING

LIBRARY = (PROGRAMS / "library.rasp").read_text(encoding="utf-8")
PROGRAM = """
# prefix sums, and what follows from them
def csum(x) { return round((indices + 1) * aggregate(select(indices, indices, <=), x)); }
step = {"(": 1, ")": -1}[tokens];
for i in range(3) { step = step + 0 * [i, 2][indices % 2]; }
low, high = csum(step), csum(step) > 2;
names = [k for k in ["a", "b"]]; table = {k: len(k) for k in names};
out = "x" if low < 0 and not high else "y";
out("(()"); set example "(()"
out; select(indices, 3 - 1, <) or select(tokens, "(", ==);
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("-2^2", 4),
        ("2 + 3 * 4", 14),
        ("7 % 4 * 2", 7),  # * binds tighter than %
        ("2 * 3 ^ 2", 18),
        ("10 - 3 - 2", 5),
        ("1 if True else 2 if False else 3", 1),
        ("not 1 == 2", None),  # (not 1) == 2, which is refused
        ("not False and False", False),
        ("True or False and False", False),  # one level, from the left
        ("1 + 1 in [2, 3]", True),
        ("[i * j for i, j in zip([1, 2], [3, 4])]", [3, 8]),
        ("{k: v for k, v in zip([1], [2])}[1]", 2),
        ("len(range(2, 11, 3))", 3),
        ("round(0.5) + round(1.5) + indicator(True)", 3),
        ("[1, [2, 3]][1][0]", 2),
        ("'single' == \"single\"", True),
        ("+3 - -3", 6),
    ],
)
def test_precedence(expression: str, value: object, build: object) -> None:
    if value is None:
        with pytest.raises(UserError, match="expected booleans"):
            build(expression)  # type: ignore[operator]
    else:
        assert build(expression) == value  # type: ignore[operator]


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ("a = ;", 1, 5, "expected an expression, got ';'"),
        ("a = 1", 1, 6, "expected ';', got the end of the program"),
        ("a = 1;\nb = (2;", 2, 7, "expected ')'"),
        ("a = [1, 2;", 1, 10, "expected ']'"),
        ("select(tokens, tokens, =);", 1, 24, "expected one of =="),
        ("tokens != 1;", 1, 8, "expected ';'"),
        ("def f(x) { y = x; }", 1, 19, "expected 'return'"),
        ("def if(x) { return x; }", 1, 5, "expected a name"),
        ("for x in [1] { a = x;", 1, 22, "expected '}'"),
        ('a = "abc', 1, 5, "unterminated string"),
        ("a = 1 ? 2;", 1, 7, "unexpected character '?'"),
        ("load x;", 1, 6, "the name of a file"),
        ("round(1, 2);", 1, 1, "expected 1 argument"),
        ("a = 12345678901234567;", 1, 5, "more than 16"),
        ("x = 1 if True;", 1, 14, "expected 'else'"),
        ("(" * 100, 1, MAX_NESTING + 1, "nested more than"),
        ("1" + " + 1" * 60 + ";", 1, 3 + 4 * MAX_NESTING, "in a row"),
    ],
)
def test_errors_say_where_and_what(source: str, line: int, column: int, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(source)
    assert str(caught.value).startswith(f"line {line}, column {column}: ")
    assert message in str(caught.value)


def test_the_program_and_the_library_parse() -> None:
    assert len(parse(PROGRAM, session=True)) == 11
    assert len(parse(LIBRARY)) > 15


def run_and_get_error(source: str) -> str:
    """Run a text as a session, and return its error message, or an empty string."""
    try:
        for line in Session().feed(source):
            assert line.startswith("=") or line.startswith("no example")
    except UserError as error:
        message = str(error)
        assert "\n" not in message
        assert len(message) < 400
        return message
    return ""


def mutate(text: str, rng: Random) -> str:
    """Return a text with a stretch removed, doubled or copied elsewhere, or a letter changed."""
    start, stop = sorted((rng.randrange(len(text)), rng.randrange(len(text))))
    stop = min(stop, start + rng.choice([1, 2, 10, 60]))
    piece = text[start:stop]
    mutation = rng.randrange(4)
    if mutation == 0:
        return text[:start] + text[stop:]
    if mutation == 1:
        return text[:stop] + piece + text[stop:]
    if mutation == 2:
        offset = rng.randrange(len(text))
        return text[:offset] + piece + text[offset:]
    letters = "()[]{};,:=+-*/^%<>\"'#!abcxyz0123456789 \n\x00é"
    return text[:start] + rng.choice(letters) + text[start + 1 :]


def check_mutated_programs(count: int) -> None:
    rng, refused = Random(7), 0
    for _ in range(count):
        text = PROGRAM
        for _ in range(rng.choice([1, 1, 2, 5])):
            text = mutate(text, rng)
        refused += bool(run_and_get_error(text))
    assert refused > count // 4


def test_mutated_programs_give_errors_of_one_line() -> None:
    check_mutated_programs(250)


@pytest.mark.slow
def test_ten_thousand_mutated_programs() -> None:
    check_mutated_programs(10_000)


@given(st.text(alphabet='()[]{};,:=+-*/^%<>"#! abtokens012\n', max_size=60))
def test_arbitrary_text_is_refused_or_parsed(text: str) -> None:
    run_and_get_error(text)


def test_the_unmutated_program_runs() -> None:
    assert run_and_get_error(PROGRAM) == ""
    assert re.search("expected", run_and_get_error(PROGRAM.replace(";", "", 1)))
