"""Rotary positions (RoPE): queries and keys rotated by angles proportional to their positions.

::

    score = q_i' · k_j' / √w,    x_t' = x_t with each pair (x_n, x_{n + w/2}) rotated by ω_n t / s

with head width w, frequencies ω_n = 10000^(-2n/w) and interpolation factor s. Su et al. 2021,
arXiv:2104.09864, §3.2. Interpolation: Chen et al. 2023, arXiv:2306.15595, equation 4.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from typing_extensions import override

from flann.errors import UserError

from .relative import RelativePositions
from .sinusoidal import compute_angles


class Rotary(RelativePositions):
    """Rotation of queries and keys, with positions divided by `interpolation`."""

    def __init__(self, interpolation: float = 1.0) -> None:
        super().__init__()
        if interpolation <= 0:
            raise UserError(f"interpolation {interpolation}: expected a positive number")
        self.interpolation = interpolation

    @override
    def transform_queries(self, q: Tensor, i: Tensor) -> Tensor:
        return rotate(q, i if self.interpolation == 1 else i / self.interpolation)

    @override
    def transform_keys(self, k: Tensor, j: Tensor) -> Tensor:
        return self.transform_queries(k, j)


def rotate(
    x: Float[Tensor, "*batch positions width"],
    positions: int | Integer[Tensor, " positions"] | Tensor,
) -> Tensor:
    """Rotate the pairs (x_n, x_{n + width/2}) by ω_n t.

    `positions` holds the t of each vector, or the first t if they are consecutive.
    """
    if isinstance(positions, int):
        positions = torch.arange(positions, positions + x.shape[-2], device=x.device)
    angles = compute_angles(positions, x.shape[-1], x)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
