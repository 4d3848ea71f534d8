"""Equations on the syntactic semigroup, each decided for all of its elements.

With w for the idempotent power, e and f for idempotents:

- **aperiodic** (star-free, Schützenberger 1965)     x^w = x^(w+1)
- **R-trivial**                                      (xy)^w x = (xy)^w
- **L-trivial**                                      y (xy)^w = (xy)^w
- **J-trivial** (piecewise testable, Simon 1975)     both
- **DA** (two-variable first-order logic)            (xyz)^w y (xyz)^w = (xyz)^w
- **locally testable**                               exexe = exe, exeye = eyexe
- **locally threshold testable**                     aperiodic, exfyezf = ezfyexf

(Thérien and Weiss 1985, "Graph congruences and wreath products", for the last; Tesson and Thérien
2002, "Diamonds are forever: the variety DA".) None is tried on every choice of elements. R-trivial
says that the right Cayley graph has no cycles but loops, L-trivial the same of the left one. DA
says that every regular element is idempotent: where s is regular, s = sts, and x empty, y = s, z =
t give (st)s(st) = st, so ss = s. And the last two only need one idempotent for each D-class:
idempotents e, e' of one D-class are e = uv, e' = vu, and x -> vxu carries eSf to e'Sf, products
into products. Of these they only need the maximal ones, for e = ee' = e'e makes eSf part of e'Sf.
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
from flann.tasks.algebra.verdict import Clock, Verdict, Words

MOST_ENTRIES = 1 << 22  # of maps looked at in one piece


@dataclass(frozen=True, eq=False)
class Equations:
    """The decisions of one semigroup, and what they share.

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
        """The decisions of a semigroup."""
        return cls(semigroup, Green(semigroup, clock), clock)

    def name_witness(self, **elements: int) -> Words:
        """A witness: the shortest words of elements."""
        return {name: self.semigroup.spell(int(x)) for name, x in elements.items()}

    def decide_aperiodic(self) -> Verdict:
        """x^w = x^(w+1)."""
        for rows in self.split(self.semigroup.size, self.semigroup.machine.size):
            turning = ~is_aperiodic(self.semigroup.maps[rows])
            if turning.any():
                x = rows.start + int(turning.argmax())
                return Verdict(False, "x^w differs from x^(w+1)", self.name_witness(x=x))
        return Verdict(True, f"its {self.semigroup.size} elements are aperiodic")

    def split(self, count: int, entries: int) -> Iterator[slice]:
        """Rows, with so many entries each, in pieces; the clock is looked at before each."""
        step = max(1, MOST_ENTRIES // max(entries, 1))
        for low in range(0, count, step):
            self.clock.check()
            yield slice(low, min(low + step, count))

    # -- one-sided and two-sided triviality ------------------------------------------------------

    def decide_r_trivial(self) -> Verdict:
        """(xy)^w x = (xy)^w."""
        pair = self.find_related(self.green.r)
        if pair is None:
            return Verdict(True, "no two elements generate the same right ideal")
        x, y = self.spell_paths(*pair, self.semigroup.right)
        return Verdict(False, "(xy)^w x differs from (xy)^w", {"x": x, "y": y})

    def decide_l_trivial(self) -> Verdict:
        """y (xy)^w = (xy)^w."""
        pair = self.find_related(self.green.l)
        if pair is None:
            return Verdict(True, "no two elements generate the same left ideal")
        y, x = (word[::-1] for word in self.spell_paths(*pair, self.semigroup.left))
        return Verdict(False, "y(xy)^w differs from (xy)^w", {"x": x, "y": y})

    def decide_j_trivial(self) -> Verdict:
        """R- and L-trivial."""
        for verdict in (self.decide_r_trivial(), self.decide_l_trivial()):
            if not verdict.answer:
                return verdict
        return Verdict(True, "no two elements generate the same ideal")

    @staticmethod
    def find_related(classes: Int[np.ndarray, " elements"]) -> tuple[int, int] | None:
        """Two elements of one class, if there are any."""
        several = np.flatnonzero(np.bincount(classes)[classes] > 1)
        if not several.size:
            return None
        first = several[0]
        return int(first), int(several[classes[several] == classes[first]][1])

    def spell_paths(
        self, s: int, t: int, edges: Int[np.ndarray, "elements symbols"]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The letters that lead from s to t and back in a Cayley graph.

        In the right one t = sx and s = ty, so s = s(xy)^w and (xy)^w x = (xy)^w would make s = t.
        """
        machine = self.semigroup.machine
        return machine.spell(find_path(edges, s, t)), machine.spell(find_path(edges, t, s))

    def decide_da(self) -> Verdict:
        """(xyz)^w y (xyz)^w = (xyz)^w."""
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
        """The sets eSf."""
        return Arrows(self.semigroup, self.green.maximal, self.clock)

    def decide_locally_testable(self) -> Verdict:
        """Every exe is idempotent, and every two commute."""
        for e in self.green.maximal:
            local = self.arrows.list(e, e)
            maps = self.arrows.represent(local, e, e)
            squares = compose(maps, maps)
            wrong = (squares != maps).any(axis=1)
            if wrong.any():
                x = int(local[wrong.argmax()])
                return Verdict(False, "exexe differs from exe", self.name_witness(e=e, x=x))
            for rows in self.split(len(maps), maps.size):
                forth = maps[:, maps[rows]].swapaxes(0, 1)
                back = maps[rows][:, maps]
                wrong = (forth != back).any(axis=2)
                if wrong.any():
                    i, j = np.argwhere(wrong)[0]
                    named = self.name_witness(e=e, x=local[rows.start + i], y=local[j])
                    return Verdict(False, "exeye differs from eyexe", named)
        return Verdict(True, "every local monoid is a semilattice")

    def decide_locally_threshold_testable(self) -> Verdict:
        """exfyezf = ezfyexf: for each pair of products xy, yx once, and every z."""
        aperiodic = self.decide_aperiodic()
        if not aperiodic.answer:
            return aperiodic
        for e in self.green.maximal:
            for f in self.green.maximal:
                found = self.find_exchange_violation(e, f)
                if found is not None:
                    return Verdict(False, "exfyezf differs from ezfyexf", found)
        return Verdict(True, "aperiodic, and exfyezf = ezfyexf throughout")

    def find_exchange_violation(self, e: int, f: int) -> Words | None:
        """x, y, z that violate the equation for one pair of idempotents."""
        there, back = self.arrows.list(e, f), self.arrows.list(f, e)
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
                    return self.name_witness(e=e, f=f, x=there[i], y=y_number, z=there[k])
        return None


def find_path(edges: Int[np.ndarray, "elements symbols"], s: int, t: int) -> tuple[int, ...]:
    """The letters on a shortest way in a Cayley graph; none where both are the same."""
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
    """The category of a semigroup: its objects idempotents, the arrows from e to f the set eSf.

    An element x = exf is known by what it does to the image of e, which it leads into that of f.
    `represent` writes it so, with both images renumbered from 0; then arrows compose like maps.
    """

    def __init__(self, semigroup: Semigroup, objects: list[int], clock: Clock) -> None:
        self.semigroup, self.clock = semigroup, clock
        self.image = {e: np.unique(semigroup.maps[e]) for e in objects}
        self.starting: dict[int, Bool[np.ndarray, " elements"]] = {}
        self.ending: dict[int, Bool[np.ndarray, " elements"]] = {}

    def list(self, e: int, f: int) -> Int[np.ndarray, " arrows"]:
        """The elements of eSf."""
        maps = self.semigroup.maps
        if e not in self.starting:
            self.clock.check()
            self.starting[e] = (maps[:, maps[e]] == maps).all(axis=1)  # ex = x
        if f not in self.ending:
            self.clock.check()
            fixed = maps[f] == np.arange(maps.shape[1])
            self.ending[f] = fixed[maps].all(axis=1)  # xf = x
        return np.flatnonzero(self.starting[e] & self.ending[f])

    def represent(
        self, elements: Int[np.ndarray, " arrows"], e: int, f: int
    ) -> Int[np.ndarray, "arrows points"]:
        """What arrows from e to f do to the image of e."""
        source, target = self.image[e], self.image[f]
        seen: Int[np.ndarray, "arrows points"] = np.searchsorted(
            target, self.semigroup.maps[np.ix_(elements, source)]
        )
        return seen
