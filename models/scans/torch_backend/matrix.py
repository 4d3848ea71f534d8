"""The matrix recurrences of the torch backend: one that carries a vector, and the prefix product.

::

    matrix     u_t = A_t h_{t-1} + b_t,   h_t = u_t / r_t
               ∂b_t = (g_t - h_t mean(h_t ⊙ g_t)) / r_t   if normalised, else g_t
               g_{t-1} = ḡ_{t-1} + A_tᵀ ∂b_t,   ∂A_t = ∂b_t h_{t-1}ᵀ
    product    P_t = P_{t-1} A_t
               G_t = Ḡ_t + G_{t+1} A_{t+1}ᵀ,    ∂A_t = P_{t-1}ᵀ G_t
"""

from __future__ import annotations

import torch
from torch import Tensor

from flann.models.scans.constants import STATE_NORM_EPSILON
from flann.models.scans.time_first import allocate_time_first


def matrix_outputs(A: Tensor, b: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate the states, and what each was divided by."""
    return allocate_time_first(b, *b.shape), allocate_time_first(b, *b.shape[:2], 1)


def matrix_forward(
    A: Tensor, b: Tensor, initial: Tensor, h: Tensor, r: Tensor, normalise: bool
) -> None:
    """Compute every state, and what each was divided by."""
    A, b, h, r = (t.transpose(0, 1) for t in (A, b, h, r))
    rows, eps = A.mT, h.new_full((1, 1, 1), STATE_NORM_EPSILON)
    r.fill_(1)
    before = initial
    for t in range(len(b)):
        # As row vectors, hᵀ Aᵀ: torch's CPU product is three times as fast as A h.
        torch.baddbmm(b[t, :, None], before[:, None], rows[t], out=h[t, :, None])
        before = h[t]
        if normalise:
            _dot(before, before, eps, out=r[t]).sqrt_()
            before.div_(r[t])


def matrix_backward(
    A: Tensor, initial: Tensor, h: Tensor, r: Tensor, grad: Tensor,
    dA: Tensor, db: Tensor, dinitial: Tensor, normalise: bool,
) -> None:  # fmt: skip
    """Compute ∂b backwards in time, then ∂A as outer products, all at once."""
    A, h, r, grad, dA, db = (t.transpose(0, 1) for t in (A, h, r, grad, dA, db))
    along, zero = torch.empty_like(r[0]), r.new_zeros(1, 1, 1)
    db[-1] = grad[-1]
    for t in range(len(h) - 1, -1, -1):
        g = db[t]
        if normalise:
            _dot(g, h[t], zero, out=along)
            g.addcmul_(h[t], along, value=-1).div_(r[t])
        if t:
            torch.baddbmm(grad[t - 1, :, None], g[:, None], A[t], out=db[t - 1, :, None])
        else:
            torch.bmm(g[:, None], A[t], out=dinitial[:, None])
    before = torch.cat([initial[None], h[:-1]])
    torch.mul(db[..., :, None], before[..., None, :], out=dA)


def _dot(a: Tensor, b: Tensor, plus: Tensor, out: Tensor) -> Tensor:
    """Return mean(a ⊙ b) + plus over the last axis, kept, in one kernel instead of three."""
    n = a.shape[-1]
    torch.baddbmm(plus, a[:, None], b[..., None], alpha=1 / n, out=out[..., None])
    return out


def product_outputs(A: Tensor) -> tuple[Tensor, ...]:
    """Allocate the products."""
    return (allocate_time_first(A, *A.shape),)


def product_forward(A: Tensor, P: Tensor) -> None:
    """Compute every prefix product."""
    A, P = A.transpose(0, 1), P.transpose(0, 1)
    P[0] = A[0]
    for t in range(1, len(A)):
        torch.bmm(P[t - 1], A[t], out=P[t])


def product_backward(A: Tensor, P: Tensor, grad: Tensor, dA: Tensor) -> None:
    """Compute G backwards in time, ∂A as it goes."""
    A, P, grad, dA = (t.transpose(0, 1) for t in (A, P, grad, dA))
    g = grad[-1]
    for t in range(len(A) - 1, 0, -1):
        torch.bmm(P[t - 1].mT, g, out=dA[t])
        g = torch.baddbmm(grad[t - 1], g, A[t].mT)
    dA[0] = g
