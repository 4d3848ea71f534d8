"""Sparse softmax attention: a sliding window, global tokens, random blocks.

Besides the causal mask, if there is one, a query i sees the keys j with::

    window    |i - j| < W, or i or j is among the first G symbols       Longformer: Beltagy et al.
                                                                        2020, arXiv:2004.05150, §3.1
    bigbird   by blocks of b symbols, I = ⌊i / b⌋, J = ⌊j / b⌋:         Zaheer et al. 2020,
              |I - J| ≤ 1, or I = 0 or J = 0, or J is one of r          arXiv:2007.14062, §2 and
              random blocks of I's own (another r for each head)        appendix D, ITC

The first G symbols, or the first block, are global tokens: they attend to all symbols and all
attend to them. They share the projections of the other symbols, whereas Longformer gives them their
own. With a causal mask, the window extends only backwards and the random blocks are earlier ones,
so that outputs do not depend on later symbols.

The random blocks are a function of the option `seed`, the head and I (and, without a mask, of the
number of blocks in the word), and never of the seed of the initial weights. They stay the same for
the lifetime of a model.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.layer import State

from .attention import Attention


class SparseAttention(Attention):
    """The base class of attention to some of the keys, whose mask rules out fused attention."""

    @override
    def can_fuse(self) -> bool:
        return False


class SlidingWindow(SparseAttention):
    """Attention to the last `window` symbols and to the first `global_tokens`.

    Parameters
    ----------
    window : int
        W, counting the symbol itself; without a mask, the window extends equally far ahead.
    global_tokens : int
        G, the number of global tokens.

    Other parameters are those of `Attention`.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        head_width: int,
        *,
        window: int = 16,
        global_tokens: int = 0,
        **others: Any,
    ) -> None:
        super().__init__(width, heads, head_width, **others)
        if window < 1 or global_tokens < 0:
            raise UserError(
                f"window {window}, global_tokens {global_tokens}: expected 1 or more, 0 or more"
            )
        self.window, self.globals = window, global_tokens

    @override
    def compute_mask(self, i: Tensor, j: Tensor) -> Tensor | None:
        behind = i[:, None] - j
        far = behind.abs() >= self.window
        far &= (i >= self.globals)[:, None] & (j >= self.globals)
        return (far | (behind < 0) if self.causal else far).unsqueeze(0)

    @override
    def find_key_range(self, first: int, last: int, length: int) -> tuple[int, int]:
        high = last if self.causal else length
        if self.globals:
            return 0, high
        return max(0, first - self.window + 1), min(high, last + self.window - 1)

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return empty caches of keys and values, and the index of the next symbol."""
        return (*super().initial_state(batch_size), 0)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """Attend from one more symbol, and drop keys that no later symbol sees."""
        keys, values, index = state
        i = torch.tensor([index], device=x.device)
        j = torch.cat([self.list_cached(index, x.device), i])
        q, k, v = self.project(x.unsqueeze(1), i)
        keys, values = torch.cat([keys, k], dim=2), torch.cat([values, v], dim=2)
        y = self.attend(q, keys, values, i, j)
        kept = torch.isin(j, self.list_cached(index + 1, x.device))
        return self.merge_heads(y).squeeze(1), (keys[:, :, kept], values[:, :, kept], index + 1)

    def list_cached(self, index: int, device: torch.device) -> Tensor:
        """Return the indices of the earlier symbols whose keys are cached for symbol `index`."""
        first = max(min(self.globals, index), index - self.window + 1)
        return torch.cat(
            [
                torch.arange(min(self.globals, index), device=device),
                torch.arange(first, index, device=device),
            ]
        )

    @override
    def state_size(self, length: int) -> int:
        """Return the size of the caches (global tokens, window minus one) and of the index."""
        cached = len(self.list_cached(length, torch.device("cpu")))
        return 2 * self.key_heads * self.head_width * cached + 1


class BigBird(SparseAttention):
    """Attention to neighbouring blocks, the first block and some random blocks.

    Parameters
    ----------
    block : int
        b, the number of symbols in a block.
    random_blocks : int
        r, the number of random blocks that each block sees.
    seed : int
        Random seed of the random blocks.

    Other parameters are those of `Attention`.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        head_width: int,
        *,
        block: int = 8,
        random_blocks: int = 2,
        seed: int = 0,
        **others: Any,
    ) -> None:
        super().__init__(width, heads, head_width, **others)
        if block < 1 or random_blocks < 0:
            raise UserError(
                f"block {block}, random_blocks {random_blocks}: expected 1 or more, 0 or more"
            )
        self.block, self.random_blocks, self.seed = block, random_blocks, seed

    @override
    def compute_mask(self, i: Tensor, j: Tensor) -> Tensor | None:
        blocks = int(j[-1]) // self.block + 1
        rows = torch.stack([self.find_visible_blocks(b, blocks) for b in range(blocks)], dim=1)
        visible = rows.to(i.device)[:, i // self.block][:, :, j // self.block]
        return ~visible | (j > i[:, None]) if self.causal else ~visible

    def find_visible_blocks(self, block: int, blocks: int) -> Tensor:
        """Return which of `blocks` blocks this one sees, of shape (heads, blocks)."""
        # With a mask, later blocks must not change what an earlier one sees.
        count = block + 1 if self.causal else blocks
        visible = torch.zeros(self.heads, blocks, dtype=torch.bool)
        visible[:, [b for b in (block - 1, block, block + 1, 0) if 0 <= b < count]] = True
        if block == 0:
            visible[:, :count] = True
        for head in range(self.heads):
            visible[head, draw_blocks(self.seed, head, block, count, self.random_blocks)] = True
        return visible


@lru_cache(maxsize=1 << 16)
def draw_blocks(seed: int, head: int, block: int, count: int, most: int) -> list[int]:
    """Draw up to `most` random blocks out of `count`, none of which the block sees anyway."""
    others = [b for b in range(1, count) if abs(b - block) > 1]
    generator = random.Random(f"{seed} {head} {block} {count}")
    return generator.sample(others, min(most, len(others)))
