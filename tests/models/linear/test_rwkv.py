"""Tests of RWKV-4 against its equations, evaluated without the stabilising scale."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from flann.models.linear.channel_mixing import ChannelMixing
from flann.models.linear.rwkv4 import TimeMixing

from ..by_hand import WIDTH, build_random, make_word


def mix(share: Tensor, x: Tensor, t: int) -> Tensor:
    before = x[t - 1] if t else torch.zeros_like(x[0])
    return share * x[t] + (1 - share) * before


@torch.no_grad()
def test_time_mixing_is_a_weighted_mean() -> None:
    layer, x = build_random(TimeMixing, WIDTH, 1, 3), make_word()
    for_k, for_v, for_r = layer.shift.share
    k = [layer.keys(mix(for_k, x, t)) for t in range(len(x))]
    v = [layer.values(mix(for_v, x, t)) for t in range(len(x))]
    w = torch.exp(layer.log_rates)
    for t in range(len(x)):
        weights = [torch.exp(-(t - 1 - i) * w + k[i]) for i in range(t)]
        weights.append(torch.exp(layer.bonus + k[t]))
        mean = sum(weight * value for weight, value in zip(weights, v, strict=False)) / sum(weights)
        r = torch.sigmoid(layer.receptance(mix(for_r, x, t)))
        torch.testing.assert_close(layer(x[None])[0, t], layer.out(r * mean))


@torch.no_grad()
def test_time_mixing_is_finite_for_keys_beyond_the_range_of_exponentials() -> None:
    layer, x = build_random(TimeMixing, WIDTH, 0, 1), make_word(40)
    layer.keys.weight.mul_(1e4)
    assert layer(x[None]).isfinite().all()
    layer.float()(x[None].float())
    assert layer(x[None].float()).isfinite().all()


@pytest.mark.parametrize("gated", [True, False])
@torch.no_grad()
def test_channel_mixing_equals_its_equation(gated: bool) -> None:
    layer, x = build_random(ChannelMixing, WIDTH, 12, 0, 2, gated=gated), make_word()
    for t in range(len(x)):
        hidden = layer.into(mix(layer.shift.share[0], x, t)).clamp_min(0) ** 2
        y = layer.out(hidden)
        if gated:
            y = y * torch.sigmoid(layer.receptance(mix(layer.shift.share[1], x, t)))
        torch.testing.assert_close(layer(x[None])[0, t], y)
