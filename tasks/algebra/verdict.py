"""The verdict of a decision procedure: true, false or unknown, with the evidence.

The witness of a negative verdict gives a word for each variable of the equation that is violated;
the variables e and f, which range over idempotents, denote the idempotent powers of their words. A
positive verdict carries the least k where one is defined, such as the width of a window.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

Witness = dict[str, tuple[str, ...]]  # for each variable, a word as a tuple of symbols


@dataclass(frozen=True)
class Verdict:
    """The answer of a decision procedure.

    Attributes
    ----------
    answer : bool or None
        whether the language is in the class; None if this is not known.
    why : str
        the reason, in one line.
    witness : dict of str to tuple of str
        the words that violate the equation of the class.
    k : int or None
        the least width of a window or length of a subsequence.
    inherited : bool
        whether a negative answer follows from another class, which `why` names.
    """

    answer: bool | None
    why: str
    witness: Witness = field(default_factory=dict)
    k: int | None = None
    inherited: bool = False


class Stopped(Exception):  # noqa: N818 - an exceeded limit is not an error
    """A limit was exceeded before the answer was found; the message says which."""


@dataclass(frozen=True)
class Clock:
    """A time limit, which every step that can take long checks.

    >>> Clock.of(30.0).check()
    """

    seconds: float
    end: float

    @classmethod
    def of(cls, seconds: float) -> Clock:
        """Return a clock that expires after a number of seconds."""
        return cls(seconds, time.monotonic() + seconds)

    def check(self) -> None:
        """Raise `Stopped` once the time is up."""
        if time.monotonic() > self.end:
            raise Stopped(f"not decided in {self.seconds:.2g} s")

    def share(self, part: float) -> Clock:
        """Return a clock that expires after a part, between 0 and 1, of the remaining time."""
        left = max(self.end - time.monotonic(), 0.0) * part
        return Clock.of(left)
