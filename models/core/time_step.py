"""Initial time steps of state-space models and of gates made of them.

A time step Δ = softplus(s) starts log-uniform between `SMALLEST` and `LARGEST`: Gu & Dao 2023,
arXiv:2312.00752, §3.6, after S4 (Gu et al. 2021, arXiv:2111.00396, appendix D).
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn

SMALLEST, LARGEST = 1e-3, 1e-1


def draw_log_time_steps(count: int) -> Tensor:
    """Draw `count` logarithms of time steps, uniform between those of the two bounds."""
    return torch.empty(count).uniform_(log(SMALLEST), log(LARGEST))


def initialise_time_step(linear: nn.Linear) -> None:
    """Initialise a map to softplus⁻¹(Δ): uniform weights, and a bias for log-uniform Δ."""
    nn.init.uniform_(linear.weight, -(linear.in_features**-0.5), linear.in_features**-0.5)
    uniform = torch.rand(linear.out_features)
    time_steps = torch.exp(uniform * (log(LARGEST) - log(SMALLEST)) + log(SMALLEST))
    with torch.no_grad():
        linear.bias.copy_(invert_softplus(time_steps))


def invert_softplus(y: Tensor) -> Tensor:
    """Return the x for which softplus(x) = y.

    >>> from torch.nn import functional
    >>> round(functional.softplus(invert_softplus(torch.tensor(0.01))).item(), 6)
    0.01
    """
    return y + torch.log(-torch.expm1(-y))
