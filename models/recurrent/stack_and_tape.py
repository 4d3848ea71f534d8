"""Recurrent networks with an unbounded memory: a soft stack, and a soft tape.

A controller, a simple recurrent network or an LSTM, reads the symbol and what the memory shows,
and gives a word to write and how much of each action to take. Actions are mixed, not chosen, so
that all is differentiable. With controller state h_t and memory M, cells of `cell` numbers::

    h_t = controller([x_t, M_{t-1}[0]], h_{t-1})           `input_map` and `hidden_map`
    v   = W_v h_t + b_v                                    `word`, what is written
    a   = softmax(W_a h_t + b_a)                           `action`
    y_t = W h_t                                            `out`

Stack, M[0] its top (Joulin & Mikolov 2015; Suzgun et al. 2019)::

    M_t[0] = a_push v + a_pop M_{t-1}[1] + a_still M_{t-1}[0]
    M_t[i] = a_push M_{t-1}[i-1] + a_pop M_{t-1}[i+1] + a_still M_{t-1}[i]

Tape, M[0] under the head, indices of both signs (Suzgun et al. 2019; Delétang et al. 2022)::

    M'     = M_{t-1} with v in place of M_{t-1}[0]
    M_t[i] = a_left M'[i-1] + a_right M'[i+1] + a_still M'[i]

Memories begin as zeros. T symbols reach T cells of a stack, and T to each side on a tape: that many
are kept, so that no length is too long. Delétang et al. also let the tape's head jump by the
length of the input; that is not a function of the symbols read so far, so it is left out.

Joulin & Mikolov 2015, arXiv:1503.01007, §3.2 (zeros below the bottom instead of -1). Suzgun et al.
2019, arXiv:1911.03329, §3 and §4. Delétang et al. 2022, arXiv:2207.02098, §3 and appendix A.
"""

from __future__ import annotations

from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual, State
from flann.models.scans import memory_scan
from flann.models.scans.memory import Controller, Memory


class MemoryNetwork(Layer):
    """A controller and a memory; a subclass says what the actions do.

    Parameters
    ----------
    width, state, cell : int
        of the stream, of the controller, of a memory cell.
    controller : 'rnn' or 'lstm'
        h = tanh(...), or the LSTM's gates.
    """

    actions = 3
    kind: Memory
    grows: int
    """How many cells the memory grows by at a symbol."""

    def __init__(self, width: int, state: int, cell: int, *, controller: Controller) -> None:
        super().__init__()
        self.state, self.cell, self.controller = state, cell, controller
        gates = 4 if controller == "lstm" else 1
        self.input_map = nn.Linear(width + cell, gates * state)
        self.hidden_map = nn.Linear(state, gates * state, bias=False)
        self.word = nn.Linear(state, cell)
        self.action = nn.Linear(state, self.actions)
        self.out = nn.Linear(state, width, bias=False)
        for linear in (self.input_map, self.hidden_map):  # as torch's own recurrent networks
            for parameter in linear.parameters():
                nn.init.uniform_(parameter, -(state**-0.5), state**-0.5)

    def shown(self, memory: Float[Tensor, "batch cells cell"]) -> Float[Tensor, "batch cell"]:
        """M[0]."""
        raise NotImplementedError

    def moved(
        self,
        memory: Float[Tensor, "batch cells cell"],
        word: Float[Tensor, "batch cell"],
        action: Float[Tensor, "batch actions"],
    ) -> Float[Tensor, "batch more cell"]:
        """The memory after an action, `grows` cells larger."""
        raise NotImplementedError

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        from_x, from_memory = self.input_map.weight.split([x.shape[2], self.cell], dim=1)
        seen = torch.cat([self.hidden_map.weight, from_memory], dim=1).T
        said = torch.cat([self.word.weight, self.action.weight]).T
        bias = torch.cat([self.word.bias, self.action.bias])
        g = functional.linear(x, from_x, self.input_map.bias)
        h = memory_scan(g, seen, said, bias, controller=self.controller, memory=self.kind)
        y: Tensor = self.out(h)
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
        zeros = self.out.weight.new_zeros
        h = zeros(batch_size, self.state)
        c = h if self.controller == "lstm" else zeros(batch_size, 0)
        return h, c, zeros(batch_size, 1, self.cell)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        weight = self.input_map.weight[:, : x.shape[1]]
        state = self._advanced(functional.linear(x, weight, self.input_map.bias), state)
        return self.out(state[0]), state

    @override
    def state_size(self, length: int) -> int:
        carried = 2 if self.controller == "lstm" else 1
        return carried * self.state + (1 + self.grows * length) * self.cell

    def _advanced(self, from_x: Tensor, state: State) -> State:
        """One symbol further, `from_x` being its part of the controller's sum."""
        h, c, memory = state
        from_memory = self.shown(memory) @ self.input_map.weight[:, -self.cell :].T
        total = from_x + from_memory + self.hidden_map(h)
        if self.controller == "lstm":
            i, f, g, o = total.chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        else:
            h = torch.tanh(total)
        action = torch.softmax(self.action(h), dim=-1)
        return h, c, self.moved(memory, self.word(h), action)


class Stack(MemoryNetwork):
    """The stack; its actions are push, pop, and to do nothing. Cells from the top down."""

    kind: Memory = "stack"
    grows = 1

    @override
    def shown(self, memory: Float[Tensor, "batch cells cell"]) -> Float[Tensor, "batch cell"]:
        return memory[:, 0]

    @override
    def moved(
        self,
        memory: Float[Tensor, "batch cells cell"],
        word: Float[Tensor, "batch cell"],
        action: Float[Tensor, "batch actions"],
    ) -> Float[Tensor, "batch more cell"]:
        # Padded once, the three are views: the cell below, the cell itself, the cell above.
        around = functional.pad(torch.cat([word[:, None], memory], dim=1), (0, 0, 0, 2))
        return mixture(around, action[:, [0, 2, 1]])


class Tape(MemoryNetwork):
    """The tape; its head goes left, right, or stays. Cells from left to right of the head."""

    kind: Memory = "tape"
    grows = 2

    @override
    def shown(self, memory: Float[Tensor, "batch cells cell"]) -> Float[Tensor, "batch cell"]:
        return memory[:, memory.shape[1] // 2]

    @override
    def moved(
        self,
        memory: Float[Tensor, "batch cells cell"],
        word: Float[Tensor, "batch cell"],
        action: Float[Tensor, "batch actions"],
    ) -> Float[Tensor, "batch more cell"]:
        middle = memory.shape[1] // 2
        written = torch.cat([memory[:, :middle], word[:, None], memory[:, middle + 1 :]], dim=1)
        return mixture(functional.pad(written, (0, 0, 2, 2)), action[:, [0, 2, 1]])


def mixture(
    cells: Float[Tensor, "batch more cell"], shares: Float[Tensor, "batch 3"]
) -> Float[Tensor, "batch fewer cell"]:
    """Cell i is shares of cells i, i + 1 and i + 2; there are two fewer than before.

    >>> cells = torch.tensor([[[1.0], [10.0], [100.0], [0.0]]])
    >>> mixture(cells, torch.tensor([[0.5, 0.0, 0.5]])).flatten().tolist()
    [50.5, 5.0]
    """
    count, parts = cells.shape[1] - 2, shares[:, :, None, None].unbind(1)
    mixed = cells[:, :count] * parts[0]
    for j in (1, 2):
        mixed = torch.addcmul(mixed, cells[:, j : j + count], parts[j])
    return mixed


class MemoryArchitecture(Architecture):
    """What the two have in common: a stack of such layers on a residual stream."""

    knob = "state"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 8000})
    network: type[MemoryNetwork]

    def __init__(self, *, controller: Controller = "rnn", cell: int = 8) -> None:
        if cell < 1:
            raise UserError(f"{self.family}, option 'cell': expected 1 or more, got {cell}")
        self.controller: Controller = controller
        self.cell = cell

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        return [Residual(self._layer(sizes), sizes.width) for _ in range(sizes.depth)]

    def _layer(self, sizes: Sizes) -> Layer:
        return self.network(sizes.width, sizes.second, self.cell, controller=self.controller)


@register("stack-rnn")
class StackRNN(MemoryArchitecture):
    """Recurrent network with a soft, unbounded stack (Joulin & Mikolov 2015).

    Parameters
    ----------
    controller : 'rnn' or 'lstm'
        what reads, writes and chooses.
    cell : int
        how many numbers a cell of the stack holds.
    """

    family = "stack-rnn"
    network = Stack


@register("tape-rnn")
class TapeRNN(MemoryArchitecture):
    """Recurrent network with a soft, unbounded tape (Suzgun et al. 2019, Delétang et al. 2022).

    Parameters
    ----------
    controller : 'rnn' or 'lstm'
        what reads, writes and chooses.
    cell : int
        how many numbers a cell of the tape holds.
    """

    family = "tape-rnn"
    network = Tape
