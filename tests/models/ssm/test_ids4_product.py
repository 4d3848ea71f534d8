"""Tests of the product form of IDS4 against its equations, and of the penalty on its product."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor
from torch.nn.functional import gelu

from flann.errors import UserError
from flann.models import model_of_width, model_registry
from flann.models.ssm.ids4_product import MatrixProductSSM

from ..by_hand import WIDTH, build_random, make_word


@torch.no_grad()
def test_equals_the_equations() -> None:
    layer, x, outputs = build_random(MatrixProductSSM, WIDTH, 5, drift=0.0), make_word(), []
    P = torch.eye(5, dtype=torch.float64)
    for x_t in x:
        P = P @ gelu(sum(x_t[m] * layer.transition[m] for m in range(WIDTH)))
        vector = P @ layer.start.weight[0] + layer.start.bias
        outputs.append(layer.out(vector) + layer.skip(x_t))
    torch.testing.assert_close(layer(x[None])[0], torch.stack(outputs))


def test_parameter_count_is_the_formula() -> None:
    d, N = 12, 5
    formula = d * N**2 + (N + 1) + (N * d + d) + (d**2 + d)
    assert sum(p.numel() for p in MatrixProductSSM(d, N, drift=0.0).parameters()) == formula


def test_penalty_equals_its_formula_and_exists_only_in_training() -> None:
    layer, x = build_random(MatrixProductSSM, WIDTH, 5, drift=0.5), make_word()[None]
    layer.train()(x)
    P, drifts = layer.initial_state(1), []
    for x_t in x.unbind(1):
        _, P = layer.step(x_t, P)
        drifts.append((P.square().sum() / 5).log() ** 2)  # the identity's sum of squares is 5
    penalty = layer.auxiliary_loss()
    assert isinstance(penalty, Tensor)
    torch.testing.assert_close(penalty, 0.5 * torch.stack(drifts).mean())
    assert layer.auxiliary_loss() == 0  # reset by the first call
    layer(x)
    copy.deepcopy(layer)  # works with a pending penalty
    layer.auxiliary_loss()
    layer.eval()(x)
    assert layer.auxiliary_loss() == 0


def train_and_measure_product(name: str) -> float:
    """Train on words of length 12; return the largest entry of the product at length 60."""
    model = model_of_width(name, symbols=2, labels=2, depth=1, width=12)
    optimiser = torch.optim.AdamW(model.parameter_groups(1e-2))
    draw = torch.Generator().manual_seed(0)
    for _ in range(60):
        tokens = torch.randint(2, (32, 12), generator=draw)
        logits, parity = model(tokens), tokens.cumsum(1) % 2
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), parity.flatten())
        optimiser.zero_grad()
        (loss + model.auxiliary_loss()).backward()
        optimiser.step()
    state = model.initial_state(1)
    for _ in range(60):
        _, state = model.step(torch.tensor([1]), state)
    return state[1][0].detach().abs().max().item()


def test_the_penalty_keeps_the_product_in_range() -> None:
    assert train_and_measure_product("ids4-product") < 1e4
    assert not train_and_measure_product("ids4-product:drift=0") < 1e8  # very large, or NaN


def test_a_negative_drift_is_refused() -> None:
    with pytest.raises(UserError, match="0 or more"):
        model_registry.create("ids4-product:drift=-1")
