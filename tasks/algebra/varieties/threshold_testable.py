"""Locally threshold testable languages, which count factors up to a threshold, on the automaton.

A language is locally threshold testable if and only if its syntactic semigroup is aperiodic and,
for idempotents e and f and all x, y, z (Thérien and Weiss 1985, "Graph congruences and wreath
products"),

    e x f y e z f  =  e z f y e x f

On the minimal automaton (Trahtman 2001, "Piecewise and local threshold testability of DFA"), follow
both sides from a state p that e fixes, and name the states after each f and each e:

    p -xf-> r1 -ye-> p1 -zf-> t1        p -zf-> r2 -ye-> p2 -xf-> t2

The equation fails if t1 and t2 differ for some choice. Then e fixes p, p1, p2 and f fixes r1, r2,
t1, t2. As each of x, y, z is read twice, in the graph of pairs of states

    (p, p2) reaches (r1, t2),    (p, p1) reaches (r2, t1),    (r1, r2) reaches (p1, p2)

Conversely, suppose that words connect these pairs. A triple on a cycle of the graph of triples is
fixed by the non-empty word that labels the cycle, hence by its idempotent power e; f is obtained in
the same way from a cycle of the graph of quadruples; and x, y, z are the words between the pairs,
each followed by an f or e that fixes the states reached. These words may be empty, as an empty x
acts as x = e and an empty y as y = f. The test thus searches for tuples of states and does not
compute the semigroup.

With n states the graphs have n^3 and n^4 nodes. For each p1 and p2 all quadruples are tested once,
for every p in parallel with one bit each, which takes n^6 steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int, UInt64

from flann.tasks.algebra.green import find_strong_components
from flann.tasks.algebra.reachability import find_components, find_reachable
from flann.tasks.algebra.transformations import compute_omega_power
from flann.tasks.algebra.verdict import Clock, Stopped, Verdict
from flann.tasks.automata.moore_machine import MooreMachine, Word

from .sampled_equations import compose_all

MOST_EDGES = 1 << 22  # between quadruples: 32 states with 4 symbols


def decide_threshold_testable(
    machine: MooreMachine, aperiodic: bool | None, clock: Clock
) -> Verdict:
    """Decide whether the language is locally threshold testable.

    Parameters
    ----------
    machine : MooreMachine
        the minimal machine of the language.
    aperiodic : bool or None
        whether the language is star-free, which is not decided here. If this is None, that is, not
        known, the answer is negative or unknown.
    clock : Clock
        the time limit.

    Raises
    ------
    Stopped
        if there are too many quadruples of states, or the time is up.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> def decide(text):
    ...     machine = MooreMachine.from_automaton(from_expression(text))
    ...     return decide_threshold_testable(machine, True, Clock.of(9))
    >>> decide("b*ab*ab*").answer
    True
    >>> decide("c*ac*bc*").witness
    {'e': ('c',), 'f': ('c',), 'x': (), 'y': ('a',), 'z': ('b',)}
    """
    small = machine.merge_symbols()
    symbols = len(small.symbols)
    if small.size**4 * symbols > MOST_EDGES:
        raise Stopped(f"{small.size} states and {symbols} symbols make too many quadruples")
    found = find_exchange_violation(small, clock)
    if found is not None:
        return refute_threshold_testable(small, *found)
    if aperiodic is None:
        return Verdict(
            None, "exfyezf = ezfyexf for all elements, but it is not known whether it is star-free"
        )
    return Verdict(aperiodic, f"{'' if aperiodic else 'not '}aperiodic, and exfyezf = ezfyexf")


def find_exchange_violation(
    machine: MooreMachine, clock: Clock
) -> tuple[tuple[int, int, int], tuple[int, int, int, int]] | None:
    """Return states (p, p1, p2) and (r1, r2, t1, t2) of a violation, or None."""
    n = machine.size
    fixed = np.zeros((n, n, n), bool)
    fixed[tuple(find_cyclic(machine, 3, clock).T)] = True
    quadruples = find_cyclic(machine, 4, clock)
    r1, r2, t1, t2 = quadruples[quadruples[:, 2] != quadruples[:, 3]].T
    reach = find_reachable(build_product_machine(machine, 2))
    arriving = pack_bits(
        reach.reshape(n, n, n * n).swapaxes(0, 2)
    )  # at (r, t) from (p, p1): [rt, p1]
    fixing = pack_bits(fixed.transpose(1, 2, 0))
    back, one, other = r1 * n + r2, r1 * n + t2, r2 * n + t1
    for p1, p2 in np.argwhere(np.triu(fixing > 0)):  # the condition is symmetric in 1 and 2
        clock.check()
        returning = np.flatnonzero(reach[:, p1 * n + p2][back])
        met = arriving[one[returning], p2] & arriving[other[returning], p1] & fixing[p1, p2]
        if met.any():
            row = int((met != 0).argmax())
            p = (int(met[row]) & -int(met[row])).bit_length() - 1
            q = returning[row]
            return (p, int(p1), int(p2)), (int(r1[q]), int(r2[q]), int(t1[q]), int(t2[q]))
    return None


def pack_bits(flags: Bool[np.ndarray, "*rows states"]) -> UInt64[np.ndarray, "*rows"]:
    """Pack the last axis into the bits of one integer."""
    weights = np.uint64(1) << np.arange(flags.shape[-1], dtype=np.uint64)
    result: UInt64[np.ndarray, "*rows"] = np.where(flags, weights, np.uint64(0)).sum(axis=-1)
    return result


def build_product_machine(machine: MooreMachine, arity: int) -> MooreMachine:
    """Build the machine on tuples of states, numbered in base n; its labels are unused."""
    table = np.zeros((1, len(machine.symbols)), np.intp)
    for _ in range(arity):
        table = (table[:, None] * machine.size + machine.table).reshape(-1, table.shape[1])
    return replace(machine, table=table, labels=np.zeros(len(table), np.intp))


def find_cyclic(machine: MooreMachine, arity: int, clock: Clock) -> Int[np.ndarray, "tuples arity"]:
    """Return the tuples of states that some non-empty word fixes.

    Such a word keeps every state in its component, so only the edges that do so are kept. Nodes
    without an incoming or an outgoing edge are removed until none is left.
    """
    table, n = build_product_machine(machine, arity).table, machine.size
    stays = find_components(machine)[machine.table] == find_components(machine)[:, None]
    kept = np.ones((1, table.shape[1]), bool)
    for _ in range(arity):
        kept = (kept[:, None] & stays).reshape(-1, table.shape[1])
    left = np.ones(len(table), bool)
    while True:
        clock.check()
        kept &= left[:, None] & left[table]
        entered = np.zeros(len(table), bool)
        entered[table[kept]] = True
        further = kept.any(axis=1) & entered
        if (further == left).all():
            break
        left = further
    nodes = np.flatnonzero(left)
    number = np.zeros(len(table), np.intp)
    number[nodes] = np.arange(len(nodes))
    edges, kept = number[table[nodes]], kept[nodes]
    component = find_strong_components(edges, kept, clock)
    on_cycle = (kept & (component[edges] == component[:, None])).any(axis=1)
    return np.column_stack(np.unravel_index(nodes[on_cycle], (n,) * arity))


def refute_threshold_testable(
    machine: MooreMachine, at_e: tuple[int, int, int], at_f: tuple[int, int, int, int]
) -> Verdict:
    """Return a negative verdict with the words of a violation."""
    (p, p1, p2), (r1, r2, t1, t2) = at_e, at_f
    n, pairs = machine.size, build_product_machine(machine, 2)
    words = {
        "e": find_loop(machine, at_e),
        "f": find_loop(machine, at_f),
        "x": pairs.path(p * n + p2, r1 * n + t2) or (),
        "y": pairs.path(r1 * n + r2, p1 * n + p2) or (),
        "z": pairs.path(p * n + p1, r2 * n + t1) or (),
    }
    e, f = (compute_omega_power(machine.action(words[name])) for name in "ef")
    x, y, z = (machine.action(words[name]) for name in "xyz")
    assert (compose_all(e, x, f, y, e, z, f) != compose_all(e, z, f, y, e, x, f)).any(), (
        "the equation is not violated"
    )
    witness = {name: machine.spell(word) for name, word in words.items()}
    return Verdict(False, "exfyezf differs from ezfyexf", witness)


def find_loop(machine: MooreMachine, states: tuple[int, ...]) -> Word:
    """Return a shortest non-empty word that fixes all of these states."""
    tuples = build_product_machine(machine, len(states))
    node = int(np.ravel_multi_index(states, (machine.size,) * len(states)))
    ways = ((a, tuples.path(int(after), node)) for a, after in enumerate(tuples.table[node]))
    return min(((a, *way) for a, way in ways if way is not None), key=len)
