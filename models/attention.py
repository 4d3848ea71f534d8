"""Multi-head softmax attention, over a whole word or one position at a time.

For every head, with queries q, keys k and values v of head width w::

    score(i, j) = q_i · k_j / √w   (+ ALiBi's bias; q, k turned by rotary positions)
    y_i         = W_o [ Σ_j softmax_j(score(i, j)) v_j ]      over j ≤ i if causal, else over all j

A plain softmax is fastest on short words; beyond `SHORT` torch's fused attention is used, which
never holds the whole score matrix. A bias defeats that, so ALiBi goes by blocks of queries.

Vaswani et al. 2017, arXiv:1706.03762, §3.2.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .positions import Position, slopes, turned
from .sequence import Layer, State

SHORT = 64
BLOCK = 512
"""Queries taken together where a bias has to be written out."""


class Attention(Layer):
    """Multi-head attention whose head width is free of the model's.

    Parameters
    ----------
    width, heads, head_width : int
        of the stream, and how many heads of what width.
    causal : bool
        whether a position sees only itself and what came before.
    position : Position
        ``"rope"`` and ``"alibi"`` act here; the others on the stream.
    """

    def __init__(
        self, width: int, heads: int, head_width: int, *, causal: bool, position: Position
    ) -> None:
        super().__init__()
        self.heads, self.head_width = heads, head_width
        self.causal, self.has_step = causal, causal
        self.rope, self.alibi = position == "rope", position == "alibi"
        self.query = nn.Linear(width, heads * head_width)
        self.key = nn.Linear(width, heads * head_width)
        self.value = nn.Linear(width, heads * head_width)
        self.out = nn.Linear(heads * head_width, width)

    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        """The outputs at every position."""
        q, k, v = self._projected(x, first=0)
        if x.shape[1] <= SHORT:
            mixed = self._plain(q, k, v, first=0)
        elif not self.alibi:
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            mixed = self._by_blocks(q, k, v)
        return self._merged(mixed)

    def initial_state(self, batch_size: int) -> State:
        """No keys and no values yet."""
        empty = self.out.weight.new_empty(batch_size, self.heads, 0, self.head_width)
        return empty, empty

    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """One symbol further; its key and value join those kept."""
        keys, values = state
        q, k, v = self._projected(x.unsqueeze(1), first=keys.shape[2])
        keys, values = torch.cat([keys, k], dim=2), torch.cat([values, v], dim=2)
        mixed = self._plain(q, keys, values, first=keys.shape[2] - 1)
        return self._merged(mixed).squeeze(1), (keys, values)

    def state_size(self, length: int) -> int:
        """A key and a value for every symbol read."""
        return 2 * self.heads * self.head_width * length

    # -- inside --------------------------------------------------------------------------------

    def _projected(self, x: Tensor, first: int) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (batch, heads, length, head width)."""
        shape = (*x.shape[:2], self.heads, self.head_width)
        q, k, v = (m(x).view(shape).transpose(1, 2) for m in (self.query, self.key, self.value))
        return (turned(q, first), turned(k, first), v) if self.rope else (q, k, v)

    def _merged(self, mixed: Tensor) -> Tensor:
        y: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return y

    def _plain(self, q: Tensor, k: Tensor, v: Tensor, first: int) -> Tensor:
        """Softmax over written-out scores; the queries stand at `first` and after."""
        scores = q @ k.transpose(-1, -2) * self.head_width**-0.5
        bias = self._bias(q, first, k.shape[2])
        if bias is not None:
            scores = scores + bias
        return torch.softmax(scores, dim=-1) @ v

    def _bias(self, q: Tensor, first: int, keys: int) -> Tensor | None:
        """The mask and ALiBi's penalty, (heads or 1, queries, keys); None if there is neither."""
        if not (self.alibi or self.causal):
            return None
        i = torch.arange(first, first + q.shape[2], device=q.device)[:, None]
        j = torch.arange(keys, device=q.device)[None, :]
        bias = q.new_zeros(1, *torch.broadcast_shapes(i.shape, j.shape))
        if self.alibi:
            bias = slopes(self.heads, q)[:, None, None] * -(i - j).abs().to(q.dtype)
        return bias.masked_fill(j > i, float("-inf")) if self.causal else bias

    def _by_blocks(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Fused attention for a block of queries at a time, each with its bias written out."""
        blocks = []
        for first in range(0, q.shape[2], BLOCK):
            block = q[:, :, first : first + BLOCK]
            seen = first + block.shape[2] if self.causal else k.shape[2]
            bias = self._bias(block, first, seen)
            blocks.append(
                functional.scaled_dot_product_attention(
                    block, k[:, :, :seen], v[:, :, :seen], attn_mask=bias
                )
            )
        return torch.cat(blocks, dim=2)
