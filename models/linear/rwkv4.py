"""RWKV-4: a running mean of values that forgets at fixed rates, and the token shift.

Everywhere below, x' is the stream mixed with the stream one symbol earlier, by a trained share μ
of its own for each use: x'_t = μ ⊙ x_t + (1 - μ) ⊙ x_{t-1}. Time mixing, channel by channel::

    r, k, v = W_r x'_t, W_k x'_t, W_v x'_t              `receptance`, `keys`, `values`
    wkv_t   = (a_{t-1} + e^{u + k_t} v_t) / (b_{t-1} + e^{u + k_t})         `bonus` is u
    a_t     = e^{-w} a_{t-1} + e^{k_t} v_t              w = exp(`log_rates`)
    b_t     = e^{-w} b_{t-1} + e^{k_t}
    y_t     = W_o (σ(r) ⊙ wkv_t)

and channel mixing::

    y_t = σ(W_r x'_t) ⊙ W_v relu(W_k x'_t)²

a and b are kept as e^{-m} times themselves, so that no exponential leaves its range. A layer is
time mixing and channel mixing, each on the residual stream; the norms are RMSNorm as in every
model here, where the paper has LayerNorm.

Peng et al. 2023, arXiv:2305.13048, §3 and appendix D; initial values: §3.4 and its code's. RWKV-7
is in `flann.models.linear.rwkv7`.
"""

from __future__ import annotations

from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual, State
from flann.models.scans import diagonal_scan, stabilised_gates


def shifted(
    x: Float[Tensor, "batch length width"], last: Float[Tensor, "batch width"] | None
) -> Float[Tensor, "batch length width"]:
    """The stream one symbol earlier; `last` came before the first (zeros if None).

    >>> shifted(torch.tensor([[[1.0], [2.0], [3.0]]]), None).flatten().tolist()
    [0.0, 1.0, 2.0]
    """
    before = torch.zeros_like(x[:, 0]) if last is None else last
    return torch.cat([before[:, None], x[:, :-1]], dim=1)


class TokenShift(nn.Module):
    """The stream mixed with itself one symbol earlier, once for each of several uses.

    Parameters
    ----------
    width, uses : int
        of the stream, and how many shares μ there are.
    layer, depth : int
        which layer of how many: deeper ones begin with less of the earlier symbol.
    """

    undecayed = ("share",)

    def __init__(self, width: int, uses: int, layer: int, depth: int) -> None:
        super().__init__()
        shares = (torch.arange(width) / width) ** (1 - layer / depth)
        self.share = nn.Parameter(shares.repeat(uses, 1))

    def forward(self, x: Tensor, last: Tensor | None) -> list[Tensor]:
        """One mixed stream for each use."""
        before = shifted(x, last)
        return [torch.lerp(before, x, share) for share in self.share.unbind()]


class TimeMixing(Layer):
    """The running mean, `wkv`.

    Parameters
    ----------
    width : int
        of the stream, and of a and b.
    layer, depth : int
        which layer of how many, for the initial values.
    """

    undecayed = ("log_rates", "bonus")

    def __init__(self, width: int, layer: int, depth: int) -> None:
        super().__init__()
        self.shift = TokenShift(width, 3, layer, depth)
        self.keys = nn.Linear(width, width, bias=False)
        self.values = nn.Linear(width, width, bias=False)
        self.receptance = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        place = torch.arange(width) / max(width - 1, 1)
        depth_share = layer / max(depth - 1, 1)
        self.log_rates = nn.Parameter(-5 + 8 * place ** (0.7 + 1.3 * depth_share))
        zigzag = (torch.arange(width) + 1) % 3 - 1.0
        self.bonus = nn.Parameter(0.5 * zigzag + torch.tensor(0.3).log())

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        r, k, v = self._projected(x, None)
        forget, enter, m = stabilised_gates(self._log_forget().expand_as(k), k)
        state = diagonal_scan(
            torch.cat([forget, forget], dim=-1), torch.cat([enter * v, enter], dim=-1)
        )
        a, b = shifted(state, None).chunk(2, dim=-1)
        m = torch.cat([torch.full_like(m[:, :1], -torch.inf), m[:, :-1]], dim=1)
        y: Tensor = self.out(torch.sigmoid(r) * self._mean(k, v, a, b, m))
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
        zeros = self.bonus.new_zeros(batch_size, len(self.bonus))
        return zeros, zeros, zeros, torch.full_like(zeros, -torch.inf)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        last, a, b, m = state
        r, k, v = (part.squeeze(1) for part in self._projected(x.unsqueeze(1), last))
        y = self.out(torch.sigmoid(r) * self._mean(k, v, a, b, m))
        kept = m + self._log_forget()
        m = torch.maximum(kept, k)
        forget, enter = torch.exp(kept - m), torch.exp(k - m)
        return y, (x, forget * a + enter * v, forget * b + enter, m)

    @override
    def state_size(self, length: int) -> int:
        return 4 * len(self.bonus)

    def _projected(self, x: Tensor, last: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        for_k, for_v, for_r = self.shift(x, last)
        return self.receptance(for_r), self.keys(for_k), self.values(for_v)

    def _log_forget(self) -> Tensor:
        return -torch.exp(self.log_rates)

    def _mean(self, k: Tensor, v: Tensor, a: Tensor, b: Tensor, m: Tensor) -> Tensor:
        """wkv from a, b and m before this symbol; it does not depend on the scale taken out."""
        now = self.bonus + k
        top = torch.maximum(m, now).detach()
        past, present = torch.exp(m - top), torch.exp(now - top)
        return (past * a + present * v) / (past * b + present)


class ChannelMixing(Layer):
    """The feed-forward part, which sees the symbol before too.

    Parameters
    ----------
    width, inner : int
        of the stream, and of the hidden layer.
    layer, depth : int
        which layer of how many, for the initial values.
    gated : bool
        whether a receptance gates it, as in RWKV-4; RWKV-7 has none.
    """

    def __init__(self, width: int, inner: int, layer: int, depth: int, *, gated: bool) -> None:
        super().__init__()
        self.shift = TokenShift(width, 2 if gated else 1, layer, depth)
        self.into = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)
        self.receptance = nn.Linear(width, width, bias=False) if gated else None

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        return self._mixed(x, None)

    @override
    def initial_state(self, batch_size: int) -> State:
        return self.out.weight.new_zeros(batch_size, self.out.out_features)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        return self._mixed(x.unsqueeze(1), state).squeeze(1), x

    @override
    def state_size(self, length: int) -> int:
        return self.out.out_features

    def _mixed(self, x: Tensor, last: Tensor | None) -> Tensor:
        mixed = self.shift(x, last)
        y: Tensor = self.out(torch.relu(self.into(mixed[0])).square())
        return y if self.receptance is None else torch.sigmoid(self.receptance(mixed[1])) * y


@register("rwkv-4")
class RWKV4(Architecture):
    """Decaying running means of values and the token shift, RWKV-4 (Peng et al. 2023)."""

    family = "rwkv-4"
    knob = "feedforward"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 4000})

    @override
    def customary(self, width: int) -> int:
        return 4 * width

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        layers: list[Layer] = []
        for place in range(sizes.depth):
            where = (place, sizes.depth)
            parts = (
                TimeMixing(sizes.width, *where),
                ChannelMixing(sizes.width, sizes.second, *where, gated=True),
            )
            layers += [Residual(part, sizes.width) for part in parts]
        return layers
