"""Layers that are gone through again and again with the same weights.

::

    x = block(x)    R times,     R fixed, or R = max(1, ⌈log2 T⌉) for a word of T symbols

A depth that grows with log T can do what no fixed depth can (Merrill & Sabharwal 2025,
arXiv:2503.03961); sharing weights makes such a depth a model of one size (Dehghani et al. 2019,
arXiv:1807.03819). A prefix of a word may have fewer loops than the word, so that outputs on it are
the prefix of the word's outputs only at equal loops: see `Layer.set_length`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.layer import Layer, State

Loops = int | Literal["log"]


class Looped(Layer):
    """Layers that are gone through several times.

    Parameters
    ----------
    layers : sequence of Layer
        one block, or several in turn.
    loops : int or 'log'
        how many times; ``log`` is ⌈log2 T⌉.
    """

    length: int | None

    def __init__(self, layers: Sequence[Layer], loops: Loops) -> None:
        super().__init__()
        self.layers, self.loops = nn.ModuleList(layers), loops
        self.penalty: Tensor | float = 0.0
        self.set_length(None)

    def count(self, length: int) -> int:
        """How many times for a word of this length.

        >>> [Looped([], "log").count(length) for length in (1, 2, 3, 4, 5, 8, 9)]
        [1, 1, 2, 2, 3, 3, 4]
        """
        if self.loops != "log":
            return self.loops
        return max(1, ((length if self.length is None else self.length) - 1).bit_length())

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        self.penalty = 0.0
        for _ in range(self.count(x.shape[1])):
            for layer in self._layers():
                x = layer(x)
                self.penalty = self.penalty + layer.auxiliary_loss()
        return x

    @override
    def initial_state(self, batch_size: int) -> State:
        return [layer.initial_state(batch_size) for layer in self._in_turn()]

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        following = []
        for layer, carried in zip(self._in_turn(), state, strict=True):
            x, carried = layer.step(x, carried)
            following.append(carried)
        return x, following

    @override
    def state_size(self, length: int) -> int:
        return self.count(length) * sum(layer.state_size(length) for layer in self._layers())

    @override
    def auxiliary_loss(self) -> Tensor | float:
        penalty, self.penalty = self.penalty, 0.0
        return penalty

    def __getstate__(self) -> dict[str, Any]:
        # The penalty belongs to a graph of operations, which can be neither copied nor pickled.
        return {**self.__dict__, "penalty": 0.0}

    @override
    def set_length(self, length: int | None) -> None:
        self.length = length
        for layer in self._layers():
            layer.set_length(length)
        known = self.loops != "log" or length is not None
        self.has_step = known and all(layer.has_step for layer in self._layers())

    def _layers(self) -> list[Layer]:
        return list(self.layers)  # type: ignore[arg-type]  # a ModuleList forgets its type

    def _in_turn(self) -> list[Layer]:
        return self.count(1) * self._layers()
