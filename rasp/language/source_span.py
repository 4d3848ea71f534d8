"""Where in a program something stands, and the error that says so."""

from __future__ import annotations

from typing import NamedTuple

from flann.errors import UserError


class Place(NamedTuple):
    """A line and a column, both counted from 1; line 0 is no text at all."""

    line: int
    column: int


NOWHERE = Place(0, 0)
"""The place of what was built from Python."""


class RaspError(UserError):
    """A mistake in a program, at its place.

    >>> raise RaspError("expected ';'", Place(2, 7))
    Traceback (most recent call last):
    ...
    flann.rasp.RaspError: line 2, column 7: expected ';'
    """

    def __init__(self, message: str, place: Place = NOWHERE) -> None:
        self.place, self.reason = place, " ".join(message.split())
        where = f"line {place.line}, column {place.column}: " if place.line else ""
        super().__init__(where + message)


RaspError.__module__ = "flann.rasp"  # where users find it
