"""Outer-product memories of the torch backend: linear attention, and the delta rule.

The state S (key x value) decays, forgets what stands along `look`, and takes in k vᵀ::

    r_t = S_{t-1}ᵀ l_t                                       l is `look`, p is `put`
    S_t = diag(w_t) S_{t-1} + k_t v_tᵀ - p_t r_tᵀ            w is `decay`
    y_t = S_tᵀ q_t

With G_t the adjoint of S_t, from G_t = q_t ȳ_tᵀ + (∂S_{t+1} by S_t)::

    ∂q_t = S_t ȳ_t      ∂k_t = G_t v_t       ∂v_t = G_tᵀ k_t      ∂w_t = rows of G_t ⊙ S_{t-1}
    ∂p_t = -G_t r_t     ∂r_t = -G_tᵀ p_t     ∂l_t = S_{t-1} ∂r_t
    carried on: diag(w_t) G_t + l_t ∂r_tᵀ

The state is kept before every `CHUNK`-th step, and the backward runs each chunk again. `decay` and
`look` with `put` have length 0 where there is none.
"""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 16
"""How many steps the backward runs again at a time."""


def delta_outputs(q: Tensor, k: Tensor, v: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate the outputs, and the state before each chunk."""
    chunks = -(-q.shape[1] // CHUNK)
    y = torch.empty_like(v, memory_format=torch.contiguous_format)
    return y, q.new_empty(len(q), chunks, q.shape[2], v.shape[2])


def delta_forward(
    q: Tensor, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, put: Tensor,
    y: Tensor, kept: Tensor,
) -> None:  # fmt: skip
    """Compute every output, and the state before each chunk."""
    S = kept.new_zeros(len(q), *kept.shape[2:])
    for t in range(q.shape[1]):
        if t % CHUNK == 0:
            kept[:, t // CHUNK] = S
        S = _advance(S, t, k, v, decay, look, put)[0]
        y[:, t] = _read(S, q[:, t])


def delta_backward(
    q: Tensor, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, put: Tensor, kept: Tensor,
    grad: Tensor, dq: Tensor, dk: Tensor, dv: Tensor, ddecay: Tensor, dlook: Tensor, dput: Tensor,
) -> None:  # fmt: skip
    """Go through the chunks from the last to the first, computing their states again, then the
    adjoint.
    """
    G = torch.zeros_like(kept[:, 0])
    for first in reversed(range(0, q.shape[1], CHUNK)):
        states, removed = [kept[:, first // CHUNK]], []
        for t in range(first, min(first + CHUNK, q.shape[1])):
            S, r = _advance(states[-1], t, k, v, decay, look, put)
            states.append(S)
            removed.append(r)
        for i in reversed(range(len(removed))):
            t, S, r = first + i, states[i], removed[i]
            dq[:, t] = _write(states[i + 1], grad[:, t])
            G = G + q[:, t, :, None] * grad[:, t, None, :]
            dk[:, t], dv[:, t] = _write(G, v[:, t]), _read(G, k[:, t])
            dr = None
            if r is not None:
                dr = -_read(G, put[:, t])
                dput[:, t], dlook[:, t] = -_write(G, r), _write(S, dr)
            if decay.shape[1]:
                ddecay[:, t] = (G * S).sum(-1)
                G = decay[:, t, :, None] * G
            if dr is not None:
                G = G + look[:, t, :, None] * dr[:, None, :]


def _advance(
    S: Tensor, t: int, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, put: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Compute S_t and r_t from S_{t-1}."""
    after = decay[:, t, :, None] * S if decay.shape[1] else S
    after = after + k[:, t, :, None] * v[:, t, None, :]
    if not look.shape[1]:
        return after, None
    r = _read(S, look[:, t])
    return after - put[:, t, :, None] * r[:, None, :], r


def _read(S: Tensor, key: Tensor) -> Tensor:
    """Read Sᵀ key."""
    return torch.bmm(key[:, None, :], S)[:, 0]


def _write(S: Tensor, value: Tensor) -> Tensor:
    """Return S value."""
    return torch.bmm(S, value[:, :, None])[:, :, 0]
