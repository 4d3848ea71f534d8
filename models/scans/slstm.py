"""The scan of the sLSTM: gates that see the last output, exponentials kept in range.

::

    i, f, z, o = g_t + R h_{t-1}                  head by head: R is block-diagonal
    m_t = max(l(f) + m_{t-1}, i)                  l(f) = f, or log σ(f); m_0 = -∞
    c_t = exp(l(f) + m_{t-1} - m_t) c_{t-1} + exp(i - m_t) tanh(z)
    n_t = exp(l(f) + m_{t-1} - m_t) n_{t-1} + exp(i - m_t)
    h_t = σ(o) c_t / n_t

A recurrence that is not linear in its state: nothing but going through the word step by step
computes it.

sLSTM: Beck et al. 2024, arXiv:2405.04517, §2.2 and appendix A.
"""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from .dispatch import find_operation, promote_to_state_type

Forget = Literal["exponential", "sigmoid"]


def slstm_scan(
    g: Float[Tensor, "batch length 4 width"],
    R: Float[Tensor, "heads size 4 size"],
    *,
    forget: Forget = "exponential",
) -> Float[Tensor, "batch length width"]:
    """Compute every h_t, from h_0 = c_0 = n_0 = 0.

    Parameters
    ----------
    g : tensor of shape (batch, length, 4, width)
        what the word gives to the gates, in the order i, f, z, o, biases included; width is
        heads x size.
    R : tensor of shape (heads, size, 4, size)
        from h (the second axis) to each gate (the third), a block for every head.
    forget : 'exponential' or 'sigmoid'
        the forget gate, exp(f) or σ(f).

    Returns
    -------
    tensor of shape (batch, length, width)

    Examples
    --------
    A forget gate that is shut and an output gate that is open give tanh of the last input:

    >>> import torch
    >>> g = torch.tensor([0.0, -100.0, 0.5, 100.0]).view(1, 1, 4, 1).expand(1, 2, 4, 1)
    >>> slstm_scan(g, torch.zeros(1, 1, 4, 1)).flatten().tolist()
    [0.4621..., 0.4621...]
    """
    h: Tensor = find_operation("slstm", g)(*promote_to_state_type(g, R[None]), forget == "sigmoid")
    return h.to(g.dtype)
