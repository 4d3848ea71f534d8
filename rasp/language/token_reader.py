"""A reader of tokens, with the errors that a parser raises at the next token."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .lexer import KEYWORDS, Token, TokenKind
from .source_span import RaspError

MAX_NESTING = 48
"""How deeply brackets, blocks and chains of operators may be nested."""

T = TypeVar("T")


class TokenReader:
    """A list of tokens and the index of the next one.

    Parameters
    ----------
    tokens : list of Token
        the last of kind ``end``.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.next, self.depth = tokens, 0, 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.next]

    @property
    def is_finished(self) -> bool:
        """Whether all tokens have been read."""
        return self.token.kind == "end"

    def take(self) -> Token:
        """Read the next token."""
        token = self.token
        self.next += token.kind != "end"
        return token

    def has_next(self, text: str) -> bool:
        """Return whether the next token is this name or punctuation."""
        return self.token.kind in ("punctuation", "name") and self.token.text == text

    def take_if(self, text: str) -> bool:
        """Read the next token if it is this one, and return whether it was."""
        matches = self.has_next(text)
        if matches:
            self.take()
        return matches

    def expect(self, text: str) -> None:
        """Read this token, or raise the error that it was expected."""
        if not self.take_if(text):
            raise self.build_error(f"'{text}'")

    def expect_kind(self, kind: TokenKind, description: str) -> Token:
        """Read a token of this kind, or raise the error that one was expected."""
        if self.token.kind != kind:
            raise self.build_error(description)
        return self.take()

    def expect_new_name(self) -> str:
        """Read a name that a program may define."""
        if self.token.kind == "name" and self.token.text in KEYWORDS:
            raise RaspError(
                f"{self.token} is a keyword of the language: expected a name", self.token.span
            )
        return self.expect_kind("name", "a name").text

    def expect_new_names(self) -> tuple[str, ...]:
        """Read one or more such names, separated by commas."""
        names = [self.expect_new_name()]
        while self.take_if(","):
            names.append(self.expect_new_name())
        return tuple(names)

    def build_error(self, expected: str) -> RaspError:
        """Return the error that something else was expected at the next token."""
        return RaspError(f"expected {expected}, got {self.token}", self.token.span)

    def parse_nested(self, parse: Callable[[], T]) -> T:
        """Run a parsing method one level deeper.

        The bound on the nesting keeps every text from exhausting the stack of the parser, and of
        the interpreter that walks the tree after it.
        """
        if self.depth >= MAX_NESTING:
            raise RaspError(f"nested more than {MAX_NESTING} levels deep", self.token.span)
        self.depth += 1
        result = parse()
        self.depth -= 1
        return result
