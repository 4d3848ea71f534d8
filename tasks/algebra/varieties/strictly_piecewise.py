"""Strictly piecewise languages, which are defined by forbidden subsequences.

A language is strictly piecewise if and only if every subsequence of a member is a member. It is
then the language of all words that avoid finitely many subsequences, of length at most k (Rogers et
al. 2010, "On languages piecewise testable in the strict sense"). On the minimal automaton, deleting
a symbol never loses a continuation: ``L(delta(p, a))`` is a subset of ``L(p)`` for every
transition.

The least k is the length of the longest *minimal forbidden word*: a word outside the language that
becomes a member when any one of its symbols is deleted. None of its symbols can be read in a loop,
and the automaton has no cycles other than loops, so its length is bounded. Beside the state of the
word read so far, the search keeps the states of the word with one symbol deleted, and of these only
the ones whose residual languages are minimal under inclusion.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from flann.tasks.algebra.pair_graph import PairGraph, Search
from flann.tasks.algebra.reachability import find_reachable
from flann.tasks.algebra.verdict import Clock, Stopped, Verdict
from flann.tasks.automata.moore_machine import MooreMachine, Word

MOST_NODES = 50_000  # of the search for the longest minimal forbidden word

Partial = tuple[int, frozenset[int]]


def decide_strictly_piecewise(machine: MooreMachine, clock: Clock) -> Verdict:
    """Decide whether the language is strictly piecewise, with the least k if it is found.

    The witness of a negative verdict is a member, a symbol of it, and the word without the symbol,
    which is not a member.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> def decide(text):
    ...     machine = MooreMachine.from_automaton(from_expression(text))
    ...     return decide_strictly_piecewise(machine, Clock.of(1))
    >>> decide("a*b*").k
    2
    >>> decide("(ab)*").witness["left out"]
    ('b',)
    """
    small = machine.merge_symbols()
    more = np.zeros((small.size, small.size), bool)
    more[small.table, np.arange(small.size)[:, None]] = True  # (delta(p, a), p)
    np.fill_diagonal(more, False)
    escaped = (small.accepting[:, None] & ~small.accepting).ravel()
    everything = np.ones_like(more)
    search = Search(PairGraph(small.table, everything))
    starts = np.flatnonzero(more)
    bad = starts[escaped[starts]]
    if bad.size:
        return find_non_closure(small, int(bad[0]), ())
    found = search.run(starts, escaped)
    if found is not None:
        return find_non_closure(small, *search.trace_word(found))
    return find_least_k(small, clock)


def find_non_closure(machine: MooreMachine, pair: int, word: Word) -> Verdict:
    """Return the verdict for a pair (delta(p, a), p) and a word accepted only from the first."""
    following, p = divmod(pair, machine.size)
    a = int(np.flatnonzero(machine.table[p] == following)[0])
    before = machine.path(machine.start, p) or ()
    witness = {"member": (*before, a, *word), "left out": (a,), "not in it": (*before, *word)}
    return Verdict(
        False,
        "a subsequence of a member is not a member",
        {name: machine.spell(part) for name, part in witness.items()},
    )


def find_least_k(machine: MooreMachine, clock: Clock) -> Verdict:
    """Return the verdict for a strictly piecewise language, with the least k by search."""
    try:
        k = max(Forbidden(machine, clock).measure_longest(), 1)
    except Stopped as stopped:
        return Verdict(True, f"closed under subsequences; the least k is not known: {stopped}")
    return Verdict(True, f"the longest minimal forbidden subsequence has length {k}", k=k)


class Forbidden:
    """The search for the longest minimal forbidden word.

    A partial word is represented by the state that it leads to, and by the states that it leads to
    with one symbol deleted.
    """

    def __init__(self, machine: MooreMachine, clock: Clock) -> None:
        self.rows = machine.table.tolist()
        self.live = machine.live.tolist()
        self.order = find_reachable(machine).sum(axis=1)  # decreases with every symbol but loops
        self.inside = find_inclusions(machine, self.order, clock)
        self.start: Partial = (machine.start, frozenset())
        self.clock = clock

    def measure_longest(self) -> int:
        """Return the length of the longest minimal forbidden word; 0 if there is none."""
        onward = self.list_partial_words()
        best: dict[Partial, int] = {}
        for partial in sorted(onward, key=lambda partial: int(self.order[partial[0]])):
            state, without = partial
            if not self.live[state]:
                best[partial] = 0 if all(self.live[q] for q in without) else -1
            else:
                rest = [best[longer] for longer in onward[partial]]
                best[partial] = max((n + 1 for n in rest if n >= 0), default=-1)
        return max(best[self.start], 0)

    def list_partial_words(self) -> dict[Partial, list[Partial]]:
        """Return the prefixes of possible minimal forbidden words, each with its extensions."""
        onward: dict[Partial, list[Partial]] = {self.start: []}
        for state, without in (queue := [self.start]):
            self.clock.check()
            for a, following in enumerate(self.rows[state] if self.live[state] else ()):
                after = {self.rows[q][a] for q in without}
                if following == state or not all(self.live[q] for q in after):
                    continue
                longer = (following, self.keep_minimal({state, *after}))
                onward[state, without].append(longer)
                if longer not in onward:
                    if len(onward) == MOST_NODES:
                        raise Stopped(f"not found among {MOST_NODES} partial words")
                    onward[longer] = []
                    queue.append(longer)
        return onward

    def keep_minimal(self, states: set[int]) -> frozenset[int]:
        """Return the states whose residual languages are minimal under inclusion."""
        return frozenset(q for q in states if not any(p != q and self.inside[p, q] for p in states))


def find_inclusions(
    machine: MooreMachine, order: Int[np.ndarray, " states"], clock: Clock
) -> Bool[np.ndarray, "states states"]:
    """Return ``inside[p, q]``, whether every word accepted from p is accepted from q.

    In a strictly piecewise language all live states accept, so the inclusion fails if and only if
    some word leads p to a live state and q to a dead one. As the automaton has no cycles other than
    loops, the pairs are settled in a reverse topological order of the states.
    """
    table, outside = machine.table, machine.live[:, None] & ~machine.live
    upward = np.argsort(order).tolist()
    for p in upward:
        clock.check()
        for q in upward:
            outside[p, q] |= outside[table[p], table[q]].any()
    inside: Bool[np.ndarray, "states states"] = ~outside
    return inside
