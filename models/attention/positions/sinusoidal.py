"""Sinusoidal positions: x_t + (sin ω_0 t, cos ω_0 t, sin ω_1 t, ...), ω_i = 10000^(-2i/d).

Vaswani et al. 2017, arXiv:1706.03762, §3.5.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor
from typing_extensions import override

from .added import AddedPositions


class Sinusoidal(AddedPositions):
    """Sines and cosines of geometrically decreasing frequencies, added to the stream."""

    @override
    def compute_vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        positions = self.position_map.select(first, last, like.device)
        return compute_sinusoids(positions, like.shape[-1], like)


def compute_sinusoids(positions: Tensor, width: int, like: Tensor) -> Tensor:
    """Return sin and cos of ω_i t, interleaved, of shape (positions, width)."""
    angles = compute_angles(positions, width + width % 2, like)
    both = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
    return both[:, :width].to(like.dtype)


def compute_angles(positions: Tensor, width: int, like: Tensor) -> Tensor:
    """Return the angles ω_i t, of shape (positions, width / 2), in float32 or wider."""
    kind = torch.promote_types(like.dtype, torch.float32)
    pairs = torch.arange(0, width, 2, device=like.device, dtype=kind)
    return positions.to(kind)[:, None] * torch.exp(pairs * (-log(10_000.0) / width))
