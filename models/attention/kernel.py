"""Attention with a kernel in place of the softmax's exponential, so that keys can be added up.

With features φ of queries and keys, head width w, all sums over j ≤ i if causal, else over all j::

    y_i = W_o [ Σ_j φ(q_i)·φ(k_j) v_j / Σ_j φ(q_i)·φ(k_j) ]
        = W_o [ φ(q_i)ᵀ S_i / φ(q_i)ᵀ z_i ],     S_i = Σ_j φ(k_j) v_jᵀ,   z_i = Σ_j φ(k_j)

S and z have one size for any length: what softmax attention would keep of every symbol is not kept.

    linear     φ(x) = elu(x) + 1                       Katharopoulos et al. 2020, arXiv:2006.16236
    performer  φ(x) = (exp(Ω x' - ‖x'‖²/2) + ε) / √m,  Choromanski et al. 2021, arXiv:2009.14794,
               x' = x / w^(1/4)                        §2.3 and 2.4 (FAVOR+)

The performer's Ω has m random rows, orthogonal within each w of them and as long as Gaussian
vectors; then E[φ(q)·φ(k)] = exp(q·k / √w), the kernel of softmax attention. They are drawn with
the weights and kept with them; `redraw` draws others. A query's features are divided by their
greatest, which cancels; that of all keys, which the published code divides by, would let a causal
model look ahead.

Rotary positions turn the features in the numerator only, so that the denominator stays positive
(Su et al. 2021, arXiv:2104.09864, §3.3). Positions on pairs need scores that are never formed.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.layer import State

from .attention import Attention
from .relative_positions import PairPositions

CHUNK = 64
"""Positions whose pairs are written out; between chunks S and z are carried."""
EPS = 1e-6


class LinearAttention(Attention):
    """Attention whose kernel is the product of features elu(x) + 1."""

    def __init__(self, width: int, heads: int, head_width: int, **others: Any) -> None:
        super().__init__(width, heads, head_width, **others)
        if self.pairs.adds_scores:
            raise UserError(
                "kernel attention never forms the score of a pair: expected none, or rope"
            )
        self.turn, self.pairs = self.pairs, PairPositions()  # the features turn, not q and k
        self.feature_count = head_width

    # -- what the performer changes ----------------------------------------------------------------

    def features_of_queries(self, q: Tensor) -> Tensor:
        """φ(q)."""
        return functional.elu(q) + 1

    def features_of_keys(self, k: Tensor) -> Tensor:
        """φ(k)."""
        return functional.elu(k) + 1

    # -- the layer ---------------------------------------------------------------------------------

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        q, turned_q, k, turned_k, v = self.featured(x, torch.arange(x.shape[1], device=x.device))
        if not self.causal:
            return self.joined(q, turned_q, *sums(k, turned_k, v))
        s, z, _ = self.initial_state(len(x))
        upper, lower = [], []
        for c in (slice(first, first + CHUNK) for first in range(0, x.shape[1], CHUNK)):
            near = (turned_q[..., c, :] @ turned_k[..., c, :].transpose(-1, -2)).tril()
            plain = (
                near if turned_q is q else (q[..., c, :] @ k[..., c, :].transpose(-1, -2)).tril()
            )
            upper.append(near @ v[..., c, :] + turned_q[..., c, :] @ s)
            lower.append(plain.sum(-1, keepdim=True) + q[..., c, :] @ z)
            more_s, more_z = sums(k[..., c, :], turned_k[..., c, :], v[..., c, :])
            s, z = s + more_s, z + more_z
        return self.divided(torch.cat(upper, dim=-2), torch.cat(lower, dim=-2))

    @override
    def initial_state(self, batch_size: int) -> State:
        size = (batch_size, self.key_heads, 1, self.feature_count)
        s = self.out.weight.new_zeros(*size, self.head_width)
        return s, self.out.weight.new_zeros(*size, 1), 0

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        s, z, place = state
        here = torch.tensor([place], device=x.device)
        q, turned_q, k, turned_k, v = self.featured(x.unsqueeze(1), here)
        more_s, more_z = sums(k, turned_k, v)
        s, z = s + more_s, z + more_z
        return self.joined(q, turned_q, s, z).squeeze(1), (s, z, place + 1)

    @override
    def state_size(self, length: int) -> int:
        return self.key_heads * self.feature_count * (self.head_width + 1) + 1

    # -- inside ------------------------------------------------------------------------------------

    def featured(self, x: Tensor, i: Tensor) -> tuple[Tensor, ...]:
        """φ(q), φ(q) turned, φ(k), φ(k) turned, and v, (batch, key heads, sharers, length, ·)."""
        q, k, v = self.projected(x, i)
        q = self.features_of_queries(q.unflatten(1, (self.key_heads, -1)))
        k = self.features_of_keys(k).unsqueeze(2)
        places = self.places.of(i)
        return q, self.turn.queries(q, places), k, self.turn.keys(k, places), v.unsqueeze(2)

    def joined(self, q: Tensor, turned_q: Tensor, s: Tensor, z: Tensor) -> Tensor:
        """φ(q)ᵀ S / φ(q)ᵀ z, brought back to the stream."""
        return self.divided(turned_q @ s, q @ z)

    def divided(self, upper: Tensor, lower: Tensor) -> Tensor:
        """The quotient, brought back to the stream."""
        return self.merged((upper / (lower + EPS)).flatten(1, 2))


class Performer(LinearAttention):
    """Attention whose features estimate the softmax's kernel without bias.

    Parameters
    ----------
    features : int
        m, how many there are.

    Other parameters are those of `Attention`.
    """

    rows: Tensor

    def __init__(
        self, width: int, heads: int, head_width: int, *, features: int = 64, **others: Any
    ) -> None:
        super().__init__(width, heads, head_width, **others)
        if features < 2 or features % 2:
            raise UserError(f"features {features}: expected an even number from 2 on")
        self.feature_count = features
        self.register_buffer("rows", random_rows(features, head_width))

    def redraw(self, generator: torch.Generator) -> None:
        """Draw other features."""
        count, width = self.rows.shape
        self.rows.copy_(random_rows(count, width, generator))

    @override
    def features_of_queries(self, q: Tensor) -> Tensor:
        exponents = self.exponents(q)
        return self.scaled(exponents - exponents.amax(-1, keepdim=True).detach())

    @override
    def features_of_keys(self, k: Tensor) -> Tensor:
        return self.scaled(self.exponents(k))

    def exponents(self, x: Tensor) -> Tensor:
        """Ω x' - ‖x'‖²/2."""
        x = x * self.head_width**-0.25
        return x @ self.rows.T - x.square().sum(-1, keepdim=True) / 2

    def scaled(self, exponents: Tensor) -> Tensor:
        """Their exponentials."""
        return (exponents.exp() + EPS) / sqrt(self.feature_count)


def sums(k: Tensor, turned_k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Σ_j φ(k_j) v_jᵀ with turned features, and Σ_j φ(k_j) as a column."""
    return turned_k.transpose(-1, -2) @ v, k.sum(-2).unsqueeze(-1)


def random_rows(count: int, width: int, generator: torch.Generator | None = None) -> Tensor:
    """Ω: Gaussian rows, orthogonal within each `width` of them, (count, width)."""
    blocks = -(-count // width)
    q, r = torch.linalg.qr(torch.randn(blocks, width, width, generator=generator))
    directions = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)  # else half of them never come
    lengths = torch.randn(count, width, generator=generator).norm(dim=1, keepdim=True)
    rows: Tensor = directions.transpose(1, 2).flatten(0, 1)[:count] * lengths
    return rows
