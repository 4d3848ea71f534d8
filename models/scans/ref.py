"""The reference backend: plain loops over time that autograd differentiates. Slow, and right."""

from __future__ import annotations

import torch
from torch import Tensor

RMS_EPS = 1e-6
"""Added to the mean square before the root, so that a zero state stays zero."""


def supports(device: str) -> bool:
    """Any device."""
    return True


def diagonal(a: Tensor, b: Tensor) -> Tensor:
    """h_t = a_t ⊙ h_{t-1} + b_t."""
    h, states = torch.zeros_like(b[:, 0]), []
    for t in range(b.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return torch.stack(states, dim=1)


def selective(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, eigenvalues: str) -> Tensor:
    """h_t = α(Δ_t A) ⊙ h_{t-1} + Δ_t x_t B_t, y_t = C_t · h_t."""
    h, outputs = x.new_zeros(x.shape[0], *A.shape), []
    for t in range(x.shape[1]):
        decay = torch.exp(dt[:, t, :, None] * A)
        if eigenvalues == "negative":
            decay = 2 * decay - 1
        h = decay * h + (dt[:, t] * x[:, t])[:, :, None] * B[:, t, None, :]
        outputs.append((h * C[:, t, None, :]).sum(-1))
    return torch.stack(outputs, dim=1)


def matrix(A: Tensor, b: Tensor, initial: Tensor, normalise: bool) -> Tensor:
    """h_t = ν(A_t h_{t-1} + b_t) from h_0 = initial."""
    h, states = initial, []
    for t in range(b.shape[1]):
        h = (A[:, t] @ h[:, :, None])[:, :, 0] + b[:, t]
        if normalise:
            h = h / (h.square().mean(-1, keepdim=True) + RMS_EPS).sqrt()
        states.append(h)
    return torch.stack(states, dim=1)
