"""Strictly local: whether a word is in the language is seen through a window of width k.

A language is strictly k-local when its words are those, all of whose factors of length k, the word
being written with k - 1 marks before it and one behind it, are allowed (McNaughton and Papert
1971). That holds just when words with a common middle of length k - 1 can exchange what follows
it. On the minimal automaton: no word of length k - 1 leads two different states to two different
*live* ones, those from which something is accepted.

So in the graph of pairs of different live states there is no cycle, and k - 1 is the number of
nodes of its longest path (Caron 2000, "Families of locally testable languages", Theoretical
Computer Science 242; Edlefsen et al. 2008, "Deciding strictly local (SL) languages").
"""

from __future__ import annotations

import numpy as np

from flann.tasks.algebra.pair_graph import PairGraph
from flann.tasks.algebra.verdict import Verdict
from flann.tasks.automata.moore_machine import MooreMachine, Word


def decide_strictly_local(machine: MooreMachine) -> Verdict:
    """Whether the language is strictly local, with the least k.

    The witness of a *no* is u v, x y in the language and not u y, where u and x end in as many
    repetitions of one word as one likes: here as many as the automaton has pairs of states.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> decide_strictly_local(MooreMachine.from_automaton(from_expression("(ab)*"))).k
    2
    >>> decide_strictly_local(MooreMachine.from_automaton(from_expression("(a|b)*a"))).answer
    True
    >>> decide_strictly_local(MooreMachine.from_automaton(from_expression("a*ba*"))).witness["loop"]
    ('a',)
    """
    small = machine.merge_symbols()
    live = small.live
    different = ~np.eye(small.size, dtype=bool)
    graph = PairGraph(small.table, live[:, None] & live & different)
    left, rounds = graph.cyclic_pairs
    if not left.any():
        return Verdict(True, f"windows of width {rounds + 1} decide", k=rounds + 1)
    p, q, loop, _ = graph.find_loop(*map(int, np.argwhere(left)[0]))
    # v is accepted from one of them and not from the other
    v = find_distinguishing_word(small, p, q)
    if small.accepting[small.run(v, p)]:
        p, q = q, p
    words = {
        "x": small.path(small.start, p),
        "y": small.path_into(p, small.accepting),
        "u": small.path(small.start, q),
        "v": v,
        "loop": loop,
    }
    return Verdict(
        False,
        "the words x loop^n y and u loop^n v are in it, x loop^n v never is",
        {name: small.spell(word or ()) for name, word in words.items()},
    )


def find_distinguishing_word(machine: MooreMachine, p: int, q: int) -> Word:
    """A shortest word that exactly one of two states accepts."""
    arrived: dict[tuple[int, int], tuple[tuple[int, int], int] | None] = {(p, q): None}
    for pair in (queue := [(p, q)]):
        if machine.labels[pair[0]] != machine.labels[pair[1]]:
            word = []
            while (step := arrived[pair]) is not None:
                pair, a = step
                word.append(a)
            return tuple(word[::-1])
        for a, following in enumerate(
            zip(machine.table[pair[0]].tolist(), machine.table[pair[1]].tolist(), strict=True)
        ):
            if following not in arrived:
                arrived[following] = (pair, a)
                queue.append(following)
    raise AssertionError("no two states of a smallest machine are alike")
