"""Kernel attention: the softmax's exponential replaced by a product of features.

With features φ of queries and keys, head width w, all sums over j ≤ i if causal, else over all j::

    y_i = W_o [ Σ_j φ(q_i)·φ(k_j) v_j / Σ_j φ(q_i)·φ(k_j) ]
        = W_o [ φ(q_i)ᵀ S_i / φ(q_i)ᵀ z_i ],     S_i = Σ_j φ(k_j) v_jᵀ,   z_i = Σ_j φ(k_j)

The state (S, z) has the same size for any length, whereas softmax attention stores every symbol.

    linear     φ(x) = elu(x) + 1                       Katharopoulos et al. 2020, arXiv:2006.16236
    performer  φ(x) = (exp(Ω x' - ‖x'‖²/2) + ε) / √m,  Choromanski et al. 2021, arXiv:2009.14794,
               x' = x / w^(1/4)                        §2.3 and 2.4 (FAVOR+)

The performer's Ω has m random rows, orthogonal within each block of w rows and with the norms of
Gaussian vectors, so that E[φ(q)·φ(k)] = exp(q·k / √w), the kernel of softmax attention. The rows
are drawn and saved with the weights; `redraw` replaces them. The features of a query are divided by
their maximum, which cancels. The published code also divides by the maximum over all keys, which
would let a causal model depend on later symbols.

Rotary positions rotate the features in the numerator only, so that the denominator stays positive
(Su et al. 2021, arXiv:2104.09864, §3.3). Encodings that change the scores of pairs are not
supported, since those scores are never computed.
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

from .attention import Attention, refuse_pairwise
from .positions.relative import RelativePositions

CHUNK = 64
"""Number of positions whose pairs are written out; S and z are carried from chunk to chunk."""
EPSILON = 1e-6
"""Added to denominators and to the performer's features."""


class KernelAttention(Attention):
    """Attention whose kernel is the product of features elu(x) + 1."""

    def __init__(self, width: int, heads: int, head_width: int, **others: Any) -> None:
        super().__init__(width, heads, head_width, **others)
        refuse_pairwise(self.pairs, "kernel")
        # The encoding transforms the features, in place of the queries and keys themselves.
        self.feature_positions, self.pairs = self.pairs, RelativePositions()
        self.feature_count = head_width

    # -- overridden by the performer ---------------------------------------------------------------

    def map_queries(self, q: Tensor) -> Tensor:
        """Return φ(q)."""
        return functional.elu(q) + 1

    def map_keys(self, k: Tensor) -> Tensor:
        """Return φ(k)."""
        return functional.elu(k) + 1

    # -- the layer ---------------------------------------------------------------------------------

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        indices = torch.arange(x.shape[1], device=x.device)
        q, rotated_q, k, rotated_k, v = self.project_features(x, indices)
        if not self.causal:
            return self.read_sums(q, rotated_q, *sum_keys(k, rotated_k, v))
        s, z, _ = self.initial_state(len(x))
        upper, lower = [], []
        for c in (slice(first, first + CHUNK) for first in range(0, x.shape[1], CHUNK)):
            numerator = (rotated_q[..., c, :] @ rotated_k[..., c, :].transpose(-1, -2)).tril()
            denominator = (
                numerator
                if rotated_q is q
                else (q[..., c, :] @ k[..., c, :].transpose(-1, -2)).tril()
            )
            upper.append(numerator @ v[..., c, :] + rotated_q[..., c, :] @ s)
            lower.append(denominator.sum(-1, keepdim=True) + q[..., c, :] @ z)
            more_s, more_z = sum_keys(k[..., c, :], rotated_k[..., c, :], v[..., c, :])
            s, z = s + more_s, z + more_z
        return self.normalise(torch.cat(upper, dim=-2), torch.cat(lower, dim=-2))

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return S and z, both zero, and the index of the next symbol."""
        size = (batch_size, self.key_heads, 1, self.feature_count)
        s = self.out.weight.new_zeros(*size, self.head_width)
        return s, self.out.weight.new_zeros(*size, 1), 0

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """Attend from one more symbol, whose key and value are added to the sums."""
        s, z, index = state
        indices = torch.tensor([index], device=x.device)
        q, rotated_q, k, rotated_k, v = self.project_features(x.unsqueeze(1), indices)
        more_s, more_z = sum_keys(k, rotated_k, v)
        s, z = s + more_s, z + more_z
        return self.read_sums(q, rotated_q, s, z).squeeze(1), (s, z, index + 1)

    @override
    def state_size(self, length: int) -> int:
        """Return the size of S and z for every key head, and of the index."""
        return self.key_heads * self.feature_count * (self.head_width + 1) + 1

    # -- inside ------------------------------------------------------------------------------------

    def project_features(self, x: Tensor, i: Tensor) -> tuple[Tensor, ...]:
        """Return φ(q), φ(q) rotated, φ(k), φ(k) rotated and v for symbols `i`.

        All have shape (batch, key heads, query heads for each or 1, length, ·).
        """
        q, k, v = self.project(x, i)
        q = self.map_queries(q.unflatten(1, (self.key_heads, -1)))
        k = self.map_keys(k).unsqueeze(2)
        positions, encoding = self.position_map.map(i), self.feature_positions
        rotated_q = encoding.transform_queries(q, positions)
        return q, rotated_q, k, encoding.transform_keys(k, positions), v.unsqueeze(2)

    def read_sums(self, q: Tensor, rotated_q: Tensor, s: Tensor, z: Tensor) -> Tensor:
        """Return φ(q)ᵀ S / φ(q)ᵀ z, mapped to the stream."""
        return self.normalise(rotated_q @ s, q @ z)

    def normalise(self, upper: Tensor, lower: Tensor) -> Tensor:
        """Return the quotient of numerator and denominator, mapped to the stream."""
        return self.merge_heads((upper / (lower + EPSILON)).flatten(1, 2))


class Performer(KernelAttention):
    """Attention with random features that are an unbiased estimate of the softmax's kernel.

    Parameters
    ----------
    features : int
        m, the number of features.

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
        self.register_buffer("rows", draw_rows(features, head_width))

    def redraw(self, generator: torch.Generator) -> None:
        """Replace the random features."""
        count, width = self.rows.shape
        self.rows.copy_(draw_rows(count, width, generator))

    @override
    def map_queries(self, q: Tensor) -> Tensor:
        """Return φ(q) divided by its maximum, which cancels."""
        exponents = self.compute_exponents(q)
        return self.exponentiate(exponents - exponents.amax(-1, keepdim=True).detach())

    @override
    def map_keys(self, k: Tensor) -> Tensor:
        return self.exponentiate(self.compute_exponents(k))

    def compute_exponents(self, x: Tensor) -> Tensor:
        """Return Ω x' - ‖x'‖²/2."""
        x = x * self.head_width**-0.25
        return x @ self.rows.T - x.square().sum(-1, keepdim=True) / 2

    def exponentiate(self, exponents: Tensor) -> Tensor:
        """Return (exp(exponents) + ε) / √m."""
        return (exponents.exp() + EPSILON) / sqrt(self.feature_count)


def sum_keys(k: Tensor, rotated_k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return Σ_j φ(k_j) v_jᵀ with rotated features, and Σ_j φ(k_j) as a column."""
    return rotated_k.transpose(-1, -2) @ v, k.sum(-2).unsqueeze(-1)


def draw_rows(count: int, width: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw Ω: Gaussian rows, orthogonal within each block of `width`, (count, width)."""
    blocks = -(-count // width)
    q, r = torch.linalg.qr(torch.randn(blocks, width, width, generator=generator))
    # QR fixes the signs of R's diagonal; without them half of all directions would never occur.
    directions = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)
    lengths = torch.randn(count, width, generator=generator).norm(dim=1, keepdim=True)
    rows: Tensor = directions.transpose(1, 2).flatten(0, 1)[:count] * lengths
    return rows
