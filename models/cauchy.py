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
from torch.autograd import Function

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
    sums: Tensor = _CauchySums.apply(coefficients, poles, points)
    return sums


class _CauchySums(Function):
    """The sums, with quotients made by blocks."""

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
    def backward(ctx: Any, *grads: Tensor) -> Any:
        """The quotients again, block by block; the points are not differentiated."""
        coefficients, poles, points = ctx.saved_tensors
        by_coefficients, by_poles, first = 0, 0, 0
        for block in _blocks(poles, points):
            grad = grads[0][..., first : first + len(block)]
            q = _quotients(poles, block).conj()
            by_coefficients = by_coefficients + grad @ q.mT
            by_poles = by_poles + ((coefficients.mH @ grad) * q.square()).sum(-1)
            first += len(block)
        return by_coefficients, by_poles, None


def _quotients(poles: Tensor, points: Tensor) -> Tensor:
    return 1 / (points - poles[..., None])


def _blocks(poles: Tensor, points: Tensor) -> tuple[Tensor, ...]:
    return points.split(max(1, ROOM // poles.numel()))
