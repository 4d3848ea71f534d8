"""Low-rank softmax attention, whose cost grows linearly with the length of the word.

With queries Q, keys K, values V of a word of length T and head width w, softmax over rows::

    linformer  softmax(Q (E K)ᵀ / √w) (F V)         E, F trained, (rank, longest word), of which the
                                                    first T columns are used
    nystrom    softmax(Q K̃ᵀ / √w) softmax(Q̃ K̃ᵀ / √w)⁺ softmax(Q̃ Kᵀ / √w) V
                                                    Q̃, K̃ the means of m consecutive segments

The pseudoinverse A⁺ is approximated by the iteration
Z ← Z (13 I - A Z (15 I - A Z (7 I - A Z))) / 4 from Aᵀ / (‖A‖₁ ‖A‖_∞). In a word of at most m
symbols, every symbol is its own segment; since A A⁺ A = A, the result is then softmax attention
itself, which is computed directly. The convolution of the values in the published Nyströmformer is
not part of the attention and is omitted.

Both mix all symbols of the word, so they have no causal form. Rotary positions are applied to
queries and keys beforehand; encodings that change the scores of pairs are not supported.

Linformer: Wang et al. 2020, arXiv:2006.04768, §4. Nyström: Xiong et al. 2021, arXiv:2102.03902, §3.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.errors import UserError

from .attention import Attention, refuse_pairwise


class LowRankAttention(Attention):
    """The base class of low-rank attention: no causal mask, and no scores of pairs."""

    def __init__(self, width: int, heads: int, head_width: int, **others: Any) -> None:
        super().__init__(width, heads, head_width, **others)
        if self.causal:
            raise UserError("low-rank attention mixes the whole word: expected causal=False")
        refuse_pairwise(self.pairs, "low-rank")

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        indices = torch.arange(x.shape[1], device=x.device)
        q, k, v = self.project(x, indices)
        q = self.pairs.transform_queries(q, self.position_map.map(indices)) * self.head_width**-0.5
        return self.merge_heads(self.approximate(q, self.repeat_heads(k), self.repeat_heads(v)))

    def approximate(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Approximate softmax(Q Kᵀ) V for scaled queries, (batch, heads, length, head width)."""
        raise NotImplementedError


class Linformer(LowRankAttention):
    """Attention to `rank` trained linear combinations of the keys and values.

    Parameters
    ----------
    longest : int
        Length of the longest word.
    rank : int
        Number of linear combinations.

    Other parameters are those of `Attention`.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        head_width: int,
        *,
        longest: int,
        rank: int = 16,
        **others: Any,
    ) -> None:
        super().__init__(width, heads, head_width, **others)
        if rank < 1:
            raise UserError(f"rank {rank}: expected 1 or more")
        self.of_keys = nn.Parameter(torch.empty(rank, longest))
        self.of_values = nn.Parameter(torch.empty(rank, longest))
        for projection in (self.of_keys, self.of_values):
            nn.init.normal_(projection, std=rank**-0.5)  # the projection of their theorem 1

    @override
    def approximate(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Return softmax(Q (E K)ᵀ) (F V)."""
        length = k.shape[2]
        k, v = self.of_keys[:, :length] @ k, self.of_values[:, :length] @ v
        return torch.softmax(q @ k.transpose(-1, -2), dim=-1) @ v


class Nystrom(LowRankAttention):
    """Attention through the means of `landmarks` segments of the word.

    Parameters
    ----------
    landmarks : int
        m, the number of segments.
    iterations : int
        Number of iterations for the pseudoinverse, six in the paper.

    Other parameters are those of `Attention`.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        head_width: int,
        *,
        landmarks: int = 16,
        iterations: int = 6,
        **others: Any,
    ) -> None:
        super().__init__(width, heads, head_width, **others)
        if landmarks < 1 or iterations < 1:
            raise UserError(
                f"landmarks {landmarks}, iterations {iterations}: expected 1 or more of each"
            )
        self.landmarks, self.iterations = landmarks, iterations

    @override
    def approximate(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Return the product of three small softmaxes, or softmax attention for short words."""
        if q.shape[2] <= self.landmarks:
            return torch.softmax(q @ k.transpose(-1, -2), dim=-1) @ v
        return self.approximate_by_landmarks(q, k, v)

    def approximate_by_landmarks(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Return softmax(Q K̃ᵀ) softmax(Q̃ K̃ᵀ)⁺ softmax(Q̃ Kᵀ) V."""
        means = build_segment_means(q.shape[2], self.landmarks, q)
        mean_q, mean_k = means @ q, means @ k
        left = torch.softmax(q @ mean_k.transpose(-1, -2), dim=-1)
        middle = torch.softmax(mean_q @ mean_k.transpose(-1, -2), dim=-1)
        right = torch.softmax(mean_q @ k.transpose(-1, -2), dim=-1)
        return left @ (approximate_pseudoinverse(middle, self.iterations) @ (right @ v))


def build_segment_means(length: int, count: int, like: Tensor) -> Tensor:
    """Build the matrix that takes means of `count` consecutive segments, (count, length).

    >>> build_segment_means(4, 2, torch.zeros(1)).tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    segment = torch.arange(length, device=like.device) * count // length
    members = (segment == torch.arange(count, device=like.device)[:, None]).to(like.dtype)
    return members / members.sum(dim=1, keepdim=True)


def approximate_pseudoinverse(a: Tensor, iterations: int) -> Tensor:
    """Approximate A⁺ of square matrices by the iteration in the module docstring."""
    eye = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    norms = a.abs().sum(-2).amax(-1) * a.abs().sum(-1).amax(-1)
    z = a.transpose(-1, -2) / norms[..., None, None]
    for _ in range(iterations):
        az = a @ z
        z = z @ (13 * eye - az @ (15 * eye - az @ (7 * eye - az))) / 4
    return z
