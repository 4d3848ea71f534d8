"""Weights of single gates in torch's recurrent networks, which stack the gates' rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SATURATING = 1000.0
"""Pre-activation of a gate that is fully open; the logistic function of ±1000 is 1 or 0."""
GATES: dict[type[nn.RNNBase], tuple[str, ...]] = {
    nn.RNN: ("candidate",),
    nn.GRU: ("reset", "update", "candidate"),
    nn.LSTM: ("in", "forget", "candidate", "out"),
}
"""The gates of each kind of network, in the order of their rows."""
MEMORYLESS = {
    "reset": SATURATING,
    "update": -SATURATING,
    "in": SATURATING,
    "forget": -SATURATING,
    "out": SATURATING,
}
"""Biases of the gates with which a network computes its candidate alone."""


def find_gate_rows(cell: nn.RNNBase, gate: str) -> slice:
    """Return the rows of a gate in the cell's weights and biases."""
    index = GATES[type(cell)].index(gate)
    return slice(index * cell.hidden_size, (index + 1) * cell.hidden_size)


def write_gate(
    cell: nn.RNNBase, gate: str, from_symbols: Tensor, from_units: Tensor, bias: Tensor
) -> None:
    """Set a gate's weights on the first coordinates of the input and on the units, and its bias."""
    rows, dtype = find_gate_rows(cell, gate), get_weight_dtype(cell)
    cell.get_parameter("weight_ih_l0")[rows, : from_symbols.shape[1]] = from_symbols.to(dtype)
    cell.get_parameter("weight_hh_l0")[rows] = from_units.to(dtype)
    cell.get_parameter("bias_ih_l0")[rows] = bias.to(dtype)


def disable_memory(cell: nn.RNNBase) -> None:
    """Saturate the gates so that h_t is the candidate, or for an LSTM its tanh."""
    for gate in GATES[type(cell)]:
        if gate in MEMORYLESS:
            cell.get_parameter("bias_ih_l0")[find_gate_rows(cell, gate)] = MEMORYLESS[gate]


def get_weight_dtype(cell: nn.RNNBase) -> torch.dtype:
    """Return the type of the cell's weights."""
    return cell.get_parameter("weight_hh_l0").dtype
