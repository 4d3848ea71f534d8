"""T5's relative position bias: a number for each head and bucket of distances.

::

    score = q_i · k_j / √w + b_h[bucket(i - j)]

The first half of the buckets hold one distance each; the rest grow geometrically up to the distance
D, and the last holds all larger distances too. Without a causal mask, half of the buckets are for
j > i. T5 itself has one table for all layers and omits √w (Raffel et al. 2020, arXiv:1910.10683,
§2.1); here each layer has its own.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn
from typing_extensions import override

from flann.errors import UserError

from .relative import RelativePositions


class T5Bias(RelativePositions):
    """A trained number for each head and bucket of distances, added to the scores."""

    adds_scores = True
    undecayed = ("table",)

    def __init__(self, heads: int, causal: bool, distance: int = 128, buckets: int = 32) -> None:
        super().__init__()
        self.causal, self.distance, self.buckets = causal, distance, buckets
        exact = buckets // (2 if causal else 4)
        if distance <= exact:
            raise UserError(
                f"distance {distance}: expected more than the {exact} that have a bucket each"
            )
        self.table = nn.Parameter(torch.empty(buckets, heads))
        nn.init.normal_(self.table, std=0.02)

    def find_bucket(self, i: Tensor, j: Tensor) -> Tensor:
        """Return the bucket of each pair, of shape (queries, keys)."""
        behind = i[:, None] - j
        if self.causal:
            return self.find_bucket_of_distance(behind.clamp_min(0), self.buckets)
        half = self.buckets // 2
        return self.find_bucket_of_distance(behind.abs(), half) + half * (behind < 0)

    def find_bucket_of_distance(self, distance: Tensor, buckets: int) -> Tensor:
        """Return the bucket of each distance from 0 on, out of `buckets`."""
        exact = buckets // 2
        far = (distance.clamp_min(1) / exact).log() / log(self.distance / exact)
        far = exact + (far * (buckets - exact)).long()
        return torch.where(distance < exact, distance, far.clamp_max(buckets - 1))

    @override
    def compute_scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Return b_h[bucket(i - j)]."""
        return self.table[self.find_bucket(i, j)].permute(2, 0, 1)
