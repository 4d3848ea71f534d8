"""Locally testable languages, the Boolean combinations of strictly local ones, on the automaton.

The equations are exexe = exe and exeye = eyexe for idempotents e: every local monoid eSe is
idempotent and commutative (McNaughton 1974; Brzozowski and Simon 1973). On the minimal automaton,
write p > q if q is reachable from p. The condition is (Kim, McNaughton and McCloskey 1991, "A
polynomial time algorithm for the local testability problem of deterministic finite automata"; in
this form Trahtman 2001) that whenever one non-empty word fixes both p and q,

1. p > q and q > p only if p = q;
2. if p > q, then for every word s: ps > q if and only if qs > q.

Both are tested on the graph of pairs. Condition 1 holds if the pairs of distinct states of one
strongly connected component contain no cycle. For condition 2, let D be the component of q. Pairs
that are reachable from a cycle, within the two components of its states, inherit the condition from
that cycle, so it may be tested on all of them. From these pairs, follow s as long as the second
state stays in D: at each step the first state must reach D if and only if the second is still in D.
This takes n^2 pairs and one step for each symbol.
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
    """Decide whether the language is locally testable.

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
    """Test condition 1; return a negative verdict if one word fixes two states of a component."""
    component = find_components(machine)
    same = (component[:, None] == component) & ~np.eye(machine.size, dtype=bool)
    graph = PairGraph(machine.table, same, component)
    left = graph.cyclic_pairs[0]
    if not left.any():
        return None
    p, q, e, _ = graph.find_loop(*map(int, np.argwhere(left)[0]))
    return refute_locally_testable(machine, e, machine.path(p, q) or (), machine.path(q, p) or ())


def check_reachability(machine: MooreMachine) -> Verdict | None:
    """Test condition 2; return a negative verdict if ps > q and qs > q differ for some s."""
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
            row = int((still != stays).argmax())
            pair = divmod(int(reached[row]), machine.size)
            return find_disagreement(machine, graph, search, pair, a, bool(still[row]))
    return None


class KeepsSecond(PairGraph):
    """The graph of pairs in which only the second state must stay in its component."""

    @override
    def follow(
        self, codes: Int[np.ndarray, " pairs"]
    ) -> tuple[Int[np.ndarray, "pairs symbols"], Bool[np.ndarray, "pairs symbols"]]:
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
    """Build the verdict from e, which fixes p and q, s, which separates them, and y from p to q."""
    start, s = search.trace_word(pair)
    p, q, e, way = graph.find_loop(*divmod(start, machine.size))
    s = (*way, *s, a)
    origin = p if first_reaches else q
    x = (*s, *(machine.path(machine.run(s, origin), q) or ()))
    return refute_locally_testable(machine, e, x, machine.path(p, q) or ())


def refute_locally_testable(machine: MooreMachine, loop: Word, x: Word, y: Word) -> Verdict:
    """Return a negative verdict with the equation that these words violate."""
    e = compute_omega_power(machine.action(loop))
    maps = {name: e[machine.action(word)[e]] for name, word in (("x", x), ("y", y))}
    for name, word in (("x", x), ("y", y)):
        if (maps[name][maps[name]] != maps[name]).any():
            witness = {"e": machine.spell(loop), "x": machine.spell(word)}
            return Verdict(False, "exexe differs from exe", witness)
    assert (maps["x"][maps["y"]] != maps["y"][maps["x"]]).any(), "no equation is violated"
    words = {"e": loop, "x": x, "y": y}
    witness = {name: machine.spell(word) for name, word in words.items()}
    return Verdict(False, "exeye differs from eyexe", witness)
