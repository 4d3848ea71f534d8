"""Green's relations of a semigroup.

Let S^1 be S with an identity adjoined, here the empty word. Then

    x R y  when  x S^1 = y S^1,      x L y  when  S^1 x = S^1 y,      H = R and L,

and D is the join of R and L; in a finite semigroup D = J, where x J y when S^1 x S^1 = S^1 y S^1
(Green 1951). The R-classes are therefore the strongly connected components of the right Cayley
graph, and the L-classes those of the left one. R-equivalent maps have the same kernel and
L-equivalent maps the same image, so only edges between maps of equal rank matter.

A D-class is drawn as an *eggbox*: its rows are the R-classes, its columns the L-classes and
its cells the H-classes. The cells that contain an idempotent are the maximal subgroups, which are
isomorphic within one D-class. A D-class with an idempotent is *regular*, as are its elements x:
x = xyx for some y.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, UInt

from flann.tasks.sampling import choose_unsigned

from .semigroup import Semigroup
from .verdict import Clock

Classes = Int[np.ndarray, " elements"]  # the number of the class of each element


@dataclass(frozen=True, eq=False)
class Green:
    """Green's relations of one semigroup, computed on demand.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> from flann.tasks.automata.moore_machine import MooreMachine
    >>> s = Semigroup.of(MooreMachine.from_automaton(from_expression("(ab)*")), Clock.of(1))
    >>> green = Green(s, Clock.of(1))
    >>> green.d.tolist(), green.is_regular.all()
    ([0, 0, 1, 0, 0], np.True_)
    """

    semigroup: Semigroup
    clock: Clock

    @cached_property
    def r(self) -> Classes:
        """The R-class of each element."""
        return self._components(self.semigroup.right)

    @cached_property
    def l(self) -> Classes:  # noqa: E743 - its name
        """The L-class of each element."""
        return self._components(self.semigroup.left)

    def _components(self, edges: Int[np.ndarray, "elements symbols"]) -> Classes:
        rank = self.semigroup.rank
        kept = (rank[edges] == rank[:, None]) & (edges != np.arange(len(edges))[:, None])
        return find_strong_components(edges, kept, self.clock)

    @cached_property
    def h(self) -> Classes:
        """The H-class of each element."""
        return renumber(self.r * self.semigroup.size + self.l)

    @cached_property
    def d(self) -> Classes:
        """The D-class of each element, found by propagating least numbers along R and L."""
        d: Classes = np.arange(self.semigroup.size)
        while True:
            before = d
            for classes in (self.r, self.l):
                least = np.full(classes.max() + 1, len(d))
                np.minimum.at(least, classes, d)
                d = least[classes]
            if (d == before).all():
                return renumber(d)

    @cached_property
    def is_regular(self) -> Bool[np.ndarray, " elements"]:
        """The regular elements, which are those with an idempotent in their R-class."""
        with_idempotent = np.zeros(self.r.max() + 1, bool)
        with_idempotent[self.r[self.semigroup.idempotents]] = True
        regular: Bool[np.ndarray, " elements"] = with_idempotent[self.r]
        return regular

    @cached_property
    def representatives(self) -> Int[np.ndarray, " regular"]:
        """One idempotent of each regular D-class, in increasing order."""
        idempotents = self.semigroup.idempotents
        return np.sort(idempotents[np.unique(self.d[idempotents], return_index=True)[1]])

    @cached_property
    def maximal(self) -> list[int]:
        """The representatives e that are not below another idempotent e', that is, e = ee' = e'e.

        If e is below e', then eSf is a subset of e'Sf and fSe of fSe', so e adds no condition.
        """
        maps, idempotents = self.semigroup.maps, self.semigroup.idempotents
        rank = self.semigroup.rank
        found = []
        for e in self.representatives.tolist():
            self.clock.check()
            above = maps[idempotents[rank[idempotents] > rank[e]]]
            below = (above[:, maps[e]] == maps[e]).all(axis=1)
            if not (maps[e][above[below]] == maps[e]).all(axis=1).any():
                found.append(e)
        return found

    @cached_property
    def groups(self) -> list[Int[np.ndarray, " order"]]:
        """A nontrivial maximal subgroup of each regular D-class that has one, identity first."""
        size = np.bincount(self.h)
        large = [e for e in self.representatives if size[self.h[e]] > 1]
        members = [np.flatnonzero(self.h == self.h[e]) for e in large]
        return [np.append(e, m[m != e]) for e, m in zip(large, members, strict=True)]

    def build_permutations(
        self, members: Int[np.ndarray, " order"]
    ) -> UInt[np.ndarray, "order points"]:
        """Return a subgroup as permutations of the image of its identity, on which it acts."""
        points = np.unique(self.semigroup.maps[members[0]])
        images = self.semigroup.maps[np.ix_(members, points)]
        numbered = np.searchsorted(points, images).astype(choose_unsigned(len(points)))
        acting: UInt[np.ndarray, "order points"] = numbered
        return acting


def renumber(classes: Classes) -> Classes:
    """Renumber classes in the order of their first elements."""
    first, inverse = np.unique(classes, return_index=True, return_inverse=True)[1:]
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]


def find_strong_components(
    edges: Int[np.ndarray, "nodes symbols"],
    kept: Bool[np.ndarray, "nodes symbols"],
    clock: Clock,
) -> Classes:
    """Return the strongly connected component of each node along the kept edges (Tarjan 1972).

    >>> edges = np.array([[1], [0], [0]])
    >>> find_strong_components(edges, np.ones((3, 1), bool), Clock.of(1)).tolist()
    [0, 0, 1]
    """
    size = len(edges)
    ends = np.cumsum(kept.sum(axis=1)).tolist()
    targets = edges[kept].tolist()
    next_edge = [0, *ends[:-1]]
    index, low, found = [-1] * size, [0] * size, [-1] * size
    stack: list[int] = []
    counter = number = 0
    for root in range(size):
        if index[root] >= 0:
            continue
        clock.check()
        path = [root]
        index[root] = low[root] = counter
        counter += 1
        stack.append(root)
        while path:
            node = path[-1]
            if next_edge[node] < ends[node]:
                target = targets[next_edge[node]]
                next_edge[node] += 1
                if index[target] < 0:
                    index[target] = low[target] = counter
                    counter += 1
                    stack.append(target)
                    path.append(target)
                elif found[target] < 0:
                    low[node] = min(low[node], index[target])
                continue
            path.pop()
            if path:
                low[path[-1]] = min(low[path[-1]], low[node])
            if low[node] == index[node]:
                while True:
                    member = stack.pop()
                    found[member] = number
                    if member == node:
                        break
                number += 1
    return renumber(np.array(found))
