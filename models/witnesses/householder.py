"""Permutation groups by the delta rule: reflections that swap two rows of the memory.

The factor ``I - 2 k kᵀ`` with ``k = (e_i - e_j) / √2`` swaps the rows i and j, so a symbol that
permutes points is a product of as many factors as its cycles have points less one each. A memory
begins as zeros, and permuting zeros does nothing; so what is permuted is ``S + c I``::

    S_t + c I = P_t (S_{t-1} + c I)     by writing v = -c k with every reflection
    y_t       = c (P_tᵀ q - q)          for a query q, the same for all symbols

For a q whose coordinates are all different, the directions of ``Pᵀ q - q`` tell the permutations
apart; the head scores each of them, and 1/2 for the identity, which has none. The points are the
blocks of states that symbols move as one (`smallest_action`): three for S3, five for A5.

Siems et al. 2025, arXiv:2502.10297, §3; one factor for parity: Grazzi et al. 2024,
arXiv:2411.12537.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise

import torch
from torch import Tensor
from torch.nn.functional import silu

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.linear.delta_rule import DeltaRule

from .frame import Frame
from .machines import Counter, Moore

FAR = 1000.0  # the logistic function of ±1000 is 1 or 0
STEP = 0.2  # coordinates of keys before they are normalised: SiLU reaches from -0.278 up
MOST_STATES = 1000
LEAST_ANGLE = 1e-3  # 1 - cosine between the directions of two permutations

Permutation = tuple[int, ...]


def householder(
    architecture: Architecture, name: str, language: Moore | Counter, labels: int
) -> SequenceModel | str:
    """The witness, or what it lacks."""
    if "eigenvalues=negative" not in name:
        return "a swap is an eigenvalue of -1: expected eigenvalues=negative"
    if not isinstance(language, Moore) or language.states > MOST_STATES:
        return f"this construction is for automata of at most {MOST_STATES} states"
    actions = [language.action(a) for a in range(language.symbols)]
    if any(len(set(action)) < language.states for action in actions):
        return "a symbol leads two states to one, which no product of reflections does"
    if not is_regular(actions, language):
        return "its states are not in step with the permutations of one group"
    asked = [label for label in language.outputs if label >= 0]
    if len(set(asked)) < len(asked):
        return "two states have one label, and each permutation is scored by itself"
    moved = smallest_action(language, actions)
    factors = getattr(architecture, "factors", 1)
    needed = max(len(swaps(action)) for action in moved)
    if needed > factors:
        return f"a symbol is a product of {needed} swaps: expected factors={needed} or more"
    return built(architecture, name, language, labels, moved)


def built(
    architecture: Architecture,
    name: str,
    language: Moore,
    labels: int,
    moved: list[Permutation],
) -> SequenceModel | str:
    """The model, for symbols that move points so."""
    points = len(moved[0])
    heads = architecture.width_step
    codes = torch.eye(language.symbols)
    width = max(language.symbols + labels, heads * points)
    frame = Frame.around(architecture, name, codes, labels, second=1, least_width=width)
    layer = frame.layer
    assert isinstance(layer, DeltaRule)
    query = torch.arange(1.0, points + 1, dtype=torch.float64).sqrt()
    arrived = permutations_of(language, moved)
    directions = torch.stack([query[list(p)] - query for p in arrived.values()])
    size = directions.norm(dim=1, keepdim=True)
    directions = torch.where(size > 0, directions / size.clamp_min(1e-300), 0)
    cosines = directions @ directions.T - torch.eye(len(directions))
    if float(cosines.max()) > 1 - LEAST_ANGLE:
        return "the directions of two permutations are too close to be told apart"
    width = layer.query.out_features
    with torch.no_grad():
        layer.convolution.weight[:, 0, -1] = 1  # every symbol by itself
        layer.query.weight[:points, frame.symbols] = before_silu(query)[:, None].float()
        for a, permutation in enumerate(moved):
            for n in range(layer.steps_per_symbol):
                layer.strength.weight[n * layer.heads, a] = -FAR
            for n, (i, j) in enumerate(swaps(permutation)):
                layer.strength.weight[n * layer.heads, a] = FAR
                for place, sign in ((i, 1.0), (j, -1.0)):
                    key = before_silu(torch.tensor(sign * STEP, dtype=torch.float64))
                    value = before_silu(torch.tensor(-sign * STEP, dtype=torch.float64))
                    layer.keys.weight[n * width + place, a] = key
                    layer.values.weight[n * width + place, a] = value
        layer.norm.weight.fill_((1 / layer.value) ** 0.5)  # what it gives has length 1
        rows = layer.out.weight[frame.labels]
        for state, direction in zip(arrived, directions, strict=True):
            if language.outputs[state] >= 0:
                rows[language.outputs[state], :points] = direction.to(rows)
        constants = torch.zeros(labels)
        if language.outputs[language.start] >= 0:
            constants[language.outputs[language.start]] = 0.5
    frame.add_constants(constants)
    return frame.model


def before_silu(y: Tensor) -> Tensor:
    """What SiLU makes y of, by bisection between its least place and far above.

    >>> silu(before_silu(torch.tensor([-0.2, 3.0], dtype=torch.float64))).round(decimals=12)
    tensor([-0.2000,  3.0000], dtype=torch.float64)
    """
    low, high = torch.full_like(y, -1.2784645), torch.full_like(y, 1e3)
    for _ in range(200):
        middle = (low + high) / 2
        above = silu(middle) > y
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return (low + high) / 2


# -- permutations --------------------------------------------------------------------------------


def swaps(permutation: Permutation) -> list[tuple[int, int]]:
    """Swaps which, one after the other, take every point to its image.

    >>> swaps((1, 2, 0))
    [(0, 1), (0, 2)]
    """
    found, left = [], set(range(len(permutation)))
    while left:
        cycle = [min(left)]
        while permutation[cycle[-1]] != cycle[0]:
            cycle.append(permutation[cycle[-1]])
        left -= set(cycle)
        found += [(cycle[0], point) for point in cycle[1:]]
    return found


def permutations_of(machine: Moore, moved: list[Permutation]) -> dict[int, Permutation]:
    """For every state, where the words that lead to it move the points."""
    start = tuple(range(len(moved[0])))
    found, queue = {machine.start: start}, [machine.start]
    for state in queue:
        for a, permutation in enumerate(moved):
            following = machine.table[state][a]
            if following not in found:
                found[following] = tuple(permutation[x] for x in found[state])
                queue.append(following)
    return found


def is_regular(actions: list[Permutation], machine: Moore) -> bool:
    """Whether every word's permutation is known from the state that it leads to."""
    identity = tuple(range(machine.states))
    found, queue = {identity}, [identity]
    for element in queue:
        for action in actions:
            following = tuple(action[q] for q in element)
            if following not in found:
                found.add(following)
                queue.append(following)
            if len(found) > machine.states:
                return False
    return len({element[machine.start] for element in found}) == len(found)


def smallest_action(machine: Moore, actions: list[Permutation]) -> list[Permutation]:
    """How symbols move the blocks of a partition that they respect and that loses nothing.

    Of the partitions in which the start is together with one or two other states, the one that
    needs the fewest swaps, and of these the one with the fewest blocks; each state by itself
    where no other serves.
    """
    best = actions
    generators = generating(machine, actions)
    others = [q for q in range(machine.states) if q != machine.start]
    choices = [(q,) for q in others] + list(combinations(others, 2))
    order = len(reached_by(machine, range(machine.symbols)))
    seen = set()
    for chosen in choices:
        blocks = partition(machine.states, [actions[a] for a in generators], machine.start, chosen)
        if tuple(blocks) in seen:
            continue
        seen.add(tuple(blocks))
        acted = [tuple(on_blocks(action, blocks)) for action in actions]
        if len(set(permutations_of(machine, acted).values())) == order:
            best = min(best, acted, key=cost)
    return best


def generating(machine: Moore, actions: list[Permutation]) -> list[int]:
    """A few symbols whose words reach as many states as all of them do."""
    chosen: list[int] = []
    for a in range(len(actions)):
        if len(reached_by(machine, [*chosen, a])) > len(reached_by(machine, chosen)):
            chosen.append(a)
    return chosen


def reached_by(machine: Moore, symbols: Iterable[int]) -> set[int]:
    """The states that words of these symbols lead to."""
    symbols, queue = list(symbols), [machine.start]
    found = {machine.start}
    for state in queue:
        for following in (machine.table[state][a] for a in symbols):
            if following not in found:
                found.add(following)
                queue.append(following)
    return found


def cost(actions: list[Permutation]) -> tuple[int, int]:
    """The most swaps of a symbol, and the number of points."""
    return max(len(swaps(action)) for action in actions), len(actions[0])


def partition(
    states: int, actions: list[Permutation], start: int, together: tuple[int, ...]
) -> list[int]:
    """The finest partition that symbols respect with these states in the start's block."""
    block = list(range(states))

    def find(q: int) -> int:
        while block[q] != q:
            block[q] = block[block[q]]
            q = block[q]
        return q

    left = list(pairwise((start, *together)))
    while left:
        p, q = (find(state) for state in left.pop())
        if p != q:
            block[max(p, q)] = min(p, q)
            left += [(action[p], action[q]) for action in actions]
    roots = sorted({find(q) for q in range(states)})
    return [roots.index(find(q)) for q in range(states)]


def on_blocks(action: Permutation, blocks: list[int]) -> list[int]:
    """How an action moves the blocks."""
    images = dict(zip(blocks, (blocks[q] for q in action), strict=True))
    return [images[block] for block in range(len(images))]
