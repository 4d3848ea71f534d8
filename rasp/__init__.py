"""flann.rasp: RASP programs, run on batches of words, counted, and compiled to weights.

>>> from .session import Session
>>> for line in Session().feed('reverse = aggregate(select(indices, length-indices-1, ==), tokens);'
...                            ' reverse("abc"); reverse;'): print(line)
= ["c", "b", "a"]
= s-op aggregate(select(indices, ((round(..) - indices) - 1), ==...: 2 layers, 1 head

The same from Python: `tokens` and `indices` are s-ops, operators and `select`, `aggregate` build
others.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

HOMES = {
    "RaspError": "places",
    "Program": "catalogue",
    "Session": "session",
    "aggregate": "face",
    "analyse": "analysis",
    "indices": "face",
    "indicator": "face",
    "length": "face",
    "load_program": "catalogue",
    "parse": "parser",
    "rounded": "face",
    "select": "face",
    "tokens": "face",
    "where": "face",
}
__all__ = sorted(HOMES)


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'flann.rasp' has no attribute {name!r}")
    return getattr(import_module(f".{HOMES[name]}", __name__), name)
