"""A layer around one of torch's recurrent networks, shared by the RNN, the GRU and the LSTM.

The network reads the stream x_t and updates its state h_t (of the LSTM: h_t and c_t) by the
equations in `flann.models.recurrent.rnn`, `flann.models.recurrent.gru` and
`flann.models.recurrent.lstm`. The layer then adds y_t = V h_t to the stream, so that the state size
does not depend on the width.
"""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.layer import Layer, State
from flann.models.core.residual_stack import ResidualStack
from flann.models.scans import recurrent_scan


class RecurrentLayer(Layer):
    """A one-layer recurrent network followed by a linear map to the residual stream.

    Parameters
    ----------
    width : int
        Width of the stream.
    cell : torch.nn.RNNBase
        Recurrent network with one layer, whose inputs have shape (batch, length, width).
    """

    def __init__(self, width: int, cell: nn.RNNBase) -> None:
        super().__init__()
        self.cell = cell
        self.project = nn.Linear(cell.hidden_size, width, bias=False)
        self.state_tensors = 2 if isinstance(cell, nn.LSTM) else 1

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
        """Return h = 0; for the LSTM the pair (h, c) of zeros."""
        zeros = self.project.weight.new_zeros(1, batch_size, self.cell.hidden_size)
        return (zeros, zeros) if self.state_tensors == 2 else zeros

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        h, state = self.cell(x.unsqueeze(1), state)
        return self.project(h.squeeze(1)), state

    @override
    def state_size(self, length: int) -> int:
        return self.state_tensors * self.cell.hidden_size


class RecurrentArchitecture(ResidualStack):
    """A stack of `RecurrentLayer` blocks on a residual stream."""

    second_size_name = "state"

    def build_cell(self, width: int, state: int) -> nn.RNNBase:
        """Build a one-layer recurrent network with this input width and state size."""
        raise NotImplementedError

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        return [RecurrentLayer(sizes.width, self.build_cell(sizes.width, sizes.second_size))]
