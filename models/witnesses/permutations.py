"""Permutations that the symbols of a Moore machine induce, on states and on blocks of states."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise

from .machines import MooreTable

Permutation = tuple[int, ...]


def list_transpositions(permutation: Permutation) -> list[tuple[int, int]]:
    """Return transpositions whose composition, in order, is the permutation.

    >>> list_transpositions((1, 2, 0))
    [(0, 1), (0, 2)]
    """
    transpositions, remaining = [], set(range(len(permutation)))
    while remaining:
        cycle = [min(remaining)]
        while permutation[cycle[-1]] != cycle[0]:
            cycle.append(permutation[cycle[-1]])
        remaining -= set(cycle)
        transpositions += [(cycle[0], point) for point in cycle[1:]]
    return transpositions


def permute_along_words(
    machine: MooreTable, permutations: list[Permutation]
) -> dict[int, Permutation]:
    """Return, for every reachable state, the permutation of a word that leads to it.

    Parameters
    ----------
    machine : MooreTable
    permutations : list of Permutation
        Permutation of the points by every symbol.
    """
    identity = tuple(range(len(permutations[0])))
    by_state, queue = {machine.start: identity}, [machine.start]
    for state in queue:
        for a, permutation in enumerate(permutations):
            following = machine.table[state][a]
            if following not in by_state:
                by_state[following] = tuple(permutation[x] for x in by_state[state])
                queue.append(following)
    return by_state


def is_regular(actions: list[Permutation], machine: MooreTable) -> bool:
    """Return whether the state that a word leads to determines the word's permutation."""
    identity = tuple(range(machine.states))
    elements, queue = {identity}, [identity]
    for element in queue:
        for action in actions:
            following = tuple(action[q] for q in element)
            if following not in elements:
                elements.add(following)
                queue.append(following)
            if len(elements) > machine.states:
                return False
    return len({element[machine.start] for element in elements}) == len(elements)


def find_smallest_action(machine: MooreTable, actions: list[Permutation]) -> list[Permutation]:
    """Return a faithful action of the symbols on few points, the blocks of a partition.

    The candidates are the finest partitions, preserved by all symbols, whose block of the start
    state contains one or two other given states, and the partition into single states. Of those on
    which the group acts faithfully, the one with the fewest transpositions a symbol is chosen, and
    among these the one with the fewest blocks.
    """
    best = actions
    generators = [actions[a] for a in find_generators(machine)]
    others = [q for q in range(machine.states) if q != machine.start]
    candidates = [(q,) for q in others] + list(combinations(others, 2))
    order = len(find_reachable(machine, range(machine.symbols)))
    tried = set()
    for states in candidates:
        blocks = partition_states(machine.states, generators, (machine.start, *states))
        if tuple(blocks) in tried:
            continue
        tried.add(tuple(blocks))
        on_blocks = [permute_blocks(action, blocks) for action in actions]
        if len(set(permute_along_words(machine, on_blocks).values())) == order:
            best = min(best, on_blocks, key=compute_cost)
    return best


def find_generators(machine: MooreTable) -> list[int]:
    """Return a subset of the symbols whose words reach as many states as all words do."""
    generators: list[int] = []
    for a in range(machine.symbols):
        larger = [*generators, a]
        if len(find_reachable(machine, larger)) > len(find_reachable(machine, generators)):
            generators = larger
    return generators


def find_reachable(machine: MooreTable, symbols: Iterable[int]) -> set[int]:
    """Return the states that words over these symbols lead to."""
    symbols, queue = list(symbols), [machine.start]
    reachable = {machine.start}
    for state in queue:
        for following in (machine.table[state][a] for a in symbols):
            if following not in reachable:
                reachable.add(following)
                queue.append(following)
    return reachable


def compute_cost(permutations: list[Permutation]) -> tuple[int, int]:
    """Return the largest number of transpositions of a symbol, and the number of points."""
    transpositions = max(len(list_transpositions(p)) for p in permutations)
    return transpositions, len(permutations[0])


def partition_states(
    states: int, actions: list[Permutation], together: tuple[int, ...]
) -> list[int]:
    """Return the finest partition that the actions preserve and that joins some states.

    Parameters
    ----------
    states : int
        Number of states.
    actions : list of Permutation
        Permutations of the states.
    together : tuple of int
        States that are to be in one block.

    Returns
    -------
    list of int
        Number of the block of every state.
    """
    parent = list(range(states))

    def find_root(q: int) -> int:
        while parent[q] != q:
            parent[q] = parent[parent[q]]
            q = parent[q]
        return q

    pending = list(pairwise(together))
    while pending:
        p, q = (find_root(state) for state in pending.pop())
        if p != q:
            parent[max(p, q)] = min(p, q)
            pending += [(action[p], action[q]) for action in actions]
    roots = sorted({find_root(q) for q in range(states)})
    return [roots.index(find_root(q)) for q in range(states)]


def permute_blocks(action: Permutation, blocks: list[int]) -> Permutation:
    """Return the permutation of the blocks that a permutation of the states induces."""
    images = dict(zip(blocks, (blocks[q] for q in action), strict=True))
    return tuple(images[block] for block in range(len(images)))
