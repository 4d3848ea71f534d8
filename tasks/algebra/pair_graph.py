"""The graph of pairs of states: what one word does to two states at once.

Its nodes are pairs (p, q), and a leads (p, q) to (delta(p, a), delta(q, a)). A cycle through (p, q)
is a word that leads p back to p and q back to q, so its idempotent power fixes both. Classes that
look at words through windows of bounded width forbid some of these cycles, and the graph has
only n^2 nodes, where the semigroup can have n^n elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from flann.tasks.automata.moore_machine import Word

from .verdict import Stopped

MOST_EDGES = 1 << 28  # of a graph, and of these
PIECE = 1 << 21  # looked at in one piece


@dataclass(frozen=True, eq=False)
class PairGraph:
    """Some pairs of states, and the edges between them.

    Attributes
    ----------
    table : ndarray of int, shape (states, symbols)
        next states.
    nodes : ndarray of bool, shape (states, states)
        which pairs belong to the graph.
    kept : ndarray of int, shape (states,), optional
        an edge must not change this number of either state.

    Raises
    ------
    Stopped
        where there are too many pairs to look at all of them.
    """

    table: Int[np.ndarray, "states symbols"]
    nodes: Bool[np.ndarray, "states states"]
    kept: Int[np.ndarray, " states"] | None = None

    def __post_init__(self) -> None:
        states, symbols = self.table.shape
        if states * states * symbols > MOST_EDGES:
            raise Stopped(f"{states} states and {symbols} symbols make too many pairs of states")

    @property
    def size(self) -> int:
        """How many states."""
        return len(self.table)

    def follow(
        self, codes: Int[np.ndarray, " pairs"]
    ) -> tuple[Int[np.ndarray, "pairs symbols"], Bool[np.ndarray, "pairs symbols"]]:
        """Where each symbol leads pairs, coded ``p * states + q``, and whether that is an edge."""
        p, q = np.divmod(codes, self.size)
        to_p, to_q = self.table[p], self.table[q]
        following = to_p * self.size + to_q
        edge = self.nodes.ravel()[following]
        if self.kept is not None:
            edge &= (self.kept[to_p] == self.kept[p][:, None]) & self.keeps_second(q, to_q)
        return following, edge

    def keeps_second(
        self, q: Int[np.ndarray, " pairs"], to_q: Int[np.ndarray, "pairs symbols"]
    ) -> Bool[np.ndarray, "pairs symbols"]:
        """Whether the second state keeps its number."""
        assert self.kept is not None
        stays: Bool[np.ndarray, "pairs symbols"] = self.kept[to_q] == self.kept[q][:, None]
        return stays

    def split(self, codes: Int[np.ndarray, " pairs"]) -> list[Int[np.ndarray, " piece"]]:
        """The pairs in pieces that have not too many edges."""
        count = 1 + codes.size * self.table.shape[1] // PIECE
        return [codes] if count == 1 else np.array_split(codes, count)

    @cached_property
    def cyclic_pairs(self) -> tuple[Bool[np.ndarray, "states states"], int]:
        """The pairs that an arbitrarily long path leads to, and how many rounds removed the rest.

        Each round removes the pairs that no edge leads to. Where none is left the graph has no
        cycle, and the rounds are the number of nodes of its longest path.
        """
        left = self.nodes.ravel().copy()
        every = np.flatnonzero(left)
        arriving = np.zeros(left.size, np.intp)
        for part in self.split(every):
            following, edge = self.follow(part)
            arriving += np.bincount(following[edge], minlength=left.size)
        sources, rounds = every[arriving[every] == 0], 0
        while sources.size:
            rounds += 1
            left[sources] = False
            met = []
            for part in self.split(sources):
                following, edge = self.follow(part)
                reached, edges = np.unique(following[edge], return_counts=True)
                arriving[reached] -= edges
                met.append(reached[arriving[reached] == 0])  # the last edge falls in one piece
            sources = np.concatenate(met)
        return left.reshape(self.nodes.shape), rounds

    def find_loop(self, p: int, q: int) -> tuple[int, int, Word, Word]:
        """Behind a pair that is left: a pair on a cycle, a shortest word round it, the way to p, q.

        Every pair that is left has one before it that is left, so going back repeats one.
        """
        left = self.cyclic_pairs[0]
        pair, way, met = (p, q), list[int](), {(p, q): 0}
        while True:
            pair, a = self.find_predecessor(pair, left)
            way.append(a)
            if pair in met:
                break
            met[pair] = len(way)
        code = pair[0] * self.size + pair[1]
        goal = np.zeros(left.size, bool)
        goal[code] = True
        search = Search(self)
        found = search.run(np.array([code]), goal)
        assert found is not None
        return *pair, search.trace_word(found)[1], tuple(way[: met[pair]][::-1])

    def find_predecessor(
        self, pair: tuple[int, int], left: Bool[np.ndarray, "states states"]
    ) -> tuple[tuple[int, int], int]:
        """A pair of those left that an edge leads to this one, and the edge's symbol."""
        to_p, to_q = self.table == pair[0], self.table == pair[1]
        if self.kept is not None:
            to_p = to_p & (self.kept == self.kept[pair[0]])[:, None]
            to_q = to_q & (self.kept == self.kept[pair[1]])[:, None]
        for a in np.flatnonzero(to_p.any(axis=0) & to_q.any(axis=0)):
            p, q = np.flatnonzero(to_p[:, a]), np.flatnonzero(to_q[:, a])
            rows, columns = np.nonzero(left[np.ix_(p, q)])
            if rows.size:
                return (int(p[rows[0]]), int(q[columns[0]])), int(a)
        raise AssertionError("a pair that is left has one before it")


class Search:
    """Breadth first through pairs of states: which are reached, and by which words.

    >>> swap = np.array([[1, 0], [0, 1]])
    >>> search = Search(PairGraph(swap, np.ones((2, 2), bool)))
    >>> search.run(np.array([1]), np.array([False, False, True, False]))
    (1, 0)
    >>> search.trace_word((1, 0))
    (1, (0,))
    """

    def __init__(self, graph: PairGraph) -> None:
        self.graph = graph
        self.parent = np.full(graph.nodes.size, -1, np.int64)  # of starts, themselves
        self.symbol = np.zeros(graph.nodes.size, np.int32)
        self.starts = np.empty(0, np.intp)
        self.last: tuple[int, int] | None = None  # the edge that met the goal: from, symbol

    @property
    def reached(self) -> Bool[np.ndarray, " pairs"]:
        """Which pairs are reached, by their code."""
        reached: Bool[np.ndarray, " pairs"] = self.parent >= 0
        return reached

    def run(
        self, starts: Int[np.ndarray, " starts"], goal: Bool[np.ndarray, " pairs"] | None = None
    ) -> tuple[int, int] | None:
        """Go on from these pairs, by one symbol or more, until one of the goal is met."""
        self.starts = starts
        self.parent[starts] = starts
        frontier = starts
        while frontier.size:
            met = []
            for part in self.graph.split(frontier):
                following, edge = self.graph.follow(part)
                if goal is not None and (hit := edge & goal[following]).any():
                    place, a = map(int, np.argwhere(hit)[0])
                    self.last = int(part[place]), a
                    p, q = divmod(int(following[place, a]), self.graph.size)
                    return p, q
                edge &= self.parent[following] < 0
                row, column = np.nonzero(edge)
                fresh, first = np.unique(following[edge], return_index=True)
                self.parent[fresh] = part[row[first]]
                self.symbol[fresh] = column[first]
                met.append(fresh)
            frontier = np.concatenate(met)
        return None

    def trace_word(self, pair: tuple[int, int]) -> tuple[int, Word]:
        """The start, by its code, and the word that leads from it to a pair."""
        word = []
        if self.last is not None:  # the goal may be a start itself: its last edge is kept apart
            code, a = self.last
            word.append(a)
        else:
            code = pair[0] * self.graph.size + pair[1]
        while self.parent[code] != code:
            word.append(int(self.symbol[code]))
            code = int(self.parent[code])
        return code, tuple(word[::-1])
