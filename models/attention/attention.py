"""Multi-head softmax attention, over a whole word or one position at a time.

For every head, with queries q, keys k and values v of head width w::

    score(i, j) = q_i · k_j / √w   (plus the terms of the positional encoding, see `positions`)
    y_i         = W_o [ Σ_j softmax_j(score(i, j)) v_j ]      over j ≤ i if causal, else over all j

With ``key_heads=K``, each key head is shared by heads / K query heads. K = heads is Vaswani's
multi-head attention, K = 1 multi-query attention (Shazeer 2019, arXiv:1911.02150), and anything
between grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245).

Scores are written out for words of up to `SHORT` symbols, where that is fastest. Longer words use
torch's fused attention, which never stores the whole score matrix; if a bias is added to the
scores, the queries are processed in blocks. Other kinds of attention override the mask
(`compute_mask`), the range of keys that it leaves (`find_key_range`) or the scale of the queries
(`scale_queries`).

Vaswani et al. 2017, arXiv:1706.03762, §3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.layer import Layer, State

from .positions.build import build_relative_positions
from .positions.names import Position
from .positions.randomised import CONSECUTIVE, PositionMap
from .positions.relative import RelativePositions

SHORT = 64
"""Length of the longest word whose scores are written out."""
BLOCK = 512
"""Number of queries processed together when the scores have a bias."""


class Attention(Layer):
    """Multi-head attention whose head width is independent of the model's width.

    Parameters
    ----------
    width, heads, head_width : int
        Width of the stream, number of heads, and width of each head.
    causal : bool
        Whether a position attends only to itself and to earlier ones.
    position : Position, or a function that returns RelativePositions
        The positional encoding; one that is added to the stream has no effect here.
    key_heads : int, optional
        Number of key and value heads; by default, as many as query heads.
    position_map : PositionMap
        The position of each symbol of a word.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        head_width: int,
        *,
        causal: bool,
        position: Position | Callable[[], RelativePositions],
        key_heads: int | None = None,
        position_map: PositionMap = CONSECUTIVE,
    ) -> None:
        super().__init__()
        self.heads, self.head_width = heads, head_width
        self.key_heads = heads if key_heads is None else key_heads
        if self.key_heads < 1 or heads % self.key_heads:
            raise UserError(f"key_heads {key_heads}: expected a divisor of the {heads} heads")
        self.causal, self.has_step, self.position_map = causal, causal, position_map
        self.query = nn.Linear(width, heads * head_width)
        self.key = nn.Linear(width, self.key_heads * head_width)
        self.value = nn.Linear(width, self.key_heads * head_width)
        self.out = nn.Linear(heads * head_width, width)
        self.pairs: RelativePositions = (
            build_relative_positions(
                position, width=width, heads=heads, head_width=head_width, causal=causal
            )
            if isinstance(position, str)
            else position()
        )

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        indices = torch.arange(x.shape[1], device=x.device)
        q, k, v = self.project(x, indices)
        if x.shape[1] <= SHORT:
            y = self.attend(q, k, v, indices, indices)
        elif self.can_fuse():
            q = self.pairs.transform_queries(q, self.position_map.map(indices))
            y = functional.scaled_dot_product_attention(
                self.scale_queries(q, indices, x.shape[1]),
                self.repeat_heads(k),
                self.repeat_heads(v),
                is_causal=self.causal,
            )
        else:
            y = self.attend_by_blocks(q, k, v)
        return self.merge_heads(y)

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return empty caches of keys and values."""
        empty = self.out.weight.new_empty(batch_size, self.key_heads, 0, self.head_width)
        return empty, empty

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """Attend from one more symbol, whose key and value are appended to the caches."""
        keys, values = state
        indices = torch.arange(keys.shape[2] + 1, device=x.device)
        q, k, v = self.project(x.unsqueeze(1), indices[-1:])
        keys, values = torch.cat([keys, k], dim=2), torch.cat([values, v], dim=2)
        y = self.attend(q, keys, values, indices[-1:], indices)
        return self.merge_heads(y).squeeze(1), (keys, values)

    @override
    def state_size(self, length: int) -> int:
        """Return the size of the caches: a key and a value for every symbol."""
        return 2 * self.key_heads * self.head_width * length

    # -- overridden by other kinds of attention ----------------------------------------------------

    def compute_mask(self, i: Tensor, j: Tensor) -> Tensor | None:
        """Return which keys `j` are hidden from queries `i`, of shape (heads or 1, queries, keys).

        None means that no key is hidden.
        """
        return (j > i[:, None]).unsqueeze(0) if self.causal else None

    def find_key_range(self, first: int, last: int, length: int) -> tuple[int, int]:
        """Return the range that holds all keys visible to queries `first` to `last` - 1."""
        return 0, last if self.causal else length

    def scale_queries(self, q: Tensor, i: Tensor, length: int) -> Tensor:
        """Scale the queries at `i` in a word of this length by how many keys they see."""
        return q

    def can_fuse(self) -> bool:
        """Return whether no bias but a causal mask is added to the scores."""
        return not self.pairs.adds_scores

    # -- shared by all kinds of attention ----------------------------------------------------------

    def project(self, x: Tensor, i: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values of symbols `i`, (batch, heads, length, head width)."""
        shape = (*x.shape[:2], -1, self.head_width)
        q, k, v = (m(x).view(shape).transpose(1, 2) for m in (self.query, self.key, self.value))
        return q, self.pairs.transform_keys(k, self.position_map.map(i)), v

    def merge_heads(self, y: Tensor) -> Tensor:
        """Map the outputs of the heads to the stream."""
        merged: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return merged

    def repeat_heads(self, k: Tensor) -> Tensor:
        """Repeat each key or value head for the query heads that share it."""
        groups = self.heads // self.key_heads
        return k if groups == 1 else k.repeat_interleave(groups, dim=1)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Compute attention of queries at `i` to keys at `j`, with all scores written out."""
        at_i, at_j = self.position_map.map(i), self.position_map.map(j)
        scaled = self.scale_queries(self.pairs.transform_queries(q, at_i), i, len(j))
        scores = scaled @ self.repeat_heads(k).transpose(-1, -2) * self.head_width**-0.5
        bias = self.compute_bias(q, i, j)
        if bias is not None:
            scores = scores + bias
        weights = torch.softmax(scores, dim=-1)
        y = weights @ self.repeat_heads(v)
        return y + self.pairs.compute_values(weights, at_i, at_j) if self.pairs.adds_values else y

    def compute_bias(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor | None:
        """Return the bias of the scores, minus infinity at hidden keys; None if there is none."""
        mask, bias = self.compute_mask(i, j), None
        if self.pairs.adds_scores:
            bias = self.pairs.compute_scores(q, self.position_map.map(i), self.position_map.map(j))
        if mask is None:
            return bias
        bias = q.new_zeros(mask.shape) if bias is None else bias
        return bias.masked_fill(mask, float("-inf"))

    def attend_by_blocks(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Compute attention for one block of queries at a time, with its bias written out."""
        blocks, length = [], q.shape[2]
        for first in range(0, length, BLOCK):
            block = q[:, :, first : first + BLOCK]
            last = first + block.shape[2]
            low, high = self.find_key_range(first, last, length)
            i = torch.arange(first, last, device=q.device)
            j = torch.arange(low, high, device=q.device)
            keys, values = k[:, :, low:high], v[:, :, low:high]
            if self.pairs.adds_values:
                blocks.append(self.attend(block, keys, values, i, j))
                continue
            queries = self.pairs.transform_queries(block, self.position_map.map(i))
            blocks.append(
                functional.scaled_dot_product_attention(
                    self.scale_queries(queries, i, length),
                    self.repeat_heads(keys),
                    self.repeat_heads(values),
                    attn_mask=self.compute_bias(block, i, j),
                )
            )
        return torch.cat(blocks, dim=2)


class LogLength(Attention):
    """Attention with scores scaled by the logarithm of the number of visible keys.

    ::

        score(i, j) = log n · q_i · k_j / √w,    n the number of symbols visible to i

    The scaling keeps one relevant key from being diluted among many. Without a mask n is the length
    of the word, as in Chiang & Cholak 2022, arXiv:2202.12172, §5.3; with a causal mask it counts
    the symbols up to i, so that a prefix does not depend on what follows. The terms of a positional
    encoding are not scaled.
    """

    @override
    def scale_queries(self, q: Tensor, i: Tensor, length: int) -> Tensor:
        if not self.causal:
            return q * log(length)
        return q * (i + 1).to(q.dtype).log()[:, None]


def refuse_pairwise(positions: RelativePositions, kind: str) -> None:
    """Refuse positional encodings that change scores of pairs, which `kind` never computes.

    Raises
    ------
    UserError
        If the encoding adds to the scores.
    """
    if positions.adds_scores:
        raise UserError(f"{kind} attention never forms the score of a pair: expected none, or rope")
