"""flann.rasp: RASP programs, run on batches of words, analysed, and compiled to weights.

>>> from flann.rasp import Session
>>> for line in Session().feed('reverse = aggregate(select(indices, length-indices-1, ==), tokens);'
...                            ' reverse("abc"); reverse;'): print(line)
= ["c", "b", "a"]
= s-op aggregate(select(indices, ((round(..) - indices) - 1), ==...: 2 layers, 1 head

A program can also be written in Python: `tokens` and `indices` are s-ops, and operators, `select`
and `aggregate` build others from them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import aggregate as aggregate
    from .api import indicator as indicator
    from .api import indices as indices
    from .api import length as length
    from .api import round_values as round_values
    from .api import select as select
    from .api import tokens as tokens
    from .api import where as where
    from .graph.analysis import analyse as analyse
    from .interpreter.program import Program as Program
    from .interpreter.session import Session as Session
    from .language.parser import parse as parse
    from .language.source_span import RaspError as RaspError
    from .programs.catalogue import load_program as load_program

MODULES = {  # the module of each public name, imported when the name is first used
    "RaspError": "language.source_span",
    "Program": "interpreter.program",
    "Session": "interpreter.session",
    "aggregate": "api",
    "analyse": "graph.analysis",
    "indices": "api",
    "indicator": "api",
    "length": "api",
    "load_program": "programs.catalogue",
    "parse": "language.parser",
    "round_values": "api",
    "select": "api",
    "tokens": "api",
    "where": "api",
}
__all__ = sorted(MODULES)


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module 'flann.rasp' has no attribute {name!r}")
    return getattr(import_module(f".{MODULES[name]}", __name__), name)
