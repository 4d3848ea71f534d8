"""RWKV-7: an outer-product memory under a generalised delta rule, with a decay for every channel.

With x' the token-shifted stream (`flann.models.linear.token_shift`) and low-rank maps
f_c(x) = W_2 c(W_1 x) + b, for every head::

    r, k, v = W_r x', W_k x', W_v x'                     `receptance`, `keys`, `values`
    w  = exp(-e^{-1/2} σ(f_tanh(x')))                    `decay`, in (0.545, 1)
    a  = σ(f_id(x'))                                     `rate`, the in-context learning rate
    g  = W_2 σ(W_1 x')                                   `gate`
    κ̂  = ξ ⊙ k / ‖ξ ⊙ k‖                                 `removal` is ξ
    k̃  = k ⊙ (1 + (a - 1) ⊙ α)                           `replacement` is α
    S_t = (diag(w) - (a ⊙ κ̂) κ̂ᵀ) S_{t-1} + k̃ vᵀ
    y_t = W_o [ g ⊙ (norm(S_tᵀ r) + (r · (ρ ⊙ k̃)) v) ]   `bonus` is ρ; norm by head, affine

so that a fraction a of the memory's content along κ̂ is removed, channel by channel. A layer is
time mixing followed by channel mixing (`flann.models.linear.channel_mixing`), each on the residual
stream.

There are three departures from the paper. The norms on the stream are RMSNorm, as in all models
here. The values of a layer are its own, where the paper mixes those of the first layer into all
others. The ranks of the low-rank maps follow the paper's formulas without rounding up to multiples
of 32.

Peng et al. 2025, arXiv:2503.14456, §4 and appendix F.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.fast_weights import FastWeights, Terms, check_heads
from flann.models.core.layer import Layer
from flann.models.core.registry import register
from flann.models.core.residual_stack import ResidualStack

from .channel_mixing import ChannelMixing
from .token_shift import TokenShift

LARGEST_RATE = exp(-0.5)
"""Upper bound of the decay rate: w is at least exp(-LARGEST_RATE)."""


class LowRankMap(nn.Module):
    """A map of low rank with a nonlinearity: up(middle(down(x)))."""

    def __init__(self, width: int, rank: int, middle: nn.Module, *, bias: bool = True) -> None:
        super().__init__()
        self.down, self.middle = nn.Linear(width, rank, bias=False), middle
        self.up = nn.Linear(rank, width, bias=bias)

    @override
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.up(self.middle(self.down(x)))
        return y


class TimeMixing7(FastWeights):
    """The memory of RWKV-7.

    Parameters
    ----------
    width, heads : int
        Width of the stream and number of heads that divide it.
    layer, depth : int
        Index of the layer and number of layers, for the initial values.
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
        self.decay = LowRankMap(width, rank, nn.Tanh())
        self.rate = LowRankMap(width, rank, nn.Identity())
        self.gate = LowRankMap(width, gate_rank, nn.Sigmoid(), bias=False)
        self.removal = nn.Parameter(torch.full((width,), 0.85))
        self.replacement = nn.Parameter(torch.ones(width))
        self.bonus = nn.Parameter(torch.zeros(heads, size))
        self.norm = nn.GroupNorm(heads, width, eps=size * 1e-5)
        fraction = torch.arange(width) / max(width - 1, 1)
        slowness = 0.85 + (layer / max(depth - 1, 1)) ** 0.5
        with torch.no_grad():  # from channels that keep almost all to channels that forget fast
            self.decay.up.bias.copy_(-5.5 + 6 * fraction**slowness)
            self.rate.up.bias.zero_()

    @override
    def compute_terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        """Return the recurrence's terms, and r, k̃, v and the gate for the output."""
        for_r, for_w, for_k, for_v, for_a, for_g = self.shift(x, recent)
        r, k, v = self.receptance(for_r), self.keys(for_k), self.values(for_v)
        w = torch.exp(-LARGEST_RATE * torch.sigmoid(self.decay(for_w)))
        a = torch.sigmoid(self.rate(for_a))
        along = functional.normalize(self.split_heads(k * self.removal), dim=-1)
        k = k * (1 + (a - 1) * self.replacement)
        r, k, v, w, a = (self.split_heads(part) for part in (r, k, v, w, a))
        return Terms(r, k, v, w, along, a * along), (r, k, v, self.gate(for_g)), x[:, -1]

    @override
    def compute_output(self, y: Tensor, beside: Any) -> Tensor:
        r, k, v, gate = beside
        y = self.norm(y.flatten(2).flatten(0, 1)).view_as(v)
        y = y + (r * self.bonus * k).sum(-1, keepdim=True) * v
        mixed: Tensor = self.out(y.flatten(2) * gate)
        return mixed

    @override
    def initial_recent(self, batch_size: int) -> Any:
        """Return the stream before the first symbol, zeros."""
        return self.removal.new_zeros(batch_size, len(self.removal))

    @override
    def recent_size(self) -> int:
        return len(self.removal)


@register("rwkv-7")
class RWKV7(ResidualStack):
    """Generalised delta rule with a decay for every channel, RWKV-7 (Peng et al. 2025).

    Parameters
    ----------
    heads : int
        Number of heads of a layer.
    """

    family = "rwkv-7"
    second_size_name = "feedforward"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 4000})

    def __init__(self, *, heads: int = 4) -> None:
        self.heads = self.width_step = check_heads("rwkv-7", heads)

    @override
    def default_second_size(self, width: int) -> int:
        """Return four times the width of the stream."""
        return 4 * width

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        return [
            TimeMixing7(sizes.width, self.heads, index, sizes.depth),
            ChannelMixing(sizes.width, sizes.second_size, index, sizes.depth, gated=False),
        ]
