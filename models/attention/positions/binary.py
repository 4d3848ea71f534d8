"""Binary positions: x_t + Σ_k b_k(t) W_k, with the binary digits of t as -1 and 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from .added import AddedPositions

DIGITS = 32
"""Number of binary digits, more than the length of any word that fits in memory needs."""


class Binary(AddedPositions):
    """A trained map of the position's binary digits, the least significant first."""

    undecayed = ("digits",)

    def __init__(self, width: int) -> None:
        super().__init__()
        self.digits = nn.Parameter(torch.empty(DIGITS, width))
        nn.init.normal_(self.digits, std=0.02)

    @override
    def compute_vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        """Return Σ_k b_k(t) W_k with b_k(t) = 2 (⌊t / 2^k⌋ mod 2) - 1."""
        positions = self.position_map.select(first, last, like.device)
        bits = (positions[:, None] >> torch.arange(DIGITS, device=like.device)) & 1
        return (2 * bits - 1).to(like.dtype) @ self.digits
