"""The transformer's feed-forward part: two linear maps with a nonlinearity between them.

::

    relu, gelu   y = W_2 φ(W_1 x + b_1) + b_2
    swiglu       y = W_2 (silu(W_1 x) ⊙ V x)

Vaswani et al. 2017, arXiv:1706.03762, §3.3; GELU: Hendrycks & Gimpel 2016, arXiv:1606.08415;
SwiGLU: Shazeer 2020, arXiv:2002.05202, equation 6, which has three matrices and no biases.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from .layer import Layer, Stateless

Activation = Literal["relu", "gelu", "swiglu"]


class FeedForward(Stateless):
    """The map W_2 φ(W_1 x + b_1) + b_2 at every position."""

    def __init__(self, width: int, inner: int, activation: Activation) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(width, inner), nn.Linear(inner, width)
        self.activation = get_nonlinearity(activation)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        y: Tensor = self.out(self.activation(self.into(x)))
        return y


class SwiGLU(Stateless):
    """The map W_2 (silu(W_1 x) ⊙ V x) at every position."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.into = nn.Linear(width, inner, bias=False)
        self.gated = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        y: Tensor = self.out(functional.silu(self.into(x)) * self.gated(x))
        return y


def get_nonlinearity(activation: Activation) -> Callable[[Tensor], Tensor]:
    """Return φ for an activation without gating."""
    return functional.relu if activation == "relu" else functional.gelu


def build_feedforward(width: int, inner: int, activation: Activation) -> Layer:
    """Build the feed-forward part with this activation."""
    return SwiGLU(width, inner) if activation == "swiglu" else FeedForward(width, inner, activation)


def default_inner_width(width: int, activation: Activation) -> int:
    """Return four times the width, or two thirds of that for SwiGLU, which has a third matrix.

    >>> default_inner_width(12, "gelu"), default_inner_width(12, "swiglu")
    (48, 32)
    """
    return 8 * width // 3 if activation == "swiglu" else 4 * width
