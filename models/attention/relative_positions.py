"""Positions that act on pairs: what attention adds to the score of a query i and a key j.

With head width w, queries q, keys k, values v, weights α = softmax(score) and distance i - j::

    rope            score = q_i' · k_j' / √w, x_t' = x_t turned by ω t / s, s the interpolation
    alibi           score = q_i · k_j / √w - m_h |i - j|
    relative        score = q_i · (k_j + a^K_c) / √w, y_i = Σ_j α_ij (v_j + a^V_c),
                    c = i - j clipped to [-D, D]
    t5              score = q_i · k_j / √w + b_h[bucket(i - j)]
    transformer-xl  score = ((q_i + u) · k_j + (q_i + v) · W_R r_{i-j}) / √w, r the sinusoids

The buckets of t5 are single distances up to half their number and then grow geometrically up to
the distance D; all beyond share the last. Without a mask one half of them is for j > i. T5 itself
has one table for all layers and leaves out √w (Raffel et al. 2020, §2.1); here each layer has its
own. a^K and a^V are shared by the heads (Shaw et al. 2018, §3.2), u, v and W_R are each head's own
(Dai et al. 2019, §3.3). Interpolation: Chen et al. 2023, arXiv:2306.15595, equation 4.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn
from typing_extensions import override

from flann.errors import UserError

from .positions import Position, sinusoids, slopes, turned


class PairPositions(nn.Module):
    """What a kind of positions does to attention; this one does nothing.

    Attributes
    ----------
    adds_scores, adds_values : bool
        whether `scores` and `values` return something.
    """

    adds_scores = adds_values = False

    def queries(self, q: Tensor, i: Tensor) -> Tensor:
        """The queries, at places `i`, as they meet the keys."""
        return q

    def keys(self, k: Tensor, j: Tensor) -> Tensor:
        """The keys, at places `j`, as they meet the queries."""
        return k

    def scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """What is added to the scores, (batch and heads, or heads, or 1; queries, keys)."""
        raise NotImplementedError

    def values(self, weights: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """What is added to the weighted sum of values, (batch, heads, queries, head width)."""
        raise NotImplementedError


class Rotary(PairPositions):
    """Queries and keys turned by an angle that grows with the place, `interpolation` times less."""

    def __init__(self, interpolation: float = 1.0) -> None:
        super().__init__()
        if interpolation <= 0:
            raise UserError(f"interpolation {interpolation}: expected a positive number")
        self.interpolation = interpolation

    @override
    def queries(self, q: Tensor, i: Tensor) -> Tensor:
        return turned(q, i if self.interpolation == 1 else i / self.interpolation)

    @override
    def keys(self, k: Tensor, j: Tensor) -> Tensor:
        return self.queries(k, j)


class Alibi(PairPositions):
    """A penalty for distance, steeper in some heads than in others."""

    adds_scores = True

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    @override
    def scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return slopes(self.heads, q)[:, None, None] * -(i[:, None] - j).abs().to(q.dtype)


class Shaw(PairPositions):
    """A vector for each distance up to `distance`, added to keys and another to values."""

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

    def row(self, i: Tensor, j: Tensor) -> Tensor:
        """Which row of the tables a pair has, (queries, keys)."""
        return (i[:, None] - j).clamp(self.lowest, self.distance) - self.lowest

    @override
    def scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return picked(q @ self.of_keys.T * q.shape[-1] ** -0.5, self.row(i, j))

    @override
    def values(self, weights: Tensor, i: Tensor, j: Tensor) -> Tensor:
        by_row = weights.new_zeros(*weights.shape[:-1], len(self.of_values))
        by_row = by_row.scatter_add(-1, self.row(i, j).expand(weights.shape), weights)
        return by_row @ self.of_values


class T5Bias(PairPositions):
    """A number for each head and bucket of distances."""

    adds_scores = True
    undecayed = ("table",)

    def __init__(self, heads: int, causal: bool, distance: int = 128, buckets: int = 32) -> None:
        super().__init__()
        self.causal, self.distance, self.buckets = causal, distance, buckets
        if distance <= buckets // (2 if causal else 4):
            raise UserError(
                f"distance {distance}: expected more than the {buckets // (2 if causal else 4)}"
                " that have a bucket each"
            )
        self.table = nn.Parameter(torch.empty(buckets, heads))
        nn.init.normal_(self.table, std=0.02)

    def bucket(self, i: Tensor, j: Tensor) -> Tensor:
        """Which bucket a pair is in, (queries, keys)."""
        behind = i[:, None] - j
        if self.causal:
            return self.one_sided(behind.clamp_min(0), self.buckets)
        half = self.buckets // 2
        return self.one_sided(behind.abs(), half) + half * (behind < 0)

    def one_sided(self, distance: Tensor, buckets: int) -> Tensor:
        """The first half of the buckets hold one distance each, the rest ever more."""
        exact = buckets // 2
        far = (distance.clamp_min(1) / exact).log() / log(self.distance / exact)
        far = exact + (far * (buckets - exact)).long()
        return torch.where(distance < exact, distance, far.clamp_max(buckets - 1))

    @override
    def scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return self.table[self.bucket(i, j)].permute(2, 0, 1)


class TransformerXL(PairPositions):
    """A trained map of sinusoids of the distance, and a trained query for content and distance."""

    adds_scores = True

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.width, self.heads = width, heads
        self.bias_content = nn.Parameter(torch.zeros(heads, 1, head_width))
        self.bias_distance = nn.Parameter(torch.zeros(heads, 1, head_width))
        self.distances = nn.Linear(width, heads * head_width, bias=False)

    @override
    def queries(self, q: Tensor, i: Tensor) -> Tensor:
        return q + self.bias_content

    @override
    def scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        behind = i[:, None] - j
        low, high = int(behind.min()), int(behind.max())
        every = torch.arange(low, high + 1, device=q.device)
        known = self.distances(sinusoids(every, self.width, q))
        known = known.view(len(every), self.heads, -1).transpose(0, 1)
        scores = (q + self.bias_distance) @ known.transpose(1, 2) * q.shape[-1] ** -0.5
        return picked(scores, behind - low)


def picked(scores: Tensor, columns: Tensor) -> Tensor:
    """Of each query's scores for all distances, those of its pairs, (..., queries, keys)."""
    return scores.gather(-1, columns.expand(*scores.shape[:-1], columns.shape[-1]))


ON_PAIRS: tuple[Position, ...] = ("alibi", "relative", "t5", "transformer-xl")
"""Those that need the score of each pair; rope acts on queries and keys apart."""


def pair_positions(
    position: Position,
    *,
    width: int,
    heads: int,
    head_width: int,
    causal: bool,
    distance: int | None = None,
    interpolation: float | None = None,
) -> PairPositions:
    """What positions of this kind do within attention: nothing, if they act on the stream.

    Parameters
    ----------
    position : Position
    width, heads, head_width, causal
        of the attention.
    distance : int, optional
        D of ``relative`` (16) and ``t5`` (128).
    interpolation : float, optional
        s of ``rope`` (1).
    """
    far = {} if distance is None else {"distance": distance}
    if position == "rope":
        return Rotary() if interpolation is None else Rotary(interpolation)
    if position == "alibi":
        return Alibi(heads)
    if position == "relative":
        return Shaw(head_width, causal, **far)
    if position == "t5":
        return T5Bias(heads, causal, **far)
    if position == "transformer-xl":
        return TransformerXL(width, heads, head_width)
    return PairPositions()
