"""L-trivial languages, decided on the automaton of the reversed language.

A word w determines the vector v of the labels that it leads to, where v[q] is the label of the
state q w. Prepending the letter a to w turns v[q] into ``v[delta(q, a)]``. The vectors reached in
this way are the states of the minimal automaton of the reversed language (Brzozowski 1962). A
language is L-trivial if and only if its reversal is R-trivial, that is, if this automaton has no
cycle other than loops. It can have exponentially many states, but is often small when the semigroup
is large.
"""

from __future__ import annotations

import numpy as np

from flann.tasks.algebra.green import find_strong_components
from flann.tasks.algebra.verdict import Clock, Stopped, Verdict
from flann.tasks.automata.moore_machine import MooreMachine

from .equations import find_path

MOST_VECTORS = 20_000


def decide_l_trivial(machine: MooreMachine, clock: Clock) -> Verdict:
    """Decide whether the language is L-trivial.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> decide_l_trivial(MooreMachine.from_automaton(from_expression("[ab]*a")), Clock.of(1)).answer
    True
    >>> decide_l_trivial(MooreMachine.from_automaton(from_expression("(ab)*")), Clock.of(1)).witness
    {'x': ('a',), 'y': ('b',)}

    Raises
    ------
    Stopped
        if the reversal has more than `MOST_VECTORS` states, or the time is up.
    """
    small = machine.merge_symbols()
    edges = build_reversal(small, clock)
    moving = edges != np.arange(len(edges))[:, None]
    classes = find_strong_components(edges, moving, clock)
    several = np.flatnonzero(np.bincount(classes)[classes] > 1)
    if not several.size:
        return Verdict(True, f"every cycle among the {len(edges)} states of its reversal is a loop")
    s = int(several[0])
    t = int(several[classes[several] == classes[s]][1])
    y, x = find_path(edges, s, t)[::-1], find_path(edges, t, s)[::-1]
    witness = {"x": small.spell(x), "y": small.spell(y)}
    return Verdict(False, "y(xy)^w differs from (xy)^w", witness)


def build_reversal(machine: MooreMachine, clock: Clock) -> np.ndarray:
    """Return the transition table of the reversal; state 0 is the vector of the empty word."""
    outputs = np.unique(machine.labels, return_inverse=True)[1].astype(np.uint16)
    numbers = {outputs.tobytes(): 0}
    rows = []
    for vector in (queue := [outputs]):
        clock.check()
        row = []
        for longer in np.ascontiguousarray(vector[machine.table.T]):
            key = longer.tobytes()
            if key not in numbers:
                if len(numbers) == MOST_VECTORS:
                    raise Stopped(f"the reversal has more than {MOST_VECTORS} states")
                numbers[key] = len(numbers)
                queue.append(longer)
            row.append(numbers[key])
        rows.append(row)
    return np.array(rows)
