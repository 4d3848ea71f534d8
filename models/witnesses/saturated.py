"""Any automaton in an RNN, a GRU or an LSTM, by units that are fully on or fully off.

There is a unit for every pair of a state q and a symbol a, on after a step from q by a; and one
that is on after the first symbol. Which state the machine was in, [q], is the sum of the units
that lead to q, or before the first symbol whether q is the start. Then unit (q, a) is on when both
[q] and the symbol's coordinate are 1::

    relu    h = relu([q] + e_a - 1)                                    on is 1, off is 0
    tanh    h = tanh(H (2 [q] + 2 e_a - 3))                            on is 1, off is -1

with H so great that tanh gives exactly ±1; there [q] is the sum of (h + started) / 2. A GRU whose
update gate is shut and whose reset gate is open is that RNN; an LSTM that forgets everything and
lets everything in and out has h = tanh(±1).

Minsky 1967, "Computation: finite and infinite machines", §3.5; saturated networks: Merrill et al.
2020, arXiv:2004.08500. The construction for second-order RNNs goes back to Omlin & Giles 1996.
"""

from __future__ import annotations

from math import tanh

import torch
from torch import Tensor, nn

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.recurrent.recurrent_layer import RecurrentLayer

from .frame import Frame
from .machines import Counter, Moore

SHARP = 20.0  # tanh(±20) is ±1 in double precision
SHUT = 1000.0  # the logistic function of ±1000 is 0 or 1


def saturated(
    architecture: Architecture, name: str, language: Moore | Counter, labels: int
) -> SequenceModel | str:
    """The witness, or what it lacks."""
    if not isinstance(language, Moore):
        return "no automaton"
    pairs = [(q, a) for q in range(language.states) for a in range(language.symbols)]
    codes = torch.eye(language.symbols)
    frame = Frame.around(architecture, name, codes, labels, second=len(pairs) + 1)
    layer = frame.layer
    assert isinstance(layer, RecurrentLayer)
    cell = layer.cell
    relu = isinstance(cell, nn.RNN) and cell.nonlinearity == "relu"
    on = tanh(1) if isinstance(cell, nn.LSTM) else 1.0
    read, recur, bias = rectified(language, pairs) if relu else squashed(language, pairs, on)
    with torch.no_grad():
        write(cell, "candidate", read, recur, bias)
        open_gates(cell)
        ends = torch.tensor([language.outputs[language.table[q][a]] for q, a in pairs])
        member = (ends == torch.arange(labels)[:, None]).to(on_type(cell))
        layer.project.weight[frame.labels, :-1] = (
            member if relu else member / on
        )  # off counts -1 and on counts 1
    if not relu:
        frame.add_constants(member.sum(1))
    return frame.model


def rectified(machine: Moore, pairs: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """What a unit reads from symbols and from units, and its bias, where off is 0."""
    leads, starts, symbol = structure(machine, pairs)
    units = len(pairs) + 1
    read, recur, bias = torch.zeros(units, machine.symbols), torch.zeros(units, units), -starts
    read[:-1] = symbol
    recur[:-1, :-1] = leads
    recur[:-1, -1] = -starts
    bias = torch.cat([starts - 1, torch.ones(1)])
    return read, recur, bias


def squashed(
    machine: Moore, pairs: list[tuple[int, int]], on: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The same where on is `on` and off is minus that."""
    leads, starts, symbol = structure(machine, pairs)
    units = len(pairs) + 1
    read, recur = torch.zeros(units, machine.symbols), torch.zeros(units, units)
    read[:-1] = 2 * symbol
    recur[:-1, :-1] = leads / on
    recur[:-1, -1] = (leads.sum(1) - 2 * starts) / on
    bias = torch.cat([2 * starts - 3, torch.ones(1)])
    return SHARP * read, SHARP * recur, SHARP * bias


def structure(machine: Moore, pairs: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """For unit (q, a): which units lead to q, whether q is the start, and a's unit vector."""
    ends = torch.tensor([machine.table[q][a] for q, a in pairs])
    origins = torch.tensor([q for q, _ in pairs])
    leads = (ends == origins[:, None]).float()
    starts = (origins == machine.start).float()
    symbol = torch.eye(machine.symbols)[[a for _, a in pairs]]
    return leads, starts, symbol


GATES = {"RNN": ("candidate",), "GRU": ("reset", "update", "candidate")}
GATES["LSTM"] = ("in", "forget", "candidate", "out")


def rows_of(cell: nn.RNNBase, gate: str) -> slice:
    """Where torch keeps a gate's rows."""
    place = GATES[type(cell).__name__].index(gate)
    return slice(place * cell.hidden_size, (place + 1) * cell.hidden_size)


def write(cell: nn.RNNBase, gate: str, read: Tensor, recur: Tensor, bias: Tensor) -> None:
    """One gate's weights on symbols and units, and its bias."""
    rows = rows_of(cell, gate)
    cell.get_parameter("weight_ih_l0")[rows, : read.shape[1]] = read.to(on_type(cell))
    cell.get_parameter("weight_hh_l0")[rows] = recur.to(on_type(cell))
    cell.get_parameter("bias_ih_l0")[rows] = bias.to(on_type(cell))


def open_gates(cell: nn.RNNBase) -> None:
    """Everything in and out, nothing kept."""
    kept = {"reset": SHUT, "update": -SHUT, "in": SHUT, "forget": -SHUT, "out": SHUT}
    for gate in GATES[type(cell).__name__]:
        if gate in kept:
            cell.get_parameter("bias_ih_l0")[rows_of(cell, gate)] = kept[gate]


def on_type(cell: nn.RNNBase) -> torch.dtype:
    """The type of the cell's weights."""
    return cell.get_parameter("weight_hh_l0").dtype
