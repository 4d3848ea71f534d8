"""The reference backend: plain loops over time that autograd differentiates; slow and right."""

from __future__ import annotations

import torch
from torch import Tensor

from .constants import NORM_EPSILON, STATE_NORM_EPSILON


def supports(device: str) -> bool:
    """Return True: plain loops run on every device."""
    return True


def diagonal(a: Tensor, b: Tensor) -> Tensor:
    """Compute h_t = a_t ⊙ h_{t-1} + b_t."""
    h, states = torch.zeros_like(b[:, 0]), []
    for t in range(b.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return torch.stack(states, dim=1)


def selective(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, z: Tensor, negative: bool
) -> Tensor:  # fmt: skip
    """Compute h_t = α(Δ_t A) ⊙ h_{t-1} + Δ_t x_t B_t, y_t = C_t · h_t, and (y + D x) SiLU(z)."""
    h, outputs = x.new_zeros(x.shape[0], *A.shape[1:]), []
    for t in range(x.shape[1]):
        decay = torch.exp(dt[:, t, :, None] * A)
        if negative:
            decay = 2 * decay - 1
        h = decay * h + (dt[:, t] * x[:, t])[:, :, None] * B[:, t, None, :]
        outputs.append((h * C[:, t, None, :]).sum(-1))
    return apply_skip_and_gate(torch.stack(outputs, dim=1), x, D, z)


def apply_skip_and_gate(y: Tensor, x: Tensor, D: Tensor, z: Tensor) -> Tensor:
    """Return (y + D x) SiLU(z), or y if D is empty."""
    return (y + D[:, None] * x) * z * torch.sigmoid(z) if D.shape[1] else y


def matrix(A: Tensor, b: Tensor, initial: Tensor, normalise: bool) -> Tensor:
    """Compute h_t = ν(A_t h_{t-1} + b_t) from h_0 = initial."""
    h, states = initial, []
    for t in range(b.shape[1]):
        h = (A[:, t] @ h[:, :, None])[:, :, 0] + b[:, t]
        if normalise:
            h = h / (h.square().mean(-1, keepdim=True) + STATE_NORM_EPSILON).sqrt()
        states.append(h)
    return torch.stack(states, dim=1)


def product(A: Tensor) -> Tensor:
    """Compute P_t = P_{t-1} A_t from the identity."""
    P, products = A[:, 0], [A[:, 0]]
    for t in range(1, A.shape[1]):
        P = P @ A[:, t]
        products.append(P)
    return torch.stack(products, dim=1)


def delta(
    q: Tensor, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, put: Tensor
) -> Tensor:  # fmt: skip
    """Compute S_t = diag(w_t) S_{t-1} + k_t v_tᵀ - p_t (l_tᵀ S_{t-1}), y_t = S_tᵀ q_t."""
    S, outputs = q.new_zeros(len(q), k.shape[2], v.shape[2]), []
    for t in range(q.shape[1]):
        after = S
        if decay.shape[1]:
            after = decay[:, t, :, None] * after
        after = after + k[:, t, :, None] * v[:, t, None, :]
        if look.shape[1]:
            after = after - put[:, t, :, None] * (look[:, t, None, :] @ S)
        S = after
        outputs.append((q[:, t, None, :] @ S)[:, 0])
    return torch.stack(outputs, dim=1)


def slstm(g: Tensor, R: Tensor, sigmoid: bool) -> Tensor:
    """Compute gates i, f, z, o = g_t + R h_{t-1}, and c, n and h from them, scaled by exp(-m)."""
    _, heads, size = R.shape[:3]
    h = g.new_zeros(len(g), heads, size)
    c, n, m = h, h, torch.full_like(h, -torch.inf)
    outputs = []
    for t in range(g.shape[1]):
        from_h = (h[:, None, :, :, None, None] * R).sum(3)  # (batch, 1, heads, 4, out)
        gates = g[:, t].unflatten(-1, (heads, size)) + from_h[:, 0].transpose(1, 2)
        i, f, z, o = gates.unbind(1)
        kept = (f.sigmoid().log() if sigmoid else f) + m
        m = torch.maximum(kept, i)
        c = torch.exp(kept - m) * c + torch.exp(i - m) * torch.tanh(z)
        n = torch.exp(kept - m) * n + torch.exp(i - m)
        h = torch.sigmoid(o) * c / n
        outputs.append(h.flatten(1))
    return torch.stack(outputs, dim=1)


def rnn(g: Tensor, R: Tensor, relu: bool) -> Tensor:
    """Compute h_t = φ(g_t + h_{t-1} R)."""
    h, outputs = torch.zeros_like(g[:, 0]), []
    for t in range(g.shape[1]):
        sums = g[:, t] + multiply(h, R)
        h = torch.relu(sums) if relu else torch.tanh(sums)
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def lstm(g: Tensor, R: Tensor) -> Tensor:
    """Compute c_t = σ(f) c_{t-1} + σ(i) tanh(ĉ), h_t = σ(o) tanh(c_t)."""
    h = c = g.new_zeros(len(g), R.shape[1])
    outputs = []
    for t in range(g.shape[1]):
        h, c = lstm_cell(g[:, t] + multiply(h, R), c)
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def gru(g: Tensor, R: Tensor, bias: Tensor) -> Tensor:
    """Compute n = tanh(g + σ(r) (h_{t-1} R_n + b)), h_t = (1 - σ(z)) n + σ(z) h_{t-1}."""
    h, outputs = g.new_zeros(len(g), R.shape[1]), []
    for t in range(g.shape[1]):
        from_r, from_z, from_n = multiply(h, R).chunk(3, dim=-1)
        r, z, n = g[:, t].chunk(3, dim=-1)
        n = torch.tanh(n + torch.sigmoid(r + from_r) * (from_n + bias))
        z = torch.sigmoid(z + from_z)
        h = (1 - z) * n + z * h
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def lstm_cell(sums: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return h and c from the four sums and the last c."""
    i, f, g, o = sums.chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def multiply(rows: Tensor, matrices: Tensor) -> Tensor:
    """Multiply each row's vector by its matrix, or by the one that all share."""
    product: Tensor = (rows[:, None] @ matrices)[:, 0]
    return product


def memory(g: Tensor, R: Tensor, E: Tensor, bias: Tensor, lstm: bool, tape: bool) -> Tensor:
    """Run a controller that reads M[0] and outputs a word to write and shares of three moves."""
    length, state, cell = g.shape[1], E.shape[1], E.shape[2] - 3
    index = torch.arange(-length - 1, length + 2, device=g.device)[:, None]
    written, there = (index == 0, index >= -length - 1) if tape else (index == -1, index >= 0)
    M = g.new_zeros(len(g), len(index), cell)
    h, c, outputs = g.new_zeros(len(g), state), g.new_zeros(len(g), state), []
    for t in range(length):
        seen = torch.cat([h, M[:, length + 1]], dim=-1)
        sums = g[:, t] + multiply(seen, R)
        h, c = lstm_cell(sums, c) if lstm else (torch.tanh(sums), c)
        v, scores = (bias + multiply(h, E)).split([cell, 3], dim=-1)
        left, right, still = torch.softmax(scores, dim=-1)[:, :, None, None].unbind(1)
        M = torch.where(written, v[:, None], M)
        M = left * M.roll(1, 1) + right * M.roll(-1, 1) + still * M
        M = torch.where(there, M, 0)
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def cauchy(a: Tensor, b: Tensor, centre: Tensor, height: Tensor, points: Tensor) -> Tensor:
    """Compute Σ_n (a z - b) / ((z - Re p)² + Im(p)²), real parts before imaginary ones."""
    z = torch.complex(*points.detach().unbind(1))[:, None, None]  # (1, 1, 1, points)
    terms = a[..., None] * z - b[..., None]
    squares = (z[:, 0] - centre[..., None]) ** 2 + height[..., None] ** 2
    sums = (terms / squares[:, None]).sum(2)
    return torch.stack([sums.real, sums.imag], dim=2)


def rms(x: Tensor, gain: Tensor) -> Tensor:
    """Divide x by its root mean square, and multiply it by the gains."""
    return gain[:, None] * x / (x.square().mean(-1, keepdim=True) + NORM_EPSILON).sqrt()


def convolution(x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
    """Compute SiLU of z_t = bias + Σ_k w_k x_{t-K+1+k}."""
    taps, length = w.shape[2], x.shape[1]
    padded = torch.cat([x.new_zeros(x.shape[0], taps - 1, x.shape[2]), x], dim=1)
    z = bias[:, None, :]
    for k in range(taps):
        z = z + w[:, None, :, k] * padded[:, k : k + length]
    return z * torch.sigmoid(z)
