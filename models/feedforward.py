"""The transformer's feed-forward part: two linear maps with a nonlinearity between.

::

    y = W_2 φ(W_1 x + b_1) + b_2,      φ = relu or gelu

Vaswani et al. 2017, arXiv:1706.03762, §3.3; GELU: Hendrycks & Gimpel 2016, arXiv:1606.08415.
"""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .sequence import Stateless

Activation = Literal["relu", "gelu"]


class FeedForward(Stateless):
    """W_2 φ(W_1 x + b_1) + b_2 at every position."""

    def __init__(self, width: int, inner: int, activation: Activation) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(width, inner), nn.Linear(inner, width)
        self.activation = functional.relu if activation == "relu" else functional.gelu

    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        """The outputs at every position."""
        y: Tensor = self.out(self.activation(self.into(x)))
        return y
