"""Softmax attention through few intermediaries, whose cost grows with the word and not its square.

With queries Q, keys K, values V of a word of length T and head width w, softmax over rows::

    linformer  softmax(Q (E K)ᵀ / √w) (F V)         E, F trained, (rank, longest word); the first
                                                    T columns are used
    nystrom    softmax(Q K̃ᵀ / √w) softmax(Q̃ K̃ᵀ / √w)⁺ softmax(Q̃ Kᵀ / √w) V
                                                    Q̃, K̃ the means of m consecutive segments

A⁺ is found by iteration: Z ← Z (13 I - A Z (15 I - A Z (7 I - A Z))) / 4 from Aᵀ / (‖A‖₁ ‖A‖_∞).
Where a word has no more symbols than m, every symbol is its own segment, and since A A⁺ A = A
that is softmax attention itself, which is then computed. The published Nyströmformer also adds a
convolution of the values; that is no attention and is left out.

Both mix every symbol of the word into the intermediaries, so they have no causal form. Rotary
positions turn queries and keys before; positions on pairs need scores that are never formed.

Linformer: Wang et al. 2020, arXiv:2006.04768, §4. Nyström: Xiong et al. 2021, arXiv:2102.03902, §3.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.errors import UserError

from .attention import Attention


class Intermediaries(Attention):
    """What both have in common: no mask, and no scores of pairs."""

    def __init__(self, width: int, heads: int, head_width: int, **others: Any) -> None:
        super().__init__(width, heads, head_width, **others)
        if self.causal:
            raise UserError("low-rank attention mixes the whole word: expected causal=False")
        if self.pairs.adds_scores:
            raise UserError(
                "low-rank attention never forms the score of a pair: expected none, rope"
            )

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        every = torch.arange(x.shape[1], device=x.device)
        q, k, v = self.projected(x, every)
        q = self.pairs.queries(q, self.places.of(every)) * self.head_width**-0.5
        return self.merged(self.looked(q, self.shared(k), self.shared(v)))

    def looked(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """What scaled queries find, (batch, heads, length, head width)."""
        raise NotImplementedError


class Linformer(Intermediaries):
    """Attention to `rank` mixtures of the keys and values, trained for each place.

    Parameters
    ----------
    longest : int
        the longest word.
    rank : int
        how many mixtures.

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
        for mixture in (self.of_keys, self.of_values):
            nn.init.normal_(mixture, std=rank**-0.5)  # the projection of their theorem 1

    @override
    def looked(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        length = k.shape[2]
        k, v = self.of_keys[:, :length] @ k, self.of_values[:, :length] @ v
        return torch.softmax(q @ k.transpose(-1, -2), dim=-1) @ v


class Nystrom(Intermediaries):
    """Attention through the means of `landmarks` segments of the word.

    Parameters
    ----------
    landmarks : int
        m.
    iterations : int
        of the pseudoinverse; six as published.

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
    def looked(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if q.shape[2] <= self.landmarks:
            return torch.softmax(q @ k.transpose(-1, -2), dim=-1) @ v
        return self.through_landmarks(q, k, v)

    def through_landmarks(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """softmax(Q K̃ᵀ) softmax(Q̃ K̃ᵀ)⁺ softmax(Q̃ Kᵀ) V."""
        landmarks = segments(q.shape[2], self.landmarks, q)
        far_q, far_k = landmarks @ q, landmarks @ k
        left = torch.softmax(q @ far_k.transpose(-1, -2), dim=-1)
        middle = torch.softmax(far_q @ far_k.transpose(-1, -2), dim=-1)
        right = torch.softmax(far_q @ k.transpose(-1, -2), dim=-1)
        return left @ (pseudoinverse(middle, self.iterations) @ (right @ v))


def segments(length: int, count: int, like: Tensor) -> Tensor:
    """The map to the means of `count` consecutive segments, (count, length).

    >>> segments(4, 2, torch.zeros(1)).tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    segment = torch.arange(length, device=like.device) * count // length
    members = (segment == torch.arange(count, device=like.device)[:, None]).to(like.dtype)
    return members / members.sum(dim=1, keepdim=True)


def pseudoinverse(a: Tensor, iterations: int) -> Tensor:
    """A⁺ of square matrices, by the iteration in the module's text."""
    eye = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    greatest = a.abs().sum(-2).amax(-1) * a.abs().sum(-1).amax(-1)
    z = a.transpose(-1, -2) / greatest[..., None, None]
    for _ in range(iterations):
        az = a @ z
        z = z @ (13 * eye - az @ (15 * eye - az @ (7 * eye - az))) / 4
    return z
