"""Classification: inclusions between the verdicts, exceeded limits, and every regular task."""

from __future__ import annotations

import numpy as np
import pytest

from flann.errors import UserError
from flann.tasks import get_task, task_names
from flann.tasks.algebra import (
    CLASSES,
    classify,
    classify_machine,
    classify_task,
    pair_graph,
    reachability,
    require_machine,
)
from flann.tasks.algebra.classification import classify_group
from flann.tasks.algebra.varieties import sampled_equations, threshold_testable
from flann.tasks.algebra.varieties.classifier import Classifier
from flann.tasks.algebra.varieties.inclusions import INSIDE, propagate_inclusions
from flann.tasks.algebra.verdict import Clock, Verdict
from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.expressions import from_expression
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.languages.regular.word_problem import WordProblem

from .random_languages import RANDOM, add_neutral_symbol

KEYS = [
    "states", "alphabet", "semigroup", "SL", "SP", "LT", "LTT", "PT", "PLT", "TSL", "TLT", "TLTT",
    "TPLT", "coSL", "coSP", "SF", "R-trivial", "L-trivial", "J-trivial", "DA", "quasi-aperiodic",
    "solvable", "circuit", "k", "tier", "why",
]  # fmt: skip
REGULAR = [
    "first", "flip-flop", "parity", "tomita-3", "tomita-7:label=next", "repeat-01", "abab",
    "even-pairs", "gridworld", "adder", "permutation-reset", "cycle-navigation",
    "cycle-navigation:mode=transduce", "cycle-navigation:mode=recognise", "flip-flop-language",
    "modular-arithmetic-simple", "dyck-1:depth=3", "dyck-2:depth=2,mode=recognise", "A5", "Z60",
    "A4xZ5:generators=2", "S5:generators=swaps", "Z60:generators=1", "S6", "regex:(aa|b)*",
]  # fmt: skip


def test_the_object_is_what_the_command_line_promises() -> None:
    found = classify(from_expression("(ab|c)*"))
    assert sorted(found.as_dict()) == sorted(KEYS)
    assert list(found.classes) == list(CLASSES)
    assert set(found.classes.values()) <= {True, False, None}


def build_trivial(accepted: bool) -> Automaton:
    return from_function("ab", 0, lambda q, a: q, lambda q: accepted)


@pytest.mark.parametrize("accepted", [True, False])
def test_all_words_and_none_are_in_every_class(accepted: bool) -> None:
    found = classify(build_trivial(accepted))
    assert all(found.classes.values()), found.classes
    assert found.tier == ()
    assert found.circuit == "AC0"


EMPTY_WORD = from_function("ab", 0, lambda q, a: 1, lambda q: q == 0)


@pytest.mark.parametrize(
    ("automaton", "yes", "no"),
    [
        (EMPTY_WORD, "SL SP coSL LT PT", "coSP"),
        (EMPTY_WORD.complement(), "SL coSP coSL LT PT", "SP"),  # all but the empty word
        (from_expression("a*"), "SL SP coSL coSP", ""),  # over one letter that is all words
        (from_expression("aa*"), "SL coSL coSP LT PT", "SP"),
        (from_expression("(aa)*"), "quasi-aperiodic solvable", "SF TSL TPLT DA SL SP"),
        (from_expression("aaa"), "SL coSL LT PT J-trivial", "SP coSP"),  # finite
        (from_expression("a{0,3}"), "SL SP coSL LT PT", "coSP"),
    ],
)
def test_short_languages(automaton: Automaton, yes: str, no: str) -> None:
    classes = classify(automaton).classes
    assert [name for name in yes.split() if not classes[name]] == []
    assert [name for name in no.split() if classes[name] is not False] == []


def test_every_class_is_inside_those_it_is_said_to_be_inside() -> None:
    """The classes are decided independently; `propagate_inclusions` then adds no wrong answer."""
    rng = np.random.default_rng(0)
    for make in RANDOM.values():
        for _ in range(8):
            machine = MooreMachine.from_automaton(add_neutral_symbol(make(rng, 2)))
            classifier = Classifier(machine, 3000, Clock.of(60))
            classifier.decide_on_automaton()
            alone = {n: v.answer for n, v in classifier.verdicts.items() if v.answer is not None}
            after = classify_machine(machine, 3000).classes
            for name, larger in INSIDE.items():
                assert not (after[name] and any(after[other] is False for other in larger))
            assert {n: after[n] for n in alone} == alone


def test_consequences() -> None:
    yes, no = Verdict(True, "yes"), Verdict(False, "no", {"x": ("a",)})
    assert propagate_inclusions({"SL": yes})["solvable"].answer
    assert propagate_inclusions({"SP": yes})["L-trivial"].answer
    gone = propagate_inclusions({"quasi-aperiodic": no})
    assert [name for name in CLASSES if name not in gone] == ["solvable"]
    assert gone["TSL"].why == "it is not quasi-aperiodic: no"
    assert gone["TSL"].witness == {"x": ("a",)}
    assert propagate_inclusions({"R-trivial": yes, "L-trivial": yes})["PT"].answer


def test_a_semigroup_that_is_too_large_is_said() -> None:
    """What follows from the automaton is still decided; the rest is None, with the reason."""
    automaton = from_expression("[ab]*a[ab]{4}")  # the fifth letter from the end is an a
    whole, cut = classify(automaton), classify(automaton, limit=10)
    assert whole.semigroup
    assert cut.semigroup is None
    assert cut.classes == whole.classes  # strictly local, so the rest follows
    threes = from_expression("(b*(ab*){3})*|[ab]*(bab){2}a[ab]*")
    whole, cut = classify(threes), classify(threes, limit=10)
    unknown = [name for name, answer in cut.classes.items() if answer is None]
    assert unknown == ["solvable"]
    assert all(cut.classes[n] == whole.classes[n] for n in CLASSES if n not in unknown)
    assert "solvable: the semigroup has more than 10 elements" in cut.why
    assert cut.circuit is None
    assert cut.as_dict()["solvable"] is None


def test_very_many_states_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the pairs of states exceed the limit, the answer is None with the reason, never wrong."""
    monkeypatch.setattr(reachability, "MOST_STATES", 50)
    monkeypatch.setattr(pair_graph, "MOST_EDGES", 50 * 50 * 2)
    monkeypatch.setattr(sampled_equations, "LARGEST", 50)
    ring = from_function("ab", 0, lambda q, a: (q + a) % 60, lambda q: q == 0)
    found = classify(ring, limit=10)
    assert found.classes["SF"] is False  # one symbol shows it
    assert found.classes["solvable"] is None
    late = from_expression("[ab]*a[ab]{6}")
    found = classify(late, limit=10)
    assert "more than 50 states; the semigroup has more than 10" in found.verdicts["LT"].why
    assert found.verdicts["SL"].why == "128 states and 2 symbols make too many pairs of states"
    assert found.classes["J-trivial"] is None
    whole = classify(late, limit=10_000)  # the semigroup is small enough
    names = ("LT", "TLT", "R-trivial", "PT", "SF", "LTT")
    assert [whole.classes[name] for name in names] == [True, True, False, False, True, True]


def test_thresholds_without_the_semigroup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threshold testability is decided on the automaton and on the tier if no sample refutes."""
    monkeypatch.setattr(sampled_equations.SampledEquations, "refute", lambda self, name: None)
    twice, order = from_expression("b*ab*ab*"), from_expression("c*ac*bc*")
    for automaton in (twice, order, add_neutral_symbol(twice), add_neutral_symbol(order)):
        whole, cut = classify(automaton), classify(automaton, limit=2)
        assert cut.semigroup is None
        assert [cut.classes[n] for n in ("LTT", "TLTT")] == [
            whole.classes[n] for n in ("LTT", "TLTT")
        ]
    assert classify(twice, limit=2).classes["LTT"] is True
    assert classify(order, limit=2).verdicts["LTT"].why == "exfyezf differs from ezfyexf"
    parity = classify(from_expression("(b|ab*a)*"), limit=1).verdicts["LTT"]
    assert parity.answer is None
    assert "not known whether it is star-free; the semigroup has more than 1" in parity.why
    monkeypatch.setattr(threshold_testable, "MOST_EDGES", 50)
    cut = classify(order, limit=2).verdicts["LTT"]
    assert cut.answer is None
    assert "4 states and 3 symbols make too many quadruples; the semigroup has more" in cut.why


def test_no_time_is_no_wrong_answer() -> None:
    rng = np.random.default_rng(1)
    for make in RANDOM.values():
        automaton = make(rng, 3)
        whole, cut = classify(automaton), classify(automaton, seconds=1e-9)
        for name, answer in cut.classes.items():
            assert answer in (None, whole.classes[name])
        assert cut.semigroup is None


@pytest.mark.parametrize("name", REGULAR)
def test_tasks(name: str) -> None:
    """The classification agrees with the circuit class and the properties of the task."""
    task = get_task(name)
    found = classify_task(task)
    assert found.circuit == task.properties.circuit_class
    assert found.classes["SF"] == task.properties.star_free
    if task.properties.r_trivial:
        assert found.classes["R-trivial"]
    assert None not in found.classes.values()
    assert found.alphabet == len(task.symbols) - (task.mode == "transduce")


def test_a_task_without_an_automaton_is_refused_with_examples() -> None:
    without = []
    for name in task_names():
        try:
            require_machine(get_task(name))
        except UserError as error:
            assert f"{name} has no automaton to classify: expected a regular task" in str(error)
            without.append(name)
    assert {"majority", "dyck-1", "copy", "modular-arithmetic"} <= set(without)
    assert not set(without) & {n.partition(":")[0] for n in REGULAR} - {"dyck-1", "dyck-2"}


@pytest.mark.parametrize("name", ["Z2", "Z6", "Z6:generators=1", "S4", "A5:generators=2", "D5"])
def test_a_group_by_its_table_and_by_its_machine(name: str) -> None:
    task = get_task(name)
    assert isinstance(task, WordProblem)
    by_table, by_machine = (
        classify_group(task.group, task.generators, task.symbols),
        classify_machine(require_machine(task)),
    )
    assert by_table.classes == by_machine.classes
    assert by_table.circuit == by_machine.circuit
    assert (by_table.states, by_table.semigroup) == (by_machine.states, by_machine.semigroup)


def test_a_class_of_many_labels_is_that_of_every_label() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        states = int(rng.integers(2, 5))
        table = rng.integers(0, states, (states, 2))
        table = np.maximum(table, np.arange(states)[:, None]) if rng.random() < 0.7 else table
        outputs = rng.integers(2, 5, states)
        machine = MooreMachine.minimal(("a", "b"), table, outputs)
        found = classify_machine(machine).classes
        each = [
            classify_machine(
                MooreMachine.minimal(
                    ("a", "b"), machine.table, (machine.labels == label).astype(int)
                )
            ).classes
            for label in np.unique(machine.labels)
        ]
        for name in CLASSES:
            if name == "TSL" or name.startswith("T"):  # tiers of labels can be smaller
                assert not found[name] or all(one[name] for one in each)
            else:
                assert found[name] == all(one[name] for one in each), (name, table, outputs)


def test_classes_of_products_with_a_neutral_symbol() -> None:
    """A tier ignores a neutral symbol, while local testability can be lost."""
    pure = from_expression("(ab)*")
    before, after = classify(pure), classify(add_neutral_symbol(pure))
    assert after.tier == ("a", "b")
    assert after.k["TSL"] == before.k["SL"] == 2
    assert [after.classes[name] for name in ("SL", "LT", "LTT", "PLT")] == [False] * 4
    assert [after.classes[name] for name in ("TSL", "TLT", "TLTT", "TPLT")] == [True] * 4
