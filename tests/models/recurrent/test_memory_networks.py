"""Tests of the stack and the tape against their equations, and against a list and a dictionary.

The latter are exact models of the memories under one-hot distributions over actions.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from flann.errors import UserError
from flann.models import build_model
from flann.models.recurrent.stack_rnn import Stack
from flann.models.recurrent.tape_rnn import Tape

from ..by_hand import WIDTH, build_random, make_word

STATE, CELL = 6, 3


def advance_controller(layer: Any, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Advance torch's own cell with the layer's weights; x ends with the memory's current cell."""
    cell = (nn.LSTMCell if layer.controller == "lstm" else nn.RNNCell)(WIDTH + CELL, STATE)
    cell.double().load_state_dict(
        {
            "weight_ih": layer.input_map.weight,
            "bias_ih": layer.input_map.bias,
            "weight_hh": layer.hidden_map.weight,
            "bias_hh": torch.zeros_like(layer.input_map.bias),
        }
    )
    return cell(x, (h, c)) if layer.controller == "lstm" else (cell(x, h), c)


@pytest.mark.parametrize("controller", ["rnn", "lstm"])
@pytest.mark.parametrize("kind", [Stack, Tape])
@torch.no_grad()
def test_equals_the_equations(kind: type, controller: str) -> None:
    layer, x, outputs = (
        build_random(kind, WIDTH, STATE, CELL, controller=controller),
        make_word(),
        [],
    )
    h = c = torch.zeros(STATE).double()
    memory = {i: torch.zeros(CELL).double() for i in range(-20, 21)}
    floor = -20 if kind is Tape else 0  # there is no cell above the top of a stack
    for x_t in x:
        h, c = advance_controller(layer, torch.cat([x_t, memory[0]]), h, c)
        v = layer.word(h)
        first, second, stay = torch.softmax(layer.action(h), dim=0)
        old = dict(memory)
        if kind is Stack:
            for i in range(19):
                above = old[i - 1] if i > floor else v
                memory[i] = first * above + second * old[i + 1] + stay * old[i]
        else:
            old[0] = v
            for i in range(-19, 20):
                memory[i] = first * old[i - 1] + second * old[i + 1] + stay * old[i]
        outputs.append(layer.out(h))
    torch.testing.assert_close(layer(x[None])[0], torch.stack(outputs))


ACTIONS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 99)), max_size=12)


@given(ACTIONS)
def test_one_hot_actions_on_a_stack_are_those_of_a_list(actions: list[tuple[int, int]]) -> None:
    torch.manual_seed(0)
    layer, memory, real = Stack(2, 3, 1, controller="rnn"), torch.zeros(1, 1, 1), [0]
    for action, value in actions:
        if action == 0:
            real.insert(0, value)
        elif action == 1:
            real = real[1:] or [0]  # there are zeros below the bottom
        memory = layer.apply_action(memory, torch.tensor([[float(value)]]), encode_one_hot(action))
        assert layer.read(memory).item() == real[0]
        assert memory.flatten().tolist()[: len(real)] == real


@given(ACTIONS)
def test_one_hot_moves_on_a_tape_are_those_of_a_dictionary(actions: list[tuple[int, int]]) -> None:
    torch.manual_seed(0)
    layer, memory = Tape(2, 3, 1, controller="rnn"), torch.zeros(1, 1, 1)
    cells: dict[int, int] = {}
    head = 0
    for move, value in actions:
        cells[head] = value
        head += (-1, 1, 0)[move]
        memory = layer.apply_action(memory, torch.tensor([[float(value)]]), encode_one_hot(move))
        reach = memory.shape[1] // 2
        expected = [cells.get(head + i, 0) for i in range(-reach, reach + 1)]
        assert memory.flatten().tolist() == expected
        assert layer.read(memory).item() == cells.get(head, 0)


def encode_one_hot(action: int) -> Tensor:
    return nn.functional.one_hot(torch.tensor([action]), 3).float()


@pytest.mark.parametrize("name", ["stack-rnn", "tape-rnn"])
def test_an_empty_cell_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="expected 1 or more"):
        build_model(f"{name}:cell=0", symbols=2, labels=2, depth=1, parameters=10_000)
