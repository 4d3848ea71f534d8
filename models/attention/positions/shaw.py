"""Relative positions of Shaw et al.: trained vectors for distances, added to keys and values.

::

    score = q_i · (k_j + a^K_c) / √w,    y_i = Σ_j α_ij (v_j + a^V_c)
    c     = i - j clipped to [-D, D]

with attention weights α. The heads share a^K and a^V. Shaw et al. 2018, arXiv:1803.02155, §3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from .relative import RelativePositions, gather_by_distance


class Shaw(RelativePositions):
    """Trained vectors for each distance up to `distance`, one for keys and one for values."""

    adds_scores = adds_values = True
    undecayed = ("of_keys", "of_values")

    def __init__(self, head_width: int, causal: bool, distance: int = 16) -> None:
        super().__init__()
        self.distance, self.lowest = distance, 0 if causal else -distance
        rows = distance - self.lowest + 1
        self.of_keys = nn.Parameter(torch.empty(rows, head_width))
        self.of_values = nn.Parameter(torch.empty(rows, head_width))
        for table in (self.of_keys, self.of_values):
            nn.init.normal_(table, std=0.02)

    def find_rows(self, i: Tensor, j: Tensor) -> Tensor:
        """Return the table row of each pair, of shape (queries, keys)."""
        return (i[:, None] - j).clamp(self.lowest, self.distance) - self.lowest

    @override
    def compute_scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Return q_i · a^K_c / √w."""
        scores = q @ self.of_keys.T * q.shape[-1] ** -0.5
        return gather_by_distance(scores, self.find_rows(i, j))

    @override
    def compute_values(self, weights: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Return Σ_j α_ij a^V_c, summing the weights of equal distance first."""
        by_row = weights.new_zeros(*weights.shape[:-1], len(self.of_values))
        by_row = by_row.scatter_add(-1, self.find_rows(i, j).expand(weights.shape), weights)
        return by_row @ self.of_values
