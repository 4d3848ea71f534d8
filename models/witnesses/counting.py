"""A counter in an LSTM: a cell that keeps everything and adds what every symbol brings.

With the forget gate open (f = 1), the candidate at exactly ±1 and the input gate open but for
symbols that do not count::

    c_t = c_{t-1} + i g,        i g = the symbol's rise, -1, 0 or 1
    h_t = tanh(c_t)             which is above tanh(1) / 2 exactly where the count is above zero

Exact in float32 while the count is below 2^24.

Weiss, Goldberg & Yahav 2018, arXiv:1805.04908, §4.
"""

from __future__ import annotations

from math import tanh

import torch

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.recurrent.recurrent_layer import RecurrentLayer

from .frame import Frame
from .machines import Counter, Moore
from .saturated import SHARP, SHUT, rows_of


def counting(
    architecture: Architecture, name: str, language: Moore | Counter, labels: int
) -> SequenceModel | str:
    """The witness, or what it lacks."""
    if not isinstance(language, Counter):
        return "no counter"
    frame = Frame.around(architecture, name, torch.eye(language.symbols), labels, second=1)
    layer = frame.layer
    assert isinstance(layer, RecurrentLayer)
    cell = layer.cell
    rises = torch.tensor(language.rises, dtype=cell.get_parameter("weight_hh_l0").dtype)
    with torch.no_grad():
        symbols = slice(0, language.symbols)
        cell.get_parameter("weight_ih_l0")[rows_of(cell, "candidate"), symbols] = SHARP * rises
        cell.get_parameter("weight_ih_l0")[rows_of(cell, "in"), symbols] = (
            2 * SHUT * rises.abs() - SHUT
        )
        for gate in ("forget", "out"):
            cell.get_parameter("bias_ih_l0")[rows_of(cell, gate)] = SHUT
        sides = torch.zeros(labels, dtype=rises.dtype)
        sides[language.above], sides[language.below] = 1, -1
        layer.project.weight[frame.labels, 0] = sides
    frame.add_constants(-tanh(1) / 2 * sides)
    return frame.model
