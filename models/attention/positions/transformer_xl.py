"""Transformer-XL's relative positions: a trained map of sinusoids of the distance.

::

    score = ((q_i + u) · k_j + (q_i + v) · W_R r_{i-j}) / √w

with r the sinusoids of the distance, and u, v and W_R separate for each head. Dai et al. 2019,
arXiv:1901.02860, §3.3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from .relative import RelativePositions, gather_by_distance
from .sinusoidal import compute_sinusoids


class TransformerXL(RelativePositions):
    """A trained map W_R of sinusoids of the distance, and trained biases u and v of the queries."""

    adds_scores = True

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.width, self.heads = width, heads
        self.bias_content = nn.Parameter(torch.zeros(heads, 1, head_width))
        self.bias_distance = nn.Parameter(torch.zeros(heads, 1, head_width))
        self.distances = nn.Linear(width, heads * head_width, bias=False)

    @override
    def transform_queries(self, q: Tensor, i: Tensor) -> Tensor:
        """Return q + u."""
        return q + self.bias_content

    @override
    def compute_scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Return (q_i + v) · W_R r_{i-j} / √w."""
        behind = i[:, None] - j
        low, high = int(behind.min()), int(behind.max())
        distances = torch.arange(low, high + 1, device=q.device)
        r = self.distances(compute_sinusoids(distances, self.width, q))
        r = r.view(len(distances), self.heads, -1).transpose(0, 1)
        scores = (q + self.bias_distance) @ r.transpose(1, 2) * q.shape[-1] ** -0.5
        return gather_by_distance(scores, behind - low)
