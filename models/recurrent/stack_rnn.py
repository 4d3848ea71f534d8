"""A recurrent network with a soft, unbounded stack.

With the controller's vector v and action weights a (see `flann.models.recurrent.memory_network`),
and M[0] the top of the stack::

    M_t[0] = a_push v + a_pop M_{t-1}[1] + a_noop M_{t-1}[0]
    M_t[i] = a_push M_{t-1}[i-1] + a_pop M_{t-1}[i+1] + a_noop M_{t-1}[i]

After t symbols at most t cells are nonzero, and as many are kept.

Joulin & Mikolov 2015, arXiv:1503.01007, §3.2, with zeros rather than -1 below the bottom; Suzgun et
al. 2019, arXiv:1911.03329, §3.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from flann.models.core.registry import register
from flann.models.scans.memory import Memory

from .memory_network import MemoryArchitecture, MemoryNetwork, mix_neighbours


class Stack(MemoryNetwork):
    """A network with a stack, whose actions are push, pop and no operation.

    Cells are ordered from the top of the stack downwards.
    """

    kind: Memory = "stack"
    growth = 1

    @override
    def read(self, memory: Float[Tensor, "batch cells cell"]) -> Float[Tensor, "batch cell"]:
        return memory[:, 0]

    @override
    def apply_action(
        self,
        memory: Float[Tensor, "batch cells cell"],
        vector: Float[Tensor, "batch cell"],
        action: Float[Tensor, "batch actions"],
    ) -> Float[Tensor, "batch more cell"]:
        # In the padded stack, cell i of the three results is cell i, i + 1 or i + 2: pushed,
        # unchanged or popped.
        padded = functional.pad(torch.cat([vector[:, None], memory], dim=1), (0, 0, 0, 2))
        return mix_neighbours(padded, action[:, [0, 2, 1]])


@register("stack-rnn")
class StackRNN(MemoryArchitecture):
    """Recurrent network with a soft, unbounded stack (Joulin & Mikolov 2015).

    Parameters
    ----------
    controller : 'rnn' or 'lstm'
        Network that controls the stack.
    cell : int
        Size of a stack cell's vector.
    """

    family = "stack-rnn"
    network = Stack
