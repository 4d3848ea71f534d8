"""The semigroup, both Cayley graphs and Green's relations against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from sympy.combinatorics import Permutation, PermutationGroup

from flann.errors import UserError
from flann.tasks import get_task
from flann.tasks.algebra import draw_eggbox, require_machine
from flann.tasks.algebra.derived_series import (
    choose_generators,
    derive_subgroup,
    find_perfect_core,
    generate_subgroup,
)
from flann.tasks.algebra.green import Green
from flann.tasks.algebra.semigroup import Semigroup
from flann.tasks.algebra.transformations import compute_omega_power, is_aperiodic, is_idempotent
from flann.tasks.algebra.varieties.circuits import decide_solvable
from flann.tasks.algebra.varieties.equations import Equations
from flann.tasks.algebra.verdict import Clock, Stopped
from flann.tasks.automata.automaton import Automaton
from flann.tasks.automata.expressions import from_expression
from flann.tasks.automata.moore_machine import MooreMachine

from .oracles import Products
from .random_languages import draw_arbitrary

RNG = np.random.default_rng(0)
SOME = [automaton for _ in range(60) if (automaton := draw_arbitrary(RNG, 2)).size <= 4]


def build_semigroup(machine: MooreMachine, limit: int = 100_000) -> Semigroup:
    return Semigroup.of(machine, Clock.of(60), limit)


@pytest.mark.parametrize("automaton", SOME)
def test_smallest_machine_is_the_minimal_automaton(automaton: Automaton) -> None:
    machine, small = MooreMachine.from_automaton(automaton), automaton.minimise()
    assert machine.table.tolist() == small.table.tolist()
    assert machine.accepting.tolist() == small.accepting.tolist()
    assert machine.start == small.start == 0
    assert machine.live.tolist() == small.live.tolist()


@pytest.mark.parametrize("automaton", SOME)
def test_elements_and_cayley_graphs(automaton: Automaton) -> None:
    s = build_semigroup(MooreMachine.from_automaton(automaton))
    letters = s.machine.table.T
    Products(s)  # asserts that it has the same elements
    for x in range(s.size):
        assert s.machine.action(s.find_word(x)).tolist() == s.maps[x].tolist()
        for a, letter in enumerate(letters):
            assert s.maps[s.right[x, a]].tolist() == letter[s.maps[x]].tolist()
            assert s.maps[s.left[x, a]].tolist() == s.maps[x][letter].tolist()
    assert s.find(s.maps).tolist() == list(range(s.size))
    if s.size < s.machine.size**s.machine.size:
        absent = next(m for m in list_maps(s.machine.size) if m not in set(map(tuple, s.maps)))
        with pytest.raises(ValueError, match="not an element"):
            s.find(np.array([absent]))


def list_maps(size: int) -> list[tuple[int, ...]]:
    return [tuple(row) for row in np.indices((size,) * size).reshape(size, -1).T.tolist()]


def test_words_are_shortest_and_in_order() -> None:
    s = build_semigroup(MooreMachine.from_automaton(from_expression("(a(ab)*b)*")))
    words = [s.find_word(x) for x in range(s.size)]
    assert words == sorted(words, key=lambda word: (len(word), word))
    shorter = {tuple(s.machine.action(w)) for w in words if len(w) < len(words[-1])}
    assert tuple(s.machine.action(words[-1])) not in shorter


@pytest.mark.parametrize("automaton", SOME)
def test_green(automaton: Automaton) -> None:
    s = build_semigroup(MooreMachine.from_automaton(automaton))
    if s.size > 80:
        return
    p, green = Products(s), Green(s, Clock.of(60))
    order = [p.elements.index(tuple(row)) for row in s.maps.tolist()]
    table = p.table[np.ix_(order, order)]
    table = np.argsort(order)[table]
    right = [frozenset([x, *table[x]]) for x in range(s.size)]
    left = [frozenset([x, *table[:, x]]) for x in range(s.size)]
    both = [frozenset(z for y in right[x] for z in left[y]) for x in range(s.size)]
    for x in range(s.size):
        for y in range(s.size):
            assert (right[x] == right[y]) == (green.r[x] == green.r[y])
            assert (left[x] == left[y]) == (green.l[x] == green.l[y])
            assert (both[x] == both[y]) == (green.d[x] == green.d[y])
        inverse = any(table[table[x, y], x] == x for y in range(s.size))
        assert green.is_regular[x] == inverse
    assert s.idempotents.tolist() == [x for x in range(s.size) if table[x, x] == x]


def test_powers() -> None:
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 7, (500, 7))
    high = compute_omega_power(maps)
    assert is_idempotent(high).all()
    for x, e in zip(maps, high, strict=True):
        powers, power = [], x
        while tuple(power) not in powers:
            powers.append(tuple(power))
            power = x[power]
        assert tuple(e) in powers
        assert is_aperiodic(x) == (tuple(power) == powers[-1])


@pytest.mark.parametrize(
    ("name", "answer"),
    [("S3xZ2", True), ("S4", True), ("Q8", True), ("A5", False), ("S5:generators=2", False)],
)
def test_groups(name: str, answer: bool) -> None:
    task = get_task(name)
    s = build_semigroup(require_machine(task))
    equations = Equations.of(s, Clock.of(60))
    assert s.size == task.group.order  # type: ignore[attr-defined]
    (members,) = equations.green.groups
    images = equations.green.build_permutations(members)
    assert images[0].tolist() == list(range(images.shape[1]))
    orders = sorted(Permutation(row).order() for row in images.tolist())
    assert orders == sorted(task.group.element_orders)  # type: ignore[attr-defined]
    verdict = decide_solvable(equations)
    assert verdict.answer == answer
    assert bool(verdict.witness) != answer


def test_derived_series_beside_sympy() -> None:
    rng = np.random.default_rng(0)
    clock, tally = Clock.of(60), [0, 0]
    for _ in range(60):
        points = int(rng.integers(2, 7))
        swapped = [rng.permutation(points) for _ in range(int(rng.integers(1, 4)))]
        generators = np.array(swapped, np.uint8)
        group = PermutationGroup([Permutation(row) for row in generators.tolist()])
        known = generate_subgroup(generators, points, clock)
        assert len(known) == group.order()
        commutators = generate_subgroup(derive_subgroup(generators, clock), points, clock)
        assert len(commutators) == group.derived_subgroup().order()
        members = np.frombuffer(b"".join(sorted(known)), np.uint8).reshape(-1, points)
        few = choose_generators(members, clock)
        assert generate_subgroup(few, points, clock) == known
        solved = not len(find_perfect_core(members, clock))
        assert solved == group.is_solvable
        tally[solved] += 1
    assert min(tally) >= 10, tally


def test_a_group_inside_a_larger_semigroup() -> None:
    """The group A5 is found in a semigroup that also has a reset."""
    task = get_task("permutation-reset")
    verdict = decide_solvable(Equations.of(build_semigroup(require_machine(task)), Clock.of(60)))
    assert verdict.answer is False


def test_limits_are_said() -> None:
    machine = MooreMachine.from_automaton(from_expression("[ab]*a[ab]{6}"))
    with pytest.raises(Stopped, match="more than 50 elements"):
        build_semigroup(machine, limit=50)
    with pytest.raises(Stopped, match="not decided in 0 s"):
        Semigroup.of(machine, Clock.of(0.0))


def test_eggbox() -> None:
    text = draw_eggbox(require_machine(get_task("tomita-5")))
    assert text == "D-class of 4, regular, 1 x 1 cells of 4\n  0 1 00* 01"
    lines = draw_eggbox(MooreMachine.from_automaton(from_expression("(ab)*|c"))).splitlines()
    assert [line for line in lines if "not regular" in line]
    assert sum(line.count("*") for line in lines) == len(
        build_semigroup(MooreMachine.from_automaton(from_expression("(ab)*|c"))).idempotents
    )
    with pytest.raises(UserError, match=r"no eggbox is drawn: .* more than 200 elements"):
        draw_eggbox(MooreMachine.from_automaton(from_expression("[ab]*a[ab]{8}")))
