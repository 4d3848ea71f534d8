"""Any automaton in an RNN, a GRU or an LSTM, by units that are either fully on or fully off.

There is one unit for every pair of a state q and a symbol a, which is on after a step from q by a,
and one more unit that is on after the first symbol. Let [q] indicate whether the machine was in
state q: it is the sum of the units that lead to q, except that before the first symbol it is 1 for
the start state alone. Then unit (q, a) is on when [q] and the symbol's coordinate e_a are both 1::

    relu    h = relu([q] + e_a - 1)                                    on is 1, off is 0
    tanh    h = tanh(H (2 [q] + 2 e_a - 3))                            on is 1, off is -1

with H so large that tanh is exactly ±1 in floating point. In the second case [q] is computed from
the sum of (h + 1) / 2, where the unit for the first symbol supplies the constant. A GRU whose
update gate is closed and whose reset gate is open is this RNN; an LSTM with the forget gate closed
and the other gates open has h = tanh(±1).

Minsky 1967, "Computation: finite and infinite machines", §3.5. Saturated networks: Merrill et al.
2020, arXiv:2004.08500. Second-order RNNs: Omlin & Giles 1996.
"""

from __future__ import annotations

from math import tanh

import torch
from torch import Tensor, nn

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.recurrent.recurrent_layer import RecurrentLayer

from .construction import NoWitnessError
from .gates import disable_memory, get_weight_dtype, write_gate
from .machines import Counter, MooreTable
from .one_layer_model import OneLayerModel

STEEPNESS = 20.0
"""H in the equations; tanh(±20) is ±1 in double precision."""

Pairs = list[tuple[int, int]]


def build_saturated_units(
    architecture: Architecture, name: str, language: MooreTable | Counter, labels: int
) -> SequenceModel:
    """Build the recurrent network with one unit for every state and symbol."""
    if not isinstance(language, MooreTable):
        raise NoWitnessError("a construction is known for finite automata only")
    pairs = [(q, a) for q in range(language.states) for a in range(language.symbols)]
    codes = torch.eye(language.symbols)
    target = OneLayerModel.build(architecture, name, codes, labels, second_size=len(pairs) + 1)
    layer = target.layer
    assert isinstance(layer, RecurrentLayer)
    cell = layer.cell
    is_relu = isinstance(cell, nn.RNN) and cell.nonlinearity == "relu"
    on = tanh(1) if isinstance(cell, nn.LSTM) else 1.0
    candidate = compute_relu_weights(language, pairs)
    if not is_relu:
        candidate = compute_tanh_weights(language, pairs, on)
    with torch.no_grad():
        write_gate(cell, "candidate", *candidate)
        disable_memory(cell)
        ends = torch.tensor([language.labels[language.table[q][a]] for q, a in pairs])
        has_label = (ends == torch.arange(labels)[:, None]).to(get_weight_dtype(cell))
        layer.project.weight[target.labels, :-1] = has_label if is_relu else has_label / on
    if not is_relu:  # a unit that is off contributes -1, one that is on contributes 1
        target.add_constants(has_label.sum(1))
    return target.model


def compute_relu_weights(machine: MooreTable, pairs: Pairs) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights on symbols, the weights on units, and the biases, where off is 0."""
    leads, starts, symbol = compute_incidence(machine, pairs)
    units = len(pairs) + 1
    from_symbols, from_units = torch.zeros(units, machine.symbols), torch.zeros(units, units)
    from_symbols[:-1] = symbol
    from_units[:-1, :-1] = leads
    from_units[:-1, -1] = -starts
    bias = torch.cat([starts - 1, torch.ones(1)])
    return from_symbols, from_units, bias


def compute_tanh_weights(
    machine: MooreTable, pairs: Pairs, on: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same weights where units are `on` or `-on`."""
    leads, starts, symbol = compute_incidence(machine, pairs)
    units = len(pairs) + 1
    from_symbols, from_units = torch.zeros(units, machine.symbols), torch.zeros(units, units)
    from_symbols[:-1] = 2 * symbol
    from_units[:-1, :-1] = leads / on
    from_units[:-1, -1] = (leads.sum(1) - 2 * starts) / on
    bias = torch.cat([2 * starts - 3, torch.ones(1)])
    return STEEPNESS * from_symbols, STEEPNESS * from_units, STEEPNESS * bias


def compute_incidence(machine: MooreTable, pairs: Pairs) -> tuple[Tensor, Tensor, Tensor]:
    """Return, for unit (q, a): the units that lead to q, whether q is the start, and e_a."""
    ends = torch.tensor([machine.table[q][a] for q, a in pairs])
    origins = torch.tensor([q for q, _ in pairs])
    leads = (ends == origins[:, None]).float()
    starts = (origins == machine.start).float()
    symbol = torch.eye(machine.symbols)[[a for _, a in pairs]]
    return leads, starts, symbol
