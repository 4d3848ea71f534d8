"""The layers and heads of known programs, and the fragments that contain them."""

from __future__ import annotations

import pytest

from flann.rasp.graph.analysis import analyse
from flann.rasp.graph.fragments import classify

from ..conftest import build_program

CSUM = "def csum(x) { return round((indices + 1) * aggregate(select(indices, indices, <=), x)); } "
BRACKETS = 's = {"(": 1, ")": -1}[tokens]; level = aggregate(select(indices, indices, <=), s); '
DYCK_1 = BRACKETS + "dead = aggregate(select(indices, indices, <=), indicator(level < 0)) > 0; "
HIST = "def hist(x) { return selector_width(select(x, x, ==)); } "
MAJORITY = 'aggregate(select(indices, indices, <=), indicator(tokens == "1")) > 0.5'


@pytest.mark.parametrize(
    ("source", "layers", "heads"),
    [
        ("length", 1, 1),
        ("selector_width_bos(select(tokens, tokens, ==))", 1, 1),
        (HIST + "hist(tokens)", 1, 2),
        ("aggregate(select(indices, length - indices - 1, ==), tokens)", 2, 1),
        (HIST + "selector_width(select(hist(tokens), hist(tokens), ==))", 2, 2),
        (HIST + "sort(tokens, -hist(tokens))", 3, 2),
        (DYCK_1 + "2 if dead else indicator(level == 0)", 2, 1),
        (CSUM + "csum(tokens_int) % 60", 1, 1),
        ("indices + 1", 0, 0),
        ("tokens[-1]", 1, 1),
    ],
)
def test_layers_and_heads(source: str, layers: int, heads: int) -> None:
    required = analyse([build_program(source)])
    assert (required.layers, required.heads) == (layers, heads)


def test_equal_selectors_are_one_head() -> None:
    same = (
        "aggregate(select(tokens, tokens, ==), indices) + aggregate(select(tokens, tokens, ==), 1)"
    )
    assert analyse([build_program(same)]).heads == 1
    assert analyse([build_program(same.replace("==), 1", "<), 1"))]).heads == 2


def test_remarks() -> None:
    source = "aggregate(select(tokens, tokens, ==) and full_s, indices, 3) * indices"
    assert analyse([build_program(source)]).remarks == (
        "composite selectors: 1",
        "products or quotients of two s-ops: 1",
        "defaults: 1",
    )


@pytest.mark.parametrize(
    ("source", "counting", "boolean", "learnable"),
    [
        (MAJORITY, True, False, True),
        (CSUM + "csum(tokens_int) % 2", False, False, False),  # parity
        (DYCK_1 + "2 if dead else indicator(level == 0)", True, False, True),
        (CSUM + 'csum({"a": 1}[tokens]) > csum({"b": 1}[tokens])', True, False, False),
        ('aggregate(select(indices, indices, <=), indicator(tokens == "a")) > 0', True, True, True),
        ('aggregate(select(indices, indices, <), indicator(tokens == "a")) == 1', True, True, True),
        ('tokens == "a"', True, True, True),
        ("aggregate(select(indices, length - indices - 1, ==), tokens)", False, False, False),
        ("selector_width(select(tokens, tokens, ==))", False, False, False),
        ('shift(tokens, 1, "-")', False, False, True),
        ("indices % 2", False, False, False),
        (MAJORITY.replace("<=", ">="), False, False, False),
    ],
)  # fmt: skip
def test_fragments(source: str, counting: bool, boolean: bool, learnable: bool) -> None:
    verdicts = classify(build_program(source))
    assert [v.fragment for v in verdicts] == ["C-RASP", "B-RASP", "RASP-L"]
    assert [v.holds for v in verdicts] == [counting, boolean, learnable]
    for verdict in verdicts:
        assert verdict.holds or verdict.reason
