"""Decide which classes a regular language is in, from its automaton.

>>> from flann.tasks.automata.expressions import from_expression
>>> found = classify(from_expression("(a|b)*aa(a|b)*"))
>>> found.classes["LT"], found.k["LT"], found.classes["PT"], found.circuit
(True, 2, False, 'AC0')

`classify` takes an automaton, `classify_machine` a Moore machine and `classify_task` a regular task.

- `semigroup`, `green`, `derived`, `maps`: the syntactic semigroup and its structure
- `pairs`, `reachability`: graphs of the automaton's states
- `varieties`: the decision procedures, one variety of languages a file
- `classification`: all classes of one language; `draw_eggbox`: its semigroup as text
"""

from __future__ import annotations

from .classification import (
    Classification,
    classify,
    classify_machine,
    classify_task,
    require_machine,
)
from .eggbox import draw_eggbox
from .varieties.inclusions import CLASSES
from .verdict import Words

__all__ = [
    "CLASSES",
    "Classification",
    "Words",
    "classify",
    "classify_machine",
    "classify_task",
    "draw_eggbox",
    "require_machine",
]
