"""Locations in a program's text, and the error that reports one."""

from __future__ import annotations

from typing import NamedTuple

from flann.errors import UserError


class SourceSpan(NamedTuple):
    """The start of a stretch of source text.

    Attributes
    ----------
    line, column : int
        both counted from 1; line 0 marks a node that has no source text.
    """

    line: int
    column: int


NO_SPAN = SourceSpan(0, 0)
"""The span of a node that was built from Python, not parsed."""


class RaspError(UserError):
    """A mistake in a program, reported with its location.

    >>> raise RaspError("expected ';'", SourceSpan(2, 7))
    Traceback (most recent call last):
    ...
    flann.rasp.RaspError: line 2, column 7: expected ';'

    Attributes
    ----------
    span : SourceSpan
    reason : str
        the message without the location.
    """

    def __init__(self, message: str, span: SourceSpan = NO_SPAN) -> None:
        self.span, self.reason = span, " ".join(message.split())
        location = f"line {span.line}, column {span.column}: " if span.line else ""
        super().__init__(location + message)


RaspError.__module__ = "flann.rasp"  # its public import path
