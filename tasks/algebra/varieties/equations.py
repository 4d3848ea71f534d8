"""Equations on the syntactic semigroup, each decided for all choices of elements.

Here x^w is the idempotent power of x, and e and f range over the idempotents:

- **aperiodic** (star-free, Schützenberger 1965)     x^w = x^(w+1)
- **R-trivial**                                      (xy)^w x = (xy)^w
- **L-trivial**                                      y (xy)^w = (xy)^w
- **J-trivial** (piecewise testable, Simon 1975)     both
- **DA** (two-variable first-order logic)            (xyz)^w y (xyz)^w = (xyz)^w
- **locally testable**                               exexe = exe, exeye = eyexe
- **locally threshold testable**                     aperiodic, exfyezf = ezfyexf

(Thérien and Weiss 1985, "Graph congruences and wreath products", for the last; Tesson and Thérien
2002, "Diamonds are forever: the variety DA".) None is tested on every choice of elements. The
semigroup is R-trivial if the right Cayley graph has no cycles other than loops, and L-trivial if
the left one has none. It is in DA if every regular element is idempotent: if s is regular, s = sts,
then x empty, y = s and z = t give (st)s(st) = st, so ss = s. The last two equations need only one
idempotent of each D-class: two idempotents of one D-class have the form e = uv and e' = vu, and
x -> vxu maps eSf onto e'Sf compatibly with products. Of these only the maximal ones are needed,
since e = ee' = e'e makes eSf a subset of e'Sf.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from flann.tasks.algebra.green import Green
from flann.tasks.algebra.semigroup import Semigroup
from flann.tasks.algebra.transformations import compose, is_aperiodic
from flann.tasks.algebra.verdict import Clock, Verdict, Witness

MOST_ENTRIES = 1 << 22  # of maps compared at a time


@dataclass(frozen=True, eq=False)
class Equations:
    """The equations on one semigroup, with the intermediate results that they share.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> from flann.tasks.automata.moore_machine import MooreMachine
    >>> machine = MooreMachine.from_automaton(from_expression("(ab)*"))
    >>> equations = Equations.of(Semigroup.of(machine, Clock.of(1)), Clock.of(1))
    >>> equations.decide_aperiodic().answer, equations.decide_da().witness
    (True, {'x': (), 'y': ('a',), 'z': ('b',)})
    """

    semigroup: Semigroup
    green: Green
    clock: Clock

    @classmethod
    def of(cls, semigroup: Semigroup, clock: Clock) -> Equations:
        """Return the equations on a semigroup."""
        return cls(semigroup, Green(semigroup, clock), clock)

    def build_witness(self, **elements: int) -> Witness:
        """Return a witness that gives the shortest words of elements."""
        return {name: self.semigroup.spell(int(x)) for name, x in elements.items()}

    def decide_aperiodic(self) -> Verdict:
        """Decide x^w = x^(w+1)."""
        for rows in self.split(self.semigroup.size, self.semigroup.machine.size):
            turning = ~is_aperiodic(self.semigroup.maps[rows])
            if turning.any():
                x = rows.start + int(turning.argmax())
                return Verdict(False, "x^w differs from x^(w+1)", self.build_witness(x=x))
        return Verdict(True, f"its {self.semigroup.size} elements are aperiodic")

    def split(self, count: int, entries: int) -> Iterator[slice]:
        """Split `count` rows of `entries` entries into slices, checking the clock before each."""
        step = max(1, MOST_ENTRIES // max(entries, 1))
        for low in range(0, count, step):
            self.clock.check()
            yield slice(low, min(low + step, count))

    # -- one-sided and two-sided triviality ------------------------------------------------------

    def decide_r_trivial(self) -> Verdict:
        """Decide (xy)^w x = (xy)^w."""
        pair = self.find_related(self.green.r)
        if pair is None:
            return Verdict(True, "no two elements generate the same right ideal")
        x, y = self.spell_paths(*pair, self.semigroup.right)
        return Verdict(False, "(xy)^w x differs from (xy)^w", {"x": x, "y": y})

    def decide_l_trivial(self) -> Verdict:
        """Decide y (xy)^w = (xy)^w."""
        pair = self.find_related(self.green.l)
        if pair is None:
            return Verdict(True, "no two elements generate the same left ideal")
        y, x = (word[::-1] for word in self.spell_paths(*pair, self.semigroup.left))
        return Verdict(False, "y(xy)^w differs from (xy)^w", {"x": x, "y": y})

    def decide_j_trivial(self) -> Verdict:
        """Decide whether the semigroup is both R-trivial and L-trivial."""
        for verdict in (self.decide_r_trivial(), self.decide_l_trivial()):
            if not verdict.answer:
                return verdict
        return Verdict(True, "no two elements generate the same ideal")

    @staticmethod
    def find_related(classes: Int[np.ndarray, " elements"]) -> tuple[int, int] | None:
        """Return two elements of one class, or None if every class is a singleton."""
        several = np.flatnonzero(np.bincount(classes)[classes] > 1)
        if not several.size:
            return None
        first = several[0]
        return int(first), int(several[classes[several] == classes[first]][1])

    def spell_paths(
        self, s: int, t: int, edges: Int[np.ndarray, "elements symbols"]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the words that lead from s to t and from t to s in a Cayley graph.

        In the right Cayley graph t = sx and s = ty, so s = s(xy)^w, and (xy)^w x = (xy)^w would
        imply s = t.
        """
        machine = self.semigroup.machine
        return machine.spell(find_path(edges, s, t)), machine.spell(find_path(edges, t, s))

    def decide_da(self) -> Verdict:
        """Decide (xyz)^w y (xyz)^w = (xyz)^w."""
        s, green = self.semigroup, self.green
        idempotent = np.zeros(s.size, bool)
        idempotent[s.idempotents] = True
        wrong = np.flatnonzero(green.is_regular & ~idempotent)
        if not wrong.size:
            return Verdict(True, "every regular element is idempotent")
        y = int(wrong[0])
        e = int(s.idempotents[green.r[s.idempotents] == green.r[y]][0])
        z = s.machine.spell(find_path(s.right, y, e))
        return Verdict(
            False,
            "(xyz)^w y (xyz)^w differs from (xyz)^w",
            {"x": (), "y": s.spell(y), "z": z or s.spell(e)},
        )

    # -- local monoids and their category --------------------------------------------------------

    @cached_property
    def arrows(self) -> Arrows:
        """The category whose arrows are the elements of the sets eSf."""
        return Arrows(self.semigroup, self.green.maximal, self.clock)

    def decide_locally_testable(self) -> Verdict:
        """Decide whether the elements exe of each local monoid are idempotent and commute."""
        for e in self.green.maximal:
            local = self.arrows.list_arrows(e, e)
            maps = self.arrows.represent(local, e, e)
            squares = compose(maps, maps)
            wrong = (squares != maps).any(axis=1)
            if wrong.any():
                x = int(local[wrong.argmax()])
                return Verdict(False, "exexe differs from exe", self.build_witness(e=e, x=x))
            for rows in self.split(len(maps), maps.size):
                forth = maps[:, maps[rows]].swapaxes(0, 1)
                back = maps[rows][:, maps]
                wrong = (forth != back).any(axis=2)
                if wrong.any():
                    i, j = np.argwhere(wrong)[0]
                    named = self.build_witness(e=e, x=local[rows.start + i], y=local[j])
                    return Verdict(False, "exeye differs from eyexe", named)
        return Verdict(True, "every local monoid is a semilattice")

    def decide_locally_threshold_testable(self) -> Verdict:
        """Decide exfyezf = ezfyexf in an aperiodic semigroup.

        Each pair of products (xy, yx) is combined with every z only once.
        """
        aperiodic = self.decide_aperiodic()
        if not aperiodic.answer:
            return aperiodic
        for e in self.green.maximal:
            for f in self.green.maximal:
                found = self.find_exchange_violation(e, f)
                if found is not None:
                    return Verdict(False, "exfyezf differs from ezfyexf", found)
        return Verdict(True, "aperiodic, and exfyezf = ezfyexf for all elements")

    def find_exchange_violation(self, e: int, f: int) -> Witness | None:
        """Return words x, y, z that violate the equation for idempotents e and f, or None."""
        there, back = self.arrows.list_arrows(e, f), self.arrows.list_arrows(f, e)
        x, y = self.arrows.represent(there, e, f), self.arrows.represent(back, f, e)
        for i in range(len(there)):
            self.clock.check()
            xy, yx = y[:, x[i]], x[i][y]  # maps at e, maps at f
            pairs, first = np.unique(np.hstack([xy, yx]), axis=0, return_index=True)
            xy, yx = pairs[:, : xy.shape[1]], pairs[:, xy.shape[1] :]
            for rows in self.split(len(pairs), x.size):
                wrong = (x[:, xy[rows]].swapaxes(0, 1) != yx[rows][:, x]).any(axis=2)
                if wrong.any():
                    j, k = np.argwhere(wrong)[0]
                    y_number = back[first[rows.start + j]]
                    return self.build_witness(e=e, f=f, x=there[i], y=y_number, z=there[k])
        return None


def find_path(edges: Int[np.ndarray, "elements symbols"], s: int, t: int) -> tuple[int, ...]:
    """Return the letters on a shortest path from s to t in a Cayley graph, empty if s is t."""
    arrived: dict[int, tuple[int, int] | None] = {s: None}
    for here in (queue := [s]):
        if here == t:
            break
        for a, following in enumerate(edges[here].tolist()):
            if following not in arrived:
                arrived[following] = (here, a)
                queue.append(following)
    word = []
    while (step := arrived[t]) is not None:
        t, a = step
        word.append(a)
    return tuple(word[::-1])


class Arrows:
    """The category of a semigroup: its objects are idempotents, its arrows from e to f the set eSf.

    An element x = exf is determined by its action on the image of e, which it maps into the image
    of f. `represent` returns this action with both images renumbered from 0, so that arrows compose
    as maps.
    """

    def __init__(self, semigroup: Semigroup, objects: list[int], clock: Clock) -> None:
        self.semigroup, self.clock = semigroup, clock
        self.image = {e: np.unique(semigroup.maps[e]) for e in objects}
        self.left_fixed: dict[int, Bool[np.ndarray, " elements"]] = {}
        self.right_fixed: dict[int, Bool[np.ndarray, " elements"]] = {}

    def list_arrows(self, e: int, f: int) -> Int[np.ndarray, " arrows"]:
        """Return the elements of eSf."""
        maps = self.semigroup.maps
        if e not in self.left_fixed:
            self.clock.check()
            self.left_fixed[e] = (maps[:, maps[e]] == maps).all(axis=1)  # ex = x
        if f not in self.right_fixed:
            self.clock.check()
            fixed = maps[f] == np.arange(maps.shape[1])
            self.right_fixed[f] = fixed[maps].all(axis=1)  # xf = x
        return np.flatnonzero(self.left_fixed[e] & self.right_fixed[f])

    def represent(
        self, elements: Int[np.ndarray, " arrows"], e: int, f: int
    ) -> Int[np.ndarray, "arrows points"]:
        """Return the action of arrows from e to f on the image of e, one arrow a row."""
        source, target = self.image[e], self.image[f]
        seen: Int[np.ndarray, "arrows points"] = np.searchsorted(
            target, self.semigroup.maps[np.ix_(elements, source)]
        )
        return seen
