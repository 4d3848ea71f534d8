"""The grammar of names: taking apart undoes putting together, and rubbish is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flann.errors import UserError, find_nearest
from flann.names import format_name, make_slug, parse_name

word = st.from_regex(r"[a-z][a-z0-9_+-]{0,8}", fullmatch=True)


@given(word, st.dictionaries(word, word, max_size=4))
def test_parsing_undoes_formatting(base: str, options: dict[str, str]) -> None:
    assert parse_name(format_name(base, options)) == (base, options)


@given(st.text(max_size=20))
def test_any_text_is_parsed_or_refused_in_one_line(text: str) -> None:
    try:
        parse_name(text)
    except UserError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "text", ["", ":", "a b", "a:", "a:b", "a:b=", "a:=c", "a:b=1,b=2", "a:b=1,,c=2", "\n"]
)
def test_rubbish_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse_name(text)


def test_commas_in_brackets_belong_to_the_value() -> None:
    assert parse_name("a:b=(1,2),c=3") == ("a", {"b": "(1,2)", "c": "3"})


@given(st.text())
def test_a_slug_is_a_plain_folder_name(text: str) -> None:
    name = make_slug(text)
    assert name
    assert not set(name) & set("/\\:=,\0 ")
    assert name not in (".", "..")


def test_nearest_ignores_case_and_admits_ignorance() -> None:
    assert find_nearest("Lstm", ["lstm", "gru"]) == "lstm"
    assert find_nearest("zzzz", ["lstm", "gru"]) is None
