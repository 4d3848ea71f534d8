"""Randomised positions: the symbols of a word get positions drawn from a larger range.

A model that only ever saw positions 0 to 39 cannot know what position 300 means. With randomised
positions (Ruoss et al. 2023, arXiv:2305.16843, §3.1) the symbols of a word of length T get, in
order, T distinct positions drawn uniformly from 0 .. L - 1, where L exceeds the length of any test
word, so that every position occurs in training. Any positional encoding can use them.

One draw serves all words of a batch and all layers. In training, each forward pass makes a new
draw from a generator seeded by the model's seed and the number of passes so far. That number is
saved with the weights, so that a resumed training continues with the same draws. Otherwise the
draw is a function of the model's seed and the length of the word.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.layer import Layer, State


class PositionMap:
    """The position of each symbol of a word: its index, or the entry of `drawn` at its index."""

    drawn: Tensor | None = None

    def select(self, first: int, last: int, device: torch.device) -> Tensor:
        """Return the positions of symbols `first` to `last` - 1."""
        if self.drawn is None:
            return torch.arange(first, last, device=device)
        return self.drawn[first:last].to(device)

    def map(self, indices: Tensor) -> Tensor:
        """Return the positions of the symbols with these indices."""
        return indices if self.drawn is None else self.drawn.to(indices.device)[indices]

    def index(self, first: int, last: int, device: torch.device) -> slice | Tensor:
        """Return the positions as an index into a table, a slice (no copy) if consecutive."""
        return slice(first, last) if self.drawn is None else self.select(first, last, device)


CONSECUTIVE = PositionMap()
"""The positions 0, 1, 2, ..., shared by all layers without randomised positions."""


class RandomisedPositions(Layer):
    """Draws the positions that later layers use; leaves the stream unchanged.

    Parameters
    ----------
    range_ : int
        L, the number of positions to draw from.

    Attributes
    ----------
    position_map : PositionMap
        The positions drawn last, shared with the layers that use them.
    """

    has_step = False  # the positions depend on the number of symbols to come: see `set_length`
    passes: Tensor
    seed: Tensor

    def __init__(self, range_: int) -> None:
        super().__init__()
        self.range, self.position_map = range_, PositionMap()
        self.fixed_length: int | None = None
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))
        self.register_buffer("seed", torch.randint(2**31, ()))

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        """Draw positions for the word and return the stream unchanged."""
        if self.training and self.fixed_length is None:
            generator = self.make_generator(int(self.passes), 0)
            self.position_map.drawn = self.draw(x.shape[1], generator)
            self.passes += 1
        else:
            self._draw_for_length(max(x.shape[1], self.fixed_length or 0))
        return x

    def make_generator(self, passes: int, length: int) -> torch.Generator:
        """Return a generator seeded by the model's seed, the number of passes and the length."""
        mixed = (int(self.seed) * 1_000_003 + passes + 1) * 1_000_003 + length
        return torch.Generator().manual_seed(mixed % 2**63)

    def draw(self, length: int, generator: torch.Generator) -> Tensor:
        """Draw `length` distinct positions in ascending order, uniform over all such choices."""
        if length > self.range:
            raise UserError(f"{length} symbols: there are {self.range} positions to draw from")
        return torch.randperm(self.range, generator=generator)[:length].sort().values

    @override
    def set_length(self, length: int | None) -> None:
        """Use the positions of a word of this length; None restores the default."""
        self.fixed_length, self.has_step = length, length is not None

    @override
    def initial_state(self, batch_size: int) -> State:
        """Draw the positions for the length that is set; nothing is carried."""
        self._draw_for_length(self.fixed_length or 0)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        return x, None

    @override
    def state_size(self, length: int) -> int:
        """Return `length`: one position for every symbol."""
        return length

    def _draw_for_length(self, length: int) -> None:
        self.position_map.drawn = self.draw(length, self.make_generator(-1, length))
