"""Properties of regular tasks, against independent procedures and hand-written declarations."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given

from flann.tasks import Task, get_task
from flann.tasks.algebra import require_machine
from flann.tasks.automata.automaton import Automaton
from flann.tasks.automata.expressions import from_expression
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.groups.cayley_tables import get_group
from flann.tasks.languages.strings.recall import Induction
from flann.tasks.theory.properties import UNKNOWN, TaskProperties
from flann.tasks.theory.regular_properties import (
    MOST_ELEMENTS,
    derive_machine_properties,
    find_cycles,
    find_equal_length_quotients,
    find_period,
    holds_flip_flop,
    holds_parity,
)

from ..automata.test_automaton import automata


def find_properties(expression: str, mode: str = "tag") -> TaskProperties:
    return derive_machine_properties(MooreMachine.from_automaton(from_expression(expression)), mode)


# -- what is found -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "true"),
    [
        ("(ab)*", "star_free"),
        ("a*b*", "star_free r_trivial"),
        ("[ab]*a", "star_free last_symbol_alone commutes"),
        ("[ab]*b[ab]*", "star_free r_trivial commutes"),
        ("[abe]*be*", "star_free holds_flip_flop"),
        ("(aa)*", "elementary commutes"),
        ("(b|ab*a)*", "holds_parity counts_besides_length elementary commutes"),
        ("(b|ab*ab*a)*", "commutes"),
        ("(0|1(01*0)*1)*", ""),  # S3: no symbol keeps what another swaps, one length differs by Z3
        ("(ab|cd)*", "star_free"),
    ],
)
def test_what_is_true_of_well_known_languages(expression: str, true: str) -> None:
    names = ["star_free", "r_trivial", "last_symbol_alone", "commutes", "holds_flip_flop"]
    names += ["holds_parity", "counts_besides_length", "elementary"]
    found = find_properties(expression)
    assert [name for name in names if getattr(found, name)] == [
        name for name in names if name in true.split()
    ]


def test_periods() -> None:
    assert find_properties("(aa)*").length_modulus == 2
    assert find_properties("([ab]{3})*").length_modulus == 3
    assert find_properties("(aa|b)*").length_modulus is None
    assert find_properties("(abab)*").letter_periods == frozenset()
    assert find_properties("(abab)*").periods == {2}
    assert find_properties("(a{6}|b)*").odd_period == 3  # aa has period three
    assert find_properties("(a{4}|b)*").odd_period is None
    assert find_properties("((ab){3}|c)*").odd_period == 3
    assert find_cycles(np.array([1, 2, 0, 0])) == [[0, 1, 2]]
    assert find_period(np.array([True, False, True, False])) == 2


def test_names() -> None:
    assert find_properties("(0|10*1)*10*", "recognise").named == {"parity", "recognise"}
    assert find_properties("a[ab]*").named == {"first", "tag"}
    assert find_properties("[ab]*a").named == frozenset()


@given(automata(symbols="abe", most=4))
def test_parity_and_flip_flop_by_their_definitions(automaton: Automaton) -> None:
    machine = MooreMachine.from_automaton(automaton)
    table, outputs = machine.table.tolist(), machine.labels
    pairs = [(p, q) for p, q in product(range(machine.size), repeat=2) if outputs[p] != outputs[q]]
    acts = [[row[a] for row in table] for a in range(3)]
    keeps = [any(f[p] == p and f[q] == q for f in acts) for p, q in pairs]
    swaps = [any(f[p] == q and f[q] == p for f in acts) for p, q in pairs]
    sets = [
        any(f[p] == f[q] == q for f in acts) and any(f[p] == f[q] == p for f in acts)
        for p, q in pairs
    ]
    assert holds_parity(machine) == any(map(min, zip(keeps, swaps, strict=True)))
    assert holds_flip_flop(machine) == any(map(min, zip(keeps, sets, strict=True)))


@given(automata(most=4))
def test_order_and_last_symbol_by_all_short_words(automaton: Automaton) -> None:
    """Words of up to five symbols distinguish everything that four states can."""
    machine = MooreMachine.from_automaton(automaton)
    found = derive_machine_properties(machine, "recognise")
    by_last: dict[int, set[int]] = {}
    by_content: dict[tuple[tuple[int, ...], int], set[int]] = {}
    for length in range(1, 8):
        for word in product(range(2), repeat=length):
            answer = int(machine.labels[machine.run(word)])
            by_last.setdefault(word[-1], set()).add(answer)
            by_content.setdefault((tuple(sorted(word[:-1])), word[-1]), set()).add(answer)
    assert found.last_symbol_alone == all(len(answers) == 1 for answers in by_last.values())
    if found.commutes:
        assert all(len(answers) == 1 for answers in by_content.values())
    else:
        assert any(len(answers) > 1 for answers in by_content.values())


def test_too_large_a_semigroup_is_not_worked_out() -> None:
    """The semigroup of all maps on seven points exceeds the limit."""
    cycle, swap, merge = [1, 2, 3, 4, 5, 6, 0], [1, 0, 2, 3, 4, 5, 6], [0, 0, 2, 3, 4, 5, 6]
    table = np.array([cycle, swap, merge]).T
    found = derive_machine_properties(MooreMachine.minimal("abc", table, np.arange(7) == 0), "tag")
    assert found.circuit_class == "unknown"
    assert str(MOST_ELEMENTS) in found.why.replace(",", "")
    assert found.regular
    assert found.star_free is None
    assert found.letter_periods  # determined by the table alone


def test_a_task_without_an_automaton_is_unknown() -> None:
    assert get_task("marked-copy").machine is None
    assert Task().properties is UNKNOWN


# -- groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["Z2", "Z6", "A4", "Q8", "D4:generators=2", "Z6:generators=1", "S4:generators=2", "Z2xZ2",
     "A5:generators=2", "A4:generators=2", "Z4:generators=2"],
)  # fmt: skip
def test_a_group_has_the_facts_of_its_semiautomaton(name: str) -> None:
    """The Cayley table and the machine of the word problem give the same properties."""
    task = get_task(name)
    by_group, by_machine = (
        task.properties,
        derive_machine_properties(require_machine(task), task.mode),
    )
    unlike = {
        f.name
        for f in fields(TaskProperties)
        if getattr(by_group, f.name) != getattr(by_machine, f.name)
    }
    assert unlike <= {"why"}


def test_words_of_equal_length() -> None:
    z6 = get_group("Z6")
    assert find_equal_length_quotients(z6, np.array([1])).tolist() == [0]
    assert find_equal_length_quotients(z6, np.array([1, 3])).tolist() == [0, 2, 4]
    assert (
        len(find_equal_length_quotients(get_group("S4"), np.array([1, 2]))) == 12
    )  # two swaps: A4


# -- what tasks state by hand --------------------------------------------------------------------


def build_dyck_machine(kinds: int, depth: int) -> MooreMachine:
    """Build the machine of bounded brackets; its labels are prefix, member and dead."""
    stacks = [s for d in range(depth + 1) for s in product(range(kinds), repeat=d)]
    number = {stack: i for i, stack in enumerate(stacks)}
    dead = len(stacks)
    rows = []
    for stack in stacks:
        opened = [number.get((*stack, kind), dead) for kind in range(kinds)]
        closed = [number[stack[:-1]] if stack[-1:] == (k,) else dead for k in range(kinds)]
        rows.append(opened + closed)
    outputs = [1 if not stack else 0 for stack in stacks] + [2]
    symbols = [f"open {k}" for k in range(kinds)] + [f"close {k}" for k in range(kinds)]
    return MooreMachine.minimal(symbols, np.array([*rows, [dead] * 2 * kinds]), np.array(outputs))


def build_induction_machine(symbols: int) -> MooreMachine:
    """Build the machine of induction, whose states hold the last successor of each symbol."""
    nothing = symbols
    states: dict[tuple[int, ...], int] = {(nothing,) * (symbols + 2): 0}
    rows, outputs = [], []
    for state in (queue := [*states]):
        *followed, last, answer = state
        row = []
        for a in range(symbols):
            after = list(followed)
            if last != nothing:
                after[last] = a
            new = (*after, a, after[a])
            if new not in states:
                states[new] = len(states)
                queue.append(new)
            row.append(states[new])
        rows.append(row)
        outputs.append(answer)
    return MooreMachine.minimal("abcd"[:symbols], np.array(rows), np.array(outputs))


def build_arithmetic_machine() -> MooreMachine:
    """Build the machine of arithmetic modulo 5: the finished sum, the open product, or an error."""
    states: dict[object, int] = {("+", 0, 1): 0}
    rows, outputs = [], []
    for state in (queue := [*states]):
        row = []
        for a in (*range(5), "+", "-", "*"):
            new: object = "error"
            if isinstance(state, tuple) and len(state) == 3 and isinstance(a, int):
                op, total, open_ = state
                new = (total, (open_ * a if op == "*" else a if op == "+" else -a) % 5)
            elif isinstance(state, tuple) and len(state) == 2 and isinstance(a, str):
                total, open_ = state
                new = (a, total, open_) if a == "*" else (a, (total + open_) % 5, 1)
            if new not in states:
                states[new] = len(states)
                queue.append(new)
            row.append(states[new])
        rows.append(row)
        ended = isinstance(state, tuple) and len(state) == 2
        outputs.append(sum(state) % 5 if ended else 5)  # type: ignore[call-overload]
    return MooreMachine.minimal(tuple("01234+-*"), np.array(rows), np.array(outputs))


@pytest.mark.parametrize(("kinds", "depth"), [(1, 1), (1, 2), (1, 3), (2, 2)])
def test_bounded_brackets_state_what_the_algebra_finds(kinds: int, depth: int) -> None:
    check_agreement(
        get_task(f"dyck-{kinds}:depth={depth}").properties,
        derive_machine_properties(build_dyck_machine(kinds, depth), "tag"),
    )


def test_induction_states_what_the_algebra_finds() -> None:
    """Induction on two symbols agrees; with four the semigroup is too large."""
    machine, task = build_induction_machine(2), Induction()
    check_agreement(task.properties, derive_machine_properties(machine, "tag"))
    word = np.random.default_rng(0).integers(2, size=(1, 50))
    answers = task.targets(word)[0]
    state, found = machine.start, []
    for a in word[0]:
        state = int(machine.table[state, a])
        found.append(int(machine.labels[state]))
    assert found == [2 if answer == 4 else answer for answer in answers.tolist()]


def test_modular_arithmetic_states_what_the_algebra_finds() -> None:
    machine, task = build_arithmetic_machine(), get_task("modular-arithmetic")
    found = derive_machine_properties(machine, "transduce")
    if found.circuit_class != "unknown":
        check_agreement(task.properties, found)
    assert found.odd_period is not None or "unknown" in found.circuit_class
    batch = task.sample(np.random.default_rng(0), 20, 9)
    for tokens, targets in zip(batch.tokens, batch.targets, strict=True):
        assert machine.labels[machine.run(tokens[:9].tolist())] == targets[9]


def check_agreement(stated: TaskProperties, found: TaskProperties) -> None:
    """Assert that the classes are equal and that no property is declared that is not found."""
    for name in ("circuit_class", "regular", "star_free", "r_trivial"):
        assert getattr(stated, name) == getattr(found, name), name
    for name in ("holds_parity", "elementary", "last_symbol_alone", "commutes"):
        assert not getattr(stated, name) or getattr(found, name), name
    assert stated.periods is None or stated.periods <= (found.periods or set())


def test_a_false_statement_would_be_found() -> None:
    found = derive_machine_properties(build_dyck_machine(1, 2), "tag")
    stated = get_task("dyck-1:depth=2").properties
    lies = [{"circuit_class": "ACC0"}, {"star_free": False}, {"r_trivial": True}]
    for lie in [*lies, {"commutes": True}]:
        with pytest.raises(AssertionError):
            check_agreement(replace(stated, **lie), found)  # type: ignore[arg-type]
