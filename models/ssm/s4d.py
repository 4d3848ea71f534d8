"""S4D: the diagonal case of S4 (see `flann.models.ssm.time_invariant` for the symbols).

With A = Λ diagonal, a zero-order hold, and sums over one of each conjugate pair::

    x_t = Ā x_{t-1} + B̄ u_t,   y_t = 2 Re Σ_n C_n x_t[n] + D u_t
    Ā = exp(Δ Λ),   B̄ = (exp(Δ Λ) - 1) / Λ
    K_j = 2 Re Σ_n C_n B̄_n Ā_n^j

A diagonal system depends on B and C only through their product, so B = 1 and C is trained. Λ is
initialised as S4D-Lin, -1/2 + i π n.

S4D: Gu, Gupta, Goel & Ré 2022, arXiv:2206.11893, §3 and §4.
"""

from __future__ import annotations

from math import ceil, isqrt, log, pi

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.registry import register

from .time_invariant import TimeInvariantArchitecture, TimeInvariantSSM


class DiagonalSSM(TimeInvariantSSM):
    """S4D's state space, with A = Λ."""

    def __init__(self, width: int, state: int) -> None:
        super().__init__(width, state)
        pairs = state // 2
        self.log_decay = nn.Parameter(torch.full((width, pairs), log(0.5)))
        self.frequency = nn.Parameter(pi * torch.arange(float(pairs)).repeat(width, 1))

    @override
    def compute_kernel(self, length: int) -> Float[Tensor, "width length"]:
        """Return the kernel, with the powers of Ā as products Ā^(a m) Ā^b.

        With m about √L this takes 2 √L exponentials a pole instead of L.
        """
        m = isqrt(length - 1) + 1
        exponents, gain = self._discretise()
        coarse = torch.exp(exponents[:, None, :] * (m * self._count_up_to(ceil(length / m))))
        fine = torch.exp(exponents[:, :, None] * self._count_up_to(m).T)
        powers = (coarse * (gain * torch.view_as_complex(self.read))[:, None, :]) @ fine
        return 2 * powers.flatten(1)[:, :length].real

    @override
    def advance(self, u: Tensor, x: Tensor) -> Tensor:
        """Return x_t = Ā x_{t-1} + B̄ u_t."""
        exponents, gain = self._discretise()
        return torch.exp(exponents) * x + gain * u[..., None]

    def _discretise(self) -> tuple[Tensor, Tensor]:
        """Return Δ Λ and B̄."""
        poles = self.compute_poles()
        exponents = poles * torch.exp(self.log_step)[:, None]
        return exponents, (torch.exp(exponents) - 1) / poles

    def _count_up_to(self, n: int) -> Tensor:
        return torch.arange(n, device=self.log_step.device, dtype=self.log_step.dtype)[:, None]


@register("s4d")
class S4D(TimeInvariantArchitecture):
    """Diagonal structured state space, complex poles (Gu et al. 2022)."""

    ssm = DiagonalSSM
