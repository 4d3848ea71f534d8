"""R-trivial and piecewise testable (J-trivial), on the automaton.

- **R-trivial**: ``(xy)^w x = (xy)^w``. Every cycle of the minimal automaton is a loop at one state.
- **piecewise testable**: a Boolean combination of "has the subsequence v". That is J-trivial, R-
  and L-trivial at once (Simon 1975). On the minimal automaton: R-trivial, and *confluent*: for
  every state q and symbols a, b some word over a and b leads qa and qb to one state (Klíma and
  Polák 2013, "Alternative automata characterization of piecewise testable languages"; the
  polynomial test is Stern's of 1985 and Trahtman's of 2001). Where no cycle is longer than a loop,
  (ab)^n with n at least the number of states leads every state to one where a and b loop, so that
  word will do.
"""

from __future__ import annotations

import numpy as np

from flann.tasks.algebra.reachability import find_components
from flann.tasks.algebra.transformations import find_idempotent_power
from flann.tasks.algebra.verdict import Verdict
from flann.tasks.automata.moore_machine import MooreMachine, Word


def decide_r_trivial(machine: MooreMachine) -> Verdict:
    """Whether no state is entered again once it is left.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> decide_r_trivial(MooreMachine.from_automaton(from_expression("a*b*"))).answer
    True
    >>> decide_r_trivial(MooreMachine.from_automaton(from_expression("(ab)*"))).witness
    {'x': ('a',), 'y': ('b',)}
    """
    same = find_components(machine) == find_components(machine)[:, None]
    np.fill_diagonal(same, False)
    if not same.any():
        return Verdict(True, "every cycle of the automaton is a loop")
    p, q = map(int, np.argwhere(same)[0])
    words = {"x": machine.path(p, q), "y": machine.path(q, p)}
    witness = {name: machine.spell(word or ()) for name, word in words.items()}
    return Verdict(False, "(xy)^w x differs from (xy)^w", witness)


def decide_piecewise_testable(machine: MooreMachine) -> Verdict:
    """Whether the language is piecewise testable.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> decide_piecewise_testable(MooreMachine.from_automaton(from_expression("[ab]*a[ab]*b[ab]*"))).answer
    True
    >>> decide_piecewise_testable(MooreMachine.from_automaton(from_expression("a[ab]*"))).why
    'y(xy)^w differs from (xy)^w'
    """
    acyclic = decide_r_trivial(machine)
    if not acyclic.answer:
        return acyclic
    small = machine.merge_symbols()
    for a in range(len(small.symbols)):
        for b in range(a):
            high = find_idempotent_power(small.table[:, b][small.table[:, a]])
            if (high[small.table[:, a]] != high[small.table[:, b]]).any():
                return find_non_confluence(small, a, b)
    return Verdict(True, "every cycle is a loop, and every two symbols are confluent")


def find_non_confluence(machine: MooreMachine, a: int, b: int) -> Verdict:
    """One of y(xy)^w = (xy)^w fails for two symbols that are not confluent, with R-trivial."""
    x: Word
    for x, y in (((a,), (b,)), ((b,), (a,))):
        high = find_idempotent_power(machine.action(x + y))
        if (high[machine.action(y)] != high).any():
            witness = {"x": machine.spell(x), "y": machine.spell(y)}
            return Verdict(False, "y(xy)^w differs from (xy)^w", witness)
    raise AssertionError("confluent after all")
