"""One answer of a decision: true, false or not known, with what speaks for it.

A witness of a *false* is a word for each variable of the equation that it violates; e and f, which
stand for idempotents, are the idempotent powers of their words. A *true* found with a number, such
as the width of a window, carries it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

Words = dict[str, tuple[str, ...]]  # of each variable, a word by its symbols


@dataclass(frozen=True)
class Verdict:
    """True, False or None, the reason in one line, the witness, the least k."""

    answer: bool | None
    why: str
    witness: Words = field(default_factory=dict)
    k: int | None = None


class Stopped(Exception):  # noqa: N818 - what stopped a decision is no mistake
    """A limit was reached before the answer was; the message says which."""


@dataclass(frozen=True)
class Clock:
    """What a decision may still use: it is asked at every step that can take long.

    >>> Clock.of(30.0).check()
    """

    seconds: float
    end: float

    @classmethod
    def of(cls, seconds: float) -> Clock:
        """A clock that runs out after so many seconds from now."""
        return cls(seconds, time.monotonic() + seconds)

    def check(self) -> None:
        """Stop where time is up."""
        if time.monotonic() > self.end:
            raise Stopped(f"not decided in {self.seconds:.2g} s")

    def share(self, part: float) -> Clock:
        """A clock that runs out after a part of what is left."""
        left = max(self.end - time.monotonic(), 0.0) * part
        return Clock.of(left)
