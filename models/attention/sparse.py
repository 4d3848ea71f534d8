"""Softmax attention to some of the keys: a window, chosen tokens, random blocks.

Which keys j a query i sees, besides the causal mask where there is one::

    window    |i - j| < W, or i or j is among the first G symbols       Longformer: Beltagy et al.
                                                                        2020, arXiv:2004.05150, §3.1
    bigbird   by blocks of b symbols, I = ⌊i / b⌋, J = ⌊j / b⌋:         Zaheer et al. 2020,
              |I - J| ≤ 1, or I = 0 or J = 0, or J is one of r          arXiv:2007.14062, §2 and
              random blocks of I's own (another r for each head)        appendix D, ITC

The first G symbols, or the first block, are the global tokens: they see all and all see them.
They share the projections of the others, where Longformer gives them their own. With a mask the
window reaches back only, the random blocks are earlier ones, and so a prefix stays as it was.

The random blocks are a function of the pattern's seed, the head, and I (and of how many blocks the
word has, without a mask), never of the weights' seed: one pattern for a model's whole life.
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


class SlidingWindow(Attention):
    """Attention to the last `window` symbols, and to the first `global_tokens`.

    Parameters
    ----------
    window : int
        W, counting the symbol itself; without a mask as many ahead as behind.
    global_tokens : int
        G.

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
    def hidden(self, i: Tensor, j: Tensor) -> Tensor | None:
        behind = i[:, None] - j
        far = behind.abs() >= self.window
        far &= (i >= self.globals)[:, None] & (j >= self.globals)
        return (far | (behind < 0) if self.causal else far).unsqueeze(0)

    @override
    def seen(self, first: int, last: int, length: int) -> tuple[int, int]:
        high = last if self.causal else length
        if self.globals:
            return 0, high
        return max(0, first - self.window + 1), min(high, last + self.window - 1)

    @override
    def needs_no_bias(self) -> bool:
        return False

    @override
    def initial_state(self, batch_size: int) -> State:
        return (*super().initial_state(batch_size), 0)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        keys, values, place = state
        here = torch.tensor([place], device=x.device)
        kept = torch.cat([self.kept(place, x.device), here])
        q, k, v = self.projected(x.unsqueeze(1), here)
        keys, values = torch.cat([keys, k], dim=2), torch.cat([values, v], dim=2)
        mixed = self.mixed(q, keys, values, here, kept)
        wanted = torch.isin(kept, self.kept(place + 1, x.device))
        return self.merged(mixed).squeeze(1), (keys[:, :, wanted], values[:, :, wanted], place + 1)

    def kept(self, place: int, device: torch.device) -> Tensor:
        """The earlier symbols whose keys are kept for the one at `place`."""
        first = max(min(self.globals, place), place - self.window + 1)
        return torch.cat(
            [
                torch.arange(min(self.globals, place), device=device),
                torch.arange(first, place, device=device),
            ]
        )

    @override
    def state_size(self, length: int) -> int:
        kept = len(self.kept(length, torch.device("cpu")))
        return 2 * self.key_heads * self.head_width * kept + 1


class BigBird(Attention):
    """Attention by blocks: the neighbouring ones, the first, and some at random.

    Parameters
    ----------
    block : int
        b, symbols in a block.
    random_blocks : int
        r, how many a block sees besides.
    pattern : int
        the seed of the random blocks.

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
        pattern: int = 0,
        **others: Any,
    ) -> None:
        super().__init__(width, heads, head_width, **others)
        if block < 1 or random_blocks < 0:
            raise UserError(
                f"block {block}, random_blocks {random_blocks}: expected 1 or more, 0 or more"
            )
        self.block, self.random_blocks, self.pattern = block, random_blocks, pattern

    @override
    def hidden(self, i: Tensor, j: Tensor) -> Tensor | None:
        blocks = int(j[-1]) // self.block + 1
        rows = torch.stack([self.row(int(b), blocks) for b in range(blocks)], dim=1)
        visible = rows.to(i.device)[:, i // self.block][:, :, j // self.block]
        return ~visible | (j > i[:, None]) if self.causal else ~visible

    def row(self, block: int, blocks: int) -> Tensor:
        """Which of `blocks` blocks this one sees, (heads, blocks)."""
        of = block + 1 if self.causal else blocks  # no later block changes what an earlier one sees
        seen = torch.zeros(self.heads, blocks, dtype=torch.bool)
        seen[:, [b for b in (block - 1, block, block + 1, 0) if 0 <= b < of]] = True
        if block == 0:
            seen[:, :of] = True
        for head in range(self.heads):
            seen[head, chosen(self.pattern, head, block, of, self.random_blocks)] = True
        return seen

    @override
    def needs_no_bias(self) -> bool:
        return False


@lru_cache(maxsize=1 << 16)
def chosen(pattern: int, head: int, block: int, of: int, most: int) -> list[int]:
    """Up to `most` random blocks among `of`, none that the block sees anyway."""
    others = [b for b in range(1, of) if abs(b - block) > 1]
    draw = random.Random(f"{pattern} {head} {block} {of}")
    return draw.sample(others, min(most, len(others)))
