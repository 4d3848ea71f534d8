"""Ctrl-C that takes effect at the end of a training step.

While a run trains, the first interrupt asks it to stop after the current step, so that a checkpoint
can be written. A second interrupt stops at once, and the last checkpoint stands.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def defer_interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether the user has asked to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread receives signals
        return
    requested = False

    def request(number: int, frame: FrameType | None) -> None:
        nonlocal requested
        if requested:
            raise KeyboardInterrupt
        requested = True

    earlier = {number: signal.signal(number, request) for number in SIGNALS}
    try:
        yield lambda: requested
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
