"""Mamba: a diagonal recurrence whose time step, input and output maps depend on the input (S6).

With stream x_t (width d), inner width E, N states for each inner channel e, and R = ⌈d/16⌉::

    u, z     = W_in x_t                              `into`, d -> 2E
    u        = SiLU(conv(u))                         `convolution`, causal, depthwise, K taps
    δ, B, C  = W_x u                                 `select`, E -> R + 2N
    Δ_t      = softplus(W_Δ δ + b)                   `time_step`, R -> E
    h_t[e,n] = α(Δ_t[e] A[e,n]) h_{t-1}[e,n] + Δ_t[e] B_t[n] u_t[e]
    v_t[e]   = Σ_n C_t[n] h_t[e,n] + D[e] u_t[e]     `skip` is D
    y_t      = W_out (v_t ⊙ SiLU(z))                 `out`, E -> d

with A = -exp(`log_rates`), so that α = exp gives decays in (0, 1): the paper's. With
``eigenvalues=negative`` α(z) = 2 exp(z) - 1, in (-1, 1): a channel can change sign at a symbol,
which is what parity needs.

Mamba: Gu & Dao 2023, arXiv:2312.00752, §3 and Algorithm 2. Negative eigenvalues: Grazzi et al.
2024, arXiv:2411.12537.
"""

from __future__ import annotations

from math import ceil, log
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual, State
from flann.models.scans import selective_scan, short_convolution
from flann.models.scans.state_space import Eigenvalues


class SelectiveSSM(Layer):
    """One Mamba mixer.

    Parameters
    ----------
    width, inner, state : int
        d, E and N.
    taps : int
        of the convolution, K.
    eigenvalues : 'positive' or 'negative'
        of the recurrence, see the module.
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
        # Two products rather than one cut in two: the kernels want each in one piece of memory.
        u, z = (functional.linear(x, weight) for weight in self.into.weight.chunk(2))
        u = short_convolution(u, self.convolution.weight.squeeze(1), self._bias)
        dt, B, C = self._selected(u)
        rates = -torch.exp(self.log_rates)
        v = selective_scan(u, dt, rates, B, C, skip=self.skip, gate=z, eigenvalues=self.eigenvalues)
        y: Tensor = self.out(v)
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
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
        dt, B, C = self._selected(u)
        decay = torch.exp(dt.unsqueeze(-1) * -torch.exp(self.log_rates))
        if self.eigenvalues == "negative":
            decay = 2 * decay - 1
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

    def _selected(self, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Δ, B and C, which depend on the input."""
        low, B, C = self.select(u).split([self.rank, self.state, self.state], dim=-1)
        return functional.softplus(self.time_step(low)), B, C


def initialise_time_step(linear: nn.Linear, least: float = 1e-3, most: float = 1e-1) -> None:
    """Δ begins log-uniform between `least` and `most` (arXiv:2312.00752, §3.6)."""
    nn.init.uniform_(linear.weight, -(linear.in_features**-0.5), linear.in_features**-0.5)
    dt = torch.exp(torch.rand(linear.out_features) * (log(most) - log(least)) + log(least))
    with torch.no_grad():
        linear.bias.copy_(inverse_softplus(dt))


def inverse_softplus(dt: Tensor) -> Tensor:
    """What softplus takes to `dt`.

    >>> round(functional.softplus(inverse_softplus(torch.tensor(0.01))).item(), 6)
    0.01
    """
    return dt + torch.log(-torch.expm1(-dt))


@register("mamba")
class Mamba(Architecture):
    """Selective state space, S6 (Gu & Dao 2023); eigenvalues positive, or negative too.

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        decays in (0, 1), the paper's, or in (-1, 1).
    state : int
        N, states for each inner channel.
    taps : int
        of the convolution.
    """

    knob = "inner"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 2000})

    def __init__(
        self, *, eigenvalues: Eigenvalues = "positive", state: int = 16, taps: int = 4
    ) -> None:
        self.eigenvalues, self.state, self.taps = eigenvalues, state, taps
        self.family = "nonnegative-ssm" if eigenvalues == "positive" else "real-ssm"

    @override
    def customary(self, width: int) -> int:
        return 2 * width

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        return [Residual(self._layer(sizes), sizes.width) for _ in range(sizes.depth)]

    def _layer(self, sizes: Sizes) -> Layer:
        return SelectiveSSM(
            sizes.width,
            sizes.second,
            state=self.state,
            taps=self.taps,
            eigenvalues=self.eigenvalues,
        )
