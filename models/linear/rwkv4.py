"""RWKV-4: a weighted mean of past values whose weights decay at fixed rates.

With x' the token-shifted stream (`flann.models.linear.token_shift`), time mixing computes, channel
by channel::

    r, k, v = W_r x'_t, W_k x'_t, W_v x'_t              `receptance`, `keys`, `values`
    wkv_t   = (a_{t-1} + e^{u + k_t} v_t) / (b_{t-1} + e^{u + k_t})         `bonus` is u
    a_t     = e^{-w} a_{t-1} + e^{k_t} v_t              w = exp(`log_rates`)
    b_t     = e^{-w} b_{t-1} + e^{k_t}
    y_t     = W_o (σ(r) ⊙ wkv_t)

The state holds e^{-m} a and e^{-m} b with a running scale m, so that no exponential overflows. A
layer is time mixing followed by channel mixing (`flann.models.linear.channel_mixing`), each on the
residual stream. The norms are RMSNorm, as in all models here, where the paper has LayerNorm.

Peng et al. 2023, arXiv:2305.13048, §3 and appendix D; the initial values follow §3.4 and the
authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.exponential_gates import advance_gates
from flann.models.core.layer import Layer, State
from flann.models.core.registry import register
from flann.models.core.residual_stack import ResidualStack
from flann.models.scans import diagonal_scan, stabilised_gates

from .channel_mixing import ChannelMixing
from .token_shift import TokenShift, shift


class TimeMixing(Layer):
    """The weighted mean of past values.

    Parameters
    ----------
    width : int
        Width of the stream and of a and b.
    layer, depth : int
        Index of the layer and number of layers, for the initial values.
    """

    undecayed = ("log_rates", "bonus")

    def __init__(self, width: int, layer: int, depth: int) -> None:
        super().__init__()
        self.shift = TokenShift(width, 3, layer, depth)
        self.keys = nn.Linear(width, width, bias=False)
        self.values = nn.Linear(width, width, bias=False)
        self.receptance = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        fraction = torch.arange(width) / max(width - 1, 1)
        depth_share = layer / max(depth - 1, 1)
        self.log_rates = nn.Parameter(-5 + 8 * fraction ** (0.7 + 1.3 * depth_share))
        zigzag = (torch.arange(width) + 1) % 3 - 1.0
        self.bonus = nn.Parameter(0.5 * zigzag + torch.tensor(0.3).log())

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        r, k, v = self._project(x, None)
        forget, enter, m = stabilised_gates(self._compute_log_forget().expand_as(k), k)
        state = diagonal_scan(
            torch.cat([forget, forget], dim=-1), torch.cat([enter * v, enter], dim=-1)
        )
        a, b = shift(state).chunk(2, dim=-1)
        m = torch.cat([torch.full_like(m[:, :1], -torch.inf), m[:, :-1]], dim=1)
        y: Tensor = self.out(torch.sigmoid(r) * self._compute_mean(k, v, a, b, m))
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return (x, a, b, m) before the first symbol: zeros, and minus infinity for m."""
        zeros = self.bonus.new_zeros(batch_size, len(self.bonus))
        return zeros, zeros, zeros, torch.full_like(zeros, -torch.inf)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        last, a, b, m = state
        r, k, v = (part.squeeze(1) for part in self._project(x.unsqueeze(1), last))
        y = self.out(torch.sigmoid(r) * self._compute_mean(k, v, a, b, m))
        forget, enter, m = advance_gates(self._compute_log_forget(), k, m)
        return y, (x, forget * a + enter * v, forget * b + enter, m)

    @override
    def state_size(self, length: int) -> int:
        return 4 * len(self.bonus)

    def _project(self, x: Tensor, last: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        for_k, for_v, for_r = self.shift(x, last)
        return self.receptance(for_r), self.keys(for_k), self.values(for_v)

    def _compute_log_forget(self) -> Tensor:
        return -torch.exp(self.log_rates)

    def _compute_mean(self, k: Tensor, v: Tensor, a: Tensor, b: Tensor, m: Tensor) -> Tensor:
        """Return wkv given a, b and m before this symbol."""
        now = self.bonus + k
        top = torch.maximum(m, now).detach()
        past, present = torch.exp(m - top), torch.exp(now - top)
        return (past * a + present * v) / (past * b + present)


@register("rwkv-4")
class RWKV4(ResidualStack):
    """Decaying running means of values and the token shift, RWKV-4 (Peng et al. 2023)."""

    family = "rwkv-4"
    second_size_name = "feedforward"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 4000})

    @override
    def default_second_size(self, width: int) -> int:
        """Return four times the width of the stream."""
        return 4 * width

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        return [
            TimeMixing(sizes.width, index, sizes.depth),
            ChannelMixing(sizes.width, sizes.second_size, index, sizes.depth, gated=True),
        ]
