"""The algebra against languages whose classes are known, and what operations make of them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from flann.tasks.algebra import classify
from flann.tasks.automata.automaton import Automaton

from .known_languages import TABLE, Row, with_neutral_letter
from .lattice import INSIDE, circuit, closed, complemented, larger, mirrored, with_neutral

KNOWN = {row.name: closed(set(row.yes.split()), set(row.no.split())) for row in TABLE}
ROWS = pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])


def found(automaton: Automaton) -> dict[str, bool | None]:
    return classify(automaton).classes


def wrong(answers: dict[str, bool | None], known: dict[str, bool]) -> dict[str, bool | None]:
    """The answers that are not what is known."""
    return {name: answers[name] for name in known if answers[name] is not known[name]}


# -- the table itself ----------------------------------------------------------------------------


def test_at_least_60_languages_each_with_its_source() -> None:
    assert len(TABLE) >= 60
    assert len({row.name for row in TABLE}) == len(TABLE)
    machines = [row.automaton() for row in TABLE]
    different = {(m.symbols, m.table.tobytes(), m.accepting.tobytes()) for m in machines}
    assert len(different) >= 60
    assert all(row.source and row.why for row in TABLE)


@ROWS
def test_a_row_says_something_of_every_class(row: Row) -> None:
    assert set(KNOWN[row.name]) == set(INSIDE)


def test_the_rows_separate_every_pair_of_classes() -> None:
    """Unless one class is inside the other, some language is in the first and not the second."""
    missing = [
        (one, other)
        for one, other in permutations(INSIDE, 2)
        if other not in larger(one)
        and not any(known[one] and not known[other] for known in KNOWN.values())
    ]
    assert missing == []


def test_contradicting_claims_would_be_found() -> None:
    with pytest.raises(AssertionError, match="contradiction"):
        closed({"SL"}, {"SF"})
    with pytest.raises(AssertionError, match="contradiction"):
        closed({"R-trivial", "L-trivial"}, {"PT"})


# -- the algebra ---------------------------------------------------------------------------------


@ROWS
def test_every_class_is_what_is_known(row: Row) -> None:
    classification = classify(row.automaton())
    known = KNOWN[row.name]
    assert wrong(classification.classes, known) == {}
    assert classification.circuit == circuit(known)
    assert row.k.items() <= classification.k.items()


@ROWS
def test_backwards(row: Row) -> None:
    automaton = row.automaton().reverse().minimise()
    assert wrong(found(automaton), mirrored(KNOWN[row.name])) == {}


@ROWS
def test_complement(row: Row) -> None:
    automaton = row.automaton().complement()
    assert wrong(found(automaton), complemented(KNOWN[row.name])) == {}


@ROWS
def test_with_a_neutral_letter(row: Row) -> None:
    automaton = row.automaton()
    table = automaton.table
    a_then_b = np.stack([table[table[:, a]] for a in range(len(automaton.symbols))], axis=1)
    expected = with_neutral(
        KNOWN[row.name],
        commutative=bool((a_then_b == a_then_b.transpose(0, 2, 1)).all()),
        idempotent=bool((np.diagonal(a_then_b, axis1=1, axis2=2) == table).all()),
        one_live=(int(automaton.live.sum()) <= 1, int(automaton.complement().live.sum()) <= 1),
    )
    extended = classify(with_neutral_letter(automaton, "neutral"))
    assert wrong(extended.classes, expected) == {}
    assert extended.circuit == circuit({**KNOWN[row.name], **expected})


def test_a_wrong_answer_would_be_found() -> None:
    row = next(row for row in TABLE if row.name == "(ab)*")
    answers = found(row.automaton())
    for name in INSIDE:
        lie = {**answers, name: not answers[name]}
        assert wrong(lie, KNOWN[row.name]) == {name: lie[name]}
