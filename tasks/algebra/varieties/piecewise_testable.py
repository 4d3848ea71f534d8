"""R-trivial and piecewise testable (J-trivial) languages, on the automaton.

- **R-trivial**: ``(xy)^w x = (xy)^w``. Every cycle of the minimal automaton is a loop at one state.
- **piecewise testable**: Boolean combinations of the languages "v is a subsequence". These are the
  J-trivial languages, which are both R- and L-trivial (Simon 1975). The minimal automaton is
  R-trivial and *confluent*: for every state q and symbols a and b, some word over a and b leads qa
  and qb to the same state (Klíma and Polák 2013, "Alternative automata characterization of
  piecewise testable languages"; polynomial tests are due to Stern 1985 and Trahtman 2001). If every
  cycle is a loop, then (ab)^n with n at least the number of states leads every state to one at
  which a and b loop, so it suffices to test this word.
"""

from __future__ import annotations

import numpy as np

from flann.tasks.algebra.reachability import find_components
from flann.tasks.algebra.transformations import raise_to_large_power
from flann.tasks.algebra.verdict import Verdict
from flann.tasks.automata.moore_machine import MooreMachine, Word


def decide_r_trivial(machine: MooreMachine) -> Verdict:
    """Decide whether the language is R-trivial: no state is re-entered after it is left.

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
    """Decide whether the language is piecewise testable.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> def decide(text):
    ...     return decide_piecewise_testable(MooreMachine.from_automaton(from_expression(text)))
    >>> decide("[ab]*a[ab]*b[ab]*").answer
    True
    >>> decide("a[ab]*").why
    'y(xy)^w differs from (xy)^w'
    """
    acyclic = decide_r_trivial(machine)
    if not acyclic.answer:
        return acyclic
    small = machine.merge_symbols()
    for a in range(len(small.symbols)):
        for b in range(a):
            high = raise_to_large_power(small.table[:, b][small.table[:, a]])
            if (high[small.table[:, a]] != high[small.table[:, b]]).any():
                return find_non_confluence(small, a, b)
    return Verdict(True, "every cycle is a loop, and every two symbols are confluent")


def find_non_confluence(machine: MooreMachine, a: int, b: int) -> Verdict:
    """Return the verdict for two symbols that are not confluent in an R-trivial automaton.

    Then y(xy)^w = (xy)^w fails for the two symbols in one of the two orders.
    """
    x: Word
    for x, y in (((a,), (b,)), ((b,), (a,))):
        high = raise_to_large_power(machine.action(x + y))
        if (high[machine.action(y)] != high).any():
            witness = {"x": machine.spell(x), "y": machine.spell(y)}
            return Verdict(False, "y(xy)^w differs from (xy)^w", witness)
    raise AssertionError("the two symbols are confluent")
