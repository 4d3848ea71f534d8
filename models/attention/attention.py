"""Multi-head softmax attention, over a whole word or one position at a time.

For every head, with queries q, keys k and values v of head width w::

    score(i, j) = q_i · k_j / √w   (and what positions on pairs add, see `relative_positions`)
    y_i         = W_o [ Σ_j softmax_j(score(i, j)) v_j ]      over j ≤ i if causal, else over all j

``key_heads=K`` lets heads share keys and values: heads / K of them have one key head in common.
With as many key heads as heads it is Vaswani's; with one, multi-query attention (Shazeer 2019,
arXiv:1911.02150); between, grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245).

A plain softmax is fastest on short words; beyond `SHORT` torch's fused attention is used, which
never holds the whole score matrix. Something added to scores defeats that, so it goes by blocks of
queries. Other kinds of attention override what a query may see (`hidden`), how keys are looked
through (`seen`), or how sharply (`sharpened`).

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

from .positions import Position
from .randomised_positions import IN_ORDER, Places
from .relative_positions import PairPositions, pair_positions

SHORT = 64
BLOCK = 512
"""Queries taken together where what is added to scores has to be written out."""


class Attention(Layer):
    """Multi-head attention whose head width is free of the model's.

    Parameters
    ----------
    width, heads, head_width : int
        of the stream, and how many heads of what width.
    causal : bool
        whether a position sees only itself and what came before.
    position : Position, or a function that makes PairPositions
        what positions do here; those that act on the stream do nothing.
    key_heads : int, optional
        how many heads keys and values have; as many as queries if not given.
    places : Places
        where the symbols of a word stand, as positions see it.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        head_width: int,
        *,
        causal: bool,
        position: Position | Callable[[], PairPositions],
        key_heads: int | None = None,
        places: Places = IN_ORDER,
    ) -> None:
        super().__init__()
        self.heads, self.head_width = heads, head_width
        self.key_heads = heads if key_heads is None else key_heads
        if self.key_heads < 1 or heads % self.key_heads:
            raise UserError(f"key_heads {key_heads}: expected a divisor of the {heads} heads")
        self.causal, self.has_step, self.places = causal, causal, places
        self.query = nn.Linear(width, heads * head_width)
        self.key = nn.Linear(width, self.key_heads * head_width)
        self.value = nn.Linear(width, self.key_heads * head_width)
        self.out = nn.Linear(heads * head_width, width)
        self.pairs: PairPositions = (
            pair_positions(position, width=width, heads=heads, head_width=head_width, causal=causal)
            if isinstance(position, str)
            else position()
        )

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        every = torch.arange(x.shape[1], device=x.device)
        q, k, v = self.projected(x, every)
        if x.shape[1] <= SHORT:
            mixed = self.mixed(q, k, v, every, every)
        elif self.needs_no_bias():
            q = self.sharpened(self.pairs.queries(q, self.places.of(every)), every, x.shape[1])
            mixed = functional.scaled_dot_product_attention(
                q, self.shared(k), self.shared(v), is_causal=self.causal
            )
        else:
            mixed = self.by_blocks(q, k, v)
        return self.merged(mixed)

    @override
    def initial_state(self, batch_size: int) -> State:
        empty = self.out.weight.new_empty(batch_size, self.key_heads, 0, self.head_width)
        return empty, empty

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        keys, values = state
        every = torch.arange(keys.shape[2] + 1, device=x.device)
        q, k, v = self.projected(x.unsqueeze(1), every[-1:])
        keys, values = torch.cat([keys, k], dim=2), torch.cat([values, v], dim=2)
        mixed = self.mixed(q, keys, values, every[-1:], every)
        return self.merged(mixed).squeeze(1), (keys, values)

    @override
    def state_size(self, length: int) -> int:
        return 2 * self.key_heads * self.head_width * length

    # -- what other kinds of attention change ------------------------------------------------------

    def hidden(self, i: Tensor, j: Tensor) -> Tensor | None:
        """Which of symbols `j` the queries at `i` may not see, (heads or 1, queries, keys)."""
        return (j > i[:, None]).unsqueeze(0) if self.causal else None

    def seen(self, first: int, last: int, length: int) -> tuple[int, int]:
        """From where to where lie all keys that queries `first` to `last` - 1 may see."""
        return 0, last if self.causal else length

    def sharpened(self, q: Tensor, i: Tensor, length: int) -> Tensor:
        """Queries at `i` in a word of this length, scaled for how many keys they see."""
        return q

    def needs_no_bias(self) -> bool:
        """Whether nothing but a causal mask stands in the way of fused attention."""
        return not self.pairs.adds_scores

    # -- what they share ---------------------------------------------------------------------------

    def projected(self, x: Tensor, i: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of symbols `i`, (batch, heads, length, head width)."""
        shape = (*x.shape[:2], -1, self.head_width)
        q, k, v = (m(x).view(shape).transpose(1, 2) for m in (self.query, self.key, self.value))
        return q, self.pairs.keys(k, self.places.of(i)), v

    def merged(self, mixed: Tensor) -> Tensor:
        """The heads' outputs as one vector of the stream."""
        y: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return y

    def shared(self, k: Tensor) -> Tensor:
        """Keys or values with a copy for each head that shares them."""
        groups = self.heads // self.key_heads
        return k if groups == 1 else k.repeat_interleave(groups, dim=1)

    def mixed(self, q: Tensor, k: Tensor, v: Tensor, i: Tensor, j: Tensor) -> Tensor:
        """Softmax over written-out scores of the queries at `i` and the keys at `j`."""
        at_i, at_j = self.places.of(i), self.places.of(j)
        sharp = self.sharpened(self.pairs.queries(q, at_i), i, len(j))
        scores = sharp @ self.shared(k).transpose(-1, -2) * self.head_width**-0.5
        bias = self.bias(q, i, j)
        if bias is not None:
            scores = scores + bias
        weights = torch.softmax(scores, dim=-1)
        mixed = weights @ self.shared(v)
        return mixed + self.pairs.values(weights, at_i, at_j) if self.pairs.adds_values else mixed

    def bias(self, q: Tensor, i: Tensor, j: Tensor) -> Tensor | None:
        """What is added to scores, minus infinity where a key is hidden; None if nothing is."""
        hidden, bias = self.hidden(i, j), None
        if self.pairs.adds_scores:
            bias = self.pairs.scores(q, self.places.of(i), self.places.of(j))
        if hidden is None:
            return bias
        bias = q.new_zeros(hidden.shape) if bias is None else bias
        return bias.masked_fill(hidden, float("-inf"))

    def by_blocks(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """A block of queries at a time, each with its bias written out."""
        blocks, length = [], q.shape[2]
        for first in range(0, length, BLOCK):
            block = q[:, :, first : first + BLOCK]
            last = first + block.shape[2]
            low, high = self.seen(first, last, length)
            i = torch.arange(first, last, device=q.device)
            j = torch.arange(low, high, device=q.device)
            keys, values = k[:, :, low:high], v[:, :, low:high]
            if self.pairs.adds_values:
                blocks.append(self.mixed(block, keys, values, i, j))
                continue
            sharp = self.sharpened(self.pairs.queries(block, self.places.of(i)), i, length)
            blocks.append(
                functional.scaled_dot_product_attention(
                    sharp, self.shared(keys), self.shared(values), attn_mask=self.bias(block, i, j)
                )
            )
        return torch.cat(blocks, dim=2)


class LogLength(Attention):
    """Scores times the logarithm of how many keys there are, which else drown the one that counts.

    ::

        score(i, j) = log n · q_i · k_j / √w,    n the symbols that i sees

    Without a mask n is the word's length, as in Chiang & Cholak 2022, arXiv:2202.12172, §5.3; with
    one it is i, so that a prefix does not depend on what follows. What positions on pairs add is
    not multiplied.
    """

    @override
    def sharpened(self, q: Tensor, i: Tensor, length: int) -> Tensor:
        if not self.causal:
            return q * log(length)
        return q * (i + 1).to(q.dtype).log()[:, None]
