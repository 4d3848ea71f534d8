"""The norms of a residual stream, each over the width of one position.

::

    rms     g ⊙ x / √(mean(x²) + ε)                  Zhang & Sennrich 2019, arXiv:1910.07467
    layer   g ⊙ (x - mean(x)) / √(var(x) + ε) + b    Ba et al. 2016, arXiv:1607.06450
    scale   γ x / ‖x‖, one number γ, at first √d     Nguyen & Salazar 2019, arXiv:1910.05895, §2.2

with gains g and biases b of the stream's width d.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn

from flann.models.scans import rms_norm
from flann.models.scans.norm import NORM_EPSILON

NormKind = Literal["rms", "layer", "scale"]


class RMSNorm(nn.RMSNorm):
    """torch's, by the fused kernel where there is one."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """The vector at every position, its root mean square made 1, times the gains.

        A word's symbols one at a time (without a length) are too little for a kernel to gain.
        """
        return rms_norm(x, self.weight) if x.ndim > 2 else super().forward(x)


class ScaleNorm(nn.Module):
    """The vector at a trained length."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(sqrt(width)))

    def forward(self, x: Tensor) -> Tensor:
        """γ x / ‖x‖; a vector shorter than ε is left shorter."""
        length = x.norm(dim=-1, keepdim=True).clamp_min(NORM_EPSILON)
        y: Tensor = self.scale * x / length
        return y


def build_norm(kind: NormKind, width: int) -> nn.Module:
    """The norm of this kind for a stream of this width.

    >>> type(build_norm("layer", 8)).__name__
    'LayerNorm'
    """
    if kind == "scale":
        return ScaleNorm(width)
    return nn.LayerNorm(width, eps=NORM_EPSILON) if kind == "layer" else RMSNorm(width)
