"""The feed-forward layer of RWKV, which also reads the previous symbol.

With x' the token-shifted stream (`flann.models.linear.token_shift`)::

    y_t = W_v relu(W_k x'_t)²                               RWKV-7; W_k is `into`, W_v is `out`
    y_t = σ(W_r x'_t) ⊙ W_v relu(W_k x'_t)²                 RWKV-4; W_r is `receptance`

Peng et al. 2023, arXiv:2305.13048, §3; Peng et al. 2025, arXiv:2503.14456, §4.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.layer import Layer, State

from .token_shift import TokenShift


class ChannelMixing(Layer):
    """A feed-forward layer on the token-shifted stream.

    Parameters
    ----------
    width, inner : int
        Widths of the stream and of the hidden layer.
    layer, depth : int
        Index of the layer and number of layers, for the initial values.
    gated : bool
        Whether a receptance gates the output.
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
        return self._mix(x, None)

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return the stream before the first symbol, zeros."""
        return self.out.weight.new_zeros(batch_size, self.out.out_features)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        return self._mix(x.unsqueeze(1), state).squeeze(1), x

    @override
    def state_size(self, length: int) -> int:
        return self.out.out_features

    def _mix(self, x: Tensor, last: Tensor | None) -> Tensor:
        mixed = self.shift(x, last)
        y: Tensor = self.out(torch.relu(self.into(mixed[0])).square())
        return y if self.receptance is None else torch.sigmoid(self.receptance(mixed[1])) * y
