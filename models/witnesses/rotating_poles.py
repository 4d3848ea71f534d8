"""The length of the word modulo n in S4D, by poles on the unit circle.

If all symbols act alike and permute the states in one cycle, the state depends on the length alone.
Channels whose input is 1 at every symbol, with the poles exp(i φ), φ = 2π m / n, m = 1 ... n/2,
have after t symbols the outputs

    y_t = cos(φ t) - 1      with C = i φ / 2          and
    y_t = sin(φ t)          with C = φ / 2,

from which the state is computed exactly by

    [t ≡ k mod n]  =  (1 + Σ_m w_m cos(2π m (t - k) / n)) / n,     w_m = 2, and 1 for m = n/2.

The outputs are shifted by `SHIFT`, where GELU is the identity, and the gate is open.

(aa)* in S4: Sarrof, Veitsman & Hahn 2024, arXiv:2405.17394, §4.
"""

from __future__ import annotations

from math import pi

import torch

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.ssm.s4d import DiagonalSSM

from .construction import NoWitnessError
from .machines import Counter, MooreTable
from .one_layer_model import OneLayerModel

SHIFT = 16.0  # the outputs lie in [-2, 1]; GELU is the identity on [14, 17]
OPEN = 1000.0  # pre-activation of a gate whose logistic function is 1
NO_DECAY = -1000.0  # logarithm of a decay rate of 0


def build_rotating_poles(
    architecture: Architecture, name: str, language: MooreTable | Counter, labels: int
) -> SequenceModel:
    """Build the S4D model that computes the length modulo the number of states."""
    order = find_cycle(language) if isinstance(language, MooreTable) else None
    if order is None or not isinstance(language, MooreTable):
        raise NoWitnessError("a matrix that is the same for all symbols only counts modulo n")
    n = len(order)
    m = torch.arange(1, n // 2 + 1, dtype=torch.float64)
    angles = 2 * pi * m / n
    waves = len(m)
    codes = torch.ones(language.symbols, max(1, 2 * waves))
    target = OneLayerModel.build(architecture, name, codes, labels, second_size=2)
    layer = target.layer
    assert isinstance(layer, DiagonalSSM)
    # [label, m]: the sums of w cos(2π m k / n) / n over the residues k with the label, and of sines
    has_label = torch.tensor(
        [[language.labels[q] == label for q in order] for label in range(labels)]
    )
    weight = torch.where(2 * m == n, 1.0, 2.0)[:, None] / n
    phases = angles[:, None] * torch.arange(n)
    cosines = has_label.double() @ (weight * torch.cos(phases)).T
    sines = has_label.double() @ (weight * torch.sin(phases)).T
    with torch.no_grad():
        layer.log_decay.fill_(NO_DECAY)
        layer.frequency.fill_(1.0)  # any frequency, for the channels that are not used
        layer.skip.fill_(SHIFT)
        width = layer.width
        layer.mix.bias[width:] = OPEN
        for part, first in ((cosines, 0), (sines, waves)):
            channels = slice(first, first + waves)
            layer.frequency[channels, 0] = angles.to(layer.frequency)
            layer.read[channels, 0, int(first == 0)] = (angles / 2).to(layer.read)
            layer.mix.weight[target.labels, channels] = part.to(layer.skip)
            layer.mix.bias[target.labels] -= SHIFT * part.sum(1).to(layer.skip)
        layer.mix.bias[target.labels] += (has_label.sum(1) / n + cosines.sum(1)).to(layer.skip)
    return target.model


def find_cycle(machine: MooreTable) -> list[int] | None:
    """Return the states in the order in which words visit them.

    None is returned unless all symbols act alike and the reachable states form one cycle.

    >>> find_cycle(MooreTable(table=[[1], [2], [0]], labels=[0, 0, 0], start=1))
    [1, 2, 0]
    >>> find_cycle(MooreTable(table=[[0, 1], [1, 0]], labels=[0, 1])) is None
    True
    """
    actions = {machine.get_action(a) for a in range(machine.symbols)}
    if len(actions) > 1:
        return None
    (action,) = actions
    order = [machine.start]
    while action[order[-1]] not in order:
        order.append(action[order[-1]])
    return order if action[order[-1]] == machine.start else None
