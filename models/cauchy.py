"""Sums over poles, Σ_n c_n / (z - p_n), at many points: the heart of S4's kernel.

Written out, the quotients are channels x poles x points complex numbers, far more than what comes
in or goes out. So they are made for a block of points at a time, used, and made again in the
backward pass, which is written by hand::

    S[k, z] = Σ_n c[k, n] q[n, z],   q = 1 / (z - p)
    ∂c[k, n] = Σ_z S̄[k, z] conj(q[n, z])
    ∂p[n]    = Σ_z conj(q[n, z]²) Σ_k S̄[k, z] conj(c[k, n])
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Complex
from torch import Tensor

from .scans.folding import FoldedFunction

ROOM = 1 << 20
"""How many quotients are held at a time."""


def cauchy_sums(
    coefficients: Complex[Tensor, "channels sums poles"],
    poles: Complex[Tensor, "channels poles"],
    points: Complex[Tensor, " points"],
) -> Complex[Tensor, "channels sums points"]:
    """Σ_n c_n / (z - p_n) for every channel, every set of coefficients and every point.

    Examples
    --------
    >>> one = torch.ones(1, 1, 2, dtype=torch.complex128)
    >>> poles = torch.tensor([[0.0, 1.0]], dtype=torch.complex128)
    >>> cauchy_sums(one, poles, 2 * one[0, 0, :1]).real.tolist()    # 1/2 + 1/1
    [[[1.5]]]
    """
    sums: Tensor = _CauchySums.run(coefficients, poles, points)
    return sums


class _CauchySums(FoldedFunction):
    """The sums, with quotients made by blocks."""

    fold_axes = (0, 0)
    out_axes = (0,)

    @staticmethod
    def forward(coefficients: Tensor, poles: Tensor, points: Tensor) -> Tensor:
        """Block by block."""
        blocks = [coefficients @ _quotients(poles, block) for block in _blocks(poles, points)]
        return torch.cat(blocks, dim=-1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """The inputs are all that is kept."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The points are not differentiated."""
        coefficients, poles, points = ctx.saved_tensors
        return (*_CauchySumsBackward.run(coefficients, poles, grads[0], points), None)


class _CauchySumsBackward(FoldedFunction):
    """Gradients by the coefficients and the poles; the quotients again, block by block."""

    fold_axes = (0, 0, 0)
    out_axes = (0, 0)

    @staticmethod
    def forward(
        coefficients: Tensor, poles: Tensor, grad: Tensor, points: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sums over the blocks."""
        by_coefficients, by_poles = torch.zeros_like(coefficients), torch.zeros_like(poles)
        blocks = _blocks(poles, points)
        for block, part in zip(blocks, grad.split([len(b) for b in blocks], -1), strict=True):
            q = _quotients(poles, block).conj()
            by_coefficients += part @ q.mT
            by_poles += ((coefficients.mH @ part) * q.square()).sum(-1)
        return by_coefficients, by_poles


def _quotients(poles: Tensor, points: Tensor) -> Tensor:
    return 1 / (points - poles[..., None])


def _blocks(poles: Tensor, points: Tensor) -> list[Tensor]:
    return list(points.split(max(1, ROOM // poles.numel())))
