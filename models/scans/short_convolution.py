"""The short convolution that precedes many recurrences: a few taps a channel, then SiLU.

::

    z_t[e] = bias[e] + Σ_k w[e,k] x_{t-K+1+k}[e],      y = z σ(z)          x before the word is 0

It is no recurrence, but in torch's own operators it costs as much as the scan behind it: the
channels have to be moved in front of time and back, and the backward of a depthwise convolution is
slow. Mamba: Gu & Dao 2023, arXiv:2312.00752, §3.4.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from .dispatch import find_operation, promote_to_state_type


def short_convolution(
    x: Float[Tensor, "batch length inner"],
    weight: Float[Tensor, "inner taps"],
    bias: Float[Tensor, " inner"],
) -> Float[Tensor, "batch length inner"]:
    """Compute SiLU of the causal convolution of every channel with its own taps, newest last.

    Parameters
    ----------
    x : tensor of shape (batch, length, inner)
    weight : tensor of shape (inner, taps)
    bias : tensor of shape (inner,)

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([[[100.0], [200.0], [300.0]]])
    >>> short_convolution(x, torch.tensor([[10.0, 1.0]]), torch.zeros(1)).flatten().tolist()
    [100.0, 1200.0, 2300.0]
    """
    run = find_operation("convolution", x)
    y: Tensor = run(*promote_to_state_type(x, weight[None], bias[None]))
    return y.to(x.dtype)
