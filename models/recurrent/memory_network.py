"""Recurrent networks that control an unbounded differentiable memory.

A controller, either a simple recurrent network or an LSTM, reads the input and the memory's current
cell; it emits a vector to write and a distribution over the memory's actions. Actions are averaged
under this distribution rather than sampled, so that the whole is differentiable. With controller
state h_t and memory M, whose cells are vectors of `cell` numbers::

    h_t = controller([x_t, M_{t-1}[0]], h_{t-1})           `input_map` and `hidden_map`
    v   = W_v h_t + b_v                                    `word`, the vector to write
    a   = softmax(W_a h_t + b_a)                           `action`
    M_t = the memory after the actions                     `apply_action`
    y_t = W h_t                                            `out`

The memories are in `flann.models.recurrent.stack_rnn` and `flann.models.recurrent.tape_rnn`. They
start as zeros and grow with every symbol, so words of any length can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Sizes
from flann.models.core.layer import Layer, State
from flann.models.core.residual_stack import ResidualStack
from flann.models.scans import memory_scan
from flann.models.scans.memory import Controller, Memory


class MemoryNetwork(Layer):
    """A controller with a memory; a subclass defines the memory's actions.

    Parameters
    ----------
    width, state, cell : int
        Widths of the stream, of the controller's state and of a memory cell.
    controller : 'rnn' or 'lstm'
        Network that controls the memory.
    """

    actions = 3
    kind: Memory
    growth: int
    """Number of cells by which the memory grows at every symbol."""

    def __init__(self, width: int, state: int, cell: int, *, controller: Controller) -> None:
        super().__init__()
        self.state, self.cell, self.controller = state, cell, controller
        gates = 4 if controller == "lstm" else 1
        self.input_map = nn.Linear(width + cell, gates * state)
        self.hidden_map = nn.Linear(state, gates * state, bias=False)
        self.word = nn.Linear(state, cell)
        self.action = nn.Linear(state, self.actions)
        self.out = nn.Linear(state, width, bias=False)
        for linear in (self.input_map, self.hidden_map):  # as torch initialises its own networks
            for parameter in linear.parameters():
                nn.init.uniform_(parameter, -(state**-0.5), state**-0.5)

    def read(self, memory: Float[Tensor, "batch cells cell"]) -> Float[Tensor, "batch cell"]:
        """Return the current cell, M[0]."""
        raise NotImplementedError

    def apply_action(
        self,
        memory: Float[Tensor, "batch cells cell"],
        vector: Float[Tensor, "batch cell"],
        action: Float[Tensor, "batch actions"],
    ) -> Float[Tensor, "batch more cell"]:
        """Return the memory after a distribution over actions, larger by `growth` cells."""
        raise NotImplementedError

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        from_x, from_memory = self.input_map.weight.split([x.shape[2], self.cell], dim=1)
        recurrent = torch.cat([self.hidden_map.weight, from_memory], dim=1).T
        emitted = torch.cat([self.word.weight, self.action.weight]).T
        bias = torch.cat([self.word.bias, self.action.bias])
        g = functional.linear(x, from_x, self.input_map.bias)
        h = memory_scan(g, recurrent, emitted, bias, controller=self.controller, memory=self.kind)
        y: Tensor = self.out(h)
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return (h, c, M) as zeros; c has no entries for a simple network, M has one cell."""
        zeros = self.out.weight.new_zeros
        h = zeros(batch_size, self.state)
        c = h if self.controller == "lstm" else zeros(batch_size, 0)
        return h, c, zeros(batch_size, 1, self.cell)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        h, c, memory = state
        from_x, from_memory = self.input_map.weight.split([x.shape[1], self.cell], dim=1)
        g = functional.linear(x, from_x, self.input_map.bias)
        total = g + self.read(memory) @ from_memory.T + self.hidden_map(h)
        if self.controller == "lstm":
            i, f, g, o = total.chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        else:
            h = torch.tanh(total)
        action = torch.softmax(self.action(h), dim=-1)
        return self.out(h), (h, c, self.apply_action(memory, self.word(h), action))

    @override
    def state_size(self, length: int) -> int:
        controller_tensors = 2 if self.controller == "lstm" else 1
        return controller_tensors * self.state + (1 + self.growth * length) * self.cell


def mix_neighbours(
    cells: Float[Tensor, "batch more cell"], weights: Float[Tensor, "batch 3"]
) -> Float[Tensor, "batch fewer cell"]:
    """Return the weighted sums of cells i, i + 1 and i + 2 for every i; two cells fewer.

    >>> cells = torch.tensor([[[1.0], [10.0], [100.0], [0.0]]])
    >>> mix_neighbours(cells, torch.tensor([[0.5, 0.0, 0.5]])).flatten().tolist()
    [50.5, 5.0]
    """
    count, parts = cells.shape[1] - 2, weights[:, :, None, None].unbind(1)
    mixed = cells[:, :count] * parts[0]
    for j in (1, 2):
        mixed = torch.addcmul(mixed, cells[:, j : j + count], parts[j])
    return mixed


class MemoryArchitecture(ResidualStack):
    """A stack of memory networks on a residual stream."""

    second_size_name = "state"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 8000})
    network: type[MemoryNetwork]

    def __init__(self, *, controller: Controller = "rnn", cell: int = 8) -> None:
        if cell < 1:
            raise UserError(f"{self.family}, option 'cell': expected 1 or more, got {cell}")
        self.controller: Controller = controller
        self.cell = cell

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        return [self.network(sizes.width, sizes.second_size, self.cell, controller=self.controller)]
