"""The simple recurrent network.

With input x_t, state h_t and a nonlinearity φ, either tanh or relu::

    h_t = φ(W x_t + U h_{t-1} + b)

Elman 1990, "Finding structure in time".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from torch import nn
from typing_extensions import override

from flann.models.core.registry import register

from .recurrent_layer import RecurrentArchitecture


@register("rnn")
class RNN(RecurrentArchitecture):
    """Simple recurrent network (Elman 1990), tanh or relu.

    Parameters
    ----------
    activation : 'tanh' or 'relu'
        Nonlinearity φ of the state update.
    """

    family = "rnn"
    recipe = MappingProxyType({"lr": 1e-3, "steps": 8000})

    def __init__(self, *, activation: Literal["tanh", "relu"] = "tanh") -> None:
        self.activation = activation

    @override
    def build_cell(self, width: int, state: int) -> nn.RNNBase:
        return nn.RNN(width, state, nonlinearity=self.activation, batch_first=True)
