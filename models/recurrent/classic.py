"""Recurrent networks: the simple RNN, the GRU and the LSTM, torch's own cells on a residual stream.

With input x_t and state h_t (LSTM: and cell c_t), σ the logistic function and ⊙ elementwise::

    rnn     h_t = φ(W x_t + U h_{t-1} + b)                          φ = tanh or relu
    gru     r, z = σ(W x_t + U h_{t-1} + b)                         reset and update gates
            n    = tanh(W x_t + r ⊙ (U h_{t-1} + b') + b)
            h_t  = (1 - z) ⊙ n + z ⊙ h_{t-1}
    lstm    i, f, o = σ(W x_t + U h_{t-1} + b);  g = tanh(W x_t + U h_{t-1} + b)
            c_t = f ⊙ c_{t-1} + i ⊙ g;  h_t = o ⊙ tanh(c_t)

and the layer gives y_t = V h_t to the stream, so that the state's size is free of the width.

RNN: Elman 1990. LSTM: Hochreiter & Schmidhuber 1997; the forget gate, Gers et al. 2000. GRU: Cho
et al. 2014, arXiv:1406.1078 (in torch's variant, the reset gate inside the candidate's sum).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual, State
from flann.models.scans import recurrent_scan


class Recurrent(Layer):
    """One of torch's recurrent networks, one layer deep, and a projection back to the stream."""

    def __init__(self, width: int, cell: nn.RNNBase) -> None:
        super().__init__()
        self.cell = cell
        self.project = nn.Linear(cell.hidden_size, width, bias=False)
        self.carried = 2 if isinstance(cell, nn.LSTM) else 1

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        states = recurrent_scan(self.cell, x)
        if states is None:
            states, _ = self.cell(x)
        y: Tensor = self.project(states)
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
        zeros = self.project.weight.new_zeros(1, batch_size, self.cell.hidden_size)
        return (zeros, zeros) if self.carried == 2 else zeros

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        h, state = self.cell(x.unsqueeze(1), state)
        return self.project(h.squeeze(1)), state

    @override
    def state_size(self, length: int) -> int:
        return self.carried * self.cell.hidden_size


class RecurrentArchitecture(Architecture):
    """What the three have in common: a stack of `Recurrent` layers on a residual stream."""

    knob = "state"

    def cell(self, width: int, state: int) -> nn.RNNBase:
        """The recurrent network itself, one layer deep."""
        raise NotImplementedError

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        return [
            Residual(Recurrent(sizes.width, self.cell(sizes.width, sizes.second)), sizes.width)
            for _ in range(sizes.depth)
        ]


@register("rnn")
class RNN(RecurrentArchitecture):
    """Simple recurrent network (Elman 1990), tanh or relu."""

    family = "rnn"
    recipe = MappingProxyType({"lr": 1e-3, "steps": 8000})

    def __init__(self, *, activation: Literal["tanh", "relu"] = "tanh") -> None:
        self.activation = activation

    @override
    def cell(self, width: int, state: int) -> nn.RNNBase:
        return nn.RNN(width, state, nonlinearity=self.activation, batch_first=True)


@register("gru")
class GRU(RecurrentArchitecture):
    """Gated recurrent unit (Cho et al. 2014)."""

    family = "gru"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 8000})

    @override
    def cell(self, width: int, state: int) -> nn.RNNBase:
        return nn.GRU(width, state, batch_first=True)


@register("lstm")
class LSTM(RecurrentArchitecture):
    """Long short-term memory with forget gates (Hochreiter & Schmidhuber 1997)."""

    family = "lstm"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 8000})

    @override
    def cell(self, width: int, state: int) -> nn.RNNBase:
        return nn.LSTM(width, state, batch_first=True)
