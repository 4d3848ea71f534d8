"""Tests of the sLSTM against its equations, evaluated without the stabilising scale."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from flann.models.recurrent.slstm import ScalarLSTM

from ..by_hand import WIDTH, build_random, convolve_at, make_word


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
            from_x = torch.cat([recent, symbol]).view(4, size)
            from_h = torch.stack([h[head] @ layer.recurrent[head, :, g] for g in range(4)])
            gates[:, head] = from_x + from_h + layer.bias.view(4, heads, size)[:, head]
        i, f, z, o = gates
        f = torch.sigmoid(f) if forget == "sigmoid" else torch.exp(f)
        c, n = f * c + torch.exp(i) * torch.tanh(z), f * n + torch.exp(i)
        h = torch.sigmoid(o) * c / n
        normed = functional.group_norm(h.view(1, -1), heads, layer.norm.weight, layer.norm.bias)
        torch.testing.assert_close(layer(x[None])[0, t], normed[0])
