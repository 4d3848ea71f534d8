"""Tests that witnesses are exact at every length, or are refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flann.errors import UserError
from flann.models import SequenceModel, model_of_width
from flann.models.witnesses import (
    CONSTRUCTIONS,
    Counter,
    MooreTable,
    NoWitnessError,
    build_witness,
)
from flann.models.witnesses.one_layer_model import OneLayerModel

LENGTHS = (1, 2, 3, 31, 100, 512)
PARITY = MooreTable(table=[[0, 1], [1, 0]], labels=[0, 1])
FLIP_FLOP = MooreTable(table=[[0, 0, 1], [1, 0, 1]], labels=[0, 1])
STAR_FREE_D2 = MooreTable(table=[[1, 3], [2, 0], [3, 1], [3, 3]], labels=[1, 0, 0, 2])
S3 = MooreTable(  # symbols are the transposition of 0 and 1, and a 3-cycle
    table=[[1, 2], [0, 5], [4, 3], [5, 0], [2, 1], [3, 4]], labels=range(6)
)
TWO_LABELS = MooreTable(table=[[1], [2], [0]], labels=[0, 1, 1])
ANY_AUTOMATON = ["rnn", "rnn:activation=relu", "gru", "lstm", "ids4", "ids4:state_norm=true"]


def compute_labels(language: MooreTable | Counter, word: Sequence[int]) -> list[int]:
    """Return the correct labels, computed symbol by symbol."""
    labels, state, count = [], getattr(language, "start", 0), 0
    for symbol in word:
        if isinstance(language, MooreTable):
            state = language.table[state][symbol]
            labels.append(language.labels[state])
        else:
            count += language.increments[symbol]
            labels.append(language.above if count > 0 else language.below)
    return labels


def check_labels(
    model: SequenceModel, language: MooreTable | Counter, length: int, dtype: torch.dtype
) -> None:
    """Check a model on random words, on words of one symbol, and on cyclic words."""
    rng = np.random.default_rng(length)
    symbols = language.symbols
    words = [
        *rng.integers(symbols, size=(6, length)),
        *(np.eye(symbols, length, dtype=int) % symbols),
    ]
    words += [np.full(length, a) for a in range(symbols)]
    words += [np.arange(length) % symbols, np.arange(length) // 7 % symbols]
    with torch.no_grad():
        predictions = model.to(dtype)(torch.from_numpy(np.stack(words))).argmax(-1)
    for word, predicted in zip(words, predictions.tolist(), strict=True):
        expected = compute_labels(language, word.tolist())
        scored = [pair for pair in zip(predicted, expected, strict=True) if pair[1] >= 0]
        assert all(label == truth for label, truth in scored)


CASES = [
    *((name, machine) for name in ANY_AUTOMATON for machine in (PARITY, STAR_FREE_D2, S3)),
    ("mamba", FLIP_FLOP),
    ("mamba:eigenvalues=negative", FLIP_FLOP),
    ("mamba:eigenvalues=negative", PARITY),
    ("deltanet:eigenvalues=negative", PARITY),
    ("deltaproduct:eigenvalues=negative", S3),
    ("lstm", Counter([-1, 1])),
    ("lstm", Counter([1, -1, 0], above=0, below=1)),
    ("s4d", MooreTable(table=[[1], [0]], labels=[1, 0])),
    ("s4d", MooreTable(table=[[(q + 1) % 60] * 2 for q in range(60)], labels=range(60), start=7)),
    ("s4d", MooreTable(table=[[1], [2], [0]], labels=[0, 1, 1], start=1)),
]


@pytest.mark.parametrize(("name", "language"), CASES)
@pytest.mark.parametrize("length", LENGTHS)
def test_exact_in_float64(name: str, language: MooreTable | Counter, length: int) -> None:
    labels = 1 + max(getattr(language, "labels", (0, 1)))
    check_labels(build_witness(name, language, labels=labels), language, length, torch.float64)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_witness_is_a_model_of_the_registered_architecture(
    name: str, language: MooreTable | Counter
) -> None:
    """A witness has the class and the parameters of the model that is trained."""
    labels = 1 + max(getattr(language, "labels", (0, 1)))
    model = build_witness(name, language, labels=labels)
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
def draw_machines(draw: st.DrawFn, states: int = 5) -> MooreTable:
    count, symbols = draw(st.integers(1, states)), draw(st.integers(1, 3))
    state = st.integers(0, count - 1)
    table = draw(
        st.lists(
            st.lists(state, min_size=symbols, max_size=symbols), min_size=count, max_size=count
        )
    )
    labels = draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count))
    return MooreTable(table=table, labels=labels, start=draw(state))


@settings(max_examples=30, deadline=None)
@given(draw_machines(), st.sampled_from(ANY_AUTOMATON), st.integers(0, 9))
def test_any_automaton(machine: MooreTable, name: str, seed: int) -> None:
    model = build_witness(name, machine, labels=3)
    for length in (1, 2, 20 + seed):
        check_labels(model, machine, length, torch.float64)


@settings(max_examples=30, deadline=None)
@given(draw_machines(states=2))
def test_any_automaton_of_two_states(machine: MooreTable) -> None:
    if machine.states == 2:
        model = build_witness("mamba:eigenvalues=negative", machine, labels=3)
        check_labels(model, machine, 40, torch.float64)


@pytest.mark.parametrize(
    ("name", "language", "reason"),
    [
        ("mamba", PARITY, "a symbol swaps the two states"),
        ("mamba:eigenvalues=negative", S3, "automata of two states only"),
        ("s4d", PARITY, "the same for all symbols only counts modulo n"),
        ("s4d", Counter([1]), "the same for all symbols"),
        ("gru", Counter([1]), "for finite automata only"),
        ("deltaproduct", S3, "expected eigenvalues=negative"),
        ("deltanet:eigenvalues=negative", S3, "a product of 2 transpositions: expected factors=2"),
        ("deltanet:eigenvalues=negative", FLIP_FLOP, "maps two states to one"),
        ("deltaproduct:eigenvalues=negative", TWO_LABELS, "two states have the same label"),
        ("transformer", PARITY, "expected one of rnn, gru"),
    ],
)
def test_language_without_a_construction_is_refused(
    name: str, language: MooreTable | Counter, reason: str
) -> None:
    with pytest.raises(NoWitnessError, match=reason) as caught:
        build_witness(name, language, labels=6)
    assert "\n" not in str(caught.value)


def test_incomplete_machines_are_refused() -> None:
    for wrong in ({"table": [[0], [2]]}, {"table": [[0], []]}, {"start": 3}, {"labels": [1]}):
        with pytest.raises(UserError, match="of a Moore machine"):
            MooreTable(**{"table": [[1], [0]], "labels": [0, 1], **wrong})
    with pytest.raises(UserError, match="expected increments of a counter of -1, 0 or 1, got 2"):
        Counter([2])


@pytest.mark.parametrize("name", CONSTRUCTIONS)
def test_check_fails_for_a_wrong_weight(name: str) -> None:
    language = FLIP_FLOP if name == "mamba" else MooreTable(table=[[1], [0]], labels=[0, 1])
    full = f"{name}:eigenvalues=negative" if name.startswith("delta") else name
    model = build_witness(full, language, labels=2)
    with torch.no_grad():
        model.head.weight *= -1
    with pytest.raises(AssertionError):
        check_labels(model, language, 20, torch.float64)


def test_constants_are_the_same_for_every_symbol() -> None:
    from flann.models import model_registry

    architecture = model_registry.create("gru")
    built = OneLayerModel.build(architecture, "gru", torch.eye(3), labels=2, second_size=4)
    built.add_constants(torch.tensor([5.0, -1.0]))
    logits = built.model(torch.tensor([[0, 1, 2]]))
    torch.testing.assert_close(logits, logits[:, :1].expand(-1, 3, -1))
    assert logits[0, 0, 0] > logits[0, 0, 1]


@pytest.mark.slow
def test_four_reflections_a_symbol_solve_a5() -> None:
    """The group is not solvable; all 60 elements are symbols and permute five points."""
    from flann.tasks.groups.cayley_tables import get_group

    table = get_group("A5").table
    a5 = MooreTable(table=table.tolist(), labels=range(60))
    model = build_witness("deltaproduct:eigenvalues=negative,factors=4", a5, labels=60)
    for length in (1, 40, 512):
        check_labels(model, a5, length, torch.float64)


def test_groups_act_on_the_smallest_number_of_points() -> None:
    from flann.models.witnesses.permutations import find_smallest_action
    from flann.tasks.groups.cayley_tables import get_group

    for name, points in (("S3", 3), ("A4", 4), ("D4", 4), ("S4", 4), ("Z5", 5), ("Q8", 8)):
        group = get_group(name).table
        machine = MooreTable(table=group.tolist(), labels=range(len(group)))
        actions = [machine.get_action(a) for a in range(machine.symbols)]
        permutations = find_smallest_action(machine, actions)
        assert len(permutations[0]) == points
        assert len(set(permutations)) == len(group)
        for a, b in np.random.default_rng(0).integers(len(group), size=(50, 2)):
            product = tuple(permutations[b][x] for x in permutations[a])
            assert product == permutations[group[a, b]]
