"""The gated recurrent unit.

With input x_t, state h_t, σ the logistic function and ⊙ the elementwise product::

    r, z = σ(W x_t + U h_{t-1} + b)                         reset and update gates
    n    = tanh(W x_t + r ⊙ (U h_{t-1} + b') + b)           candidate
    h_t  = (1 - z) ⊙ n + z ⊙ h_{t-1}

where each gate has weights and biases of its own. Cho et al. 2014, arXiv:1406.1078, in torch's
variant, which applies the reset gate after the recurrent matrix.
"""

from __future__ import annotations

from types import MappingProxyType

from torch import nn
from typing_extensions import override

from flann.models.core.registry import register

from .recurrent_layer import RecurrentArchitecture


@register("gru")
class GRU(RecurrentArchitecture):
    """Gated recurrent unit (Cho et al. 2014)."""

    family = "gru"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 8000})

    @override
    def build_cell(self, width: int, state: int) -> nn.RNNBase:
        return nn.GRU(width, state, batch_first=True)
