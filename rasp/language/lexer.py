"""The lexer: from a program's text to its tokens (names, numbers, strings and punctuation).

``#`` begins a comment that extends to the end of the line. A string is enclosed in double or single
quotes, lies on one line, and has no escape sequences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from .source_span import RaspError, SourceSpan

LONGEST_SOURCE = 1 << 20  # characters
LONGEST_NUMBER = 16  # digits

TokenKind = Literal["name", "number", "string", "punctuation", "end"]

PATTERN = re.compile(
    r"""(?P<space>[ \t\r\n]+|\#[^\n]*)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>\d+(?:\.\d+)?|\.\d+)
      | (?P<string>"[^"\n]*"|'[^'\n]*')
      | (?P<punctuation>==|<=|>=|!=|[-+*/%^<>=()\[\]{},;:])""",
    re.VERBOSE,
)

KEYWORDS = frozenset(
    {"def", "return", "for", "in", "if", "else", "not", "and", "or", "draw", "load", "select"}
    | {"aggregate", "round", "indicator", "range", "zip", "len", "True", "False", "None"}
)


class Token(NamedTuple):
    """One token of a program.

    Attributes
    ----------
    kind : TokenKind
    text : str
        the source text; of a string, the text between its quotes.
    span : SourceSpan
    """

    kind: TokenKind
    text: str
    span: SourceSpan

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end of the program"
        return f'"{self.text}"' if self.kind == "string" else f"'{self.text}'"


def tokenize(source: str) -> list[Token]:
    """Return all tokens of a program, followed by one of kind ``end``.

    Raises
    ------
    RaspError
        for a character that begins no token, an unterminated string, or a text that is too long.

    Examples
    --------
    >>> [token.text for token in tokenize("a = 2; # two")]
    ['a', '=', '2', ';', '']
    """
    if len(source) > LONGEST_SOURCE:
        raise RaspError(f"a program of {len(source)} characters: expected at most {LONGEST_SOURCE}")
    return list(_scan(source))


def _scan(source: str) -> Iterator[Token]:
    line, line_start, offset = 1, 0, 0
    while offset < len(source):
        span = SourceSpan(line, offset - line_start + 1)
        match = PATTERN.match(source, offset)
        if match is None:
            raise RaspError(_explain_unmatched(source[offset]), span)
        kind, text = match.lastgroup, match.group()
        if kind == "number" and len(text) > LONGEST_NUMBER:
            raise RaspError(
                f"the number {text[:12]}... has more than {LONGEST_NUMBER} characters", span
            )
        if kind == "string":
            yield Token("string", text[1:-1], span)
        elif kind != "space":
            yield Token(kind, text, span)  # type: ignore[arg-type]  # a group's name is a kind
        if "\n" in text:
            line += text.count("\n")
            line_start = offset + text.rindex("\n") + 1
        offset = match.end()
    yield Token("end", "", SourceSpan(line, offset - line_start + 1))


def _explain_unmatched(character: str) -> str:
    if character in "\"'":
        return f"an unterminated string: expected {character} on the same line"
    return f"unexpected character {character!r}"
