"""Reference implementations: equations tested on every choice, definitions applied directly."""

from __future__ import annotations

from functools import reduce
from itertools import product

import networkx as nx
import numpy as np

from flann.tasks.algebra.semigroup import Semigroup
from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.moore_machine import MooreMachine


class Products:
    """The elements of a semigroup as tuples, with their multiplication table."""

    def __init__(self, semigroup: Semigroup) -> None:
        letters = [tuple(column) for column in semigroup.machine.table.T.tolist()]
        elements, queue = set(letters), list(dict.fromkeys(letters))
        for x in queue:
            for a in letters:
                xa = tuple(a[q] for q in x)
                if xa not in elements:
                    elements.add(xa)
                    queue.append(xa)
        assert elements == {tuple(row) for row in semigroup.maps.tolist()}
        self.elements = queue
        number = {x: i for i, x in enumerate(queue)}
        self.table = np.array([[number[tuple(y[q] for q in x)] for y in queue] for x in queue])
        self.size = len(queue)
        self.everyone = np.arange(self.size)
        self.idempotents = [e for e in range(self.size) if self.table[e, e] == e]
        self.omega = np.array([self.power(x) for x in range(self.size)])

    def power(self, x: int) -> int:
        y = x
        while self.table[y, y] != y:
            y = self.table[y, x]
        return int(y)

    def of(self, *factors):  # type: ignore[no-untyped-def]
        """Return the product of numbers of elements, or of arrays of them."""
        return reduce(lambda x, y: self.table[x, y], factors)

    def arrows(self, e: int, f: int) -> np.ndarray:
        return np.unique(self.of(e, self.everyone, f))

    def is_aperiodic(self) -> bool:
        return bool((self.of(self.omega, self.everyone) == self.omega).all())

    def choices(self, count: int) -> tuple[np.ndarray, ...]:
        return tuple(np.ix_(*[self.everyone] * count))

    def is_r_trivial(self) -> bool:
        x, y = self.choices(2)
        high = self.omega[self.of(x, y)]
        return bool((self.of(high, x) == high).all())

    def is_l_trivial(self) -> bool:
        x, y = self.choices(2)
        high = self.omega[self.of(x, y)]
        return bool((self.of(y, high) == high).all())

    def is_da(self) -> bool:
        """Whether (xyz)^w y (xyz)^w = (xyz)^w, where x and z may be empty."""
        x, y, z = self.choices(3)
        for inside in (self.of(x, y, z), self.of(x, y), self.of(y, z)):
            high = self.omega[inside]
            if not (self.of(high, y, high) == high).all():
                return False
        return True

    def idempotents_are_constant(self, live: np.ndarray) -> bool:
        """Whether it is strictly local (de Luca and Restivo 1980).

        The image of each idempotent contains at most one live state.
        """
        return all(sum(live[q] for q in set(self.elements[e])) <= 1 for e in self.idempotents)


def satisfies_locally_testable(p: Products) -> bool:
    for e in p.idempotents:
        local = p.arrows(e, e)
        xy = p.of(local[:, None], local)
        if (np.diag(xy) != local).any() or (xy != xy.T).any():
            return False
    return True


def satisfies_threshold(p: Products) -> bool:
    if not p.is_aperiodic():
        return False
    for e, f in product(p.idempotents, repeat=2):
        there, back = p.arrows(e, f), p.arrows(f, e)
        xyz = p.of(there[:, None, None], back[None, :, None], there[None, None, :])
        if (xyz != xyz.swapaxes(0, 2)).any():
            return False
    return True


def satisfies_knast(p: Products) -> bool:
    for e, f in product(p.idempotents, repeat=2):
        there, back = p.arrows(e, f), p.arrows(f, e)
        x, y = there[:, None], back[None, :]
        high = p.omega[p.of(x, y)]  # (eafb)^w, and (ecfd)^w which makes (cfde)^w behind an e
        left = p.of(high, x)  # (eafb)^w eaf, for each a and b
        right = p.of(y, high)  # fde (cfde)^w, for each c and d
        one = p.of(left.reshape(-1, 1), right.reshape(1, -1))
        other = p.of(high.reshape(-1, 1), high.reshape(1, -1))
        if (one != other).any():
            return False
    return True


def stable_is_aperiodic(machine: MooreMachine, p: Products) -> bool:
    """Whether the maps of the words of the stable length s are aperiodic."""
    letters = {tuple(column) for column in machine.table.T.tolist()}
    images = [frozenset(letters)]
    while True:
        s = len(images)
        while len(images) < 2 * s:
            images.append(frozenset(tuple(a[q] for q in x) for x in images[-1] for a in letters))
        if images[s - 1] == images[2 * s - 1]:
            break
        images = images[: s + 1]
    number = {x: i for i, x in enumerate(p.elements)}
    stable = [number[x] for x in images[s - 1]]
    return all(p.of(p.omega[x], x) == p.omega[x] for x in stable)


def is_subsequence_closed(automaton: Automaton) -> bool:
    """Whether the automaton of all subsequences of members accepts the same language."""
    size = automaton.size
    skips = [{q} for q in range(size)]
    for q in range(size):
        for p in (queue := [q]):
            for following in automaton.table[p].tolist():
                if following not in skips[q]:
                    skips[q].add(following)
                    queue.append(following)

    def closed(states: set[int]) -> frozenset[int]:
        return frozenset(p for q in states for p in skips[q])

    subsequences = from_function(
        automaton.symbols,
        closed({automaton.start}),
        lambda states, a: closed({int(automaton.table[q, a]) for q in states}),
        lambda states: any(automaton.accepting[q] for q in states),
    )
    return automaton.counterexample(subsequences) is None


def threshold_on_states(machine: MooreMachine) -> bool:
    """Whether exfyezf = ezfyexf, by words between tuples of states, without the semigroup.

    One word (e) fixes p and the two states s after y, another (f) the four states r and t after x
    or z: p -x-> r1 -y-> s1 -z-> t1 and p -z-> r2 -y-> s2 -x-> t2.
    """
    n, letters = machine.size, range(len(machine.symbols))
    table = machine.table.tolist()

    def cyclic(arity: int) -> np.ndarray:
        graph = nx.DiGraph()
        for states in product(range(n), repeat=arity):
            for a in letters:
                graph.add_edge(states, tuple(table[q][a] for q in states))
        on_cycle = np.zeros((n,) * arity, bool)
        for component in nx.strongly_connected_components(graph):
            some = next(iter(component))
            if len(component) > 1 or graph.has_edge(some, some):
                for states in component:
                    on_cycle[states] = True
        return on_cycle

    reach = np.zeros((n,) * 4, bool)
    for p, q in product(range(n), repeat=2):
        met = [(p, q)]
        for x, y in met:
            reach[p, q, x, y] = True
            met += [pair for a in letters if (pair := (table[x][a], table[y][a])) not in met]
    at_e, at_f = cyclic(3), cyclic(4)
    for r1, r2, t1, t2 in np.argwhere(at_f):
        if t1 == t2:
            continue
        for p, s1, s2 in np.argwhere(at_e):
            if reach[r1, r2, s1, s2] and reach[p, s2, r1, t2] and reach[p, s1, r2, t1]:
                return False
    return True
