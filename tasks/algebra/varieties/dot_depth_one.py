"""Dot-depth one, the piecewise locally testable languages, by Knast's equation.

A language has dot-depth at most one if it is a Boolean combination of languages u0 A* u1 A* .. A*
un with words ui, which specify factors that occur in this order. The equation, for idempotents e
and f, is (Knast 1983, "A semigroup characterization of dot-depth one languages")

    (eafb)^w eafde (cfde)^w  =  (eafb)^w e (cfde)^w

In terms of arrows x = eaf, y = fbe, z = ecf, t = fde it reads (xy)^w x t (zt)^w = (xy)^w (zt)^w.
If g = (xy)^w and u = g x, then u R g, since g = u (y g); if h = (zt)^w and v = t h, then likewise
v L h. Conversely, if g is an idempotent with g = eg = ge, and u = uf satisfies u R g, then there is
a y with g = uy, so g = (xy)^w and u = g x for x = u. The equation is therefore equivalent to

    u v = g h    for all idempotents g, h below e, all u = uf in the R-class of g, v = fv in the
                 L-class of h,

which ranges over pairs of elements instead of quadruples. As for every equation between arrows, it
suffices to take maximal e and f, one of each D-class.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from flann.tasks.algebra.verdict import Verdict, Witness

from .equations import Equations, find_path


def decide_dot_depth_one(equations: Equations) -> Verdict:
    """Decide whether the language has dot-depth at most one.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> from flann.tasks.automata.moore_machine import MooreMachine
    >>> from flann.tasks.algebra.semigroup import Semigroup
    >>> from flann.tasks.algebra.verdict import Clock
    >>> def decide(text):
    ...     machine = MooreMachine.from_automaton(from_expression(text))
    ...     semigroup = Semigroup.of(machine, Clock.of(1))
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
    return Verdict(True, "Knast's equation holds for all elements")


def find_violation(equations: Equations, e: int, f: int) -> Witness | None:
    """Return a witness that violates the equation for idempotents e and f, or None."""
    arrows, green = equations.arrows, equations.green
    there, back = arrows.list_arrows(e, f), arrows.list_arrows(f, e)
    local = arrows.list_arrows(e, e)
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
    """Return all pairs of an element and an idempotent of the same class."""
    order = np.argsort(classes[idempotents], kind="stable")
    ordered = idempotents[order]
    low = np.searchsorted(classes[ordered], classes[elements], "left")
    count = np.searchsorted(classes[ordered], classes[elements], "right") - low
    first = np.repeat(low - np.cumsum(count) + count, count)
    return np.repeat(elements, count), ordered[first + np.arange(count.sum())]


def spell_violation(
    equations: Equations, objects: tuple[int, int], one: tuple[int, int], other: tuple[int, int]
) -> Witness:
    """Return the witness: a = u, d = v, b leads from u back to g, and c from v back to h."""
    semigroup, (e, f), (u, g), (v, h) = equations.semigroup, objects, one, other
    spell = semigroup.machine.spell
    back = spell(find_path(semigroup.right, u, g)) or semigroup.spell(g)
    forth = spell(find_path(semigroup.left, v, h)[::-1]) or semigroup.spell(h)
    words = {"a": semigroup.spell(u), "b": back, "c": forth, "d": semigroup.spell(v)}
    return {"e": semigroup.spell(e), "f": semigroup.spell(f), **words}
