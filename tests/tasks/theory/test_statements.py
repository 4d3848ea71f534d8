"""Theory: no contradictions, every statement cited, every family covered, no verdict too strong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from flann.tasks import FAMILIES, Statement, Task, Theory, get_task
from flann.tasks.algebra import classify_task
from flann.tasks.theory.literature import derive_theory
from flann.tasks.theory.literature.inclusions import SPECIAL_CASES
from flann.tasks.theory.properties import UNKNOWN, TaskProperties
from flann.tasks.theory.statements import REGIMES, VERDICTS

PRECISIONS = [
    "fixed precision",
    "log precision",
    "unbounded precision",
]  # each includes the previous one
GROWING = ["depth log T", "chain of thought", "padding"]  # each includes log precision
IN_TC0 = {  # at log precision; the padded transformer too
    "time-invariant-ssm", "nonnegative-ssm", "real-ssm", "linear-attention", "rwkv-4", "mlstm",
    "transformer", "transformer-nope", "transformer-bidirectional", "transformer-looped",
    "transformer-equivariant",
}  # fmt: skip
RECURRENT = set(FAMILIES) - {name for name in FAMILIES if name.startswith("transformer")}

Check = Callable[[Theory, TaskProperties], list[str]]


def includes(regime: str, other: str) -> bool:
    """Return whether everything possible in `other` is possible in `regime`."""
    if regime in GROWING:
        return other in ("fixed precision", "log precision", regime)
    if regime in PRECISIONS and other in PRECISIONS:
        return PRECISIONS.index(regime) >= PRECISIONS.index(other)
    return regime == other or (regime, other) == ("unbounded precision", "exact counting")


# -- the checks ----------------------------------------------------------------------------------


def list_contradictions(theory: Theory, properties: TaskProperties) -> list[str]:
    """List families that can in one regime and cannot in it or in one that includes it."""
    return [
        f"{one} against {other}"
        for one in theory.statements
        if one.verdict == "can"
        for other in theory.about(one.family)
        if other.verdict.startswith("cannot") and includes(other.regime, one.regime)
    ]


def list_settled_but_open(theory: Theory, properties: TaskProperties) -> list[str]:
    """List open statements that follow from a statement on another regime."""
    return [
        f"{one} though {other}"
        for one in theory.statements
        if one.verdict == "open"
        for other in theory.about(one.family)
        if (other.verdict == "can" and includes(one.regime, other.regime))
        or (other.verdict == "cannot" and includes(other.regime, one.regime))
    ]


def list_inclusion_errors(theory: Theory, properties: TaskProperties) -> list[str]:
    """List verdicts of a special case and its general family that contradict the inclusion."""
    said = {(s.family, s.regime, s.verdict[:6]) for s in theory.statements}
    found = []
    for special, general, regimes, _ in SPECIAL_CASES:
        for regime in regimes:
            can = any((general, r, "can") in said for r in REGIMES if includes(regime, r))
            cannot = any((special, r, "cannot") in said for r in REGIMES if includes(r, regime))
            if (special, regime, "can") in said and not can:
                found.append(f"{regime}: {special} can, and {general} is not known to")
            if (general, regime, "cannot") in said and not cannot:
                found.append(f"{regime}: {general} cannot, and {special} is not known not to")
    return [] if properties.partial else found


def list_too_strong(theory: Theory, properties: TaskProperties) -> list[str]:
    """List verdicts that the circuit class does not allow."""
    found = []
    for s in theory.statements:
        bounded = s.regime == "log precision" or (s.family, s.regime) == ("transformer", "padding")
        conditional = s.verdict.endswith("NC1")
        if conditional and not (theory.circuit_class == "NC1-complete" and s.family in IN_TC0):
            found.append(f"conditional without a reason: {s}")
        if s.family in IN_TC0 and bounded and theory.circuit_class == "NC1-complete":
            if s.verdict == "can":
                found.append(f"beyond TC0: {s}")
            if s.verdict == "cannot" and not properties.remembers:
                found.append(f"only TC0 != NC1 supports it: {s}")
        if s.family in IN_TC0 and bounded and s.verdict == "cannot" and s.family not in RECURRENT:
            found.append(f"no theorem of that kind: {s}")
        if properties.regular and s.family in RECURRENT and s.verdict == "cannot" and bounded:
            found.append(f"a regular task, and no bound on log T bits: {s}")
        if "the task is not in AC0" in s.why and not properties.beyond_ac0:
            found.append(f"it is in AC0: {s}")
    return found


CHECKS: list[Check] = [
    list_contradictions,
    list_settled_but_open,
    list_inclusion_errors,
    list_too_strong,
]


# -- over every task -----------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_the_theory_is_consistent(task: Task, check: Check) -> None:
    assert check(task.theory, task.properties) == []


def test_every_family_is_spoken_of(task: Task) -> None:
    assert {s.family for s in task.theory.statements} == set(FAMILIES)


def test_no_family_and_regime_twice(task: Task) -> None:
    keys = [(s.family, s.regime) for s in task.theory.statements]
    assert len(keys) == len(set(keys))


def test_everything_is_cited(task: Task) -> None:
    assert task.theory.why
    for statement in task.theory.statements:
        for paper in statement.citation.split("; "):
            assert re.search(r"[A-Z].* \d{4}, arXiv \d{4}\.\d{4,5}", paper), paper
        assert len(statement.why) > 20


def test_every_registered_task_is_worked_out(task: Task) -> None:
    if task.theory.circuit_class == "unknown":
        assert task.mode == "transduce"
        assert task.theory.why != UNKNOWN.why, "say why it is open"
        return
    verdicts = [s.verdict for s in task.theory.statements]
    assert verdicts.count("open") < len(FAMILIES) / 2 or task.properties.partial


@cache
def classify_by_name(name: str) -> dict[str, bool | None]:
    return classify_task(get_task(name)).classes


EXACT = [  # families that recognise exactly a class of the regular languages
    ("nonnegative-ssm", "fixed precision", "SF"),
    ("transformer-nope", "fixed precision", "R-trivial"),
    ("transformer-nope", "unique hard attention", "SF"),
    ("transformer", "unique hard attention", "quasi-aperiodic"),
]


def test_regular_tasks_get_what_their_classes_allow(task: Task) -> None:
    """The verdict on a family that recognises exactly a class is the verdict on the class."""
    try:
        classes = classify_by_name(task.name)
    except ValueError:
        pytest.skip("no automaton")
    circuit = classify_task(task).circuit
    assert task.theory.circuit_class == circuit
    known = {(s.family, s.regime): s.verdict for s in task.theory.statements}
    for family, regime, name in EXACT:
        verdict = "can" if classes[name] else "open" if task.properties.partial else "cannot"
        assert known[family, regime] == verdict, (family, regime, name)


# -- each check can fail -------------------------------------------------------------------------


def list_problems(check: Check, name: str, *lies: Statement) -> list[str]:
    """Run a check after statements are added or replaced."""
    task = get_task(name)
    kept = [
        s
        for s in task.theory.statements
        if (s.family, s.regime) not in {(lie.family, lie.regime) for lie in lies}
    ]
    return check(replace(task.theory, statements=(*kept, *lies)), task.properties)


def make_statement(family: str, regime: str, verdict: str, why: str = "it is made up") -> Statement:
    return Statement(family, regime, verdict, why, "nobody")


@pytest.mark.parametrize(
    ("check", "name", "lie"),
    [
        (list_contradictions, "A5", make_statement("lstm", "log precision", "cannot")),
        (
            list_contradictions,
            "first",
            make_statement("transformer-nope", "log precision", "cannot"),
        ),
        (list_settled_but_open, "A5", make_statement("lstm", "log precision", "open")),
        (list_settled_but_open, "first", make_statement("transformer", "padding", "open")),
        (list_inclusion_errors, "A5", make_statement("nonnegative-ssm", "fixed precision", "can")),
        (list_inclusion_errors, "first", make_statement("real-ssm", "fixed precision", "cannot")),
        (list_inclusion_errors, "first", make_statement("real-ssm", "fixed precision", "open")),
        (list_too_strong, "Z60", make_statement("transformer", "log precision", VERDICTS[2])),
        (list_too_strong, "A5", make_statement("transformer", "log precision", "can")),
        (list_too_strong, "A5", make_statement("transformer", "padding", "can")),
        (list_too_strong, "A5", make_statement("nonnegative-ssm", "log precision", "cannot")),
        (list_too_strong, "A5", make_statement("transformer", "log precision", "cannot")),
        (list_too_strong, "A5", make_statement("lstm", "log precision", "cannot")),
        (
            list_too_strong,
            "first",
            make_statement(
                "transformer",
                "fixed precision",
                "cannot",
                "these are in AC0, and the task is not in AC0",
            ),
        ),
    ],
)
def test_a_check_can_fail(check: Check, name: str, lie: Statement) -> None:
    assert list_problems(check, name) == []
    assert list_problems(check, name, lie) != []


# -- what is published ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "circuit_class"),
    [
        ("Z60", "ACC0"),
        ("A4xZ5", "ACC0"),
        ("A5", "NC1-complete"),
        ("S5", "NC1-complete"),
        ("S4", "ACC0"),
        ("A5xZ2", "NC1-complete"),
        ("A5:generators=2", "NC1-complete"),
        ("S5:generators=swaps", "NC1-complete"),
        ("Z60:generators=1", "AC0"),
        ("Z60:generators=2", "ACC0"),
        ("parity", "ACC0"),
        ("first", "AC0"),
        ("flip-flop", "AC0"),
        ("majority", "TC0"),
        ("dyck-1", "TC0"),
        ("dyck-2", "TC0"),
        ("dyck-2:depth=3", "AC0"),
    ],
)
def test_circuit_classes(name: str, circuit_class: str) -> None:
    assert get_task(name).theory.circuit_class == circuit_class


@pytest.mark.parametrize(
    ("name", "family", "regime", "verdict"),
    [
        ("A5", "lstm", "fixed precision", "can"),
        ("A5", "input-dependent-ssm", "fixed precision", "can"),
        ("A5", "input-dependent-ssm", "log precision", "can"),
        ("A5", "delta-rule", "fixed precision", "can"),
        ("A5", "householder-products", "fixed precision", "can"),
        ("A5", "rwkv-7", "log precision", "can"),
        ("A5", "mlstm", "log precision", "cannot unless TC0 = NC1"),
        ("A5", "linear-attention", "fixed precision", "cannot"),
        ("A5", "slstm", "fixed precision", "can"),
        ("A5", "real-ssm", "fixed precision", "cannot"),
        ("A5", "transformer", "chain of thought", "can"),
        ("A5", "transformer", "padding", "cannot unless TC0 = NC1"),
        ("A5", "transformer-looped", "depth log T", "can"),
        ("A4xZ5", "transformer", "padding", "can"),
        ("parity", "transformer", "unique hard attention", "cannot"),
        ("parity", "transformer", "exact counting", "cannot"),
        ("parity", "transformer", "unbounded precision", "can"),
        ("parity", "delta-rule-nonnegative", "fixed precision", "cannot"),
        ("parity:mode=recognise", "transformer-equivariant", "unbounded precision", "cannot"),
        ("aa-star", "transformer", "unique hard attention", "can"),
        ("aa-star", "transformer-nope", "unique hard attention", "cannot"),
        ("aa-star", "time-invariant-ssm", "fixed precision", "can"),
        ("aa-star", "nonnegative-ssm", "fixed precision", "cannot"),
        ("flip-flop", "transformer-nope", "exact counting", "cannot"),
        ("flip-flop", "transformer-nope", "unique hard attention", "can"),
        ("majority", "transformer-nope", "exact counting", "can"),
        ("majority", "nonnegative-ssm", "fixed precision", "cannot"),
        ("shuffle-dyck-2", "lstm", "log precision", "can"),
        ("dyck-2", "stack-rnn", "fixed precision", "can"),
        ("marked-copy", "nonnegative-ssm", "log precision", "cannot"),
        ("tomita-3", "transformer", "unique hard attention", "can"),
        ("regex-recognise:[ab]*a", "transformer-equivariant", "fixed precision", "can"),
        ("regex:[ab]*a", "transformer-equivariant", "fixed precision", "can"),
        ("regex-recognise:[ab]*b[ab]*", "transformer-equivariant", "unbounded precision", "can"),
        ("regex-recognise:a[ab]*", "transformer-equivariant", "unbounded precision", "cannot"),
        ("A5", "nonnegative-ssm", "log precision", "cannot unless TC0 = NC1"),
        ("A5", "transformer", "log precision", "cannot unless TC0 = NC1"),
        ("A5", "transformer", "depth log T", "can"),
        ("A4xZ5", "transformer", "log precision", "open"),
        ("Z60", "real-ssm", "fixed precision", "cannot"),
        ("Z2xZ2", "real-ssm", "fixed precision", "can"),
        ("parity", "nonnegative-ssm", "fixed precision", "cannot"),
        ("parity", "real-ssm", "fixed precision", "can"),
        ("parity", "time-invariant-ssm", "fixed precision", "cannot"),
        ("parity", "transformer-nope", "fixed precision", "cannot"),
        ("parity:mode=recognise", "transformer-bidirectional", "unbounded precision", "can"),
        ("Z2:generators=1", "time-invariant-ssm", "fixed precision", "can"),
        ("Z2:generators=1", "nonnegative-ssm", "fixed precision", "cannot"),
        ("first", "transformer-nope", "fixed precision", "can"),
        ("flip-flop", "nonnegative-ssm", "fixed precision", "can"),
        ("dyck-1:depth=3", "nonnegative-ssm", "fixed precision", "can"),
        ("dyck-1:depth=3", "transformer-nope", "fixed precision", "cannot"),
        ("dyck-1", "lstm", "log precision", "can"),
        ("dyck-2", "lstm", "log precision", "cannot"),
        ("majority", "transformer-equivariant", "unbounded precision", "cannot"),
        ("majority:mode=recognise", "transformer-equivariant", "unbounded precision", "can"),
    ],
)
def test_known_results(name: str, family: str, regime: str, verdict: str) -> None:
    known = {s.regime: s.verdict for s in get_task(name).theory.about(family)}
    assert known[regime] == verdict


def test_an_unknown_task_is_open_everywhere() -> None:
    theory = derive_theory(UNKNOWN)
    assert {s.verdict for s in theory.statements} == {"open"}
    assert {s.family for s in theory.statements} == set(FAMILIES)


def test_made_up_words_are_refused() -> None:
    good = Statement("rnn", next(iter(REGIMES)), VERDICTS[0], "a reason", "somebody 2020")
    wrong = {"family": "mamba", "regime": "always", "verdict": "perhaps", "why": "", "citation": ""}
    for field, value in wrong.items():
        with pytest.raises(ValueError, match=r"expected one of|without a reason"):
            replace(good, **{field: value})
    with pytest.raises(ValueError, match="expected one of"):
        Theory("P", "no such class here", ())
    with pytest.raises(ValueError, match="expected one of"):
        derive_theory(TaskProperties("P", "no such class here"))


def test_mixtures() -> None:
    """A mixture can do what one kind of layer can; the TC0 bound requires all kinds to have it."""
    theory = get_task("A5").theory
    bounded = {s.regime: s for s in theory.about("transformer+nonnegative-ssm")}
    assert bounded["log precision"].verdict == "cannot unless TC0 = NC1"
    assert bounded["fixed precision"].verdict == "open"  # two bounds, and none on the whole
    strong = {s.regime: s.verdict for s in theory.about("transformer+delta-rule")}
    assert strong["fixed precision"] == "can"
    assert strong["log precision"] == "open"
    assert theory.about("transformer+transformer") == theory.about("transformer")


def test_words_that_are_not_asked_about_exclude_nothing() -> None:
    """(01)* is not R-trivial, but the last symbol determines which may come next."""
    language, following = get_task("repeat-01"), get_task("repeat-01:label=next")
    assert "cannot" in {s.verdict for s in language.theory.about("transformer-nope")}
    assert following.properties.partial
    assert not [s for s in following.theory.statements if s.verdict.startswith("cannot")]
    assert not get_task("tomita-5:label=next").properties.partial  # no prefix is dead
