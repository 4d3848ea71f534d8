"""Progress on standard error: one line that changes on a terminal, or a few lines in a log."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

LOG_INTERVAL = 15.0
"""Seconds between lines where a line cannot change in place."""


class Progress:
    """A live line on a terminal, or an occasional line in a log."""

    def __init__(self, stream: TextIO | None = None, *, shown: bool = True) -> None:
        self.stream = stream if stream is not None else sys.stderr
        self.shown = shown
        self.live = self.stream.isatty()
        self.width, self.last = 0, 0.0

    def line(self, text: str) -> None:
        """Show `text` in place of the live line."""
        if not self.shown:
            return
        if self.live:
            self.stream.write("\r" + text.ljust(self.width))
            self.width = len(text)
        elif time.monotonic() - self.last >= LOG_INTERVAL:
            self.last = time.monotonic()
            self.stream.write(text + "\n")
        self.stream.flush()

    def say(self, text: str) -> None:
        """Show a line that stays."""
        self.close()
        if self.shown:
            self.stream.write(text + "\n")
            self.stream.flush()

    def close(self) -> None:
        """End the live line, which then stays."""
        if self.shown and self.live and self.width:
            self.stream.write("\n")
            self.width = 0


def format_training_line(record: dict[str, Any], steps: int, left: float) -> str:
    """Format the state of training in one line.

    >>> format_training_line({"step": 500, "length": 12, "loss": 0.25, "accuracy": 0.91,
    ...                "symbols_per_second": 81_000}, 2000, 75)
    'step 500/2000  length 12  loss 0.250  accuracy 0.910  81k symbols/s  1:15 left'
    """
    rate = f"{record['symbols_per_second'] / 1000:.0f}k symbols/s"
    return (
        f"step {record['step']}/{steps}  length {record['length']}  loss {record['loss']:.3f}"
        f"  accuracy {record['accuracy']:.3f}  {rate}  {format_clock(left)} left"
    )


def format_writing_line(done: int, size: int, seconds: float) -> str:
    """Format how much of a file of words is written after this many seconds.

    >>> format_writing_line(250_000, 1_000_000, 2.0)
    '250,000/1,000,000 words  125k words/s  0:06 left'
    """
    rate = done / max(seconds, 1e-9)
    left = format_clock((size - done) / rate)
    return f"{done:,}/{size:,} words  {rate / 1000:.0f}k words/s  {left} left"


def format_clock(seconds: float) -> str:
    """Format seconds as minutes and seconds.

    >>> format_clock(75.2)
    '1:15'
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
