"""A recurrent network with a soft tape, unbounded on both sides.

With the controller's vector v and action weights a (see `flann.models.recurrent.memory_network`),
and M[0] the cell under the head, with cells at positive and negative indices around it::

    M'     = M_{t-1} with v written to M_{t-1}[0]
    M_t[i] = a_left M'[i-1] + a_right M'[i+1] + a_stay M'[i]

After t symbols at most t cells to each side of the head are nonzero, and as many are kept.
Delétang et al. also let the head jump by the length of the input. That action is left out, as it
is not a function of the symbols read so far.

Suzgun et al. 2019, arXiv:1911.03329, §4; Delétang et al. 2022, arXiv:2207.02098, §3 and appendix A.
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


class Tape(MemoryNetwork):
    """A network with a tape, whose head moves left, moves right or stays.

    Cells are ordered from left to right, with the head over the middle one.
    """

    kind: Memory = "tape"
    growth = 2

    @override
    def read(self, memory: Float[Tensor, "batch cells cell"]) -> Float[Tensor, "batch cell"]:
        return memory[:, memory.shape[1] // 2]

    @override
    def apply_action(
        self,
        memory: Float[Tensor, "batch cells cell"],
        vector: Float[Tensor, "batch cell"],
        action: Float[Tensor, "batch actions"],
    ) -> Float[Tensor, "batch more cell"]:
        middle = memory.shape[1] // 2
        written = torch.cat([memory[:, :middle], vector[:, None], memory[:, middle + 1 :]], dim=1)
        return mix_neighbours(functional.pad(written, (0, 0, 2, 2)), action[:, [0, 2, 1]])


@register("tape-rnn")
class TapeRNN(MemoryArchitecture):
    """Recurrent network with a soft, unbounded tape (Suzgun et al. 2019, Delétang et al. 2022).

    Parameters
    ----------
    controller : 'rnn' or 'lstm'
        Network that controls the tape.
    cell : int
        Size of a tape cell's vector.
    """

    family = "tape-rnn"
    network = Tape
