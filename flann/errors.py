"""The one error that a user can cause, and the nearest valid name to go with it.

Every mistake a user can make is raised as :class:`UserError` with a message of one line: what was
wrong, what was expected, the nearest valid name. The command line prints that line and exits
with code 2; a library user sees an ordinary ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LISTED = 12  # known names that an error lists


class UserError(ValueError):
    """A mistake in what the user asked for; its message is one complete line.

    >>> raise UserError("length 0 is too short: expected 1 or more")
    Traceback (most recent call last):
    ...
    flann.errors.UserError: length 0 is too short: expected 1 or more
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class UnknownNameError(UserError):
    """A name that is not known.

    Attributes
    ----------
    kind : str
        what the name should stand for, as the message says it: ``"task"``.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """The known name closest to `wrong`, letter case set aside, or None if nothing resembles it.

    >>> nearest("mmaba", ["lstm", "mamba"])
    'mamba'
    >>> nearest("dyck2", ["A5", "lstm"]) is None
    True
    """
    by_lower = {name.lower(): name for name in known}
    matches = get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[matches[0]] if matches else None


def unknown(kind: str, wrong: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that is not known, with the nearest that is.

    >>> print(unknown("model", "mmaba", ["lstm", "mamba"]))
    unknown model 'mmaba': did you mean 'mamba'? (known: lstm, mamba)
    """
    names = list(known)
    guess = nearest(wrong, names)
    hint = f"did you mean {guess!r}? " if guess else ""
    listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    message = f"unknown {kind} {wrong!r}: {hint}(known: {listed or 'none'})"
    return UnknownNameError(message, kind)
