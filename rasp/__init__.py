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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis import analyse as analyse
    from .catalogue import Program as Program
    from .catalogue import load_program as load_program
    from .face import aggregate as aggregate
    from .face import indicator as indicator
    from .face import indices as indices
    from .face import length as length
    from .face import rounded as rounded
    from .face import select as select
    from .face import tokens as tokens
    from .face import where as where
    from .parser import parse as parse
    from .places import RaspError as RaspError
    from .session import Session as Session

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
