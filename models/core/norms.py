"""The norms of a residual stream, each over the width of one position.

::

    rms     g ⊙ x / √(mean(x²) + ε)                  Zhang & Sennrich 2019, arXiv:1910.07467
    layer   g ⊙ (x - mean(x)) / √(var(x) + ε) + b    Ba et al. 2016, arXiv:1607.06450
    scale   γ x / ‖x‖, scalar γ, initially √d        Nguyen & Salazar 2019, arXiv:1910.05895, §2.2

with gains g and biases b as wide as the stream, d.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from flann.models.scans import rms_norm
from flann.models.scans.constants import NORM_EPSILON

NormKind = Literal["rms", "layer", "scale"]


class RMSNorm(nn.RMSNorm):
    """torch's RMSNorm, computed by the fused kernel if there is one."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=NORM_EPSILON)

    @override
    def forward(self, x: Tensor) -> Tensor:
        # Single symbols (without a length axis) are too little work for a kernel to be faster.
        return rms_norm(x, self.weight) if x.ndim > 2 else super().forward(x)


class ScaleNorm(nn.Module):
    """A norm that scales every vector to one trained length."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(sqrt(width)))

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return γ x / max(‖x‖, ε)."""
        length = x.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)
        y: Tensor = self.scale * x / length
        return y


def build_norm(kind: NormKind, width: int) -> nn.Module:
    """Build the norm of this kind for a stream of this width.

    >>> type(build_norm("layer", 8)).__name__
    'LayerNorm'
    """
    if kind == "scale":
        return ScaleNorm(width)
    return nn.LayerNorm(width, eps=NORM_EPSILON) if kind == "layer" else RMSNorm(width)
