"""What the theorems ask about a regular language, worked out from its smallest automaton.

Every non-empty word w acts on the states of the minimal automaton, q -> delta(q, w). These maps
are the *syntactic semigroup* S of the language. Decided here:

- star-free: ``x^(n+1) = x^n`` for every x in S and large n (Schützenberger 1965)
- R-trivial: every cycle of the automaton is a self-loop
- in AC0: with s least such that the words of length s and those of length 2s give the same maps,
  these maps are aperiodic (Barrington, Compton, Straubing and Thérien 1992, "Regular languages in
  NC1", Journal of Computer and System Sciences 44(3))
- otherwise in ACC0 if all groups in S are solvable, else NC1-complete (Barrington 1989)

S can be exponentially large. Past `MOST_ELEMENTS` the answer is that nobody has worked it out.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Int, Shaped

from .automata import Automaton
from .groups import LARGEST_ORDER, Group
from .literature import Facts

MOST_ELEMENTS = 5_000
MOST_ACTED_ON = 200  # states
SMALLEST_NOT_SOLVABLE = 60  # the order of A5, which
FEWEST_POINTS = 5  # moves no fewer points

Map = tuple[int, ...]  # where each state goes


class Transitions:
    """The maps of non-empty words on the states of a minimal automaton: the semigroup S.

    >>> from .expressions import from_expression
    >>> Transitions(from_expression("(ab)*")).is_aperiodic
    True
    """

    def __init__(self, automaton: Automaton) -> None:
        small = automaton.minimised()
        self.set(small.table, small.accepting)

    def set(
        self, table: Int[np.ndarray, "states symbols"], outputs: Shaped[np.ndarray, " states"]
    ) -> None:
        """Take over next states, and what each state answers."""
        self.table, self.outputs = table, outputs
        self.letters: list[Map] = [tuple(column) for column in table.T.tolist()]

    @classmethod
    def of_states(cls, table: Int[np.ndarray, "states symbols"]) -> Transitions:
        """Of a task that asks for the state itself: no two states are the same."""
        transitions = cls.__new__(cls)
        transitions.set(table, np.arange(len(table)))
        return transitions

    @cached_property
    def elements(self) -> dict[Map, list[Map]] | None:
        """Each map, and what it becomes with one more letter; None where they are too many."""
        if len(self.table) > MOST_ACTED_ON:
            return None
        found: dict[Map, list[Map]] = {}
        queue = list(dict.fromkeys(self.letters))
        met = set(queue)
        for x in queue:
            found[x] = [then(x, letter) for letter in self.letters]
            for longer in found[x]:
                if longer not in met:
                    met.add(longer)
                    queue.append(longer)
            if len(queue) > MOST_ELEMENTS:
                return None
        return found

    @property
    def known(self) -> dict[Map, list[Map]]:
        """The elements, where they are known not to be too many."""
        assert self.elements is not None
        return self.elements

    @property
    def is_aperiodic(self) -> bool:
        """Whether the language is star-free."""
        return all(map(settles, self.known))

    @property
    def is_quasi_aperiodic(self) -> bool:
        """Whether the language is in AC0: aperiodic on the words of a multiple of some length."""
        seen: dict[frozenset[Map], int] = {}
        by_length: list[frozenset[Map]] = []
        here = frozenset(self.letters)
        while here not in seen:
            seen[here] = len(by_length)
            by_length.append(here)
            here = frozenset(longer for x in here for longer in self.known[x])
        first, period = seen[here], len(by_length) - seen[here]  # place i holds length i + 1
        multiple = -(-(first + 1) // period) * period
        return all(map(settles, by_length[first + (multiple - 1 - first) % period]))

    @property
    def is_solvable(self) -> bool | None:
        """Whether every group in S is solvable; None where one is too large to say."""
        maps = np.array(list(self.known))
        for e in self.known:
            points = sorted(set(e))
            if then(e, e) != e or len(points) < FEWEST_POINTS:
                continue
            image = np.array(e)
            fixed = (maps[:, image] == maps).all(axis=1) & (image[maps] == maps).all(axis=1)
            group = permutations_of(maps[fixed][:, points], points)
            if len(group) > LARGEST_ORDER:
                return None
            if len(group) >= SMALLEST_NOT_SOLVABLE and not group_of(group).is_solvable:
                return False
        return True

    @property
    def is_r_trivial(self) -> bool:
        """Whether no state is ever entered again once it is left."""
        successors = [set(row) - {q} for q, row in enumerate(self.table.tolist())]
        left = set(range(len(self.table)))
        while ends := {q for q in left if not successors[q] & left}:
            left -= ends
        return not left


def then(x: Map, y: Map) -> Map:
    """First x, and then y."""
    return tuple([y[q] for q in x])


def settles(x: Map) -> bool:
    """Whether the powers of a map end in one, not in a cycle of several.

    >>> settles((1, 1)), settles((1, 0))
    (True, False)
    """
    seen, power = set(), x
    while power not in seen:
        seen.add(power)
        power = then(power, x)
    return then(power, x) == power


def permutations_of(
    maps: Int[np.ndarray, "maps points"], points: list[int]
) -> Int[np.ndarray, "group points"]:
    """Of these images of `points`, those that permute them, with the points renumbered."""
    permuting = (np.sort(maps, axis=1) == np.array(points)).all(axis=1)
    return np.unique(np.searchsorted(points, maps[permuting]), axis=0)


def group_of(permutations: Int[np.ndarray, "group points"]) -> Group:
    """The group of these permutations, its identity numbered 0."""
    numbers = {tuple(p): i for i, p in enumerate(permutations.tolist())}
    table = [[numbers[tuple(row)] for row in permutations[:, p].tolist()] for p in permutations]
    # row p, column q: first q and then p, the opposite group, which is solvable just when it is
    names = tuple(str(i) for i in range(len(numbers)))
    return Group("syntactic", names, np.array(table, np.uint16))


# -- facts ---------------------------------------------------------------------------------------


def facts_of(automaton: Automaton, mode: str) -> Facts:
    """The facts of the task that asks whether a word, or each prefix, is in the language."""
    return facts_from(Transitions(automaton), mode)


def facts_from(transitions: Transitions, mode: str) -> Facts:
    """The facts of the task that asks for the outputs of these transitions."""
    r_trivial = transitions.is_r_trivial
    circuit_class, why = circuit_class_of(transitions, r_trivial)
    letters = transitions.letters
    return Facts(
        circuit_class,
        why,
        regular=True,
        star_free=r_trivial or (transitions.elements is not None and transitions.is_aperiodic),
        r_trivial=r_trivial,
        contains_parity=contains_parity(transitions),
        modulus=odd_modulus(transitions),
        elementary=all(then(a, a) == tuple(range(len(a))) for a in letters)
        and all(then(a, b) == then(b, a) for a in letters for b in letters),
        named=names_of(letters, mode),
    )


def circuit_class_of(transitions: Transitions, r_trivial: bool) -> tuple[str, str]:
    """The circuit class of the language, and why."""
    size = len(transitions.table)
    if r_trivial:
        return "AC0", "R-trivial: no state is entered again once it is left"
    if transitions.elements is None:
        return "unknown", f"{size} states, and more than {MOST_ELEMENTS} maps between them"
    elements = len(transitions.elements)
    if transitions.is_aperiodic:
        return "AC0", f"star-free: its {elements} maps are aperiodic"
    if transitions.is_quasi_aperiodic:
        return "AC0", "quasi-aperiodic: it counts lengths modulo a constant, and nothing else"
    solvable = transitions.is_solvable
    if solvable is None:
        return "unknown", f"a group of more than {LARGEST_ORDER} maps"
    if solvable:
        return "ACC0", "it counts modulo constants; every group of its maps is solvable"
    return "NC1-complete", "its maps contain a group that is not solvable"


def cycles_of(letter: Map) -> list[list[int]]:
    """The cycles of a map.

    >>> cycles_of((1, 2, 1))
    [[1, 2]]
    """
    recurrent = set(range(len(letter)))
    while (image := {letter[q] for q in recurrent}) != recurrent:
        recurrent = image
    cycles = []
    while recurrent:
        cycle = [min(recurrent)]
        while (following := letter[cycle[-1]]) != cycle[0]:
            cycle.append(following)
        recurrent -= set(cycle)
        cycles.append(cycle)
    return cycles


def contains_parity(transitions: Transitions) -> bool:
    """Whether one letter swaps two states of different outputs, and another keeps both."""
    letters, outputs = transitions.letters, transitions.outputs
    swapped = [cycle for letter in letters for cycle in cycles_of(letter) if len(cycle) == 2]
    return any(
        outputs[p] != outputs[q] and any(letter[p] == p and letter[q] == q for letter in letters)
        for p, q in swapped
    )


def odd_modulus(transitions: Transitions) -> int | None:
    """A number, no power of two, modulo which repeating one letter is counted."""
    moduli = {
        period(transitions.outputs[cycle])
        for letter in transitions.letters
        for cycle in cycles_of(letter)
    }
    return min((n for n in moduli if n & (n - 1)), default=None)


def period(outputs: Shaped[np.ndarray, " states"]) -> int:
    """The least number of places by which a ring of outputs can be turned into itself."""
    return next(n for n in range(1, len(outputs) + 1) if (np.roll(outputs, n) == outputs).all())


def names_of(letters: list[Map], mode: str) -> frozenset[str]:
    """The names under which the literature speaks of this very language."""
    if sorted(letters) == [(0, 1), (1, 0)]:
        return frozenset({"parity", mode})
    return frozenset({"(aa)*"}) if letters == [(1, 0)] else frozenset()
