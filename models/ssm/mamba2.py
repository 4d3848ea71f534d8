"""Mamba-2: a state space whose decay is one number for each head (SSD).

With stream x_t (width d), inner width E shared out among H heads of P channels, N states::

    z, u, B, C, δ = W_in x_t                         `into`, d -> E + E + N + N + H
    u, B, C  = SiLU(conv(u, B, C))                   `convolution`, causal, depthwise, K taps
    Δ_t      = softplus(δ + b)                       `step_bias` is b; one for each head
    S_t      = α(Δ_t A) S_{t-1} + B_t (Δ_t u_t)ᵀ     head by head, (N x P); B and C are shared
    v_t      = S_tᵀ C_t + D u_t                      `skip` is D, one for each head
    y_t      = W_out rms(v_t ⊙ SiLU(z))              `out`, E -> d

with A = -exp(`log_rates`) < 0, and α(z) = exp(z) in (0, 1), the paper's, or with
``eigenvalues=negative`` 2 exp(z) - 1 in (-1, 1), as for Mamba (see `flann.models.ssm.mamba`).

Dao & Gu 2024, arXiv:2405.21060, §6 and §7.
"""

from __future__ import annotations

from math import log
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.fast_weights import FastWeights, Terms, shared_out
from flann.models.core.norms import RMSNorm
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual
from flann.models.core.short_convolution import ShortConvolution
from flann.models.scans.state_space import Eigenvalues

from .mamba import inverse_softplus


class ScalarDecaySSM(FastWeights):
    """One Mamba-2 mixer.

    Parameters
    ----------
    width, inner, state, heads : int
        d, E, N and H.
    taps : int
        of the convolution, K.
    eigenvalues : 'positive' or 'negative'
        of the recurrence, see the module.
    """

    undecayed = ("log_rates", "step_bias", "skip")

    def __init__(
        self,
        width: int,
        inner: int,
        *,
        state: int,
        heads: int,
        taps: int,
        eigenvalues: Eigenvalues,
    ) -> None:
        super().__init__(heads, state, inner // heads)
        self.inner = inner
        self.eigenvalues: Eigenvalues = eigenvalues
        self.into = nn.Linear(width, 2 * inner + 2 * state + heads, bias=False)
        self.convolution = ShortConvolution(inner + 2 * state, taps, bias=True)
        dt = torch.exp(torch.empty(heads).uniform_(log(1e-3), log(1e-1)))
        self.step_bias = nn.Parameter(inverse_softplus(dt))
        self.log_rates = nn.Parameter(torch.empty(heads).uniform_(1, 16).log())
        self.skip = nn.Parameter(torch.ones(heads, 1))
        self.norm = RMSNorm(inner)
        self.out = nn.Linear(inner, width, bias=False)

    @override
    def terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        E, N, H = self.inner, self.key, self.heads
        z, joined, low = self.into(x).split([E, E + 2 * N, H], dim=-1)
        joined, recent = self.convolution(joined, recent)
        u, B, C = joined.split([E, N, N], dim=-1)
        dt, u = functional.softplus(low + self.step_bias)[..., None], self.split(u)
        decay = torch.exp(dt * -torch.exp(self.log_rates)[:, None])
        if self.eigenvalues == "negative":
            decay = 2 * decay - 1
        B, C = (part.unsqueeze(2).expand(-1, -1, H, -1) for part in (B, C))
        return Terms(C, B, dt * u, decay), (u, z), recent

    @override
    def output(self, y: Tensor, beside: Any) -> Tensor:
        u, z = beside
        v = (y + self.skip * u).flatten(2)
        mixed: Tensor = self.out(self.norm(v * functional.silu(z)))
        return mixed

    @override
    def start(self, batch_size: int) -> Any:
        return self.convolution.start(batch_size)

    @override
    def recent_size(self) -> int:
        return self.convolution.start(1).numel()


@register("mamba-2")
class Mamba2(Architecture):
    """State space, one decay a head (Dao & Gu 2024); eigenvalues positive, or negative too.

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        decays in (0, 1), the paper's, or in (-1, 1).
    state : int
        N, states for each inner channel.
    heads : int
        H, how many decays.
    taps : int
        of the convolution.
    """

    knob = "inner"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 2000})

    def __init__(
        self,
        *,
        eigenvalues: Eigenvalues = "positive",
        state: int = 16,
        heads: int = 4,
        taps: int = 4,
    ) -> None:
        if state < 1:
            raise UserError(f"mamba-2, option 'state': expected 1 or more, got {state}")
        self.heads = self.knob_step = shared_out("mamba-2", heads)
        self.eigenvalues: Eigenvalues = eigenvalues
        self.state, self.taps = state, taps
        self.family = "nonnegative-ssm" if eigenvalues == "positive" else "real-ssm"

    @override
    def customary(self, width: int) -> int:
        return 2 * width

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        return [Residual(self._layer(sizes), sizes.width) for _ in range(sizes.depth)]

    def _layer(self, sizes: Sizes) -> Layer:
        return ScalarDecaySSM(
            sizes.width,
            sizes.second,
            state=self.state,
            heads=self.heads,
            taps=self.taps,
            eigenvalues=self.eigenvalues,
        )
