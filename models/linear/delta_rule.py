"""The delta rule: an outer-product memory whose entries are overwritten.

It is shared by DeltaNet, Gated DeltaNet and DeltaProduct. Every head has a memory S (key x value).
A symbol retrieves the value stored under its key and moves it towards its own value by a factor β.
With stream x_t, a convolution of K taps and n keys a symbol, j = 1 ... n::

    q, k_j, v_j = SiLU(conv(W x_t))          `query`, `keys`, `values`; q and k_j normalised
    β_j  = σ(w_j · x_t)                      `strength`;  eigenvalues=negative:  2 σ
    α_t  = exp(-a softplus(w · x_t + b))     `forget`, a = exp(`log_rates`); 1 unless gated
    S    = α_t S_{t-1}
    S    = (I - β_j k_j k_jᵀ) S + β_j k_j v_jᵀ            for j = 1 ... n, which gives S_t
    y_t  = W_o rms(S_tᵀ q_t)                 head by head; gated: rms(...) ⊙ SiLU(W_g x_t)

The matrix I - β k kᵀ has the eigenvalue 1 - β along k and 1 on the orthogonal complement. With σ it
lies in [0, 1]; with 2 σ in [-1, 1], and β = 2 is a reflection. One reflection a symbol can
transpose two elements; n of them (DeltaProduct) generate every rotation of n dimensions or fewer.
A layer is the memory followed by a feed-forward layer, each on the residual stream.

Delta rule: Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174. Negative eigenvalues: Grazzi et al.
2024, arXiv:2411.12537. The architectures are in `flann.models.linear.deltanet`,
`flann.models.linear.gated_deltanet` and `flann.models.linear.deltaproduct`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.fast_weights import FastWeights, Terms, check_heads
from flann.models.core.feedforward import FeedForward
from flann.models.core.layer import Layer
from flann.models.core.norms import RMSNorm
from flann.models.core.residual_stack import ResidualStack
from flann.models.core.short_convolution import ShortConvolution
from flann.models.core.time_step import initialise_time_step
from flann.models.scans.state_space import Eigenvalues


class DeltaRule(FastWeights):
    """A memory layer under the delta rule.

    Parameters
    ----------
    width, heads : int
        Width of the stream and number of heads that divide it.
    factors : int
        Number n of keys and values of a symbol.
    gated : bool
        Whether the memory decays and the output is gated.
    eigenvalues : 'positive' or 'negative'
        Range of the eigenvalue 1 - β: [0, 1], or [-1, 1].
    taps : int
        Length K of the convolution's kernel.
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
        super().__init__(heads, size, size, steps_per_symbol=factors)
        self.largest_strength = 2.0 if eigenvalues == "negative" else 1.0
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
    def compute_terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        """Return the terms of n steps a symbol: its n keys and values, and its query for each."""
        joined = torch.cat([self.query(x), self.keys(x), self.values(x)], dim=-1)
        joined, recent = self.convolution(joined, recent)
        width, n = x.shape[-1], self.steps_per_symbol
        q, k, v = joined.split([width, n * width, n * width], dim=-1)
        k, v = self._split_steps(k), self._split_steps(v)
        q = functional.normalize(self.split_heads(q), dim=-1)
        k = functional.normalize(k, dim=-1)
        if n > 1:  # only the output of a symbol's last step is used
            q = q.repeat_interleave(n, dim=1)
        strength = self.largest_strength * torch.sigmoid(self._split_steps(self.strength(x)))
        scaled = strength * k
        decay = self._compute_decay(x) if self.gated else None
        terms = Terms(q, scaled, v, decay, k if decay is None else decay * k, scaled)
        return terms, self.gate(x) if self.gated else None, recent

    @override
    def compute_output(self, y: Tensor, beside: Any) -> Tensor:
        y = self.norm(y).flatten(2)
        if beside is not None:
            y = y * functional.silu(beside)
        mixed: Tensor = self.out(y)
        return mixed

    @override
    def initial_recent(self, batch_size: int) -> Any:
        return self.convolution.initial_recent(batch_size)

    @override
    def recent_size(self) -> int:
        return self.convolution.initial_recent(1).numel()

    def _split_steps(self, x: Tensor) -> Tensor:
        """Reshape (batch, length, n x channels) to (batch, length x n, heads, size)."""
        return self.split_heads(x.unflatten(-1, (self.steps_per_symbol, -1)).flatten(1, 2))

    def _compute_decay(self, x: Tensor) -> Tensor:
        """Return α at a symbol's first step and 1 at its others: (batch, steps, heads, 1)."""
        rate = torch.exp(self.log_rates) * functional.softplus(self.forget(x))
        alpha = torch.exp(-rate)[:, :, None]
        others = alpha.new_ones(len(alpha), x.shape[1], self.steps_per_symbol - 1, self.heads)
        return torch.cat([alpha, others], dim=2).flatten(1, 2)[..., None]


class DeltaArchitecture(ResidualStack):
    """A stack of delta-rule memories and feed-forward layers on a residual stream.

    Parameters
    ----------
    name : str
        Registered name, for errors.
    heads, eigenvalues, taps
        See `DeltaRule`.
    """

    second_size_name = "feedforward"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 4000})
    gated = False
    factors = 1

    def __init__(self, name: str, heads: int, eigenvalues: Eigenvalues, taps: int) -> None:
        self.heads = self.width_step = check_heads(name, heads)
        self.eigenvalues: Eigenvalues = eigenvalues
        self.taps = taps
        self.family = "delta-rule" if eigenvalues == "negative" else "delta-rule-nonnegative"

    @override
    def default_second_size(self, width: int) -> int:
        """Return four times the width of the stream."""
        return 4 * width

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        memory = DeltaRule(
            sizes.width,
            self.heads,
            factors=self.factors,
            gated=self.gated,
            eigenvalues=self.eigenvalues,
            taps=self.taps,
        )
        return [memory, FeedForward(sizes.width, sizes.second_size, "gelu")]
