"""Tests that compiled networks equal their programs, and that refusals give their reasons."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flann.errors import UserError
from flann.models.core.sequence import SequenceModel
from flann.rasp import load_program
from flann.rasp.compiler import ProgramNetwork, compile_sop, load_network, save_network
from flann.rasp.compiler.check import check, draw_words
from flann.rasp.graph.sops import SOp
from flann.rasp.programs.catalogue import load_claims

from ..conftest import build_program
from ..grammar import LETTERS, programs

NAMES = ["parity", "Z60", "A4xZ5", "A5", "S4", "dyck-1", "shuffle-dyck-2", "dyck-2", "majority"]
NAMES += ["histogram", "sort", "reverse"]
MORE = ["S3", "D4", "Q8", "A4", "dyck-3", "dyck-2:depth=3", "dyck-1:depth=2", "S4:generators=swaps"]
MORE += ["reverse-string", "copy", "duplicate-string", "bucket-sort", "most-frequent", "first"]
MORE += ["gridworld", "abab", "adder", "cycle-navigation", "histogram-bos", "double-histogram"]
SIZES = {"parity": 5_000, "Z60": 10_000, "A5": 400_000, "dyck-2": 60_000}
FAR = ["parity", "A5", "dyck-1", "dyck-2", "histogram"]


def compile_named(name: str, length: int) -> tuple[SOp, ProgramNetwork]:
    program = load_program(name, max_length=length)
    return program.node, program.compile()


@pytest.mark.parametrize("name", [*NAMES, *MORE])
def test_network_equals_its_program(name: str) -> None:
    node, network = compile_named(name, 24)
    result = check(node, network, lengths=[1, 2, 3, 4, 9, 16, 23, 24])
    assert result.wrong is None, str(result)
    assert result.margin > 0.5


@pytest.mark.parametrize("name", NAMES)
def test_networks_at_256(name: str) -> None:
    node, network = compile_named(name, 256)
    assert network.parameters < SIZES.get(name, 100_000)
    result = check(node, network, lengths=[65, 255, 256], size=4)
    assert result.wrong is None, str(result)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_networks_at_every_length_to_256(name: str) -> None:
    node, network = compile_named(name, 256)
    result = check(node, network)
    assert result.wrong is None, str(result)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAR)
def test_networks_to_2048(name: str) -> None:
    node, network = compile_named(name, 2048)
    result = check(node, network, lengths=[1, 2, 5, 64, 255, 256, 700, 1024, 1500, 2047, 2048])
    assert result.wrong is None, str(result)


def test_weights_do_not_depend_on_the_process() -> None:
    """Sets iterate in an order of their own in every process; the weights must not follow it."""
    code = """
import hashlib
from flann.rasp import load_program
for name in ("Q8", "double-histogram", "cycle-navigation"):
    network = load_program(name, max_length=16).compile().network
    weights = b"".join(t.numpy().tobytes() for t in network.state_dict().values())
    print(hashlib.sha256(weights).hexdigest())
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1


# -- random programs -------------------------------------------------------------------------------


def check_if_compilable(source: str, length: int) -> bool:
    """Compile a program and check the network; return whether the program was compiled."""
    try:
        node = build_program(source)
    except UserError:
        return False
    if not isinstance(node, SOp):
        return False
    try:
        network = compile_sop(node, LETTERS, length)
    except UserError as error:
        assert "\n" not in str(error)
        assert "cannot be compiled" in str(error)
        return False
    result = check(node, network)
    assert result.wrong is None, f"{source}: {result}"
    return True


@settings(max_examples=100)
@given(programs, st.integers(1, 9))
def test_random_programs_are_compiled_correctly_or_refused(source: str, length: int) -> None:
    check_if_compilable(source, length)


@pytest.mark.slow
@settings(max_examples=1000)
@given(programs, st.integers(1, 12))
def test_a_thousand_random_programs_compiled(source: str, length: int) -> None:
    check_if_compilable(source, length)


SNIPPETS = """
tokens == "a" and indices > 2
indicator(tokens == "a") + indices
selector_width(select(tokens, tokens, ==) and select(indices, indices, <))
selector_width(select(tokens, tokens, <=) or select(indices, indices, >))
selector_width(not select(tokens, tokens, ==))
selector_width(select(tokens, "a", ==) and select(indices, indices, >=))
selector_width(select(indices, indices - 2, <=)) * 2 + 1
selector_width(select(tokens == "a", indices > 2, ==))
aggregate(select(indices, indices - 1, ==), tokens, "-")
aggregate(select(indices, indices + 1, ==), indices, 7)
aggregate(select(indices, length - 1, ==), indices)
aggregate(select(indices, 1, ==), tokens, "b") == tokens
tokens[-1]
tokens[0] == "a"
"a" in tokens
aggregate(full_s, indicator(tokens == "a")) > 0.5
aggregate(full_s, indicator(tokens == "a")) == 1 / 3
aggregate(select(indices, indices, <), indicator(tokens == "a"), 1) == 1
aggregate(select(tokens, tokens, ==), indices) > 2
indices % 3 == length % 2
[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9][count(tokens, "a")]
(indices if tokens == "a" else length) - 1
indicator(tokens == "a") * indices - length
round(indices / 2) + length / 2 - length / 2
sort(tokens, tokens)
selector_width(select(length - indices, indices, ==))
selector_width(select_next_identical(tokens))
mark_first_instance(tokens)
mark_last_instance(tokens)
has_focus(select(tokens, tokens, <) and select(indices, indices, <))
shift(shift(tokens, 1, "a"), -2, "c")
count(tokens, "a") in [2, 3]
count(tokens, "a") > count(tokens, "b") and not (count(tokens, "c") == 1)
""".strip().splitlines()


@pytest.mark.parametrize("source", SNIPPETS)
def test_every_kind_of_expression_is_compiled(source: str) -> None:
    for length in (1, 7, 40):
        node = build_program(source)
        assert isinstance(node, SOp)
        network = compile_sop(node, LETTERS, length)
        result = check(node, network, lengths={1, 2, 3, 4, 5, 7, length // 2 + 1, length} - {0}
                      if length > 7 else None)  # fmt: skip
        assert result.wrong is None, f"{source} at {length}: {result}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("indices * length", "a product of two numbers"),
        ("aggregate(full_s, indices)", "a mean of several values"),
        ("round(aggregate(full_s, indices))", "rounded (instead: multiply it"),
        ('1 / (count(tokens, "a") + 1) > 0.3', "a quotient by a number that varies"),
        ("max(indices) - indices", "a mean of several values"),
        ("sort(tokens, -selector_width(select(tokens, tokens, ==)))", "compares by <"),
        ('selector_width(select(count(tokens, "a"), indices, <))', "compares by <"),
        ("selector_width(select(indices, indices - 40, <))", "positions 40 apart"),
        ("indices / 3", "not whole"),
        ("indices ^ 2 + length ^ 2", "'^' of numbers"),
        ("(aggregate(full_s, indices) + indices) > 2", "added to something else"),
    ],
)
def test_refusals_give_expression_and_reason(source: str, expected: str) -> None:
    node = build_program(source)
    with pytest.raises(UserError) as caught:
        compile_sop(node, LETTERS, 64)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_refused_expression_is_listed_with_its_location() -> None:
    from flann.rasp.interpreter.program_files import create_interpreter
    from flann.rasp.language.parser import parse

    interpreter = create_interpreter()
    source = "a = indices * length > 3;\nb = round(aggregate(full_s, indices)) == 1;\nc = a and b;"
    node = interpreter.run(parse(source))
    with pytest.raises(UserError) as caught:
        compile_sop(node, LETTERS, 64, spans=interpreter.spans)
    assert "line 1, column 13: " in str(caught.value)
    assert "line 2, column 5: " in str(caught.value)


def test_float32_is_refused_where_only_float64_is_precise_enough() -> None:
    program = load_program("Z60", max_length=2048)
    with pytest.raises(UserError, match=r"may be off by .* float64"):
        program.compile()
    network = compile_sop(program.node, program.symbols, 2048, labels=program.labels,
                          values=program.values, precision="float64")  # fmt: skip
    assert check(program.node, network, lengths=[2048], size=2).wrong is None


# -- properties of networks ------------------------------------------------------------------------


def test_network_is_a_transformer_of_flann_models() -> None:
    _, network = compile_named("A5", 16)
    assert type(network.network) is SequenceModel
    assert {type(layer).__name__ for layer in network.network.layers} == {"Residual", "Learned"}
    assert network(np.zeros((2, 16), int)).shape == (2, 16, 60)
    assert network.notes["layers"] == 4
    assert network.notes["error"] < network.notes["tolerance"] / 2


@pytest.mark.parametrize("name", ["parity", "A5", "reverse"])
def test_longer_words_are_refused(name: str) -> None:
    _, network = compile_named(name, 12)
    with pytest.raises(UserError, match="at most 12 symbols"):
        network(np.zeros((1, 13), int))


def test_logits_do_not_depend_on_the_batch() -> None:
    _, network = compile_named("dyck-2", 40)
    words = np.random.default_rng(0).integers(4, size=(6, 40))
    whole = network(words)
    for i, word in enumerate(words):
        torch.testing.assert_close(network(word[None])[0], whole[i], rtol=1e-3, atol=1e-3)


def test_a_causal_program_makes_a_causal_network() -> None:
    assert compile_named("A5", 8)[1].network.causal
    assert not compile_named("reverse", 8)[1].network.causal


def test_every_parameter_has_a_gradient() -> None:
    _, network = compile_named("parity", 8)
    logits = network.network(torch.tensor([[1, 0, 1]]))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor([1, 1, 0]))
    loss.backward()
    assert all(p.grad is not None for p in network.network.parameters())


# -- the comparison itself -------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["key", "value", "into"])
def test_a_planted_error_is_detected(part: str) -> None:
    node, network = compile_named("dyck-1", 16)
    assert check(node, network).wrong is None
    with torch.no_grad():
        for name, parameter in network.network.named_parameters():
            if part in name and name.endswith("weight"):
                parameter[parameter != 0] *= 0.4
    result = check(node, network)
    assert result.wrong is not None
    assert "wrong from length" in str(result)


def test_a_different_program_is_detected() -> None:
    majority, network = load_program("majority").node, compile_named("parity", 16)[1]
    network = replace(network, values=(False, True))
    assert check(majority, network).wrong == 2


def test_all_short_words_are_compared() -> None:
    rng = np.random.default_rng(0)
    assert len(draw_words(2, 9, 4, rng)) == 512
    assert len({tuple(word) for word in draw_words(3, 4, 4, rng)}) == 81
    assert draw_words(60, 100, 4, rng).shape[1] == 100


# -- files -----------------------------------------------------------------------------------------


def test_save_and_load(tmp_path: Path) -> None:
    for name in ("dyck-2", "reverse"):
        node, network = compile_named(name, 20)
        path = save_network(network, tmp_path / f"{name}.safetensors")
        again = load_network(path)
        words = np.random.default_rng(0).integers(len(network.symbols), size=(3, 20))
        assert torch.equal(again(words), network(words))
        assert again.notes == network.notes
        assert (again.symbols, again.labels, again.values) == (
            network.symbols, network.labels, network.values,
        )  # fmt: skip
        assert check(node, again, lengths=[7]).wrong is None


def test_damaged_files_give_one_line_errors(tmp_path: Path) -> None:
    path = save_network(compile_named("parity", 8)[1], tmp_path / "parity.safetensors")
    json_path = path.with_suffix(".json")
    text, weights = json_path.read_text(), path.read_bytes()
    for damaged in ("", "[]", text[:-20], text.replace('"width": 5', '"width": 7'),
                   text.replace('"config"', '"confog"'),
                   text.replace('"feedforward": ', '"feedforward": 10000000')):  # fmt: skip
        json_path.write_text(damaged)
        with pytest.raises(UserError) as caught:
            load_network(path)
        assert "\n" not in str(caught.value)
    json_path.write_text(text)
    for damaged_weights in (b"", weights[:100], b"\xff" * 200):
        path.write_bytes(damaged_weights)
        with pytest.raises(UserError):
            load_network(path)
    with pytest.raises(UserError, match="cannot read"):
        load_network(tmp_path / "nothing.safetensors")
    with pytest.raises(UserError, match=r"ends in .safetensors"):
        save_network(compile_named("parity", 8)[1], tmp_path / "parity.bin")


def test_every_program_file_is_tested_here() -> None:
    tested = {"reverse-string", "copy", "duplicate-string"} | set(NAMES) | set(MORE)
    for name, claim in load_claims().items():
        assert name in tested or set(claim["tasks"]) & tested
