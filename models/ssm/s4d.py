"""S4D: the diagonal case of S4 (see `flann.models.ssm.s4` for the symbols).

::

    x_t = Ā x_{t-1} + B̄ u_t,   y_t = 2 Re Σ_n C_n x_t[n] + D u_t,   over one of each conjugate pair
    Ā = exp(Δ Λ),   B̄ = (exp(Δ Λ) - 1) / Λ                          zero-order hold, B = 1
    K_j = 2 Re Σ_n C_n B̄_n Ā_n^j

Only the product of B and C matters in a diagonal system, so B is 1 and C is trained. Λ begins as
S4D-Lin, -1/2 + i π n.

S4D: Gu, Gupta, Goel & Ré 2022, arXiv:2206.11893, §3 and §4.
"""

from __future__ import annotations

from math import ceil, isqrt, log, pi

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.registry import register

from .s4 import TimeInvariantArchitecture, TimeInvariantSSM


class Diagonal(TimeInvariantSSM):
    """S4D's state space: A = Λ."""

    def __init__(self, width: int, state: int) -> None:
        super().__init__(width, state)
        pairs = state // 2
        self.log_decay = nn.Parameter(torch.full((width, pairs), log(0.5)))
        self.frequency = nn.Parameter(pi * torch.arange(float(pairs)).repeat(width, 1))

    @override
    def kernel(self, length: int) -> Float[Tensor, "width length"]:
        m = isqrt(length - 1) + 1
        exponents, gain = self._discrete()
        coarse = torch.exp(exponents[:, None, :] * (m * self._count(ceil(length / m))))
        fine = torch.exp(exponents[:, :, None] * self._count(m).T)
        powers = (coarse * (gain * torch.view_as_complex(self.read))[:, None, :]) @ fine
        return 2 * powers.flatten(1)[:, :length].real

    @override
    def advance(self, u: Tensor, x: Tensor) -> Tensor:
        exponents, gain = self._discrete()
        return torch.exp(exponents) * x + gain * u[..., None]

    def _discrete(self) -> tuple[Tensor, Tensor]:
        """Δ Λ and B̄."""
        poles = self.poles()
        exponents = poles * torch.exp(self.log_step)[:, None]
        return exponents, (torch.exp(exponents) - 1) / poles

    def _count(self, n: int) -> Tensor:
        return torch.arange(n, device=self.log_step.device, dtype=self.log_step.dtype)[:, None]


@register("s4d")
class S4D(TimeInvariantArchitecture):
    """Diagonal structured state space, complex poles (Gu et al. 2022)."""

    ssm = Diagonal
