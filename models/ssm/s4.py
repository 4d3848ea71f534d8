"""S4: a linear time-invariant state space for every channel, diagonal plus low rank (DPLR).

The system of every channel (see `flann.models.ssm.time_invariant`) has the state matrix
A = Λ - P P*, with Λ = -exp(`log_decay`) + i `frequency`, initialised as HiPPO-LegS. It is
discretised with step Δ by the bilinear rule::

    Ā = (I - Δ/2 A)⁻¹ (I + Δ/2 A),    B̄ = (I - Δ/2 A)⁻¹ Δ B

The kernel K_j = C Ā^j B̄ follows from its generating function, by the Woodbury identity in terms of
Cauchy sums::

    K̂(z) = Σ_j K_j z^j = 2/(1+z) [ C R B - C R P (1 + P* R P)⁻¹ P* R B ]
    R = (2/Δ (1-z)/(1+z) - Λ)⁻¹

The paper evaluates K̂ at roots of unity, which aliases the tail of the kernel into its beginning,
and removes the tail through Ā^L, which ties the parameters to one length L. Here z lies on a
circle of radius r < 1 instead: the tail is damped by r^(2L) = `ALIASING`, and one set of parameters
serves every length. In double precision the result is correct to about ten digits.

S4: Gu, Goel & Ré 2021, arXiv:2111.00396, §3 and appendix C. The form P P* of the low-rank term,
which keeps A stable: Goel et al. 2022, arXiv:2202.09729, §4.1. Inversion of a generating function
on a smaller circle: Abate & Whitt 1992, "Numerical inversion of probability generating functions".
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.registry import register
from flann.models.scans import cauchy_sums

from .time_invariant import TimeInvariantArchitecture, TimeInvariantSSM

ALIASING = 1e-11
"""Factor by which the kernel's tail is damped where it aliases into the beginning."""


class DPLR(TimeInvariantSSM):
    """S4's state space, with A = Λ - P P* initialised as HiPPO-LegS."""

    def __init__(self, width: int, state: int) -> None:
        super().__init__(width, state)
        poles, low_rank, into = build_hippo_legs(state)
        self.log_decay = nn.Parameter(torch.log(-poles.real).repeat(width, 1))
        self.frequency = nn.Parameter(poles.imag.repeat(width, 1))
        self.low_rank = nn.Parameter(torch.view_as_real(low_rank).repeat(width, 1, 1))  # P
        self.into = nn.Parameter(torch.view_as_real(into).repeat(width, 1, 1))  # B

    @override
    def compute_kernel(self, length: int) -> Float[Tensor, "width length"]:
        """Return the kernel, computed in double precision from its generating function."""
        half_step = torch.exp(self.log_step.double())[:, None] / 2
        poles = self.compute_poles().to(torch.complex128) * half_step
        P, B, C = (to_complex128(p) for p in (self.low_rank, self.into, self.read))
        r = ALIASING ** (1 / (2 * length))
        count = torch.arange(length + 1, device=P.device, dtype=torch.float64)
        z = r * torch.exp(-1j * torch.pi / length * count)
        points = (1 - z) / (1 + z)  # R = Δ/2 (points - poles)⁻¹
        pairs = torch.stack([C * B, C * P, P.conj() * B, P.conj() * P], dim=1)
        CRB, CRP, PRB, PRP = (half_step[:, None] * cauchy_sums(pairs, poles, points)).unbind(1)
        spectrum = 2 / (1 + z) * (CRB - CRP * PRB / (1 + PRP))
        damped: Tensor = torch.fft.irfft(spectrum, 2 * length)[:, :length]
        return damped * torch.pow(r, -count[:length])

    @override
    def advance(self, u: Tensor, x: Tensor) -> Tensor:
        """Return x_t = (2/Δ - A)⁻¹ [(2/Δ + A) x_{t-1} + 2 B u_t], by the Woodbury identity."""
        rate = 2 * torch.exp(-self.log_step)[:, None]
        poles, P = self.compute_poles(), torch.view_as_complex(self.low_rank)
        x = (
            (rate + poles) * x
            - P * compute_inner(P, x)
            + 2 * torch.view_as_complex(self.into) * u[..., None]
        )
        x, Q = x / (rate - poles), P / (rate - poles)
        return x - Q * compute_inner(P, x) / (1 + compute_inner(P, Q))


def to_complex128(pairs: Tensor) -> Tensor:
    """Return pairs of real and imaginary parts as complex numbers in double precision."""
    return torch.view_as_complex(pairs.double())


def compute_inner(P: Tensor, x: Tensor) -> Tensor:
    """Return P* x over all N states, given one of each conjugate pair; keep the last axis."""
    return 2 * (P.conj() * x).sum(-1, keepdim=True).real


def build_hippo_legs(
    state: int,
) -> tuple[Complex[Tensor, " pairs"], Complex[Tensor, " pairs"], Complex[Tensor, " pairs"]]:
    """Return Λ, P and B of HiPPO-LegS in a basis in which A = Λ - P P*.

    One member of each conjugate pair is returned. The matrix is A[n,k] = -√(2n+1)√(2k+1) below
    the diagonal, -(n+1) on it, and 0 above. With P[n] = √(n+1/2), A + P Pᵀ is -I/2 plus a
    skew-symmetric matrix, which a unitary V diagonalises (arXiv:2111.00396, appendix C.1).

    Examples
    --------
    >>> poles, P, B = build_hippo_legs(4)
    >>> poles.real.tolist(), bool((poles.imag > 0).all())
    ([-0.5, -0.5], True)
    """
    n = torch.arange(state, dtype=torch.float64)
    B, P = torch.sqrt(2 * n + 1), torch.sqrt(n + 0.5)
    A = -torch.tril(B[:, None] * B[None, :], -1) - torch.diag(n + 1)
    skew = A + P[:, None] * P[None, :] + 0.5 * torch.eye(state, dtype=torch.float64)
    frequencies, V = torch.linalg.eigh(-1j * skew)
    V, frequencies = V[:, state // 2 :], frequencies[state // 2 :]
    poles = torch.complex(torch.full_like(frequencies, -0.5), frequencies)
    kind = torch.complex64 if torch.get_default_dtype() == torch.float32 else torch.complex128
    return poles.to(kind), (V.mH @ (P + 0j)).to(kind), (V.mH @ (B + 0j)).to(kind)


@register("s4")
class S4(TimeInvariantArchitecture):
    """Structured state space, diagonal plus low rank, from HiPPO-LegS (Gu et al. 2021)."""

    ssm = DPLR
