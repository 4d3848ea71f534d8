"""From a program's text to its words: names, numbers, strings and signs, each with its place.

``#`` begins a comment that goes to the end of the line. Strings stand between two double or two
single quotes, on one line, and know no escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from .source_span import Place, RaspError

LONGEST_SOURCE = 1 << 20  # characters
LONGEST_NUMBER = 16  # digits

Kind = Literal["name", "number", "string", "sign", "end"]

PATTERN = re.compile(
    r"""(?P<space>[ \t\r\n]+|\#[^\n]*)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>\d+(?:\.\d+)?|\.\d+)
      | (?P<string>"[^"\n]*"|'[^'\n]*')
      | (?P<sign>==|<=|>=|!=|[-+*/%^<>=()\[\]{},;:])""",
    re.VERBOSE,
)

KEYWORDS = frozenset(
    {"def", "return", "for", "in", "if", "else", "not", "and", "or", "draw", "load", "select"}
    | {"aggregate", "round", "indicator", "range", "zip", "len", "True", "False", "None"}
)


class Word(NamedTuple):
    """One word of a program: its kind, its text (a string's without quotes) and its place."""

    kind: Kind
    text: str
    place: Place

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end of the program"
        return f'"{self.text}"' if self.kind == "string" else f"'{self.text}'"


def words_of(source: str) -> list[Word]:
    """All words of a program, the end of it last.

    Raises
    ------
    RaspError
        for a character that begins no word, a string without its end, or a text too long.

    Examples
    --------
    >>> [word.text for word in words_of("a = 2; # two")]
    ['a', '=', '2', ';', '']
    """
    if len(source) > LONGEST_SOURCE:
        raise RaspError(f"a program of {len(source)} characters: expected {LONGEST_SOURCE} at most")
    return list(_words(source))


def _words(source: str) -> Iterator[Word]:
    line, begin, at = 1, 0, 0
    while at < len(source):
        place = Place(line, at - begin + 1)
        match = PATTERN.match(source, at)
        if match is None:
            raise RaspError(_why_not(source[at]), place)
        kind, text = match.lastgroup, match.group()
        if kind == "number" and len(text) > LONGEST_NUMBER:
            raise RaspError(
                f"the number {text[:12]}... has more than {LONGEST_NUMBER} signs", place
            )
        if kind == "string":
            yield Word("string", text[1:-1], place)
        elif kind != "space":
            yield Word(kind, text, place)  # type: ignore[arg-type]  # a group's name is a kind
        if "\n" in text:
            line += text.count("\n")
            begin = at + text.rindex("\n") + 1
        at = match.end()
    yield Word("end", "", Place(line, at - begin + 1))


def _why_not(letter: str) -> str:
    if letter in "\"'":
        return f"a string without its end: expected {letter} on the same line"
    return f"unexpected character {letter!r}"
