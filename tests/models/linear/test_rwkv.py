"""RWKV-4 and the sLSTM against their equations, without the scale that keeps them in range."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from flann.models.linear.rwkv4 import ChannelMixing, TimeMixing
from flann.models.recurrent.xlstm import ScalarLSTM

from ..by_hand import WIDTH, build_random, convolve_at, make_word


def mixed(share: Tensor, x: Tensor, t: int) -> Tensor:
    before = x[t - 1] if t else torch.zeros_like(x[0])
    return share * x[t] + (1 - share) * before


@torch.no_grad()
def test_time_mixing_is_a_weighted_mean() -> None:
    layer, x = build_random(TimeMixing, WIDTH, 1, 3), make_word()
    for_k, for_v, for_r = layer.shift.share
    k = [layer.keys(mixed(for_k, x, t)) for t in range(len(x))]
    v = [layer.values(mixed(for_v, x, t)) for t in range(len(x))]
    w = torch.exp(layer.log_rates)
    for t in range(len(x)):
        weights = [torch.exp(-(t - 1 - i) * w + k[i]) for i in range(t)]
        weights.append(torch.exp(layer.bonus + k[t]))
        mean = sum(weight * value for weight, value in zip(weights, v, strict=False)) / sum(weights)
        r = torch.sigmoid(layer.receptance(mixed(for_r, x, t)))
        torch.testing.assert_close(layer(x[None])[0, t], layer.out(r * mean))


@torch.no_grad()
def test_time_mixing_survives_keys_beyond_exponentials() -> None:
    layer, x = build_random(TimeMixing, WIDTH, 0, 1), make_word(40)
    layer.keys.weight.mul_(1e4)
    assert layer(x[None]).isfinite().all()
    layer.float()(x[None].float())
    assert layer(x[None].float()).isfinite().all()


@pytest.mark.parametrize("gated", [True, False])
@torch.no_grad()
def test_channel_mixing(gated: bool) -> None:
    layer, x = build_random(ChannelMixing, WIDTH, 12, 0, 2, gated=gated), make_word()
    for t in range(len(x)):
        hidden = layer.into(mixed(layer.shift.share[0], x, t)).clamp_min(0) ** 2
        y = layer.out(hidden)
        if gated:
            y = y * torch.sigmoid(layer.receptance(mixed(layer.shift.share[1], x, t)))
        torch.testing.assert_close(layer(x[None])[0, t], y)


@pytest.mark.parametrize("forget", ["sigmoid", "exponential"])
@torch.no_grad()
def test_slstm_is_its_equations_without_the_stabiliser(forget: Any) -> None:
    heads, size = 2, WIDTH // 2
    layer, x = build_random(ScalarLSTM, WIDTH, heads, taps=3, forget=forget), make_word()
    h = c = n = torch.zeros(heads, size).double()
    for t in range(len(x)):
        smooth = convolve_at(layer.convolution, x, t).view(heads, size)
        gates = torch.zeros(4, heads, size).double()
        for head in range(heads):
            recent = smooth[head] @ layer.by_recent.weight[head]
            symbol = x[t].view(heads, size)[head] @ layer.by_symbol.weight[head]
            word_part = torch.cat([recent, symbol]).view(4, size)
            from_h = torch.stack([h[head] @ layer.recurrent[head, :, g] for g in range(4)])
            gates[:, head] = word_part + from_h + layer.bias.view(4, heads, size)[:, head]
        i, f, z, o = gates
        f = torch.sigmoid(f) if forget == "sigmoid" else torch.exp(f)
        c, n = f * c + torch.exp(i) * torch.tanh(z), f * n + torch.exp(i)
        h = torch.sigmoid(o) * c / n
        normed = functional.group_norm(h.view(1, -1), heads, layer.norm.weight, layer.norm.bias)
        torch.testing.assert_close(layer(x[None])[0, t], normed[0])
