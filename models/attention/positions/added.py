"""The interface of positional encodings that are added to the residual stream."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from flann.models.core.layer import Layer, State

from .randomised import CONSECUTIVE, PositionMap


class AddedPositions(Layer):
    """A vector for each position, added to the stream.

    Attributes
    ----------
    position_map : PositionMap
        The positions of a word's symbols: 0, 1, 2, ... unless they are randomised.
    """

    position_map: PositionMap = CONSECUTIVE

    def compute_vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        """Return the vectors of symbols `first` to `last` - 1, with `like`'s device and type."""
        raise NotImplementedError

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        return x + self.compute_vectors(0, x.shape[1], x)

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return the index of the next symbol, 0."""
        return 0

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        return x + self.compute_vectors(state, state + 1, x)[0], state + 1

    @override
    def state_size(self, length: int) -> int:
        return 1
