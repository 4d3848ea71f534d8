"""flann.tasks.algebra: which classes a regular language is in, decided from its automaton.

>>> from flann.tasks.automata.expressions import from_expression
>>> found = classify(from_expression("(a|b)*aa(a|b)*"))
>>> found.classes["LT"], found.k["LT"], found.classes["PT"], found.circuit
(True, 2, False, 'AC0')

`classify` takes an automaton, `classify_task` any regular task. One idea a file:

- `machine`, `pairs`, `maps`, `semigroup`, `green`: what is decided on
- `strictly_local`, `strictly_piecewise`, `piecewise`, `locally_testable`,
  `threshold_testable`, `reversal`: tests on the automaton
- `equations`, `knast`, `circuits`: equations on the semigroup
- `samples`: where the semigroup is too large; `windows`: the least k
- `inclusions`, `decisions`, `classification`: all of it together; `eggbox`: a semigroup as text
"""

from __future__ import annotations

from .classification import (
    Classification,
    classify,
    classify_machine,
    classify_task,
)
from .eggbox import eggbox
from .tagging import machine_of
from .varieties.inclusions import CLASSES
from .verdict import Words

__all__ = [
    "CLASSES",
    "Classification",
    "Words",
    "classify",
    "classify_machine",
    "classify_task",
    "eggbox",
    "machine_of",
]
