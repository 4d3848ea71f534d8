"""Locally testable, on the automaton: Boolean combinations of strictly local languages.

The equations are exexe = exe and exeye = eyexe for idempotents e: every local monoid eSe is
idempotent and commutative (McNaughton 1974; Brzozowski and Simon 1973). On the minimal automaton,
with p > q for "q is reached from p" (Kim, McNaughton and McCloskey 1991, "A polynomial time
algorithm for the local testability problem of deterministic finite automata"; in this form
Trahtman 2001): whenever one word fixes both p and q,

1. p > q and q > p only if p = q;
2. if p > q, then for every word s: ps > q just when qs > q.

Both are read off the graph of pairs. For 1, pairs of different states of one strongly connected
component have no cycle. For 2, let q be in the component D. The pairs that a cycle inside their
two components leads to, within these, inherit the condition from that cycle, so it may be asked of
all of them. From there on follow s while it keeps the second state in D: at each step the first
must still reach D just when the second is still in it. That is n^2 pairs and as many steps as
symbols.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int
from typing_extensions import override

from flann.tasks.algebra.pair_graph import PairGraph, Search
from flann.tasks.algebra.reachability import find_components, find_reachable
from flann.tasks.algebra.transformations import compute_omega_power
from flann.tasks.algebra.verdict import Verdict
from flann.tasks.automata.moore_machine import MooreMachine, Word


def decide_locally_testable(machine: MooreMachine) -> Verdict:
    """Whether the language is locally testable.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> decide_locally_testable(MooreMachine.from_automaton(from_expression("(ab)*"))).answer
    True
    >>> decide_locally_testable(MooreMachine.from_automaton(from_expression("b*ab*ab*"))).witness
    {'e': ('b',), 'x': ('a',)}
    """
    small = machine.merge_symbols()
    return (
        check_components(small)
        or check_reachability(small)
        or Verdict(True, "every local monoid is a semilattice")
    )


def check_components(machine: MooreMachine) -> Verdict | None:
    """The verdict where one word fixes two states of one component."""
    component = find_components(machine)
    same = (component[:, None] == component) & ~np.eye(machine.size, dtype=bool)
    graph = PairGraph(machine.table, same, component)
    left = graph.cyclic_pairs[0]
    if not left.any():
        return None
    p, q, e, _ = graph.find_loop(*map(int, np.argwhere(left)[0]))
    return refute_locally_testable(machine, e, machine.path(p, q) or (), machine.path(q, p) or ())


def check_reachability(machine: MooreMachine) -> Verdict | None:
    """The verdict where p and q do not agree on which words still reach q."""
    component, reach = find_components(machine), find_reachable(machine)
    below = reach & (component[:, None] != component)
    graph = PairGraph(machine.table, below, component)
    left = graph.cyclic_pairs[0]
    search = Search(KeepsSecond(machine.table, np.ones_like(reach), component))
    search.run(np.flatnonzero(left))
    reached = np.flatnonzero(search.reached)
    p, q = np.divmod(reached, machine.size)
    for a in range(len(machine.symbols)):
        still = reach[machine.table[p, a], q]
        stays = component[machine.table[q, a]] == component[q]
        if (still != stays).any():
            place = int((still != stays).argmax())
            pair = divmod(int(reached[place]), machine.size)
            return find_disagreement(machine, graph, search, pair, a, bool(still[place]))
    return None


class KeepsSecond(PairGraph):
    """Pairs whose second state stays in its component, wherever the first goes."""

    @override
    def follow(
        self, codes: Int[np.ndarray, " pairs"]
    ) -> tuple[Int[np.ndarray, "pairs symbols"], Bool[np.ndarray, "pairs symbols"]]:
        """As long as the second state stays."""
        p, q = np.divmod(codes, self.size)
        to_q = self.table[q]
        return self.table[p] * self.size + to_q, self.keeps_second(q, to_q)


def find_disagreement(
    machine: MooreMachine,
    graph: PairGraph,
    search: Search,
    pair: tuple[int, int],
    a: int,
    first_reaches: bool,
) -> Verdict:
    """Which words violate an equation: e fixes p and q, s tells them apart, y leads p to q."""
    start, s = search.trace_word(pair)
    p, q, e, way = graph.find_loop(*divmod(start, machine.size))
    s = (*way, *s, a)
    origin = p if first_reaches else q
    x = (*s, *(machine.path(machine.run(s, origin), q) or ()))
    return refute_locally_testable(machine, e, x, machine.path(p, q) or ())


def refute_locally_testable(machine: MooreMachine, loop: Word, x: Word, y: Word) -> Verdict:
    """Which of the equations these words violate."""
    e = compute_omega_power(machine.action(loop))
    maps = {name: e[machine.action(word)[e]] for name, word in (("x", x), ("y", y))}
    for name, word in (("x", x), ("y", y)):
        if (maps[name][maps[name]] != maps[name]).any():
            witness = {"e": machine.spell(loop), "x": machine.spell(word)}
            return Verdict(False, "exexe differs from exe", witness)
    assert (maps["x"][maps["y"]] != maps["y"][maps["x"]]).any(), "no equation is violated"
    words = {"e": loop, "x": x, "y": y}
    spelt = {name: machine.spell(word) for name, word in words.items()}
    return Verdict(False, "exeye differs from eyexe", spelt)
