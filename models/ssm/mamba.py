"""Mamba: a diagonal recurrence whose time step, input map and output map depend on the input (S6).

With stream x_t (width d), inner width E, N states for each inner channel e, and R = ⌈d/16⌉::

    u, z     = W_in x_t                              `into`, d -> 2E
    u        = SiLU(conv(u))                         `convolution`, causal, depthwise, K taps
    δ, B, C  = W_x u                                 `select`, E -> R + 2N
    Δ_t      = softplus(W_Δ δ + b)                   `time_step`, R -> E
    h_t[e,n] = α(Δ_t[e] A[e,n]) h_{t-1}[e,n] + Δ_t[e] B_t[n] u_t[e]
    v_t[e]   = Σ_n C_t[n] h_t[e,n] + D[e] u_t[e]     `skip` is D
    y_t      = W_out (v_t ⊙ SiLU(z))                 `out`, E -> d

with A = -exp(`log_rates`). In the paper α = exp, with decays in (0, 1). With
``eigenvalues=negative``, α(z) = 2 exp(z) - 1 lies in (-1, 1), so that a symbol can change a
channel's sign, as parity requires.

Mamba: Gu & Dao 2023, arXiv:2312.00752, §3 and Algorithm 2. Negative eigenvalues: Grazzi et al.
2024, arXiv:2411.12537.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.layer import Layer, State
from flann.models.core.registry import register
from flann.models.core.time_step import initialise_time_step
from flann.models.scans import selective_scan, short_convolution
from flann.models.scans.state_space import Eigenvalues

from .selective_ssm import SelectiveArchitecture, compute_decay


class SelectiveSSM(Layer):
    """A Mamba mixer.

    Parameters
    ----------
    width, inner, state, taps : int
        d, E, N and K.
    eigenvalues : 'positive' or 'negative'
        Range of the decays: (0, 1), or (-1, 1).
    """

    undecayed = ("log_rates", "skip")

    def __init__(
        self, width: int, inner: int, *, state: int, taps: int, eigenvalues: Eigenvalues
    ) -> None:
        super().__init__()
        self.inner, self.state, self.taps = inner, state, taps
        self.eigenvalues: Eigenvalues = eigenvalues
        self.rank = ceil(width / 16)
        self.into = nn.Linear(width, 2 * inner, bias=False)
        self.convolution = nn.Conv1d(inner, inner, taps, groups=inner)
        self.select = nn.Linear(inner, self.rank + 2 * state, bias=False)
        self.time_step = nn.Linear(self.rank, inner)
        self.log_rates = nn.Parameter(torch.arange(1.0, state + 1).log().repeat(inner, 1))
        self.skip = nn.Parameter(torch.ones(inner))
        self.out = nn.Linear(inner, width, bias=False)
        initialise_time_step(self.time_step)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        # Two products rather than one that is split: the kernels need contiguous inputs.
        u, z = (functional.linear(x, weight) for weight in self.into.weight.chunk(2))
        u = short_convolution(u, self.convolution.weight.squeeze(1), self._bias)
        dt, B, C = self._select_terms(u)
        rates = -torch.exp(self.log_rates)
        v = selective_scan(u, dt, rates, B, C, skip=self.skip, gate=z, eigenvalues=self.eigenvalues)
        y: Tensor = self.out(v)
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return the last K - 1 inputs of the convolution and h, both zeros."""
        zeros = self.skip.new_zeros
        return (
            zeros(batch_size, self.taps - 1, self.inner),
            zeros(batch_size, self.inner, self.state),
        )

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        recent, h = state
        u, z = self.into(x).chunk(2, dim=-1)
        window = torch.cat([recent, u.unsqueeze(1)], dim=1)
        taps = self.convolution.weight.squeeze(1).T
        u = functional.silu((window * taps).sum(1) + self._bias)
        dt, B, C = self._select_terms(u)
        decay = compute_decay(dt.unsqueeze(-1), self.log_rates, self.eigenvalues)
        h = decay * h + (dt * u).unsqueeze(-1) * B.unsqueeze(1)
        v = (h @ C.unsqueeze(-1)).squeeze(-1) + self.skip * u
        return self.out(v * functional.silu(z)), (window[:, 1:], h)

    @override
    def state_size(self, length: int) -> int:
        return self.inner * (self.state + self.taps - 1)

    @property
    def _bias(self) -> Tensor:
        assert self.convolution.bias is not None
        return self.convolution.bias

    def _select_terms(self, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return Δ, B and C as functions of the input."""
        low, B, C = self.select(u).split([self.rank, self.state, self.state], dim=-1)
        return functional.softplus(self.time_step(low)), B, C


@register("mamba")
class Mamba(SelectiveArchitecture):
    """Selective state space, S6 (Gu & Dao 2023); eigenvalues positive, or negative too.

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        Range of the decays: (0, 1) as in the paper, or (-1, 1).
    state : int
        Number of states of each inner channel.
    taps : int
        Length of the convolution's kernel.
    """

    def __init__(
        self, *, eigenvalues: Eigenvalues = "positive", state: int = 16, taps: int = 4
    ) -> None:
        super().__init__(eigenvalues=eigenvalues, state=state, taps=taps)

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        mixer = SelectiveSSM(
            sizes.width,
            sizes.second_size,
            state=self.state,
            taps=self.taps,
            eigenvalues=self.eigenvalues,
        )
        return [mixer]
