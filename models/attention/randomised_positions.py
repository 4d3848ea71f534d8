"""Places of a word's symbols: 0, 1, 2, ..., or drawn from a greater range.

A model that only ever saw places 0 to 39 cannot know what place 300 means. With randomised
positions (Ruoss et al. 2023, arXiv:2305.16843, §3.1) the symbols of a word of length T stand, in
order, at T different places drawn uniformly from 0 .. L - 1, where L is more than the length of
any word to come, so that every place is seen in training. Any kind of positions can stand there.

One draw serves all words of a batch and all layers. In training each forward pass makes a new
one, from a generator that is set by the model's seed and the number of passes; that number is kept
with the weights, so that a training that was stopped goes on with the draws it would have seen.
Otherwise the draw follows from the model's seed and the word's length.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.layer import Layer, State


class Places:
    """Where the symbols of a word stand: 0, 1, 2, ..., unless `drawn` says otherwise."""

    drawn: Tensor | None = None

    def at(self, first: int, last: int, device: torch.device) -> Tensor:
        """The places of symbols `first` to `last` - 1."""
        if self.drawn is None:
            return torch.arange(first, last, device=device)
        return self.drawn[first:last].to(device)

    def of(self, symbols: Tensor) -> Tensor:
        """The places of these symbols."""
        return symbols if self.drawn is None else self.drawn.to(symbols.device)[symbols]

    def rows(self, first: int, last: int, device: torch.device) -> slice | Tensor:
        """The same as an index into a table; a slice, which is no copy, where they are in order."""
        return slice(first, last) if self.drawn is None else self.at(first, last, device)


IN_ORDER = Places()
"""Shared by all who draw none."""


class RandomPlaces(Layer):
    """Draws the places that positions further up stand at; the stream goes through unchanged.

    Parameters
    ----------
    range_ : int
        L, how many places there are to draw from.

    Attributes
    ----------
    places : Places
        what the layers that know positions hold.
    """

    has_step = False  # where a symbol stands depends on how many will follow: see `hold`
    passes: Tensor
    seed: Tensor

    def __init__(self, range_: int) -> None:
        super().__init__()
        self.range, self.places = range_, Places()
        self.held: int | None = None
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))
        self.register_buffer("seed", torch.randint(2**31, ()))

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        if self.training and self.held is None:
            self.places.drawn = self.draw(x.shape[1], self.generator(int(self.passes), 0))
            self.passes += 1
        else:
            self._stand(max(x.shape[1], self.held or 0))
        return x

    def generator(self, passes: int, length: int) -> torch.Generator:
        """For one draw: set by the model's seed, and by the pass or the length."""
        mixed = (int(self.seed) * 1_000_003 + passes + 1) * 1_000_003 + length
        return torch.Generator().manual_seed(mixed % 2**63)

    def draw(self, length: int, generator: torch.Generator) -> Tensor:
        """`length` different places in ascending order, uniform over all such choices."""
        if length > self.range:
            raise UserError(f"{length} symbols: there are {self.range} places to draw from")
        return torch.randperm(self.range, generator=generator)[:length].sort().values

    @override
    def set_length(self, length: int | None) -> None:
        self.held, self.has_step = length, length is not None

    @override
    def initial_state(self, batch_size: int) -> State:
        self._stand(self.held or 0)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        return x, None

    @override
    def state_size(self, length: int) -> int:
        return length

    def _stand(self, length: int) -> None:
        self.places.drawn = self.draw(length, self.generator(-1, length))
