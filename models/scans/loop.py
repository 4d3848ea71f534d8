"""The torch backend: loops over time with backward passes written by hand, on any device.

Autograd through a Python loop records several nodes a step and keeps every intermediate. Here a
scan is one node: its forward runs in place over time-major buffers, its backward is the adjoint
recurrence, and what is cheap to compute again is computed again rather than kept.

With the adjoint g_t = ∂loss/∂h_t + (∂h_{t+1}/∂h_t)ᵀ g_{t+1}::

    diagonal     g_t = ḡ_t + conj(a_{t+1}) g_{t+1},   ∂a_t = g_t conj(h_{t-1}),   ∂b_t = g_t
    matrix       u_t = A_t h_{t-1} + b_t,  h_t = u_t / r_t
                 ∂u_t = (g_t - h_t mean(h_t ⊙ g_t)) / r_t   if normalised, else g_t
                 g_{t-1} = ḡ_{t-1} + A_tᵀ ∂u_t,   ∂A_t = ∂u_t h_{t-1}ᵀ,   ∂b_t = ∂u_t
    selective    see `flann.models.scans.loop_selective`

Each forward and each backward is an autograd function of its own with a vmap rule (the mapped
dimension joins the batch), so that models of several seeds can be stacked into one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .folding import FoldedFunction
from .loop_selective import selective as selective
from .ref import RMS_EPS


def supports(device: str) -> bool:
    """Any device."""
    return True


def diagonal(a: Tensor, b: Tensor) -> Tensor:
    """h_t = a_t ⊙ h_{t-1} + b_t."""
    h: Tensor = Diagonal.run(a.transpose(0, 1), b.transpose(0, 1))
    return h.transpose(0, 1)


def matrix(A: Tensor, b: Tensor, initial: Tensor, normalise: bool) -> Tensor:
    """h_t = ν(A_t h_{t-1} + b_t) from h_0 = initial."""
    states: tuple[Tensor, Tensor] = Matrix.run(
        A.transpose(0, 1), b.transpose(0, 1), initial, normalise
    )
    return states[0].transpose(0, 1)


# -- diagonal --------------------------------------------------------------------------------------


class Diagonal(FoldedFunction):
    """The states of a diagonal recurrence; all tensors are (time, batch, state)."""

    fold_axes = (1, 1)
    out_axes = (1,)

    @staticmethod
    def forward(a: Tensor, b: Tensor) -> Tensor:
        """Every state."""
        h = torch.empty_like(b, memory_format=torch.contiguous_format)
        h[0] = b[0]
        for t in range(1, len(b)):
            torch.addcmul(b[t], a[t], h[t - 1], out=h[t])
        return h

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """What the backward needs: the coefficients and the states."""
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The adjoint recurrence."""
        a, h = ctx.saved_tensors
        found: tuple[Tensor, Tensor] = DiagonalBackward.run(a, h, grads[0])
        return found


class DiagonalBackward(FoldedFunction):
    """Gradients of `Diagonal` by a and b."""

    fold_axes = (1, 1, 1)
    out_axes = (1, 1)

    @staticmethod
    def forward(a: Tensor, h: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
        """g backwards in time, then ∂a from it."""
        a, g = a.conj().resolve_conj(), torch.empty_like(h)
        g[-1] = grad[-1]
        for t in range(len(h) - 2, -1, -1):
            torch.addcmul(grad[t], a[t + 1], g[t + 1], out=g[t])
        grad_a = torch.zeros_like(h)
        torch.mul(g[1:], h[:-1].conj(), out=grad_a[1:])
        return grad_a, g


# -- matrix ----------------------------------------------------------------------------------------


class Matrix(FoldedFunction):
    """States and their scales r; A is (time, batch, n, n), b (time, batch, n), h_0 (batch, n)."""

    fold_axes = (1, 1, 0)
    out_axes = (1, 1)

    @staticmethod
    def forward(A: Tensor, b: Tensor, initial: Tensor, normalise: bool) -> tuple[Tensor, Tensor]:
        """Every state, and what each was divided by."""
        h = torch.empty_like(b, memory_format=torch.contiguous_format)
        r = torch.ones_like(h[..., :1])
        rows, eps = A.transpose(-1, -2), h.new_full((1, 1, 1), RMS_EPS)
        before = initial
        for t in range(len(b)):
            # As row vectors, hᵀ Aᵀ: torch's CPU product is three times as fast as A h.
            torch.baddbmm(b[t, :, None], before[:, None], rows[t], out=h[t, :, None])
            before = h[t]
            if normalise:
                _dot(before, before, eps, out=r[t]).sqrt_()
                before.div_(r[t])
        return h, r

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        """What the backward needs: the matrices, the states and their scales."""
        A, _, initial, ctx.normalise = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(A, initial, *output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The adjoint recurrence."""
        found = MatrixBackward.run(*ctx.saved_tensors, grads[0], ctx.normalise)
        return (*found, None)


class MatrixBackward(FoldedFunction):
    """Gradients of `Matrix` by A, b and h_0."""

    fold_axes = (1, 0, 1, 1, 1)
    out_axes = (1, 1, 0)

    @staticmethod
    def forward(
        A: Tensor, initial: Tensor, h: Tensor, r: Tensor, grad: Tensor, normalise: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """∂u backwards in time, then ∂A as outer products, all at once."""
        du = torch.empty_like(h)
        grad_initial = torch.empty_like(initial, memory_format=torch.contiguous_format)
        along, zero = torch.empty_like(r[0]), r.new_zeros(1, 1, 1)
        du[-1] = grad[-1]
        for t in range(len(h) - 1, -1, -1):
            g = du[t]
            if normalise:
                _dot(g, h[t], zero, out=along)
                g.addcmul_(h[t], along, value=-1).div_(r[t])
            if t:
                torch.baddbmm(grad[t - 1, :, None], g[:, None], A[t], out=du[t - 1, :, None])
            else:
                torch.bmm(g[:, None], A[t], out=grad_initial[:, None])
        before = torch.cat([initial[None], h[:-1]])
        return du[..., :, None] * before[..., None, :], du, grad_initial


def _dot(a: Tensor, b: Tensor, plus: Tensor, out: Tensor) -> Tensor:
    """mean(a ⊙ b) + plus over the last axis, kept: one kernel for what would be three."""
    n = a.shape[-1]
    torch.baddbmm(plus, a[:, None], b[..., None], alpha=1 / n, out=out[..., None])
    return out
