"""Tests of IDS4 against its equations, and of the penalty and the norm that bound its state."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from flann.errors import UserError
from flann.models import build_model, model_of_width
from flann.models.ssm.ids4 import InputDependentSSM


def build_layer(*, state_norm: bool = False, drift: float = 0.01) -> InputDependentSSM:
    torch.manual_seed(0)
    return InputDependentSSM(6, 5, spread=0.5, state_norm=state_norm, drift=drift).double()


def evaluate_equations(ids4: InputDependentSSM, x: Tensor) -> Tensor:
    outputs = []
    for word in x:
        h = ids4.start
        for x_t in word:
            A = ids4.rest + sum(x_t[m] * ids4.transition[m] for m in range(len(x_t)))
            h = A @ h + ids4.into.weight @ x_t
            if ids4.state_norm:
                h = h / h.square().mean().sqrt()
            outputs.append(ids4.out.weight @ h + ids4.skip * x_t)
    return torch.stack(outputs).view(x.shape)


@pytest.mark.parametrize("state_norm", [False, True])
@torch.no_grad()
def test_equals_the_equations(state_norm: bool) -> None:
    ids4, x = build_layer(state_norm=state_norm), torch.randn(2, 9, 6, dtype=torch.float64)
    torch.testing.assert_close(ids4(x), evaluate_equations(ids4, x), rtol=1e-5, atol=1e-5)


def test_matrices_begin_near_the_identity() -> None:
    torch.manual_seed(0)
    ids4 = InputDependentSSM(40, 40, spread=0.5, state_norm=False, drift=0.0)
    departure = ids4.compute_matrices(torch.randn(1, 50, 40))[0] - torch.eye(40)
    radius = torch.linalg.eigvals(departure).abs().max(-1).values.mean()
    assert radius.item() == pytest.approx(0.5, rel=0.1)


def test_drift_is_penalised_once_and_only_in_training() -> None:
    ids4, x = build_layer(), torch.randn(2, 9, 6, dtype=torch.float64)
    ids4(x)
    penalty = ids4.auxiliary_loss()
    assert isinstance(penalty, Tensor)
    assert penalty.item() > 0
    assert ids4.auxiliary_loss() == 0.0
    ids4.eval()(x)
    assert ids4.auxiliary_loss() == 0.0
    for unpenalised in (build_layer(state_norm=True), build_layer(drift=0.0)):
        unpenalised(x)
        assert unpenalised.auxiliary_loss() == 0.0


def test_penalty_of_a_model_has_gradients() -> None:
    model = model_of_width("ids4:drift=0.5", symbols=3, labels=3, depth=2, width=6)
    model(torch.tensor([[0, 1, 2, 0]]))
    loss = model.auxiliary_loss()
    assert isinstance(loss, Tensor)
    loss.backward()
    assert all(block.layer.transition.grad is not None for block in model.layers)
    copy.deepcopy(model)  # possible only if no part of the autograd graph is kept


def test_normalised_state_stays_in_bounds_on_a_long_word() -> None:
    ids4 = build_layer(state_norm=True)
    with torch.no_grad():
        ids4.transition.mul_(10)
        _, state = ids4.step(torch.ones(1, 6, dtype=torch.float64), ids4.initial_state(1))
        for _ in range(500):
            _, state = ids4.step(torch.ones(1, 6, dtype=torch.float64), state)
    assert state.square().mean().sqrt().item() == pytest.approx(1, rel=1e-3)


def test_options_are_checked() -> None:
    with pytest.raises(UserError, match="0 or more"):
        build_model("ids4:drift=-1", symbols=2, labels=2, depth=1, parameters=10_000)
