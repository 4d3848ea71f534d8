"""Exponential gates one symbol at a time, kept in range by a common scale.

A recurrence c_t = f_t c_{t-1} + i_t u_t with gates of any positive size can leave the range of any
number type. It is run at the scale e^{-m_t}, with m_t = max(log f_t + m_{t-1}, log i_t), which
leaves ratios of such states unchanged. `flann.models.scans.stabilised_gates` does the same for all
positions of a word at once.
"""

from __future__ import annotations

import torch
from torch import Tensor


def advance_gates(
    log_forget: Tensor, log_input: Tensor, m: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the forget and input gates at the new scale, and the new m.

    Parameters
    ----------
    log_forget, log_input : Tensor
        log f_t and log i_t.
    m : Tensor
        m_{t-1}, which is minus infinity before the first symbol.

    Examples
    --------
    >>> forget, enter, m = advance_gates(*torch.tensor([0.0, 1000.0, 1000.0]))
    >>> forget.item(), enter.item(), m.item()
    (1.0, 1.0, 1000.0)
    """
    decayed = log_forget + m
    m = torch.maximum(decayed, log_input)
    return torch.exp(decayed - m), torch.exp(log_input - m), m
