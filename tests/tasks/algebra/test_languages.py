"""The algebra against languages of known classes, and against operations on these languages."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from flann.tasks.algebra import classify
from flann.tasks.automata.automaton import Automaton

from .known_languages import TABLE, Row, add_neutral_letter
from .lattice import (
    INSIDE,
    close_claims,
    complement_classes,
    find_circuit,
    list_larger,
    mirror_classes,
    with_neutral,
)

KNOWN = {row.name: close_claims(set(row.yes.split()), set(row.no.split())) for row in TABLE}
ROWS = pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])


def find_classes(automaton: Automaton) -> dict[str, bool | None]:
    return classify(automaton).classes


def list_errors(answers: dict[str, bool | None], known: dict[str, bool]) -> dict[str, bool | None]:
    """Return the answers that differ from what is known."""
    return {name: answers[name] for name in known if answers[name] is not known[name]}


# -- the table itself ----------------------------------------------------------------------------


def test_at_least_60_languages_each_with_its_source() -> None:
    assert len(TABLE) >= 60
    assert len({row.name for row in TABLE}) == len(TABLE)
    machines = [row.build_automaton() for row in TABLE]
    different = {(m.symbols, m.table.tobytes(), m.accepting.tobytes()) for m in machines}
    assert len(different) >= 60
    assert all(row.source and row.why for row in TABLE)


@ROWS
def test_a_row_says_something_of_every_class(row: Row) -> None:
    assert set(KNOWN[row.name]) == set(INSIDE)


def test_the_rows_separate_every_pair_of_classes() -> None:
    """For every pair of classes without inclusion, some language is in the first only."""
    missing = [
        (one, other)
        for one, other in permutations(INSIDE, 2)
        if other not in list_larger(one)
        and not any(known[one] and not known[other] for known in KNOWN.values())
    ]
    assert missing == []


def test_contradicting_claims_would_be_found() -> None:
    with pytest.raises(AssertionError, match="contradiction"):
        close_claims({"SL"}, {"SF"})
    with pytest.raises(AssertionError, match="contradiction"):
        close_claims({"R-trivial", "L-trivial"}, {"PT"})


# -- the algebra ---------------------------------------------------------------------------------


@ROWS
def test_every_class_is_what_is_known(row: Row) -> None:
    classification = classify(row.build_automaton())
    known = KNOWN[row.name]
    assert list_errors(classification.classes, known) == {}
    assert classification.circuit == find_circuit(known)
    assert row.k.items() <= classification.k.items()


@ROWS
def test_backwards(row: Row) -> None:
    automaton = row.build_automaton().reverse().minimise()
    assert list_errors(find_classes(automaton), mirror_classes(KNOWN[row.name])) == {}


@ROWS
def test_complement(row: Row) -> None:
    automaton = row.build_automaton().complement()
    assert list_errors(find_classes(automaton), complement_classes(KNOWN[row.name])) == {}


@ROWS
def test_with_a_neutral_letter(row: Row) -> None:
    automaton = row.build_automaton()
    table = automaton.table
    a_then_b = np.stack([table[table[:, a]] for a in range(len(automaton.symbols))], axis=1)
    expected = with_neutral(
        KNOWN[row.name],
        commutative=bool((a_then_b == a_then_b.transpose(0, 2, 1)).all()),
        idempotent=bool((np.diagonal(a_then_b, axis1=1, axis2=2) == table).all()),
        one_live=(int(automaton.live.sum()) <= 1, int(automaton.complement().live.sum()) <= 1),
    )
    extended = classify(add_neutral_letter(automaton, "neutral"))
    assert list_errors(extended.classes, expected) == {}
    assert extended.circuit == find_circuit({**KNOWN[row.name], **expected})


def test_a_wrong_answer_would_be_found() -> None:
    row = next(row for row in TABLE if row.name == "(ab)*")
    answers = find_classes(row.build_automaton())
    for name in INSIDE:
        lie = {**answers, name: not answers[name]}
        assert list_errors(lie, KNOWN[row.name]) == {name: lie[name]}
