"""Facts from automata, against what is published of well-known languages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from flann.tasks import get_task
from flann.tasks.automata import Automaton
from flann.tasks.expressions import from_expression
from flann.tasks.transitions import MOST_ELEMENTS, Transitions, cycles_of, facts_of, period

from .test_automata import automata


@pytest.mark.parametrize(
    ("expression", "circuit_class", "star_free", "r_trivial"),
    [
        ("(ab)*", "AC0", True, False),
        ("a*b*", "AC0", True, True),
        ("a[ab]*", "AC0", True, True),
        ("[ab]*a", "AC0", True, False),
        ("(a(ab)*b)*", "AC0", True, False),
        ("(aa)*", "AC0", False, False),
        ("(aa|b)*", "AC0", False, False),  # stretches between places of AC0
        ("([ab]{3})*", "AC0", False, False),
        ("(b|ab*a)*", "ACC0", False, False),  # parity
        ("(0|1(01*0)*1)*", "ACC0", False, False),  # binary multiples of 3: S3
        ("(abab)*", "AC0", False, False),
        ("[012]*02*", "AC0", True, False),
    ],
)
def test_known_languages(
    expression: str, circuit_class: str, star_free: bool, r_trivial: bool
) -> None:
    facts = facts_of(from_expression(expression), "tag")
    assert facts.regular
    assert (facts.circuit_class, facts.star_free, facts.r_trivial) == (
        circuit_class,
        star_free,
        r_trivial,
    )


@pytest.mark.parametrize(
    "name", ["A5", "S4", "A4xZ2", "Z6", "Q8", "S5:generators=2", "Z6:generators=1"]
)
def test_groups_as_languages(name: str) -> None:
    """The words whose product is the identity: the class of the word problem."""
    task = get_task(name)
    identity = np.arange(len(task.labels)) == 0
    automaton = Automaton(task.symbols, task.machine.table.astype(int), identity)
    facts = facts_of(automaton, "tag")
    assert facts.circuit_class == task.theory.circuit_class
    assert not facts.star_free


def test_parity_has_its_names() -> None:
    facts = facts_of(from_expression("(0|10*1)*10*"), "recognise")
    assert facts.contains_parity
    assert facts.elementary
    assert facts.named == {"parity", "recognise"}
    assert facts_of(from_expression("(aa)*"), "tag").named == {"(aa)*"}
    assert get_task("parity:mode=recognise").facts.named == facts.named


def test_counting_modulo() -> None:
    assert facts_of(from_expression("(a{6}|b)*"), "tag").modulus == 6
    assert facts_of(from_expression("(a{4}|b)*"), "tag").modulus is None
    assert facts_of(from_expression("(a{4}|b)*"), "tag").contains_parity is False
    assert cycles_of((1, 2, 0, 0)) == [[0, 1, 2]]
    assert period(np.array([True, False, True, False])) == 2


@given(automata(most=5))
def test_aperiodic_is_star_free_by_another_way(automaton: Automaton) -> None:
    """A cycle q, qx, qxx, .. of a word x and of a length above 1 is what star-free excludes."""
    transitions = Transitions(automaton)
    cyclic = any(len(cycle) > 1 for x in transitions.known for cycle in cycles_of(x))
    assert transitions.is_aperiodic == (not cyclic)
    if transitions.is_r_trivial:
        assert transitions.is_aperiodic
    if transitions.is_aperiodic:
        assert transitions.is_quasi_aperiodic


def test_too_many_maps_are_not_worked_out() -> None:
    """All maps on seven points."""
    cycle, swap, merge = [1, 2, 3, 4, 5, 6, 0], [1, 0, 2, 3, 4, 5, 6], [0, 0, 2, 3, 4, 5, 6]
    table = np.array([cycle, swap, merge]).T
    facts = facts_of(Automaton(("a", "b", "c"), table, np.arange(7) == 0), "tag")
    assert facts.circuit_class == "unknown"
    assert str(MOST_ELEMENTS) in facts.why
    assert facts.regular
