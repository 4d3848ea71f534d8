"""Piecewise locally testable: dot-depth one, by Knast's equation.

A language is of dot-depth at most one when it is a Boolean combination of languages u0 A* u1 A* ..
A* un, with words ui: a window, but moved on from place to place in order. The equation, for
idempotents e and f, is (Knast 1983, "A semigroup characterization of dot-depth one languages")

    (eafb)^w eafde (cfde)^w  =  (eafb)^w e (cfde)^w

Written with arrows x = eaf, y = fbe, z = ecf, t = fde it is (xy)^w x t (zt)^w = (xy)^w (zt)^w.
With g = (xy)^w and u = g x one has u R g, as g = u (y g); with h = (zt)^w and v = t h likewise v L
h. The other way round, where g is an idempotent with g = eg = ge and u R g, u = uf, there is a y
with g = uy, so g = (xy)^w and u = g x for x = u. So the equation says that

    u v = g h    for all idempotents g, h below e, all u = uf in the R-class of g, v = fv in the
                 L-class of h,

which asks for pairs of elements instead of four at once. As for every equation between arrows, a
maximal e and f of each D-class will do.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from flann.tasks.algebra.verdict import Verdict, Words

from .equations import Equations, find_path


def decide_dot_depth_one(equations: Equations) -> Verdict:
    """Whether the language is of dot-depth at most one.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> from flann.tasks.automata.moore_machine import MooreMachine
    >>> from flann.tasks.algebra.semigroup import Semigroup
    >>> from flann.tasks.algebra.verdict import Clock
    >>> def decide(text):
    ...     semigroup = Semigroup.of(MooreMachine.from_automaton(from_expression(text)), Clock.of(1))
    ...     return decide_dot_depth_one(Equations.of(semigroup, Clock.of(1))).answer
    >>> decide("[abc]*a(ab)*b[abc]*"), decide("(a(ab)*b)*")
    (True, False)
    """
    for e in equations.green.maximal:
        for f in equations.green.maximal:
            found = find_violation(equations, e, f)
            if found is not None:
                why = "(eafb)^w eafde (cfde)^w differs from (eafb)^w e (cfde)^w"
                return Verdict(False, why, found)
    return Verdict(True, "Knast's equation holds throughout")


def find_violation(equations: Equations, e: int, f: int) -> Words | None:
    """The words of a violation for one pair of idempotents."""
    arrows, green = equations.arrows, equations.green
    there, back = arrows.list(e, f), arrows.list(f, e)
    local = arrows.list(e, e)
    idempotent = np.intersect1d(local, equations.semigroup.idempotents)
    u, g = pair_elements(there, idempotent, green.r)
    v, h = pair_elements(back, idempotent, green.l)
    if not u.size or not v.size:
        return None
    gs, us = arrows.represent(g, e, e), arrows.represent(u, e, f)
    hs, vs = arrows.represent(h, e, e), arrows.represent(v, f, e)
    for rows in equations.split(len(u), vs.size + hs.size):
        wrong = (vs[:, us[rows]] != hs[:, gs[rows]]).any(
            axis=2
        )  # (pairs of v, h) x (rows) x points
        if wrong.any():
            j, i = np.argwhere(wrong)[0]
            i += rows.start
            return spell_violation(
                equations, (e, f), (int(u[i]), int(g[i])), (int(v[j]), int(h[j]))
            )
    return None


def pair_elements(
    elements: Int[np.ndarray, " elements"],
    idempotents: Int[np.ndarray, " idempotents"],
    classes: Int[np.ndarray, " semigroup"],
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """All pairs of an element and an idempotent in one class."""
    order = np.argsort(classes[idempotents], kind="stable")
    ordered = idempotents[order]
    low = np.searchsorted(classes[ordered], classes[elements], "left")
    count = np.searchsorted(classes[ordered], classes[elements], "right") - low
    first = np.repeat(low - np.cumsum(count) + count, count)
    return np.repeat(elements, count), ordered[first + np.arange(count.sum())]


def spell_violation(
    equations: Equations, objects: tuple[int, int], one: tuple[int, int], other: tuple[int, int]
) -> Words:
    """a, b, c and d: x = u and y leads back from u to g, t = v and z leads back from v to h."""
    semigroup, (e, f), (u, g), (v, h) = equations.semigroup, objects, one, other
    spell = semigroup.machine.spell
    back = spell(find_path(semigroup.right, u, g)) or semigroup.spell(g)
    forth = spell(find_path(semigroup.left, v, h)[::-1]) or semigroup.spell(h)
    words = {"a": semigroup.spell(u), "b": back, "c": forth, "d": semigroup.spell(v)}
    return {"e": semigroup.spell(e), "f": semigroup.spell(f), **words}
