"""A counter in an LSTM: a cell that forgets nothing and adds the increment of every symbol.

With the forget gate open (f = 1), the candidate at exactly ±1, and the input gate open for symbols
with a nonzero increment::

    c_t = c_{t-1} + i g,        i g = the symbol's increment, -1, 0 or 1
    h_t = tanh(c_t)             above tanh(1) / 2 exactly where the count is positive

It is exact in float32 while the count is below 2^24.

Weiss, Goldberg & Yahav 2018, arXiv:1805.04908, §4.
"""

from __future__ import annotations

from math import tanh

import torch

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.recurrent.recurrent_layer import RecurrentLayer

from .construction import NoWitnessError
from .gates import SATURATING, find_gate_rows, get_weight_dtype
from .machines import Counter, MooreTable
from .one_layer_model import OneLayerModel
from .saturated_units import STEEPNESS


def build_lstm_counter(
    architecture: Architecture, name: str, language: MooreTable | Counter, labels: int
) -> SequenceModel:
    """Build the LSTM whose one cell is the counter."""
    if not isinstance(language, Counter):
        raise NoWitnessError("one construction is for counters")
    target = OneLayerModel.build(
        architecture, name, torch.eye(language.symbols), labels, second_size=1
    )
    layer = target.layer
    assert isinstance(layer, RecurrentLayer)
    cell = layer.cell
    increments = torch.tensor(language.increments, dtype=get_weight_dtype(cell))
    with torch.no_grad():
        symbols = slice(0, language.symbols)
        candidate, enter = (find_gate_rows(cell, gate) for gate in ("candidate", "in"))
        weights, biases = cell.get_parameter("weight_ih_l0"), cell.get_parameter("bias_ih_l0")
        weights[candidate, symbols] = STEEPNESS * increments
        weights[enter, symbols] = 2 * SATURATING * increments.abs() - SATURATING
        for gate in ("forget", "out"):
            biases[find_gate_rows(cell, gate)] = SATURATING
        signs = torch.zeros(labels, dtype=increments.dtype)
        signs[language.above], signs[language.below] = 1, -1
        layer.project.weight[target.labels, 0] = signs
    target.add_constants(-tanh(1) / 2 * signs)
    return target.model
