"""Green's relations: which elements of a semigroup can be made of one another.

With S^1 for S and the empty word,

    x R y  when  x S^1 = y S^1,      x L y  when  S^1 x = S^1 y,      H = R and L,

and D joins R and L; in a finite semigroup D = J, where x J y when S^1 x S^1 = S^1 y S^1 (Green
1951). So the R-classes are the strongly connected components of the right Cayley graph, the
L-classes those of the left one. Elements that are R have the same kernel and those that are L have
the same image, so only edges between maps of equal rank matter.

A D-class is drawn as an *eggbox*: a row for each R-class, a column for each L-class, a cell for
each H-class. The cells with an idempotent are the maximal subgroups; in one D-class they are
isomorphic. A D-class with an idempotent is *regular*, and so are its elements: x = xyx for some y.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, UInt

from flann.tasks.sampling import choose_unsigned

from .semigroup import Semigroup
from .verdict import Clock

Classes = Int[np.ndarray, " elements"]  # of each element, the number of its class


@dataclass(frozen=True, eq=False)
class Green:
    """The relations of a semigroup.

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
        """The R-classes."""
        return self._components(self.semigroup.right)

    @cached_property
    def l(self) -> Classes:  # noqa: E743 - its name
        """The L-classes."""
        return self._components(self.semigroup.left)

    def _components(self, edges: Int[np.ndarray, "elements symbols"]) -> Classes:
        rank = self.semigroup.rank
        kept = (rank[edges] == rank[:, None]) & (edges != np.arange(len(edges))[:, None])
        return find_strong_components(edges, kept, self.clock)

    @cached_property
    def h(self) -> Classes:
        """The H-classes."""
        return renumber(self.r * self.semigroup.size + self.l)

    @cached_property
    def d(self) -> Classes:
        """The D-classes: the smallest number spreads along rows and columns until it settles."""
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
        """Which elements are regular: those with an idempotent in their R-class."""
        with_idempotent = np.zeros(self.r.max() + 1, bool)
        with_idempotent[self.r[self.semigroup.idempotents]] = True
        regular: Bool[np.ndarray, " elements"] = with_idempotent[self.r]
        return regular

    @cached_property
    def representatives(self) -> Int[np.ndarray, " regular"]:
        """One idempotent of each regular D-class, by number."""
        idempotents = self.semigroup.idempotents
        return np.sort(idempotents[np.unique(self.d[idempotents], return_index=True)[1]])

    @cached_property
    def maximal(self) -> list[int]:
        """Of the representatives those that are not below another idempotent: e = ee' = e'e.

        Below e' there is nothing new: eSf is part of e'Sf, and fSe of fSe'.
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
        """A maximal subgroup of each regular D-class that has one of more than one element.

        The identity comes first.
        """
        size = np.bincount(self.h)
        large = [e for e in self.representatives if size[self.h[e]] > 1]
        members = [np.flatnonzero(self.h == self.h[e]) for e in large]
        return [np.append(e, m[m != e]) for e, m in zip(large, members, strict=True)]

    def build_permutations(
        self, members: Int[np.ndarray, " order"]
    ) -> UInt[np.ndarray, "order points"]:
        """One of the subgroups as permutations of the image of its identity, on which it acts."""
        points = np.unique(self.semigroup.maps[members[0]])
        images = self.semigroup.maps[np.ix_(members, points)]
        numbered = np.searchsorted(points, images).astype(choose_unsigned(len(points)))
        acting: UInt[np.ndarray, "order points"] = numbered
        return acting


def renumber(classes: Classes) -> Classes:
    """The same classes, numbered in the order of their first elements."""
    first, inverse = np.unique(classes, return_index=True, return_inverse=True)[1:]
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]


def find_strong_components(
    edges: Int[np.ndarray, "nodes symbols"],
    kept: Bool[np.ndarray, "nodes symbols"],
    clock: Clock,
) -> Classes:
    """The strongly connected components of the kept edges (Tarjan 1972).

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
