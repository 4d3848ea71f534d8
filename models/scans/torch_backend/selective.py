"""The selective scan of the torch backend.

With α' the derivative of α by its argument (exp(z), or 2 exp(z) for negative eigenvalues), u = Δ x
and the adjoint g_t = C_t ȳ_t + α_{t+1} g_{t+1}, where ȳ is the gradient by y::

    ∂C_t[n] = Σ_e h_t[n,e] ȳ_t[e]          ∂B_t[n] = Σ_e g_t[n,e] u_t[e]
    ∂u_t[e] = Σ_n B_t[n] g_t[n,e]          q_t     = g_t ⊙ h_{t-1} ⊙ α'_t
    ∂Δ_t[e] = Σ_n A[n,e] q_t[n,e] + x_t[e] ∂u_t[e]
    ∂x_t[e] = Δ_t[e] ∂u_t[e]               ∂A[n,e] = Σ_t q_t[n,e] Δ_t[e]

States take batch x state x inner numbers at every time: keeping them all would be most of the
memory, and exp most of the work. So the forward keeps the state at every `CHUNK`-th step only and
the backward runs each chunk again. The state is laid out (batch, state, inner): the longest axis
last, so that the elementwise kernels run over contiguous memory.
"""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 16
"""How many steps the backward runs again at a time."""


def selective_outputs(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, *_: object
) -> tuple[Tensor, ...]:
    """Allocate the outputs, and the state before each chunk."""
    chunks = -(-x.shape[1] // CHUNK)
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    return y, x.new_empty(x.shape[0], chunks, B.shape[2], x.shape[2])


def selective_forward(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor,
    y: Tensor, kept: Tensor, negative: bool,
) -> None:  # fmt: skip
    """Compute every output, and the state before each chunk."""
    u, dt, B, C = _group_by_time(dt * x, dt, B, C)
    A = _group_by_row(A, x.shape[0])
    h, decay = u.new_zeros(A.shape), u.new_empty(A.shape)
    found = torch.empty_like(u)
    for t in range(len(u)):
        if t % CHUNK == 0:
            kept[:, t // CHUNK] = h
        _decay(dt[t], A, negative, out=decay)
        h.mul_(decay).addcmul_(B[t, :, :, None], u[t, :, None, :])
        torch.bmm(C[t, :, None, :], h, out=found[t, :, None, :])
    y.copy_(found.transpose(0, 1))


def selective_backward(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, kept: Tensor, grad: Tensor,
    dx: Tensor, ddt: Tensor, dA: Tensor, dB: Tensor, dC: Tensor, negative: bool,
) -> None:  # fmt: skip
    """Go through the chunks from the last to the first, computing their states again, then the
    adjoint.
    """
    by_time = _group_by_time(dt * x, dt, B, C, grad)
    found = [torch.empty_like(t) for t in by_time[:4]]
    rows = _chunks_backward(by_time, _group_by_row(A, x.shape[0]), kept, found, negative)
    du, by_decay, by_B, by_C = (t.transpose(0, 1) for t in found)
    torch.mul(dt, du, out=dx)
    torch.addcmul(by_decay, x, du, out=ddt)
    dB.copy_(by_B)
    dC.copy_(by_C)
    dA.copy_(rows.mT.unflatten(0, (len(A), -1)).sum(1))


def _chunks_backward(
    inputs: list[Tensor], A: Tensor, kept: Tensor, gradients: list[Tensor], negative: bool
) -> Tensor:
    """Fill the gradients, time first, and return A's gradient for every row."""
    u, dt, B, C, grad = inputs
    du, ddt, dB, dC = gradients
    dA, g = u.new_zeros(A.shape), u.new_zeros(A.shape)
    size = min(CHUNK, len(u))
    h, decay = u.new_empty(size + 1, *A.shape), u.new_empty(size, *A.shape)
    q = u.new_empty(A.shape)
    for first in reversed(range(0, len(u), CHUNK)):
        last = min(first + CHUNK, len(u))
        h[0] = kept[:, first // CHUNK]
        for i, t in enumerate(range(first, last)):
            _decay(dt[t], A, negative, out=decay[i])
            torch.mul(h[i], decay[i], out=h[i + 1])
            h[i + 1].addcmul_(B[t, :, :, None], u[t, :, None, :])
        torch.bmm(
            h[1 : last - first + 1].flatten(0, 1),
            grad[first:last].flatten(0, 1)[:, :, None],
            out=dC[first:last].flatten(0, 1)[:, :, None],
        )
        for t in range(last - 1, first - 1, -1):
            i = t - first
            g.addcmul_(C[t, :, :, None], grad[t, :, None, :])
            torch.bmm(g, u[t, :, :, None], out=dB[t, :, :, None])
            torch.bmm(B[t, :, None, :], g, out=du[t, :, None, :])
            torch.mul(g, h[i], out=q)
            # α' is α itself, or α + 1 = 2 exp(z)
            g.mul_(decay[i])
            q.mul_(decay[i].add_(1) if negative else decay[i])
            dA.addcmul_(q, dt[t, :, None, :])
            torch.sum(q.mul_(A), dim=1, out=ddt[t])
    return dA


def _group_by_time(*tensors: Tensor) -> list[Tensor]:
    """Return the tensor with time first in memory too, so that a step is contiguous."""
    return [t.transpose(0, 1).contiguous() for t in tensors]


def _group_by_row(A: Tensor, batch: int) -> Tensor:
    """Return (groups, inner, state) rates as (batch, state, inner), one for every row."""
    turned = A.mT.contiguous()
    if len(A) == 1:
        return turned.expand(batch, -1, -1)
    return turned.repeat_interleave(batch // len(A), dim=0)


def _decay(dt: Tensor, A: Tensor, negative: bool, out: Tensor) -> None:
    """Write α(Δ_t A) of one time to `out`."""
    torch.mul(dt[:, None, :], A, out=out).exp_()
    if negative:
        out.mul_(2).sub_(1)
