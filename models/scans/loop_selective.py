"""The selective scan of the torch backend.

With α' the derivative of α by its argument (exp(z), or 2 exp(z) for negative eigenvalues), u = Δ x
and the adjoint g_t = C_t ȳ_t + α_{t+1} g_{t+1}, where ȳ is the gradient by y::

    ∂C_t[n] = Σ_e h_t[n,e] ȳ_t[e]          ∂B_t[n] = Σ_e g_t[n,e] u_t[e]
    ∂u_t[e] = Σ_n B_t[n] g_t[n,e]          q_t     = g_t ⊙ h_{t-1} ⊙ α'_t
    ∂Δ_t[e] = Σ_n A[n,e] q_t[n,e]          ∂A[n,e] = Σ_t q_t[n,e] Δ_t[e]

States take batch x state x inner numbers at every time: keeping them all would be most of the
memory, and exp most of the work. So the forward keeps the state at every `CHUNK`-th step only and
the backward runs each chunk again. The state is laid out (batch, state, inner): the longest axis
last, so that the elementwise kernels run over contiguous memory.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .folding import FoldedFunction

CHUNK = 16
"""How many steps the backward runs again at a time."""


def selective(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, eigenvalues: str) -> Tensor:
    """h_t = α(Δ_t A) ⊙ h_{t-1} + Δ_t x_t B_t, y_t = C_t · h_t, batch first."""
    # Time first: then a step is one stretch of memory.
    u, dt, B, C = (t.transpose(0, 1).contiguous() for t in (dt * x, dt, B, C))
    shared = A.T.contiguous().expand(dt.shape[1], *A.T.shape)
    found: tuple[Tensor, Tensor] = Selective.run(u, dt, shared, B, C, eigenvalues == "negative")
    return found[0].transpose(0, 1)


class Selective(FoldedFunction):
    """Outputs and kept states; u, Δ are (time, batch, inner), A (batch, state, inner)."""

    fold_axes = (1, 1, 0, 1, 1)
    out_axes = (1, 1)

    @staticmethod
    def forward(
        u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, negative: bool
    ) -> tuple[Tensor, Tensor]:
        """Every output, and the state before each chunk."""
        y = torch.empty_like(u)
        starts = range(0, len(u), CHUNK)
        kept = u.new_zeros(len(starts), *A.shape)
        h, decay = u.new_zeros(A.shape), u.new_empty(A.shape)
        for t in range(len(u)):
            if t % CHUNK == 0:
                kept[t // CHUNK] = h
            _decay(dt[t], A, negative, out=decay)
            h.mul_(decay).addcmul_(B[t, :, :, None], u[t, :, None, :])
            torch.bmm(C[t, :, None, :], h, out=y[t, :, None, :])
        return y, kept

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        """What the backward needs: the inputs and the states before each chunk."""
        *tensors, ctx.negative = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*tensors, output[1])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The adjoint recurrence."""
        found = SelectiveBackward.run(*ctx.saved_tensors, grads[0].contiguous(), ctx.negative)
        return (*found, None)


class SelectiveBackward(FoldedFunction):
    """Gradients of `Selective` by u, Δ, A, B and C."""

    fold_axes = (1, 1, 0, 1, 1, 1, 1)
    out_axes = (1, 1, 0, 1, 1)

    @staticmethod
    def forward(
        u: Tensor,
        dt: Tensor,
        A: Tensor,
        B: Tensor,
        C: Tensor,
        kept: Tensor,
        grad: Tensor,
        negative: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Chunks from the last to the first: their states again, then the adjoint."""
        du, ddt, dB, dC = (torch.empty_like(t) for t in (u, dt, B, C))
        dA, g = u.new_zeros(A.shape), u.new_zeros(A.shape)
        size = min(CHUNK, len(u))
        h = u.new_empty(size + 1, *A.shape)
        decay = u.new_empty(size, *A.shape)
        q = u.new_empty(A.shape)
        for first in reversed(range(0, len(u), CHUNK)):
            last = min(first + CHUNK, len(u))
            h[0] = kept[first // CHUNK]
            for i, t in enumerate(range(first, last)):
                _decay(dt[t], A, negative, out=decay[i])
                torch.mul(h[i], decay[i], out=h[i + 1])
                h[i + 1].addcmul_(B[t, :, :, None], u[t, :, None, :])
            n = last - first
            torch.bmm(
                h[1 : n + 1].flatten(0, 1),
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
                if negative:
                    q.mul_(decay[i].add_(1))
                else:
                    q.mul_(decay[i])
                dA.addcmul_(q, dt[t, :, None, :])
                torch.sum(q.mul_(A), dim=1, out=ddt[t])
        return du, ddt, dA, dB, dC


def _decay(dt: Tensor, A: Tensor, negative: bool, out: Tensor) -> None:
    """α(Δ_t A) at one time, written to `out`."""
    torch.mul(dt[:, None, :], A, out=out).exp_()
    if negative:
        out.mul_(2).sub_(1)
