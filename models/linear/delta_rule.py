"""The delta rule: DeltaNet, Gated DeltaNet and DeltaProduct, memories that overwrite.

Every head has a memory S (key x value). A symbol looks up what its key holds and moves it towards
its value by β. With stream x_t, a convolution of K taps and n keys a symbol, j = 1 ... n::

    q, k_j, v_j = SiLU(conv(W x_t))          `query`, `keys`, `values`; q and k_j of norm 1
    β_j  = σ(w_j · x_t)                      `strength`;  eigenvalues=negative:  2 σ
    α_t  = exp(-a softplus(w · x_t + b))     `forget`, a = exp(`log_rates`); 1 unless gated
    S    = α_t S_{t-1}
    S    = (I - β_j k_j k_jᵀ) S + β_j k_j v_jᵀ            for j = 1 ... n, which gives S_t
    y_t  = W_o rms(S_tᵀ q_t)                 head by head; gated: rms(...) ⊙ SiLU(W_g x_t)

The matrix I - β k kᵀ has the eigenvalue 1 - β along k and 1 across: in [0, 1] as the papers began,
and in [-1, 1] with 2 σ, where β = 2 is a reflection. One reflection a symbol swaps two things;
n of them (DeltaProduct) reach every rotation of n dimensions or fewer. A layer is the memory and a
feed-forward part, each on the residual stream.

Delta rule: Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174. DeltaNet as here: Yang et al. 2024,
arXiv:2406.06484, §3.3. Gated: Yang, Kautz & Hatamizadeh 2024, arXiv:2412.06464. Negative
eigenvalues: Grazzi et al. 2024, arXiv:2411.12537. DeltaProduct: Siems et al. 2025,
arXiv:2502.10297, §3; the memory decays before the first of its n steps.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.fast_weights import FastWeights, Terms, shared_out
from flann.models.core.feedforward import FeedForward
from flann.models.core.norms import RMSNorm
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual
from flann.models.core.short_convolution import ShortConvolution
from flann.models.scans.state_space import Eigenvalues
from flann.models.ssm.mamba import initialise_time_step


class DeltaRule(FastWeights):
    """One memory layer under the delta rule.

    Parameters
    ----------
    width, heads : int
        of the stream, and how many heads share it out.
    factors : int
        n, how many keys and values a symbol has.
    gated : bool
        whether the memory decays and the output is gated.
    eigenvalues : 'positive' or 'negative'
        along a key: 1 - β in [0, 1], or in [-1, 1].
    taps : int
        of the convolution, K.
    """

    undecayed = ("log_rates",)

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        factors: int,
        gated: bool,
        eigenvalues: Eigenvalues,
        taps: int,
    ) -> None:
        size = width // heads
        super().__init__(heads, size, size, per_symbol=factors)
        self.most = 2.0 if eigenvalues == "negative" else 1.0  # of β
        self.gated = gated
        self.query = nn.Linear(width, width, bias=False)
        self.keys = nn.Linear(width, factors * width, bias=False)
        self.values = nn.Linear(width, factors * width, bias=False)
        self.convolution = ShortConvolution((1 + 2 * factors) * width, taps)
        self.strength = nn.Linear(width, factors * heads, bias=False)
        self.norm = RMSNorm(size)
        self.out = nn.Linear(width, width, bias=False)
        if gated:
            self.forget = nn.Linear(width, heads)
            self.log_rates = nn.Parameter(torch.empty(heads).uniform_(1, 16).log())
            self.gate = nn.Linear(width, width, bias=False)
            initialise_time_step(self.forget)

    @override
    def terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        joined = torch.cat([self.query(x), self.keys(x), self.values(x)], dim=-1)
        joined, recent = self.convolution(joined, recent)
        width, n = x.shape[-1], self.per_symbol
        q, k, v = joined.split([width, n * width, n * width], dim=-1)
        k, v = self._in_turn(k), self._in_turn(v)
        q = functional.normalize(self.split(q), dim=-1)
        k = functional.normalize(k, dim=-1)
        if n > 1:  # what is read at a symbol's other steps is not used
            q = q.repeat_interleave(n, dim=1)
        put = self.most * torch.sigmoid(self._in_turn(self.strength(x))) * k
        decay = self._decay(x) if self.gated else None
        terms = Terms(q, put, v, decay, k if decay is None else decay * k, put)
        return terms, self.gate(x) if self.gated else None, recent

    @override
    def output(self, y: Tensor, beside: Any) -> Tensor:
        y = self.norm(y).flatten(2)
        if beside is not None:
            y = y * functional.silu(beside)
        mixed: Tensor = self.out(y)
        return mixed

    @override
    def start(self, batch_size: int) -> Any:
        return self.convolution.start(batch_size)

    @override
    def recent_size(self) -> int:
        return self.convolution.start(1).numel()

    def _in_turn(self, x: Tensor) -> Tensor:
        """(batch, length, n x joined) to (batch, length x n, heads, each)."""
        return self.split(x.unflatten(-1, (self.per_symbol, -1)).flatten(1, 2))

    def _decay(self, x: Tensor) -> Tensor:
        """α at a symbol's first step, 1 at its others: (batch, steps, heads, 1)."""
        rate = torch.exp(self.log_rates) * functional.softplus(self.forget(x))
        alpha = torch.exp(-rate)[:, :, None]
        others = alpha.new_ones(len(alpha), x.shape[1], self.per_symbol - 1, self.heads)
        return torch.cat([alpha, others], dim=2).flatten(1, 2)[..., None]


class DeltaArchitecture(Architecture):
    """What the three have in common: memory and feed-forward in turn."""

    knob = "feedforward"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 4000})
    gated = False
    factors = 1

    def __init__(self, name: str, heads: int, eigenvalues: Eigenvalues, taps: int) -> None:
        self.heads = self.width_step = shared_out(name, heads)
        self.eigenvalues: Eigenvalues = eigenvalues
        self.taps = taps
        self.family = "delta-rule" if eigenvalues == "negative" else "delta-rule-nonnegative"

    @override
    def customary(self, width: int) -> int:
        return 4 * width

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        layers: list[Layer] = []
        for _ in range(sizes.depth):
            parts = (self._memory(sizes.width), FeedForward(sizes.width, sizes.second, "gelu"))
            layers += [Residual(part, sizes.width) for part in parts]
        return layers

    def _memory(self, width: int) -> Layer:
        return DeltaRule(
            width,
            self.heads,
            factors=self.factors,
            gated=self.gated,
            eigenvalues=self.eigenvalues,
            taps=self.taps,
        )


@register("deltanet")
class DeltaNet(DeltaArchitecture):
    """Delta rule with unit keys (Yang et al. 2024); eigenvalues positive, or negative too.

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        along a key, in [0, 1] or in [-1, 1].
    heads : int
        of each layer's memory.
    taps : int
        of the convolution.
    """

    def __init__(
        self, *, eigenvalues: Eigenvalues = "positive", heads: int = 4, taps: int = 4
    ) -> None:
        super().__init__("deltanet", heads, eigenvalues, taps)


@register("gated-deltanet")
class GatedDeltaNet(DeltaArchitecture):
    """Delta rule on a memory that decays (Yang, Kautz & Hatamizadeh 2024).

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        along a key, in [0, 1] or in [-1, 1], times the decay.
    heads : int
        of each layer's memory.
    taps : int
        of the convolution.
    """

    gated = True

    def __init__(
        self, *, eigenvalues: Eigenvalues = "positive", heads: int = 4, taps: int = 4
    ) -> None:
        super().__init__("gated-deltanet", heads, eigenvalues, taps)


@register("deltaproduct")
class DeltaProduct(DeltaArchitecture):
    """Several steps of the delta rule a symbol: products of Householders (Siems et al. 2025).

    Parameters
    ----------
    factors : int
        how many steps a symbol takes.
    eigenvalues : 'positive' or 'negative'
        of each factor along its key, in [0, 1] or in [-1, 1].
    gated : bool
        whether the memory decays before a symbol's first step, and the output is gated.
    heads : int
        of each layer's memory.
    taps : int
        of the convolution.
    """

    def __init__(
        self,
        *,
        factors: int = 2,
        eigenvalues: Eigenvalues = "positive",
        gated: bool = False,
        heads: int = 4,
        taps: int = 4,
    ) -> None:
        super().__init__("deltaproduct", heads, eigenvalues, taps)
        if factors < 1:
            raise UserError(f"deltaproduct, option 'factors': expected 1 or more, got {factors}")
        self.factors, self.gated = factors, gated
        if eigenvalues == "negative" and factors > 1:
            self.family = "householder-products"
