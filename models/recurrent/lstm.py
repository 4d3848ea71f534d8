"""The long short-term memory.

With input x_t, output h_t, cell c_t, σ the logistic function and ⊙ the elementwise product::

    i, f, o = σ(W x_t + U h_{t-1} + b)                      input, forget and output gates
    g       = tanh(W x_t + U h_{t-1} + b)                   candidate
    c_t     = f ⊙ c_{t-1} + i ⊙ g
    h_t     = o ⊙ tanh(c_t)

where each gate has weights and biases of its own. Hochreiter & Schmidhuber 1997; the forget gate is
from Gers et al. 2000.
"""

from __future__ import annotations

from types import MappingProxyType

from torch import nn
from typing_extensions import override

from flann.models.core.registry import register

from .recurrent_layer import RecurrentArchitecture


@register("lstm")
class LSTM(RecurrentArchitecture):
    """Long short-term memory with forget gates (Hochreiter & Schmidhuber 1997)."""

    family = "lstm"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 8000})

    @override
    def build_cell(self, width: int, state: int) -> nn.RNNBase:
        return nn.LSTM(width, state, batch_first=True)
