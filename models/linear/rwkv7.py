"""RWKV-7: an outer-product memory under a generalised delta rule, a decay for every channel.

x' is the stream mixed with the stream one symbol earlier, by a share of its own for each use (see
`flann.models.linear.rwkv4`). For every head, with f_c(x) = W_2 c(W_1 x) + b a map through few channels::

    r, k, v = W_r x', W_k x', W_v x'                     `receptance`, `keys`, `values`
    w  = exp(-e^{-1/2} σ(f_tanh(x')))                    `decay`, in (0.545, 1)
    a  = σ(f_id(x'))                                     `rate`, the in-context learning rate
    g  = W_2 σ(W_1 x')                                   `gate`
    κ̂  = ξ ⊙ k / ‖ξ ⊙ k‖                                 `removal` is ξ
    k̃  = k ⊙ (1 + (a - 1) ⊙ α)                           `replacement` is α
    S_t = (diag(w) - (a ⊙ κ̂) κ̂ᵀ) S_{t-1} + k̃ vᵀ
    y_t = W_o [ g ⊙ (norm(S_tᵀ r) + (r · (ρ ⊙ k̃)) v) ]   `bonus` is ρ; norm by head, affine

so that what the memory holds along κ̂ gives way by a, channel by channel. Channel mixing is
W_v relu(W_k x')². A layer is time mixing and channel mixing, each on the residual stream.

Two departures from the paper: norms on the stream are RMSNorm, as in every model here, and a
layer's values are its own (the paper mixes those of the first layer into all others; with one
layer there is no difference). The small maps have as many channels as the paper's formulas say,
but not rounded up to 32.

Peng et al. 2025, arXiv:2503.14456, §4 and appendix F.
"""

from __future__ import annotations

from math import exp
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.fast_weights import FastWeights, Terms, shared_out
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual

from .rwkv4 import ChannelMixing, TokenShift

GREATEST_RATE = exp(-0.5)
"""Of decay: w is at least exp of minus this."""


class Narrow(nn.Module):
    """A map through few channels: up(middle(down(x)))."""

    def __init__(self, width: int, rank: int, middle: nn.Module, *, bias: bool = True) -> None:
        super().__init__()
        self.down, self.middle = nn.Linear(width, rank, bias=False), middle
        self.up = nn.Linear(rank, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """The map."""
        y: Tensor = self.up(self.middle(self.down(x)))
        return y


class TimeMixing7(FastWeights):
    """The memory.

    Parameters
    ----------
    width, heads : int
        of the stream, and how many heads share it out.
    layer, depth : int
        which layer of how many, for the initial values.
    """

    undecayed = ("removal", "replacement", "bonus")

    def __init__(self, width: int, heads: int, layer: int, depth: int) -> None:
        size = width // heads
        super().__init__(heads, size, size)
        self.shift = TokenShift(width, 6, layer, depth)
        self.receptance = nn.Linear(width, width, bias=False)
        self.keys = nn.Linear(width, width, bias=False)
        self.values = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        rank, gate_rank = max(1, round(1.8 * width**0.5)), max(1, round(0.6 * width**0.8))
        self.decay = Narrow(width, rank, nn.Tanh())
        self.rate = Narrow(width, rank, nn.Identity())
        self.gate = Narrow(width, gate_rank, nn.Sigmoid(), bias=False)
        self.removal = nn.Parameter(torch.full((width,), 0.85))
        self.replacement = nn.Parameter(torch.ones(width))
        self.bonus = nn.Parameter(torch.zeros(heads, size))
        self.norm = nn.GroupNorm(heads, width, eps=size * 1e-5)
        place = torch.arange(width) / max(width - 1, 1)
        slowness = 0.85 + (layer / max(depth - 1, 1)) ** 0.5
        with torch.no_grad():  # from channels that keep almost all to channels that forget fast
            self.decay.up.bias.copy_(-5.5 + 6 * place**slowness)
            self.rate.up.bias.zero_()

    @override
    def terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        for_r, for_w, for_k, for_v, for_a, for_g = self.shift(x, recent)
        r, k, v = self.receptance(for_r), self.keys(for_k), self.values(for_v)
        w = torch.exp(-GREATEST_RATE * torch.sigmoid(self.decay(for_w)))
        a = torch.sigmoid(self.rate(for_a))
        along = functional.normalize(self.split(k * self.removal), dim=-1)
        k = k * (1 + (a - 1) * self.replacement)
        r, k, v, w, a = (self.split(part) for part in (r, k, v, w, a))
        return Terms(r, k, v, w, along, a * along), (r, k, v, self.gate(for_g)), x[:, -1]

    @override
    def output(self, y: Tensor, beside: Any) -> Tensor:
        r, k, v, gate = beside
        y = self.norm(y.flatten(2).flatten(0, 1)).view_as(v)
        y = y + (r * self.bonus * k).sum(-1, keepdim=True) * v
        mixed: Tensor = self.out(y.flatten(2) * gate)
        return mixed

    @override
    def start(self, batch_size: int) -> Any:
        return self.removal.new_zeros(batch_size, len(self.removal))

    @override
    def recent_size(self) -> int:
        return len(self.removal)


@register("rwkv-7")
class RWKV7(Architecture):
    """Generalised delta rule with a decay for every channel, RWKV-7 (Peng et al. 2025).

    Parameters
    ----------
    heads : int
        of each layer's memory.
    """

    family = "rwkv-7"
    knob = "feedforward"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 4000})

    def __init__(self, *, heads: int = 4) -> None:
        self.heads = self.width_step = shared_out("rwkv-7", heads)

    @override
    def customary(self, width: int) -> int:
        return 4 * width

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        layers: list[Layer] = []
        for place in range(sizes.depth):
            where = (place, sizes.depth)
            parts = (
                TimeMixing7(sizes.width, self.heads, *where),
                ChannelMixing(sizes.width, sizes.second, *where, gated=False),
            )
            layers += [Residual(part, sizes.width) for part in parts]
        return layers
