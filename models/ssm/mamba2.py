"""Mamba-2: a state space with one scalar decay for each head (SSD).

With stream x_t (width d), inner width E divided among H heads of P channels, and N states::

    z, u, B, C, δ = W_in x_t                         `into`, d -> E + E + N + N + H
    u, B, C  = SiLU(conv(u, B, C))                   `convolution`, causal, depthwise, K taps
    Δ_t      = softplus(δ + b)                       `step_bias` is b; one for each head
    S_t      = α(Δ_t A) S_{t-1} + B_t (Δ_t u_t)ᵀ     head by head, (N x P); B and C are shared
    v_t      = S_tᵀ C_t + D u_t                      `skip` is D, one for each head
    y_t      = W_out rms(v_t ⊙ SiLU(z))              `out`, E -> d

with A = -exp(`log_rates`) < 0. In the paper α(z) = exp(z), in (0, 1). With
``eigenvalues=negative`` it is 2 exp(z) - 1, in (-1, 1), as for Mamba (`flann.models.ssm.mamba`).

Dao & Gu 2024, arXiv:2405.21060, §6 and §7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Sizes
from flann.models.core.fast_weights import FastWeights, Terms, check_heads
from flann.models.core.layer import Layer
from flann.models.core.norms import RMSNorm
from flann.models.core.registry import register
from flann.models.core.short_convolution import ShortConvolution
from flann.models.core.time_step import draw_log_time_steps, invert_softplus
from flann.models.scans.state_space import Eigenvalues

from .selective_ssm import SelectiveArchitecture, compute_decay


class ScalarDecaySSM(FastWeights):
    """A Mamba-2 mixer.

    Parameters
    ----------
    width, inner, state, heads, taps : int
        d, E, N, H and K.
    eigenvalues : 'positive' or 'negative'
        Range of the decays: (0, 1), or (-1, 1).
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
        self.step_bias = nn.Parameter(invert_softplus(torch.exp(draw_log_time_steps(heads))))
        self.log_rates = nn.Parameter(torch.empty(heads).uniform_(1, 16).log())
        self.skip = nn.Parameter(torch.ones(heads, 1))
        self.norm = RMSNorm(inner)
        self.out = nn.Linear(inner, width, bias=False)

    @override
    def compute_terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        """Return the recurrence's terms: q = C, k = B and v = Δ u."""
        E, N, H = self.inner, self.key, self.heads
        z, joined, low = self.into(x).split([E, E + 2 * N, H], dim=-1)
        joined, recent = self.convolution(joined, recent)
        u, B, C = joined.split([E, N, N], dim=-1)
        dt, u = functional.softplus(low + self.step_bias)[..., None], self.split_heads(u)
        decay = compute_decay(dt, self.log_rates[:, None], self.eigenvalues)
        B, C = (part.unsqueeze(2).expand(-1, -1, H, -1) for part in (B, C))
        return Terms(C, B, dt * u, decay), (u, z), recent

    @override
    def compute_output(self, y: Tensor, beside: Any) -> Tensor:
        u, z = beside
        v = (y + self.skip * u).flatten(2)
        mixed: Tensor = self.out(self.norm(v * functional.silu(z)))
        return mixed

    @override
    def initial_recent(self, batch_size: int) -> Any:
        return self.convolution.initial_recent(batch_size)

    @override
    def recent_size(self) -> int:
        return self.convolution.initial_recent(1).numel()


@register("mamba-2")
class Mamba2(SelectiveArchitecture):
    """State space, one decay a head (Dao & Gu 2024); eigenvalues positive, or negative too.

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        Range of the decays: (0, 1) as in the paper, or (-1, 1).
    state : int
        Number of states of each inner channel.
    heads : int
        Number of heads, each with one decay.
    taps : int
        Length of the convolution's kernel.
    """

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
        super().__init__(eigenvalues=eigenvalues, state=state, taps=taps)
        self.heads = self.second_size_step = check_heads("mamba-2", heads)

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        mixer = ScalarDecaySSM(
            sizes.width,
            sizes.second_size,
            state=self.state,
            heads=self.heads,
            taps=self.taps,
            eigenvalues=self.eigenvalues,
        )
        return [mixer]
