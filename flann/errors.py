"""The error that a user can cause, and the nearest valid name that goes with it.

Every mistake that a user can make is raised as :class:`UserError` with a message of one line: what
was wrong, what was expected, the nearest valid name. The command line prints that line and exits
with code 2; a library user sees an ordinary ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LISTED = 12
"""How many known names an error lists."""


class UserError(ValueError):
    """A mistake in what the user asked for; its message is one complete line.

    >>> raise UserError("length 0 is too short: expected 1 or more")
    Traceback (most recent call last):
    ...
    flann.errors.UserError: length 0 is too short: expected 1 or more
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def find_nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to `wrong`, ignoring case, or None if nothing resembles it.

    >>> find_nearest("mmaba", ["lstm", "mamba"])
    'mamba'
    >>> find_nearest("dyck2", ["A5", "lstm"]) is None
    True
    """
    by_lower = {name.lower(): name for name in known}
    matches = get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[matches[0]] if matches else None


class UnknownNameError(UserError):
    """A name that is not known, with the nearest that is.

    Parameters
    ----------
    kind : str
        what the name should stand for, as the message says it: ``"task"``.
    name : str
        the name that was given.
    known : iterable of str
        the names that would have been valid.

    Examples
    --------
    >>> print(UnknownNameError("model", "mmaba", ["lstm", "mamba"]))
    unknown model 'mmaba': did you mean 'mamba'? (known: lstm, mamba)
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        names = list(known)
        guess = find_nearest(name, names)
        hint = f"did you mean {guess!r}? " if guess else ""
        listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
        super().__init__(f"unknown {kind} {name!r}: {hint}(known: {listed or 'none'})")
