"""The scans of outer-product memories ("fast weights"): linear attention and the delta rule.

Every head has a matrix S (key x value) as its state, which keys write values into and queries
read::

    linear_attention_scan    S_t = diag(w_t) S_{t-1} + k_t v_tᵀ
    delta_scan               S_t = (I - β_t k_t k_tᵀ) diag(w_t) S_{t-1} + β_t k_t v_tᵀ
    rank_one_scan            S_t = diag(w_t) S_{t-1} - p_t l_tᵀ S_{t-1} + k_t v_tᵀ
    all three                y_t = S_tᵀ q_t                              from S_0 = 0

which covers, with w_t = 1 unless said: linear attention, RetNet (w a constant for each head),
GLA and RWKV-6 (w a vector), mLSTM (w its forget gate, k times its input gate, both from
`stabilised_gates`, and a 1 appended to v for the normaliser); DeltaNet, Gated DeltaNet (w a scalar
for each head), DeltaProduct (several steps a symbol, read at the last); RWKV-7 (l = κ̂,
p = a ⊙ κ̂).

Linear attention: Katharopoulos et al. 2020, arXiv:2006.16236. Delta rule: Schlag, Irie &
Schmidhuber 2021, arXiv:2102.11174. Gated: Yang, Kautz & Hatamizadeh 2024, arXiv:2412.06464.
RWKV-7: Peng et al. 2025, arXiv:2503.14456. mLSTM's stabiliser: Beck et al. 2024,
arXiv:2405.04517, §2.3.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .dispatch import find_operation, promote_to_state_type


def linear_attention_scan(
    q: Float[Tensor, "batch length heads key"],
    k: Float[Tensor, "batch length heads key"],
    v: Float[Tensor, "batch length heads value"],
    decay: Float[Tensor, "batch length heads #key"] | None = None,
) -> Float[Tensor, "batch length heads value"]:
    """Compute S_t = diag(w_t) S_{t-1} + k_t v_tᵀ, y_t = S_tᵀ q_t.

    Parameters
    ----------
    q, k : tensors of shape (batch, length, heads, key)
        queries and keys, scaled and mapped as the architecture wishes.
    v : tensor of shape (batch, length, heads, value)
    decay : tensor of shape (batch, length, heads, key or 1), optional
        w; 1 if not given.

    Examples
    --------
    One key, read at every step: a running sum of the values.

    >>> one = torch.ones(1, 3, 1, 1)
    >>> linear_attention_scan(one, one, one).flatten().tolist()
    [1.0, 2.0, 3.0]
    >>> linear_attention_scan(one, one, one, 0.5 * one).flatten().tolist()
    [1.0, 1.5, 1.75]
    """
    return _scan(q, k, v, decay, None, None)


def delta_scan(
    q: Float[Tensor, "batch length heads key"],
    k: Float[Tensor, "batch length heads key"],
    v: Float[Tensor, "batch length heads value"],
    beta: Float[Tensor, "batch length heads"],
    decay: Float[Tensor, "batch length heads #key"] | None = None,
) -> Float[Tensor, "batch length heads value"]:
    """Compute S_t = (I - β_t k_t k_tᵀ) diag(w_t) S_{t-1} + β_t k_t v_tᵀ, y_t = S_tᵀ q_t.

    With unit keys, β = 1 replaces what the key holds by v, and the eigenvalue along the key is
    1 - β: negative for β in (1, 2).

    Parameters
    ----------
    q, k, v : tensors
        as in :func:`linear_attention_scan`; keys of norm 1, or the state can grow.
    beta : tensor of shape (batch, length, heads)
        β, how much of the old value gives way.
    decay : tensor of shape (batch, length, heads, key or 1), optional
        w; 1 if not given.

    Examples
    --------
    >>> one = torch.ones(1, 3, 1, 1)
    >>> v = torch.tensor([5.0, 6.0, 7.0]).view(1, 3, 1, 1)
    >>> delta_scan(one, one, v, one[..., 0]).flatten().tolist()
    [5.0, 6.0, 7.0]
    """
    put = beta.unsqueeze(-1) * k
    return _scan(q, put, v, decay, k if decay is None else decay * k, put)


def rank_one_scan(
    q: Float[Tensor, "batch length heads key"],
    k: Float[Tensor, "batch length heads key"],
    v: Float[Tensor, "batch length heads value"],
    decay: Float[Tensor, "batch length heads #key"] | None,
    look: Float[Tensor, "batch length heads key"],
    put: Float[Tensor, "batch length heads key"],
) -> Float[Tensor, "batch length heads value"]:
    """Compute S_t = diag(w_t) S_{t-1} - p_t (l_tᵀ S_{t-1}) + k_t v_tᵀ, y_t = S_tᵀ q_t.

    Parameters
    ----------
    q, k, v : tensors
        as in :func:`linear_attention_scan`.
    decay : tensor of shape (batch, length, heads, key or 1) or None
        w; 1 if None.
    look, put : tensors of shape (batch, length, heads, key)
        l, along which the old state is looked up, and p, along which that is taken away.

    Examples
    --------
    >>> one = torch.ones(1, 3, 1, 1)
    >>> rank_one_scan(one, one, one, None, one, one).flatten().tolist()
    [1.0, 1.0, 1.0]
    """
    return _scan(q, k, v, decay, look, put)


def stabilised_gates(
    log_forget: Float[Tensor, "batch length *rest"], log_enter: Float[Tensor, "batch length *rest"]
) -> tuple[
    Float[Tensor, "batch length *rest"],
    Float[Tensor, "batch length *rest"],
    Float[Tensor, "batch length *rest"],
]:
    """Bring exponential gates into range: forget and enter in (0, 1], and the scale m.

    What decays by exp(log f_t) and takes in exp(log i_t) times something can leave the range of
    any number type. With m_t = max(log f_t + m_{t-1}, log i_t), the same recurrence run with
    f'_t = exp(log f_t + m_{t-1} - m_t) and i'_t = exp(log i_t - m_t) has a state that is
    exp(-m_t) times the one meant, so ratios of such states are unchanged and stay finite. m has no
    gradient: a loss that depends on ratios alone does not depend on it.

    Parameters
    ----------
    log_forget, log_enter : tensors of shape (batch, length, ...)

    Returns
    -------
    forget, enter, m : tensors of that shape

    Examples
    --------
    >>> steps = torch.tensor([[0.0, 1000.0, 0.0]])
    >>> forget, enter, m = stabilised_gates(torch.zeros(1, 3), steps)
    >>> forget.tolist(), enter.tolist(), m.tolist()
    ([[0.0, 0.0, 1.0]], [[1.0, 1.0, 0.0]], [[0.0, 1000.0, 1000.0]])
    """
    log_forget, log_enter = promote_to_state_type(log_forget, log_enter)
    with torch.no_grad():  # in double: the sums are long, and their differences matter
        total = log_forget.double().cumsum(1)
        m = (total + (log_enter.double() - total).cummax(1).values).to(log_enter.dtype)
        before = torch.cat([torch.full_like(m[:, :1], -torch.inf), m[:, :-1]], dim=1)
    return torch.exp(log_forget + before - m), torch.exp(log_enter - m), m


def _scan(
    q: Tensor, k: Tensor, v: Tensor, decay: Tensor | None, look: Tensor | None, put: Tensor | None
) -> Tensor:
    """Run the scan with heads merged into the batch; absent inputs have length 0."""
    heads = q.shape[2]
    if decay is not None:
        decay = decay.expand(k.shape)
    none = k.new_zeros(k.shape[0], 0, heads, k.shape[3])
    rows = [
        t.transpose(1, 2).flatten(0, 1)
        for t in promote_to_state_type(
            q, k, v, *(none if t is None else t for t in (decay, look, put))
        )
    ]
    y: Tensor = find_operation("delta", q)(*rows)
    y = y.unflatten(0, (-1, heads)).transpose(1, 2)
    return y.to(v.dtype)
