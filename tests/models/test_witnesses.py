"""Witnesses: exact at every length, in the architecture's own model, or refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flann.errors import UserError
from flann.models import SequenceModel, model_of_width
from flann.models.witnesses import CONSTRUCTIONS, Counter, Moore, NoWitnessError, witness
from flann.models.witnesses.frame import Frame

LENGTHS = (1, 2, 3, 31, 100, 512)
PARITY = Moore(table=[[0, 1], [1, 0]], outputs=[0, 1])
FLIP_FLOP = Moore(table=[[0, 0, 1], [1, 0, 1]], outputs=[0, 1])
STAR_FREE_D2 = Moore(table=[[1, 3], [2, 0], [3, 1], [3, 3]], outputs=[1, 0, 0, 2])
S3 = Moore(  # the swap of 0 and 1, and the turn
    table=[[1, 2], [0, 5], [4, 3], [5, 0], [2, 1], [3, 4]], outputs=range(6)
)
TWO_LABELS = Moore(table=[[1], [2], [0]], outputs=[0, 1, 1])
ANY_AUTOMATON = ["rnn", "rnn:activation=relu", "gru", "lstm", "ids4", "ids4:state_norm=true"]


def labels_of(language: Moore | Counter, word: Sequence[int]) -> list[int]:
    """One symbol after the other."""
    labels, state, count = [], getattr(language, "start", 0), 0
    for symbol in word:
        if isinstance(language, Moore):
            state = language.table[state][symbol]
            labels.append(language.outputs[state])
        else:
            count += language.rises[symbol]
            labels.append(language.above if count > 0 else language.below)
    return labels


def check(model: SequenceModel, language: Moore | Counter, length: int, dtype: torch.dtype) -> None:
    """Random words, each symbol alone, and symbols in turn."""
    rng = np.random.default_rng(length)
    symbols = language.symbols
    words = [
        *rng.integers(symbols, size=(6, length)),
        *(np.eye(symbols, length, dtype=int) % symbols),
    ]
    words += [np.full(length, a) for a in range(symbols)]
    words += [np.arange(length) % symbols, np.arange(length) // 7 % symbols]
    with torch.no_grad():
        answers = model.to(dtype)(torch.from_numpy(np.stack(words))).argmax(-1)
    for word, answer in zip(words, answers.tolist(), strict=True):
        expected = labels_of(language, word.tolist())
        assert [a for a, e in zip(answer, expected, strict=True) if e >= 0] == [
            e for e in expected if e >= 0
        ]


CASES = [
    *((name, machine) for name in ANY_AUTOMATON for machine in (PARITY, STAR_FREE_D2, S3)),
    ("mamba", FLIP_FLOP),
    ("mamba:eigenvalues=negative", FLIP_FLOP),
    ("mamba:eigenvalues=negative", PARITY),
    ("deltanet:eigenvalues=negative", PARITY),
    ("deltaproduct:eigenvalues=negative", S3),
    ("lstm", Counter([-1, 1])),
    ("lstm", Counter([1, -1, 0], above=0, below=1)),
    ("s4d", Moore(table=[[1], [0]], outputs=[1, 0])),
    ("s4d", Moore(table=[[(q + 1) % 60] * 2 for q in range(60)], outputs=range(60), start=7)),
    ("s4d", Moore(table=[[1], [2], [0]], outputs=[0, 1, 1], start=1)),
]


@pytest.mark.parametrize(("name", "language"), CASES)
@pytest.mark.parametrize("length", LENGTHS)
def test_exact_in_float64(name: str, language: Moore | Counter, length: int) -> None:
    labels = 1 + max(getattr(language, "outputs", (0, 1)))
    check(witness(name, language, labels=labels), language, length, torch.float64)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_it_is_the_registered_architecture(name: str, language: Moore | Counter) -> None:
    """The same class with the same parameters: training could have found these weights."""
    labels = 1 + max(getattr(language, "outputs", (0, 1)))
    model = witness(name, language, labels=labels)
    sizes = dict(model.sizes)
    second = next(sizes[k] for k in sizes if k not in ("width", "depth", "parameters"))
    trained = model_of_width(
        name,
        symbols=language.symbols,
        labels=labels,
        depth=1,
        width=sizes["width"],
        second_size=second,
    )
    shapes = [{n: p.shape for n, p in m.state_dict().items()} for m in (model, trained)]
    assert shapes[0] == shapes[1]
    assert (model.name, model.family) == (trained.name, trained.family)


@st.composite
def machines(draw: st.DrawFn, states: int = 5) -> Moore:
    count, symbols = draw(st.integers(1, states)), draw(st.integers(1, 3))
    place = st.integers(0, count - 1)
    table = draw(
        st.lists(
            st.lists(place, min_size=symbols, max_size=symbols), min_size=count, max_size=count
        )
    )
    outputs = draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count))
    return Moore(table=table, outputs=outputs, start=draw(place))


@settings(max_examples=30, deadline=None)
@given(machines(), st.sampled_from(ANY_AUTOMATON), st.integers(0, 9))
def test_any_automaton(machine: Moore, name: str, seed: int) -> None:
    model = witness(name, machine, labels=3)
    for length in (1, 2, 20 + seed):
        check(model, machine, length, torch.float64)


@settings(max_examples=30, deadline=None)
@given(machines(states=2))
def test_any_automaton_of_two_states(machine: Moore) -> None:
    if machine.states == 2:
        model = witness("mamba:eigenvalues=negative", machine, labels=3)
        check(model, machine, 40, torch.float64)


@pytest.mark.parametrize(
    ("name", "language", "says"),
    [
        ("mamba", PARITY, "a symbol swaps the two states"),
        ("mamba:eigenvalues=negative", S3, "automata of two states"),
        ("s4d", PARITY, "one matrix for all symbols counts them modulo a number"),
        ("s4d", Counter([1]), "one matrix for all symbols"),
        ("gru", Counter([1]), "no automaton"),
        ("deltaproduct", S3, "expected eigenvalues=negative"),
        ("deltanet:eigenvalues=negative", S3, "a product of 2 swaps: expected factors=2"),
        ("deltanet:eigenvalues=negative", FLIP_FLOP, "leads two states to one"),
        ("deltaproduct:eigenvalues=negative", TWO_LABELS, "two states have one label"),
        ("transformer", PARITY, "known are those for rnn, gru"),
    ],
)
def test_what_has_no_construction_is_refused(
    name: str, language: Moore | Counter, says: str
) -> None:
    with pytest.raises(NoWitnessError, match=says) as refused:
        witness(name, language, labels=6)
    assert "\n" not in str(refused.value)


def test_machines_that_are_none_are_refused() -> None:
    for wrong in ({"table": [[0], [2]]}, {"table": [[0], []]}, {"start": 3}, {"outputs": [1]}):
        with pytest.raises(UserError, match="a machine needs"):
            Moore(**{"table": [[1], [0]], "outputs": [0, 1], **wrong})
    with pytest.raises(UserError, match="at most one at every symbol"):
        Counter([2])


@pytest.mark.parametrize("name", CONSTRUCTIONS)
def test_a_wrong_weight_would_be_found(name: str) -> None:
    language = FLIP_FLOP if name == "mamba" else Moore(table=[[1], [0]], outputs=[0, 1])
    full = f"{name}:eigenvalues=negative" if name.startswith("delta") else name
    model = witness(full, language, labels=2)
    with torch.no_grad():
        model.head.weight *= -1
    with pytest.raises(AssertionError):
        check(model, language, 20, torch.float64)


def test_constants_are_the_same_for_every_symbol() -> None:
    from flann.models import model_registry

    frame = Frame.around(model_registry.create("gru"), "gru", torch.eye(3), labels=2, second_size=4)
    frame.add_constants(torch.tensor([5.0, -1.0]))
    logits = frame.model(torch.tensor([[0, 1, 2]]))
    torch.testing.assert_close(logits, logits[:, :1].expand(-1, 3, -1))
    assert logits[0, 0, 0] > logits[0, 0, 1]


@pytest.mark.slow
def test_a5_by_four_reflections_a_symbol() -> None:
    """All sixty elements as symbols, five points, and a group that is not solvable."""
    from flann.tasks.groups.cayley_tables import get_group

    table = get_group("A5").table
    a5 = Moore(table=table.tolist(), outputs=range(60))
    model = witness("deltaproduct:eigenvalues=negative,factors=4", a5, labels=60)
    for length in (1, 40, 512):
        check(model, a5, length, torch.float64)


def test_points_of_a_group_are_found() -> None:
    from flann.models.witnesses.householder import smallest_action
    from flann.tasks.groups.cayley_tables import get_group

    for name, points in (("S3", 3), ("A4", 4), ("D4", 4), ("S4", 4), ("Z5", 5), ("Q8", 8)):
        group = get_group(name).table
        machine = Moore(table=group.tolist(), outputs=range(len(group)))
        actions = [machine.action(a) for a in range(machine.symbols)]
        moved = smallest_action(machine, actions)
        assert len(moved[0]) == points
        assert len(set(moved)) == len(group)
        for a, b in np.random.default_rng(0).integers(len(group), size=(50, 2)):
            both = tuple(moved[b][x] for x in moved[a])
            assert both == moved[group[a, b]]
