"""The interpreter: compared with a slow oracle, at its bounds, and on mistakes with their spans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from flann.errors import UserError
from flann.rasp.graph.evaluation import run_on_ids, run_on_words
from flann.rasp.graph.sops import SOp

from ..conftest import Build, build_program
from ..grammar import programs, words
from ..oracle import NoValueError, evaluate


def check_agreement(source: str, word: str) -> None:
    """Check that the interpreter and the oracle give the same values, or that both refuse."""
    try:
        node = build_program(source)
    except UserError as error:
        assert "\n" not in str(error)
        return
    if not isinstance(node, SOp):
        return
    try:
        expected = evaluate(node, word)
    except NoValueError:
        with pytest.raises(UserError):
            run_on_words(node, [word])
        return
    found = run_on_words(node, [word])[0]
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert type(a) is type(b) or {type(a), type(b)} <= {int, float}
        assert a == b or a == pytest.approx(b, rel=1e-12)


@settings(max_examples=150)
@given(programs, words)
def test_random_programs_agree_with_the_oracle(source: str, word: str) -> None:
    check_agreement(source, word)


@pytest.mark.slow
@settings(max_examples=1000)
@given(programs, words)
def test_a_thousand_random_programs(source: str, word: str) -> None:
    check_agreement(source, word)


@pytest.mark.parametrize(
    ("source", "word", "expected"),
    [
        ("indices", "abc", [0, 1, 2]),
        ("length", "abcd", [4, 4, 4, 4]),
        ("tokens", "ab", ["a", "b"]),
        ("tokens_int + 1", "12", [2, 3]),
        ("aggregate(select(indices, indices, <), indices)", "abc", [0, 0, 0.5]),
        ("aggregate(select(indices, 7, ==), tokens, \"-\")", "ab", ["-", "-"]),
        ("selector_width(select(tokens, tokens, ==))", "abac", [2, 1, 2, 1]),
        ("selector_width_bos(select(tokens, tokens, ==) and select(indices, 0, >))",
         "#abac", [0, 2, 1, 2, 1]),
        ("has_focus(select(tokens, tokens, <))", "ba", [True, False]),
        ('count(tokens, "a")', "aba", [2, 2, 2]),
        ('contains(tokens, "c")', "aba", [False] * 3),
        ('"b" in tokens', "aba", [True] * 3),
        ("max(tokens_int)", "194", [9, 9, 9]),
        ("min(tokens_int)", "194", [1, 1, 1]),
        ("average(tokens_int)", "12", [1.5, 1.5]),
        ("load_from_location(tokens, length - 1)", "abc", ["c"] * 3),
        ('shift(tokens, 1, "-")', "abc", ["-", "a", "b"]),
        ('shift(tokens, -1, "-")', "abc", ["b", "c", "-"]),
        ("mark_first_instance(tokens)", "abab", [True, True, False, False]),
        ("mark_last_instance(tokens)", "abab", [False, False, True, True]),
        ('aggregate(select_from_first(tokens, "b"), indices)', "abab", [1] * 4),
        ('aggregate(select_from_last(tokens, "b"), indices)', "abab", [3] * 4),
        ("sort(tokens, tokens)", "banana", list("aaabnn")),
        ("sort(tokens, -tokens_int)", "3141", list("4311")),
        ("aggregate(select_next_identical(tokens), indices, -1)", "abab", [2, 3, -1, -1]),
        ("tokens[-1]", "abc", ["c"] * 3),
        ("[5, 6, 7][indices]", "abc", [5, 6, 7]),
        ('{"a": True, "b": False}[tokens]', "ab", [True, False]),
        ('tokens in ["a", "c"]', "abc", [True, False, True]),
        ("round(indices / 2)", "abcd", [0, 0, 1, 2]),
    ],
)  # fmt: skip
def test_values(source: str, word: str, expected: list[Any]) -> None:
    node = build_program(source)
    assert run_on_words(node, [word])[0] == expected
    assert evaluate(node, word) == expected


@pytest.mark.parametrize(
    ("source", "column", "message"),
    [
        ("x = tokens if indices > 2 else 0;", 12, "got strings and numbers"),  # mixed types
        ('x = aggregate(full_s, tokens); x("ab");', 5, "2 strings are selected"),
        ("x = 1 + lenght;", 9, "unknown name 'lenght': did you mean 'length'?"),
        ('x = tokens[5]; x("abc");', 12, "index 5 is past the end of a word of 3"),
        ("[1, 2, 3][3];", 11, "index 3 is past the end of a list of 3"),
        ('y = [1, 2][indices]; y("abc");', 12, "index 2 is past the end of a list of 2"),
        ('y = {"a": 1}[tokens]; y("ab");', 14, "the key 'b' is not in the dict"),
        ('z = 1 / indices; z("ab");', 7, "'/' by zero"),
        ("1 / 0;", 3, "'/' by zero"),
        ("9 ^ 99;", 3, "more than 2^53"),
        ("tokens + 1;", 8, "expected numbers, got strings"),
        ("select(tokens, 1, ==);", 1, "got strings and numbers"),
        ("aggregate(tokens, tokens);", 1, "expected a selector first, got an s-op"),
        ("shift(tokens, 1, 0);", 1, "got strings and numbers"),  # within the library
        ("def f(x) { return x; }  f(1, 2);", 25, "expected 1 arguments, got 2"),
        ("length = 3;", 1, "a name of the library"),
        ("a, b = 3;", 1, "2 names for 1 values"),
        ("def f(x) { return f(x); } f(1);", 19, "more than 120 deep"),
        ("range(100000000);", 1, "a list of 100,000,000 items"),
        ("tokens(3);", 1, "expected one word"),
        ("not tokens;", 1, "expected booleans, got strings"),
        ("{[1]: 2};", 1, "a dict's key"),
        ('tokens_int("ab");', 1, "'a' is not a whole number"),
        ('load "of_nobody";', 1, "cannot load others"),
        ('f = tokens; f["a"];', 15, "makes no sense"),
    ],
)
def test_mistakes_are_reported_with_their_span(source: str, column: int, message: str) -> None:
    with pytest.raises(UserError) as caught:
        build_program(source)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"line 1, column {column}: ")


@pytest.mark.parametrize(
    "source",
    [
        'a = "a"; for i in range(100) { a = a + a; }',
        "a = [1]; for i in range(100) { a = a + a; }",
        "for i in range(1000) { for j in range(1000) { for k in range(1000) { x = 1; } } }",
        "a = 2; for i in range(100) { a = a * a; }",
        "def f(x) { return g(x); } def g(x) { return f(x); } f(1);",
        "def f(x) { a = f; return a(x); } f(1);",
    ],
)
def test_nothing_grows_without_end(source: str) -> None:
    with pytest.raises(UserError, match="column"):
        build_program(source)


@pytest.mark.parametrize(
    "source",
    ["__import__(\"os\")", "tokens.__class__", "eval(\"1\")", "open(\"/etc/passwd\")",
     "exec(\"x\")", "(1).real", "__builtins__", "globals()", "lambda x: x"],
)  # fmt: skip
def test_nothing_reaches_python(source: str) -> None:
    with pytest.raises(UserError, match="column"):
        build_program(source)


def test_the_python_api_builds_the_same_graph() -> None:
    from flann.rasp import aggregate, indicator, indices, length, select, tokens, where

    reverse = aggregate(select(indices, length - indices - 1, "=="), tokens)
    assert reverse.node is build_program(
        "aggregate(select(indices, length - indices - 1, ==), tokens)"
    )
    conditional = where((tokens == "a") & ~(indices > 1), indices % 2, -indices + 3)
    text = 'indices % 2 if tokens == "a" and not (indices > 1) else -indices + 3'
    assert conditional.node is build_program(text)
    before = select(tokens, tokens, "==") & ~select(indices, indices, ">")
    assert aggregate(before | select(indices, 9, "=="), 1)("aba") == [1, 1, 1]
    assert indicator(tokens.isin(["a"]))("ab") == [1, 0]
    assert tokens.lookup({"a": 5, "b": 6})("ab") == [5, 6]
    network = reverse.compile("ab", max_length=4)
    assert network.predict(np.array([[0, 1, 1]])).tolist() == [[1, 1, 0]]
    with pytest.raises(TypeError, match="where"):
        bool(tokens == "a")


def test_deep_lists_are_abbreviated() -> None:
    from flann.rasp.interpreter.session import Session

    source = "a = [1]; for i in range(100) { a = [a, a]; } a;"
    assert len(next(iter(Session().feed(source)))) < 5000


def test_assigning_a_name_again_leaves_earlier_nodes(build: Build) -> None:
    node = build('x = "a"; y = tokens == x; x = "b"; y;')
    assert run_on_words(node, ["ab"])[0] == [True, False]


def test_functions_see_where_they_were_defined(build: Build) -> None:
    source = "a = 1; def f(x) { def g(y) { return y + a; } return g(x); } def h(a) { return f(a); }"
    assert build(source + " h(10);") == 11
    assert build(source.replace("a = 1;", "") + " a = 5; h(10);") == 15


def test_several_results(build: Build) -> None:
    assert build("def f(x) { return x, x + 1; } a, b = f(3); a * 10 + b;") == 34


def test_a_batch_is_its_words_one_by_one() -> None:
    """A selector that compares both tokens and indices is run on a batch and on each word."""
    rng = np.random.default_rng(0)
    ids = rng.integers(3, size=(40, 9))
    node = build_program(
        "selector_width(select(tokens, tokens, <) or select(indices, indices, <=))"
    )
    batch = run_on_ids(node, ids, "abc", range(10))
    for row, word in zip(batch, ids, strict=True):
        text = "".join("abc"[i] for i in word)
        assert row.tolist() == run_on_words(node, [text])[0] == evaluate(node, text)


def test_a_batch_is_split_to_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from flann.rasp.graph import word_batch

    ids = np.random.default_rng(1).integers(3, size=(10, 6))
    node = build_program("sort(tokens, tokens)")
    whole = run_on_ids(node, ids, "abc", "abc")
    monkeypatch.setattr(word_batch, "PAIRS_AT_ONCE", 36)
    assert (run_on_ids(node, ids, "abc", "abc") == whole).all()
    assert (whole == np.sort(ids, axis=1)).all()


def test_running_sums_and_products_agree() -> None:
    """A double negation keeps the evaluator from recognising an interval of positions."""
    word = "abcabcab"
    for relation in ("==", "<", "<=", ">", ">="):
        for queries in ("indices", "indices - 2", "indices / 2", "7 - 2 * indices", "100", "-3"):
            direct = build_program(
                f"aggregate(select(indices, {queries}, {relation}), indices * 2, 9)"
            )
            negated = build_program(
                f"aggregate(not not select(indices, {queries}, {relation}), indices * 2, 9)"
            )
            assert (
                run_on_words(direct, [word])
                == run_on_words(negated, [word])
                == [evaluate(direct, word)]
            )


def test_invalid_words_are_refused() -> None:
    node = build_program("indices")
    with pytest.raises(UserError, match="without symbols"):
        run_on_words(node, [""])
    with pytest.raises(UserError, match="one length"):
        run_on_words(node, ["a", "ab"])
