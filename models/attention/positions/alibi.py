"""ALiBi: a penalty linear in the distance, with a slope for each head.

::

    score = q_i · k_j / √w - m_h |i - j|,    m_h = 2^(-8h/H) for head h of H

Press et al. 2022, arXiv:2108.12409, §3.
"""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from .relative import RelativePositions


class Alibi(RelativePositions):
    """A penalty for distance, steeper in some heads than in others."""

    adds_scores = True

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    @override
    def compute_scores(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Return -m_h |i - j|."""
        return compute_slopes(self.heads, q)[:, None, None] * -(i[:, None] - j).abs().to(q.dtype)


def compute_slopes(heads: int, like: Tensor) -> Tensor:
    """Return the slope of each head: 2^(-8/H), 2^(-16/H), ..., 2^(-8).

    >>> compute_slopes(4, torch.zeros(1)).tolist()
    [0.25, 0.0625, 0.015625, 0.00390625]
    """
    ranks = torch.arange(1, heads + 1, device=like.device, dtype=like.dtype)
    return torch.exp2(-8 * ranks / heads)
