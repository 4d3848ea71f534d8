"""Sums over conjugate pairs of poles, in the torch backend (the equations: `cauchy`).

Quotients are made for a block of points at a time, used, and made again in the backward, where
G_k = ∂loss/∂Re(S_k) - i ∂loss/∂Im(S_k), so that a change of S_k changes the loss by Re(G_k dS_k)::

    ∂a_k = Re Σ_z G_k z q       ∂b_k = -Re Σ_z G_k q       X = q² Σ_k (a_k z - b_k) G_k
    ∂Re(p) = 2 Re Σ_z X (z - Re p)                         ∂Im(p) = -2 Im(p) Re Σ_z X
"""

from __future__ import annotations

import torch
from torch import Tensor

ROOM = 1 << 20
"""How many quotients are held at a time."""


def cauchy_outputs(
    a: Tensor, b: Tensor, centre: Tensor, height: Tensor, points: Tensor
) -> tuple[Tensor, ...]:
    """Allocate the sums, real parts before imaginary ones."""
    return (a.new_empty(*a.shape[:2], 2, points.shape[2]),)


def cauchy_forward(
    a: Tensor, b: Tensor, centre: Tensor, height: Tensor, points: Tensor, sums: Tensor
) -> None:
    """Compute the sums, one block of points at a time."""
    for block in _blocks(centre, points):
        z = _complex(points[..., block], len(a))
        q = _quotients(z, centre, height)
        found = z * _times(a, q) - _times(b, q)
        sums[:, :, 0, block], sums[:, :, 1, block] = found.real, found.imag


def cauchy_backward(
    a: Tensor, b: Tensor, centre: Tensor, height: Tensor, points: Tensor, grad: Tensor,
    da: Tensor, db: Tensor, dcentre: Tensor, dheight: Tensor, dpoints: Tensor,
) -> None:  # fmt: skip
    """Compute the gradients, as sums over the blocks."""
    for to in (da, db, dcentre, dheight, dpoints):
        to.zero_()
    for block in _blocks(centre, points):
        z = _complex(points[..., block], len(a))
        q = _quotients(z, centre, height)
        G = torch.complex(grad[:, :, 0, block], -grad[:, :, 1, block])
        da += ((G * z) @ q.mT).real
        db -= (G @ q.mT).real
        X = q.square() * (_times(a.mT, G * z) - _times(b.mT, G))
        dcentre += 2 * (X * (z - centre[..., None])).real.sum(-1)
        dheight -= 2 * height * X.real.sum(-1)


def _complex(points: Tensor, channels: int) -> Tensor:
    """Return a complex (channels, 1, points) tensor from its real and imaginary parts."""
    z = torch.complex(*points.unbind(1))[:, None]
    return z.repeat_interleave(channels // len(points), dim=0)


def _quotients(z: Tensor, centre: Tensor, height: Tensor) -> Tensor:
    """Return the quotients as factors, which stay precise near a pole, unlike a sum of squares."""
    x, y, h = z.real - centre[..., None], z.imag, height[..., None]
    return 1 / torch.complex(x * x + (h - y) * (h + y), 2 * x * y)


def _times(real: Tensor, q: Tensor) -> Tensor:
    return torch.complex(real @ q.real, real @ q.imag)


def _blocks(centre: Tensor, points: Tensor) -> list[slice]:
    size = max(1, ROOM // max(1, centre.numel()))
    return [slice(start, start + size) for start in range(0, points.shape[2], size)]
