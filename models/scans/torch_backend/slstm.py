"""The sLSTM recurrence of the torch backend.

Inputs g hold, for the gates in the order i, f, z, o, what the word gives to each; R what the
previous output gives, head by head. m only keeps the exponentials in range: h does not depend on
it, so it has no gradient. With l(f) = f, or log σ(f)::

    ĩ, f̃, z̃, õ = g_t + R h_{t-1}
    m_t = max(l(f̃) + m_{t-1}, ĩ)           i' = exp(ĩ - m_t)      f' = exp(l(f̃) + m_{t-1} - m_t)
    c_t = f' c_{t-1} + i' tanh(z̃)          n_t = f' n_{t-1} + i'  h_t = σ(õ) c_t / n_t

    ∂õ = ∂h (c/n) o(1 - o)       ∂c += ∂h o / n          ∂n -= ∂h o c / n²
    ∂ĩ = i' (z ∂c + ∂n)          ∂z̃ = i' (1 - z²) ∂c     ∂f̃ = l'(f̃) f' (c_{t-1} ∂c + n_{t-1} ∂n)
    carried on: f' ∂c, f' ∂n, and Rᵀ of the gates' gradients, which are ∂g_t
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from flann.models.scans.time_first import allocate_time_first


def slstm_outputs(g: Tensor, R: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate h; c, n and m; the gates before their nonlinearities."""
    batch, length, width = *g.shape[:2], g.shape[3]
    return (
        allocate_time_first(g, batch, length, width),
        allocate_time_first(g, batch, length, 3, width),
        allocate_time_first(g, batch, length, 4, width),
    )


def slstm_forward(
    g: Tensor, R: Tensor, h: Tensor, cells: Tensor, gates: Tensor, sigmoid: bool
) -> None:
    """Compute every output, cell and gate."""
    R = group_by_row(R, len(g))
    last = g.new_zeros(len(g), g.shape[3])
    c, n, m = last, last, torch.full_like(last, -torch.inf)
    for t in range(g.shape[1]):
        now = g[:, t] + apply_recurrence(last, R)
        i, f, z, o = now.unbind(1)
        kept = (functional.logsigmoid(f) if sigmoid else f) + m
        m = torch.maximum(kept, i)
        enter, forget = torch.exp(i - m), torch.exp(kept - m)
        c, n = forget * c + enter * torch.tanh(z), forget * n + enter
        last = torch.sigmoid(o) * c / n
        h[:, t], gates[:, t] = last, now
        torch.stack([c, n, m], dim=1, out=cells[:, t])


def slstm_backward(
    R: Tensor, h: Tensor, cells: Tensor, gates: Tensor, grad: Tensor,
    dg: Tensor, dR: Tensor, sigmoid: bool,
) -> None:  # fmt: skip
    """Compute the gates' gradients backwards in time, then R's all at once."""
    rows = group_by_row(R, len(h))
    dc = dn = dh = torch.zeros_like(h[:, 0])
    for t in reversed(range(h.shape[1])):
        dh = dh + grad[:, t]
        i, f, z, o = gates[:, t].unbind(1)
        c, n, m = cells[:, t].unbind(1)
        before = cells[:, t - 1] if t else torch.zeros_like(cells[:, 0])
        kept = (functional.logsigmoid(f) if sigmoid else f) + before[:, 2]
        enter = torch.exp(i - m)
        forget = torch.exp(kept - m) if t else torch.zeros_like(m)
        z, o = torch.tanh(z), torch.sigmoid(o)
        dc, dn = dc + dh * o / n, dn - dh * o * c / n.square()
        by_forget = forget * (before[:, 0] * dc + before[:, 1] * dn)
        by_gate = [
            enter * (z * dc + dn),
            by_forget * torch.sigmoid(-f) if sigmoid else by_forget,
            enter * (1 - z * z) * dc,
            dh * (c / n) * o * (1 - o),
        ]
        torch.stack(by_gate, dim=1, out=dg[:, t])
        dc, dn = forget * dc, forget * dn
        dh = torch.einsum("bgkj,bkigj->bki", _heads(dg[:, t], R), rows).flatten(1)
    dR.copy_(multiply_by_recurrence(R, h, dg))


def multiply_by_recurrence(R: Tensor, h: Tensor, dg: Tensor) -> Tensor:
    """Compute R's gradient from every output and the next step's gradients of the gates."""
    groups = len(R)
    before = _heads(h[:, :-1], R).unflatten(0, (groups, -1))
    after = _heads(dg[:, 1:], R).unflatten(0, (groups, -1))
    found: Tensor = torch.einsum("abtki,abtgkj->akigj", before, after)
    return found


def apply_recurrence(h: Tensor, R: Tensor) -> Tensor:
    """Return R h for every gate, (batch, 4, width), from one R for every row."""
    return torch.einsum("bki,bkigj->bgkj", _heads(h, R), R).flatten(2)


def group_by_row(R: Tensor, batch: int) -> Tensor:
    """Return R as (groups, heads, in, 4, out), one for every row of the batch."""
    if len(R) == 1:
        return R.expand(batch, *R.shape[1:])
    return R.repeat_interleave(batch // len(R), dim=0)


def _heads(t: Tensor, R: Tensor) -> Tensor:
    split: Tensor = t.unflatten(-1, (R.shape[1], R.shape[2]))
    return split
