"""What theory says of a model on a task, as ``flann theory`` tells it."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import product

import pytest

from flann.errors import UserError
from flann.models import model_registry
from flann.registry import list_choices, list_options
from flann.tasks import get_task, task_names
from flann.tasks.theory.statements import KNOWN_FAMILIES
from flann.theory_report import find_family, format_argument, join_theory

from .conftest import Here


def variants(name: str) -> list[str]:
    """A model with every value of the options that have a few values."""
    options = list_options(model_registry.factory(name))
    few = {o.name: [c for c in list_choices(o.kind) if isinstance(c, str)] for o in options}
    few |= {o.name: ["true", "false"] for o in options if o.kind is bool}
    named = {key: values for key, values in few.items() if values}
    chosen = [",".join(map("=".join, zip(named, v, strict=True))) for v in product(*named.values())]
    return [name, *(f"{name}:{options}" for options in chosen if options)]


MODELS = [name for name in model_registry.names() if not model_registry.index[name].raw]


@pytest.mark.parametrize("name", MODELS)
def test_theory_speaks_of_every_family_that_a_model_declares(name: str) -> None:
    families = set()
    for variant in variants(name):
        with suppress(UserError):  # options that do not go together
            families.add(find_family(variant))
    assert find_family(name) in families
    assert {part for family in families for part in family.split("+")} <= set(KNOWN_FAMILIES)
    for task in map(get_task, task_names()):
        for family in families:
            statements = join_theory(task, name, family)["statements"]
            assert statements, f"{task.name}: nothing said of {family}"
            assert all(s["why"] and s["citation"] for s in statements)


def test_a_family_that_theory_does_not_know_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean 'nonnegative-ssm'"):
        join_theory(get_task("parity"), "mine", "lstm+non-negative-ssm")


def test_three_lines_for_each_regime(here: Here) -> None:
    code, out, _ = here("theory", "--task", "A5", "--model", "mamba")
    assert code == 0
    blocks = out.strip().split("\n\n")
    assert [block.splitlines()[0] for block in blocks[1:]] == [
        "at fixed precision: cannot",
        "at log precision: cannot unless TC0 = NC1",
    ]
    for block in blocks[1:]:
        task, family, hence = block.splitlines()[1:]
        assert task.startswith("  the task    A5: A5 is not solvable; so NC1-complete, ")
        assert family.startswith("  the family")
        assert "arXiv" in family
        assert hence.startswith("  hence       no weights")


def test_all_pairs_as_json(here: Here) -> None:
    words = "theory --task A5 --task first --model lstm --model transformer:position=none --json"
    joined = json.loads(here(*words.split())[1])
    assert [(j["task"], j["family"]) for j in joined] == [
        ("A5", "lstm"), ("A5", "transformer-nope"),
        ("first", "lstm"), ("first", "transformer-nope"),
    ]  # fmt: skip
    one = json.loads(here(*"theory --task A5 --model lstm --json".split())[1])
    assert one == joined[0]


def test_a_mixture_is_argued_too() -> None:
    text = format_argument(join_theory(get_task("A5"), "hybrid", "transformer+delta-rule"))
    assert "layers of the family delta-rule suffice" in text


MISTAKES = [
    ("theory --task A6x --model mamba", "did you mean 'A6'"),
    ("theory --task A5 --model mmaba", "did you mean 'mamba'"),
    ("theory --task A5 --model mamba:eigenvalue=positive", "did you mean 'eigenvalues'"),
    ("theory --task regex:(a --model lstm", "to close the group"),
    ("theory --task A5", "--model"),
    ("theory --model lstm", "--task"),
    ("theroy --task A5 --model lstm", "did you mean 'theory'"),
]


@pytest.mark.parametrize(("words", "says"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(here: Here, words: str, says: str) -> None:
    code, out, err = here(*words.split())
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert says in err
