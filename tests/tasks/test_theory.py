"""What is known: no contradictions, everything cited, every family spoken of."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from flann.tasks import FAMILIES, Statement, Task, Theory, get_task
from flann.tasks.literature import UNKNOWN, Facts, theory_from
from flann.tasks.theory import REGIMES, VERDICTS

NOT_YET = {  # families of models that are here before the theorems about them
    "linear-attention", "rwkv-4", "rwkv-7", "delta-nonnegative", "delta", "householder-products",
    "mlstm", "slstm", "stack-rnn", "tape-rnn", "hybrid",
}  # fmt: skip
PRECISIONS = ["fixed precision", "log precision", "unbounded precision"]  # each includes the last


def contradictions(theory: Theory) -> list[str]:
    """Pairs of statements that cannot both hold, and statements against the circuit class."""
    found = []
    for one in theory.statements:
        if one.verdict == "can":
            found += [
                f"{one} against {other}"
                for other in theory.about(one.family)
                if other.verdict.startswith("cannot") and at_least(other.regime, one.regime)
            ]
        in_tc0 = one.family.startswith("transformer") or one.family in (
            "time-invariant-ssm",
            "nonnegative-ssm",
            "real-ssm",
        )
        weak = one.regime in PRECISIONS[:2]
        if theory.circuit_class == "NC1-complete" and in_tc0 and weak and one.verdict == "can":
            found.append(f"{one} against {theory.circuit_class}")
        if one.verdict.endswith("NC1") and theory.circuit_class != "NC1-complete":
            found.append(f"{one} against {theory.circuit_class}")
        if "are in AC0" in one.why and theory.circuit_class == "AC0":
            found.append(f"{one} against {theory.circuit_class}")
    return found


def at_least(regime: str, other: str) -> bool:
    """Whether what can be done in `other` can be done in `regime`."""
    if regime in PRECISIONS and other in PRECISIONS:
        return PRECISIONS.index(regime) >= PRECISIONS.index(other)
    return regime == other


def test_no_contradictions(task: Task) -> None:
    assert contradictions(task.theory) == []


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
    if task.mode == "transduce" and task.theory.circuit_class == "unknown":
        assert task.theory.why != UNKNOWN.why, "say why it is open"
        return
    assert task.theory.circuit_class != "unknown"
    verdicts = [s.verdict for s in task.theory.statements if s.family not in NOT_YET]
    assert verdicts.count("open") < len(set(FAMILIES) - NOT_YET) / 2


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
        ("A5", "input-dependent-ssm", "log precision", "can"),
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
    theory = theory_from(UNKNOWN)
    assert {s.verdict for s in theory.statements} == {"open"}
    assert {s.family for s in theory.statements} == set(FAMILIES)


def test_a_contradiction_would_be_found() -> None:
    theory = get_task("A5").theory
    for statement in theory.statements:
        flipped = "cannot" if statement.verdict == "can" else "can"
        if statement.verdict.endswith("NC1"):
            lie = replace(statement, verdict=flipped)
            assert contradictions(replace(theory, statements=(lie,)))
        elif statement.verdict in ("can", "cannot"):
            both = (statement, replace(statement, verdict=flipped))
            assert contradictions(replace(theory, statements=both))


def test_made_up_words_are_refused() -> None:
    good = Statement("rnn", next(iter(REGIMES)), VERDICTS[0], "a reason", "somebody 2020")
    wrong = {"family": "mamba", "regime": "always", "verdict": "perhaps", "why": "", "citation": ""}
    for field, value in wrong.items():
        with pytest.raises(ValueError, match=r"expected one of|without a reason"):
            replace(good, **{field: value})
    with pytest.raises(ValueError, match="expected one of"):
        Theory("P", "no such class here", ())
    with pytest.raises(ValueError, match="expected one of"):
        theory_from(Facts("P", "no such class here"))
