"""Layers applied repeatedly with the same weights.

::

    x = block(x)    R times,     R fixed, or R = max(1, ⌈log2 T⌉) for a word of T symbols

A depth of log T can express what no fixed depth can (Merrill & Sabharwal 2025, arXiv:2503.03961);
sharing the weights keeps the number of parameters fixed (Dehghani et al. 2019, arXiv:1807.03819). A
prefix may have fewer loops than the word, so that the outputs on a prefix are the prefix of the
outputs only at an equal number of loops: see `Layer.set_length`.
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
    """Layers that are applied several times.

    Parameters
    ----------
    layers : sequence of Layer
        The layers of one loop, in order.
    loops : int or 'log'
        Number of loops; ``log`` is ⌈log2 T⌉.
    """

    length: int | None

    def __init__(self, layers: Sequence[Layer], loops: Loops) -> None:
        super().__init__()
        self.layers, self.loops = nn.ModuleList(layers), loops
        self.penalty: Tensor | float = 0.0
        self.set_length(None)

    def count_loops(self, length: int) -> int:
        """Return the number of loops for a word of this length.

        >>> [Looped([], "log").count_loops(length) for length in (1, 2, 3, 4, 5, 8, 9)]
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
        for _ in range(self.count_loops(x.shape[1])):
            for layer in self._list_layers():
                x = layer(x)
                self.penalty = self.penalty + layer.auxiliary_loss()
        return x

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return a state for every layer in every loop."""
        return [layer.initial_state(batch_size) for layer in self._unroll()]

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        next_states = []
        for layer, layer_state in zip(self._unroll(), state, strict=True):
            x, layer_state = layer.step(x, layer_state)
            next_states.append(layer_state)
        return x, next_states

    @override
    def state_size(self, length: int) -> int:
        loops = self.count_loops(length)
        return loops * sum(layer.state_size(length) for layer in self._list_layers())

    @override
    def auxiliary_loss(self) -> Tensor | float:
        """Return the layers' losses summed over the loops, and reset the sum."""
        penalty, self.penalty = self.penalty, 0.0
        return penalty

    def __getstate__(self) -> dict[str, Any]:
        # The penalty belongs to an autograd graph, which can be neither copied nor pickled.
        return {**self.__dict__, "penalty": 0.0}

    @override
    def set_length(self, length: int | None) -> None:
        """Loop as often as for a word of this length, which makes steps possible."""
        self.length = length
        for layer in self._list_layers():
            layer.set_length(length)
        is_known = self.loops != "log" or length is not None
        self.has_step = is_known and all(layer.has_step for layer in self._list_layers())

    def _list_layers(self) -> list[Layer]:
        return list(self.layers)  # type: ignore[arg-type]  # a ModuleList does not know its type

    def _unroll(self) -> list[Layer]:
        return self.count_loops(1) * self._list_layers()
