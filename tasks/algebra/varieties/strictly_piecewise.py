"""Strictly piecewise: the language of all words without certain subsequences.

A language is strictly piecewise just when every subsequence of a member is a member; it is then
the language of all words that have none of finitely many subsequences, of length k at most (Rogers
et al. 2010, "On languages piecewise testable in the strict sense"). On the minimal automaton:
leaving a symbol out never loses a continuation, ``L(delta(p, a))`` is inside ``L(p)`` for every
transition.

The least k is the length of the longest *minimal* forbidden word: not in the language, though it
is as soon as any one of its symbols is left out. None of its symbols can stand at a loop, so it
goes down the automaton, which is then acyclic but for loops. Beside the state of the word so far,
the search keeps the states of the word with one symbol left out, and of these only the ones with
the least residual languages: from the others more is accepted.
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
    """Whether the language is strictly piecewise, with the least k where it is found.

    The witness of a *no* is a member, and what it becomes when one symbol is left out.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> decide_strictly_piecewise(MooreMachine.from_automaton(from_expression("a*b*")), Clock.of(1)).k
    2
    >>> decide_strictly_piecewise(MooreMachine.from_automaton(from_expression("(ab)*")), Clock.of(1)).witness["left out"]
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
    """The verdict for a pair (delta(p, a), p) and a word accepted from the first state only."""
    following, p = divmod(pair, machine.size)
    a = int(np.flatnonzero(machine.table[p] == following)[0])
    before = machine.path(machine.start, p) or ()
    witness = {"member": (*before, a, *word), "left out": (a,), "not in it": (*before, *word)}
    return Verdict(
        False,
        "a subsequence of a member is none",
        {name: machine.spell(part) for name, part in witness.items()},
    )


def find_least_k(machine: MooreMachine, clock: Clock) -> Verdict:
    """The verdict for a language that is strictly piecewise: k by searching its automaton."""
    try:
        k = max(Forbidden(machine, clock).longest(), 1)
    except Stopped as stopped:
        return Verdict(True, f"closed under subsequences; the least k: {stopped}")
    return Verdict(True, f"the longest minimal forbidden subsequence has length {k}", k=k)


class Forbidden:
    """The search for the longest minimal forbidden word.

    A partial word is known by where it leads, and where it leads with one symbol left out.
    """

    def __init__(self, machine: MooreMachine, clock: Clock) -> None:
        self.rows = machine.table.tolist()
        self.live = machine.live.tolist()
        self.order = find_reachable(machine).sum(
            axis=1
        )  # it falls with every symbol that is no loop
        self.inside = find_inclusions(machine, self.order, clock)
        self.start: Partial = (machine.start, frozenset())
        self.clock = clock

    def longest(self) -> int:
        """The length of the longest minimal forbidden word; 0 where there is none."""
        onward = self.partial_words()
        best: dict[Partial, int] = {}
        for partial in sorted(onward, key=lambda partial: int(self.order[partial[0]])):
            state, without = partial
            if not self.live[state]:
                best[partial] = 0 if all(self.live[q] for q in without) else -1
            else:
                rest = [best[longer] for longer in onward[partial]]
                best[partial] = max((n + 1 for n in rest if n >= 0), default=-1)
        return max(best[self.start], 0)

    def partial_words(self) -> dict[Partial, list[Partial]]:
        """Those that can still become minimal forbidden words, and what a symbol makes of them."""
        onward: dict[Partial, list[Partial]] = {self.start: []}
        for state, without in (queue := [self.start]):
            self.clock.check()
            for a, following in enumerate(self.rows[state] if self.live[state] else ()):
                after = {self.rows[q][a] for q in without}
                if following == state or not all(self.live[q] for q in after):
                    continue
                longer = (following, self.least({state, *after}))
                onward[state, without].append(longer)
                if longer not in onward:
                    if len(onward) == MOST_NODES:
                        raise Stopped(f"not found among {MOST_NODES} partial words")
                    onward[longer] = []
                    queue.append(longer)
        return onward

    def least(self, states: set[int]) -> frozenset[int]:
        """Those states whose languages include no other's."""
        return frozenset(q for q in states if not any(p != q and self.inside[p, q] for p in states))


def find_inclusions(
    machine: MooreMachine, order: Int[np.ndarray, " states"], clock: Clock
) -> Bool[np.ndarray, "states states"]:
    """``inside[p, q]``: everything accepted from p is accepted from q.

    For a strictly piecewise language, whose live states all accept, p is not inside q just when
    some word keeps p live and kills q. Symbols lead down the automaton, so pairs are settled in
    that order, both states from below.
    """
    table, outside = machine.table, machine.live[:, None] & ~machine.live
    upward = np.argsort(order).tolist()
    for p in upward:
        clock.check()
        for q in upward:
            outside[p, q] |= outside[table[p], table[q]].any()
    inside: Bool[np.ndarray, "states states"] = ~outside
    return inside
