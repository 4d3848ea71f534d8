"""Classify a regular language: decide to which classes it belongs, from its automaton.

>>> from flann.tasks.automata.expressions import from_expression
>>> found = classify(from_expression("(a|b)*aa(a|b)*"))
>>> found.classes["LT"], found.k["LT"], found.classes["PT"], found.circuit
(True, 2, False, 'AC0')

`classify` takes an automaton, `classify_machine` a Moore machine, `classify_task` a regular task.

- `semigroup`, `green`, `derived_series`, `transformations`: the syntactic semigroup and its
  structure
- `pair_graph`, `reachability`: graphs on the automaton's states
- `varieties`: the decision procedures, one class of languages a file
- `classification`: all classes of one language
- `eggbox`: the semigroup drawn as text
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
from .verdict import Witness

__all__ = [
    "CLASSES",
    "Classification",
    "Witness",
    "classify",
    "classify_machine",
    "classify_task",
    "draw_eggbox",
    "require_machine",
]
