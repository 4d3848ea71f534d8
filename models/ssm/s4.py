"""S4: a linear time-invariant state space for every channel, diagonal plus low rank (DPLR).

Every channel u of the stream drives N states through its own system::

    x'(t) = A x(t) + B u(t),    y(t) = C x(t) + D u(t),    A = Λ - P P*

discretised with step Δ by the bilinear rule::

    Ā = (I - Δ/2 A)⁻¹ (I + Δ/2 A),    B̄ = (I - Δ/2 A)⁻¹ Δ B
    x_t = Ā x_{t-1} + B̄ u_t,          y_t = C x_t + D u_t               the recurrence, `step`
    y   = K * u + D u,                K_j = C Ā^j B̄                     the convolution, `forward`

and the channels are mixed after it, GLU(W GELU(y)). Λ = -exp(`log_decay`) + i `frequency`, and A
begins as HiPPO-LegS. A is real, so its poles come in conjugate pairs: N/2 of them are kept, and
sums over all are twice the real part.

The kernel comes from its generating function, Cauchy sums by the Woodbury identity::

    K̂(z) = Σ_j K_j z^j = 2/(1+z) [ C R B - C R P (1 + P* R P)⁻¹ P* R B ]
    R = (2/Δ (1-z)/(1+z) - Λ)⁻¹

The paper evaluates it at roots of unity, where the tail of the kernel folds onto its beginning,
and takes the tail away through Ā^L, which ties the parameters to one length L. Here z is on a
circle of radius r < 1 instead: the tail is damped by r^(2L), set to `TAIL`, and any length comes
from the same parameters. In double precision the result is right to about ten digits.

S4: Gu, Goel & Ré 2021, arXiv:2111.00396, §3 and appendix C. P* = Q* (a stable A): Goel et al.
2022, arXiv:2202.09729, §4.1. Inverting a generating function on a smaller circle: Abate & Whitt
1992, "Numerical inversion of probability generating functions".
"""

from __future__ import annotations

from math import log
from types import MappingProxyType

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual, State
from flann.models.scans import cauchy_sums

from .long_convolution import causal_convolution

TAIL = 1e-11


class TimeInvariantSSM(Layer):
    """What S4 and S4D share: a kernel for every channel, convolved with it, and the mixing.

    Parameters
    ----------
    width, state : int
        channels, and N, the (even) number of states of each.
    """

    slow = ("log_step", "log_decay", "frequency", "low_rank", "into")
    undecayed = ("skip",)
    log_decay: nn.Parameter
    frequency: nn.Parameter

    def __init__(self, width: int, state: int) -> None:
        super().__init__()
        self.width, self.state = width, state
        self.log_step = nn.Parameter(torch.empty(width).uniform_(log(1e-3), log(1e-1)))
        self.read = nn.Parameter(torch.randn(width, state // 2, 2) * 0.5**0.5)  # C
        self.skip = nn.Parameter(torch.ones(width))  # D
        self.mix = nn.Linear(width, 2 * width)

    def kernel(self, length: int) -> Float[Tensor, "width length"]:
        """K_0 ... K_{length-1} of every channel."""
        raise NotImplementedError

    def advance(self, u: Tensor, x: Tensor) -> Tensor:
        """x_t from x_{t-1} and u_t: (batch, width, N/2), complex."""
        raise NotImplementedError

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        y = causal_convolution(x, self.kernel(x.shape[1]).to(x.dtype))
        return self._mixed(y + self.skip * x)

    @override
    def initial_state(self, batch_size: int) -> State:
        zeros = self.read.new_zeros(batch_size, self.width, self.state // 2, 2)
        return torch.view_as_complex(zeros)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        state = self.advance(x, state)
        y = 2 * (torch.view_as_complex(self.read) * state).sum(-1).real
        return self._mixed(y + self.skip * x), state

    @override
    def state_size(self, length: int) -> int:
        return self.width * self.state

    def poles(self) -> Complex[Tensor, "width pairs"]:
        """Λ, one of each conjugate pair."""
        return torch.complex(-torch.exp(self.log_decay), self.frequency)

    def _mixed(self, y: Tensor) -> Tensor:
        mixed: Tensor = functional.glu(self.mix(functional.gelu(y)), dim=-1)
        return mixed


class DPLR(TimeInvariantSSM):
    """S4's state space: A = Λ - P P*, from HiPPO-LegS."""

    def __init__(self, width: int, state: int) -> None:
        super().__init__(width, state)
        poles, low_rank, into = hippo_legs(state)
        self.log_decay = nn.Parameter(torch.log(-poles.real).repeat(width, 1))
        self.frequency = nn.Parameter(poles.imag.repeat(width, 1))
        self.low_rank = nn.Parameter(torch.view_as_real(low_rank).repeat(width, 1, 1))  # P
        self.into = nn.Parameter(torch.view_as_real(into).repeat(width, 1, 1))  # B

    @override
    def kernel(self, length: int) -> Float[Tensor, "width length"]:
        half_step = torch.exp(self.log_step.double())[:, None] / 2
        poles = self.poles().to(torch.complex128) * half_step
        P, B, C = (self._complex(p) for p in (self.low_rank, self.into, self.read))
        r = TAIL ** (1 / (2 * length))
        count = torch.arange(length + 1, device=P.device, dtype=torch.float64)
        z = r * torch.exp(-1j * torch.pi / length * count)
        points = (1 - z) / (1 + z)  # the quotients are in units of half a step: R = Δ/2 q
        pairs = torch.stack([C * B, C * P, P.conj() * B, P.conj() * P], dim=1)
        CRB, CRP, PRB, PRP = (half_step[:, None] * cauchy_sums(pairs, poles, points)).unbind(1)
        spectrum = 2 / (1 + z) * (CRB - CRP * PRB / (1 + PRP))
        damped: Tensor = torch.fft.irfft(spectrum, 2 * length)[:, :length]
        return damped * torch.pow(r, -count[:length])

    @override
    def advance(self, u: Tensor, x: Tensor) -> Tensor:
        rate = 2 * torch.exp(-self.log_step)[:, None]
        poles, P = self.poles(), torch.view_as_complex(self.low_rank)
        x = (
            (rate + poles) * x
            - P * _inner(P, x)
            + 2 * torch.view_as_complex(self.into) * u[..., None]
        )
        x, Q = x / (rate - poles), P / (rate - poles)
        return x - Q * _inner(P, x) / (1 + _inner(P, Q))

    def _complex(self, pairs: Tensor) -> Tensor:
        return torch.view_as_complex(pairs.double())


def _inner(P: Tensor, x: Tensor) -> Tensor:
    """P* x over all N states, from one of each conjugate pair; the last axis is kept."""
    return 2 * (P.conj() * x).sum(-1, keepdim=True).real


def hippo_legs(
    state: int,
) -> tuple[Complex[Tensor, " pairs"], Complex[Tensor, " pairs"], Complex[Tensor, " pairs"]]:
    """Λ, P and B of HiPPO-LegS in the basis that makes A = Λ - P P*; one of each pair.

    The matrix is A[n,k] = -√(2n+1)√(2k+1) below the diagonal, -(n+1) on it, 0 above. With
    P[n] = √(n+1/2), A + P Pᵀ is -1/2 plus a skew-symmetric matrix, which a unitary V makes
    diagonal (arXiv:2111.00396, appendix C.1).

    Examples
    --------
    >>> poles, P, B = hippo_legs(4)
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


class TimeInvariantArchitecture(Architecture):
    """What S4 and S4D share: a stack of state-space layers, N states for every channel."""

    family = "time-invariant-ssm"
    knob = "state"
    knob_step = 2
    recipe = MappingProxyType({"lr": 3e-3, "steps": 4000})
    ssm: type[TimeInvariantSSM]

    @override
    def customary(self, width: int) -> int:
        return 64

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        return [
            Residual(self.ssm(sizes.width, sizes.second), sizes.width) for _ in range(sizes.depth)
        ]


@register("s4")
class S4(TimeInvariantArchitecture):
    """Structured state space, diagonal plus low rank, from HiPPO-LegS (Gu et al. 2021)."""

    ssm = DPLR
