"""Locally threshold testable, on the automaton: factors counted up to a threshold.

A language is locally threshold testable when it is aperiodic and, for idempotents e and f and all
x, y, z (Thérien and Weiss 1985, "Graph congruences and wreath products"),

    e x f y e z f  =  e z f y e x f

On the states of the minimal automaton (Trahtman 2001, "Piecewise and local threshold testability
of DFA") follow both sides from a state p that e fixes, with the stops behind each f and each e:

    p -xf-> r1 -ye-> p1 -zf-> t1        p -zf-> r2 -ye-> p2 -xf-> t2

The equation fails when t1 and t2 differ for some choice. Then e fixes p, p1, p2 and f fixes r1,
r2, t1, t2; and as each of x, y, z is read twice, in the graph of pairs of states

    (p, p2) reaches (r1, t2),    (p, p1) reaches (r2, t1),    (r1, r2) reaches (p1, p2)

Conversely, let words lead these pairs so. A triple on a cycle of the graph of triples is fixed by
the non-empty word round it, so by its idempotent power e; in the same way f is had from a cycle of
the graph of quadruples; and x, y, z are the words between the pairs, each followed by an f or e
that no longer moves anything. They may be empty: an empty x does what x = e does, y what y = f
does. So nine states at most are looked for, and no semigroup is made.

With n states the graphs have n^3 and n^4 nodes. For each p1, p2 all quadruples are looked at once,
for every p together, one bit of a word for each: n^6 steps.
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

MOST_EDGES = 1 << 22  # between quadruples: those of 32 states and 4 symbols


def decide_threshold_testable(
    machine: MooreMachine, aperiodic: bool | None, clock: Clock
) -> Verdict:
    """Whether the language is locally threshold testable.

    Parameters
    ----------
    machine : MooreMachine
        of the language.
    aperiodic : bool or None
        whether it is star-free, which is not asked here; None where that is not known. Then the
        answer is *no* or not known.
    clock : Clock
        to look at.

    Raises
    ------
    Stopped
        where there are too many quadruples of states, or the time is up.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> decide_threshold_testable(MooreMachine.from_automaton(from_expression("b*ab*ab*")), True, Clock.of(9)).answer
    True
    >>> decide_threshold_testable(MooreMachine.from_automaton(from_expression("c*ac*bc*")), True, Clock.of(9)).witness
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
        return Verdict(None, "exfyezf = ezfyexf throughout, but whether it is star-free is open")
    return Verdict(aperiodic, f"{'' if aperiodic else 'not '}aperiodic, and exfyezf = ezfyexf")


def find_exchange_violation(
    machine: MooreMachine, clock: Clock
) -> tuple[tuple[int, int, int], tuple[int, int, int, int]] | None:
    """States p, p1, p2 and r1, r2, t1, t2 of a violation."""
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
    for p1, p2 in np.argwhere(np.triu(fixing > 0)):  # the indices 1 and 2 may be exchanged
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
    """The last axis as the bits of one number."""
    weights = np.uint64(1) << np.arange(flags.shape[-1], dtype=np.uint64)
    result: UInt64[np.ndarray, "*rows"] = np.where(flags, weights, np.uint64(0)).sum(axis=-1)
    return result


def build_product_machine(machine: MooreMachine, arity: int) -> MooreMachine:
    """On tuples of states, numbered like digits; only its graph is of use."""
    table = np.zeros((1, len(machine.symbols)), np.intp)
    for _ in range(arity):
        table = (table[:, None] * machine.size + machine.table).reshape(-1, table.shape[1])
    return replace(machine, table=table, labels=np.zeros(len(table), np.intp))


def find_cyclic(machine: MooreMachine, arity: int, clock: Clock) -> Int[np.ndarray, "tuples arity"]:
    """The tuples of states that some non-empty word fixes.

    Such a word keeps every state in its component, so only these edges are looked at; and of their
    nodes none that has no edge into what is left, or none out of it.
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
    """The words of a violation."""
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
        "none is violated"
    )
    spelt = {name: machine.spell(word) for name, word in words.items()}
    return Verdict(False, "exfyezf differs from ezfyexf", spelt)


def find_loop(machine: MooreMachine, states: tuple[int, ...]) -> Word:
    """A shortest non-empty word that fixes all of these states."""
    tuples = build_product_machine(machine, len(states))
    node = int(np.ravel_multi_index(states, (machine.size,) * len(states)))
    ways = ((a, tuples.path(int(after), node)) for a, after in enumerate(tuples.table[node]))
    return min(((a, *way) for a, way in ways if way is not None), key=len)
