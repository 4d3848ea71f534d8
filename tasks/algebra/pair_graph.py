"""The graph of pairs of states, which records the action of one word on two states at once.

The nodes are pairs (p, q), and the symbol a leads from (p, q) to (delta(p, a), delta(q, a)). A
cycle through (p, q) spells a word that fixes both p and q. The classes of languages that are
defined by windows of bounded width forbid some of these cycles. The graph has only n^2 nodes,
whereas the semigroup can have n^n elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from flann.tasks.automata.moore_machine import Word

from .verdict import Stopped

MOST_EDGES = 1 << 28  # of a graph
PIECE = 1 << 21  # edges processed at a time


@dataclass(frozen=True, eq=False)
class PairGraph:
    """A subset of the pairs of states, with the edges between them.

    Attributes
    ----------
    table : ndarray of int, shape (states, symbols)
        next states.
    nodes : ndarray of bool, shape (states, states)
        the pairs that belong to the graph.
    kept : ndarray of int, shape (states,), optional
        a number for each state, such as its component, that an edge must change for neither
        state; None for no restriction.

    Raises
    ------
    Stopped
        if the graph would have more than `MOST_EDGES` edges.
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
        """The number of states."""
        return len(self.table)

    def follow(
        self, codes: Int[np.ndarray, " pairs"]
    ) -> tuple[Int[np.ndarray, "pairs symbols"], Bool[np.ndarray, "pairs symbols"]]:
        """Return the successors of pairs, coded ``p * states + q``, and which of them are edges."""
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
        """Return for which symbols the second state keeps its number in `kept`."""
        assert self.kept is not None
        stays: Bool[np.ndarray, "pairs symbols"] = self.kept[to_q] == self.kept[q][:, None]
        return stays

    def split(self, codes: Int[np.ndarray, " pairs"]) -> list[Int[np.ndarray, " piece"]]:
        """Split pairs into pieces of about `PIECE` edges each."""
        count = 1 + codes.size * self.table.shape[1] // PIECE
        return [codes] if count == 1 else np.array_split(codes, count)

    @cached_property
    def cyclic_pairs(self) -> tuple[Bool[np.ndarray, "states states"], int]:
        """The pairs reachable from a cycle, and the number of rounds that removed the rest.

        Each round removes the pairs without an incoming edge. If none remains, the graph is acyclic
        and the number of rounds is the number of nodes on its longest path.
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
                met.append(
                    reached[arriving[reached] == 0]
                )  # exactly one piece removes the last edge
            sources = np.concatenate(met)
        return left.reshape(self.nodes.shape), rounds

    def find_loop(self, p: int, q: int) -> tuple[int, int, Word, Word]:
        """Find a cycle from which the pair (p, q) of `cyclic_pairs` is reachable.

        Every remaining pair has a remaining predecessor, so walking backwards repeats a pair.

        Returns
        -------
        tuple of int, int, Word, Word
            the two states of a pair on the cycle, a shortest word along the cycle, and a word
            from that pair to (p, q).
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
        """Return a remaining predecessor of a pair, with the symbol of the edge."""
        to_p, to_q = self.table == pair[0], self.table == pair[1]
        if self.kept is not None:
            to_p = to_p & (self.kept == self.kept[pair[0]])[:, None]
            to_q = to_q & (self.kept == self.kept[pair[1]])[:, None]
        for a in np.flatnonzero(to_p.any(axis=0) & to_q.any(axis=0)):
            p, q = np.flatnonzero(to_p[:, a]), np.flatnonzero(to_q[:, a])
            rows, columns = np.nonzero(left[np.ix_(p, q)])
            if rows.size:
                return (int(p[rows[0]]), int(q[columns[0]])), int(a)
        raise AssertionError("a remaining pair has a remaining predecessor")


class Search:
    """A breadth-first search of a pair graph, which records a shortest word to each pair.

    >>> swap = np.array([[1, 0], [0, 1]])
    >>> search = Search(PairGraph(swap, np.ones((2, 2), bool)))
    >>> search.run(np.array([1]), np.array([False, False, True, False]))
    (1, 0)
    >>> search.trace_word((1, 0))
    (1, (0,))
    """

    def __init__(self, graph: PairGraph) -> None:
        self.graph = graph
        self.parent = np.full(graph.nodes.size, -1, np.int64)  # a start is its own parent
        self.symbol = np.zeros(graph.nodes.size, np.int32)
        self.starts = np.empty(0, np.intp)
        self.last: tuple[int, int] | None = None  # the edge into the goal: source, symbol

    @property
    def reached(self) -> Bool[np.ndarray, " pairs"]:
        """The reached pairs, by their code."""
        reached: Bool[np.ndarray, " pairs"] = self.parent >= 0
        return reached

    def run(
        self, starts: Int[np.ndarray, " starts"], goal: Bool[np.ndarray, " pairs"] | None = None
    ) -> tuple[int, int] | None:
        """Search from these pairs and return the first pair of the goal, or None.

        The path to the goal has at least one symbol, even from a start that is in the goal.
        """
        self.starts = starts
        self.parent[starts] = starts
        frontier = starts
        while frontier.size:
            met = []
            for part in self.graph.split(frontier):
                following, edge = self.graph.follow(part)
                if goal is not None and (hit := edge & goal[following]).any():
                    hit_row, a = map(int, np.argwhere(hit)[0])
                    self.last = int(part[hit_row]), a
                    p, q = divmod(int(following[hit_row, a]), self.graph.size)
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
        """Return the code of a start and the word that leads from it to a reached pair."""
        word = []
        if self.last is not None:  # if the goal is a start, `parent` has no edge into it
            code, a = self.last
            word.append(a)
        else:
            code = pair[0] * self.graph.size + pair[1]
        while self.parent[code] != code:
            word.append(int(self.symbol[code]))
            code = int(self.parent[code])
        return code, tuple(word[::-1])
