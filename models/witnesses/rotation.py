"""The length of the word modulo n in S4D: poles on the unit circle that turn at every symbol.

Where every symbol moves all states on in one circle, only the length counts. Channels that read 1
at every symbol, with the poles exp(i φ), φ = 2π m / n for m = 1 .. n/2, give after t symbols

    y_t = cos(φ t) - 1      with C = i φ / 2          and
    y_t = sin(φ t)          with C = φ / 2,

and from these the state is read without loss, for

    [t ≡ k mod n]  =  (1 + Σ_m w_m cos(2π m (t - k) / n)) / n,     w_m = 2, and 1 for m = n/2.

The activation is passed by where it is the identity, `LIFTED` above zero, and the gate is open.

(aa)* in S4: Sarrof, Veitsman & Hahn 2024, arXiv:2405.17394, §4.
"""

from __future__ import annotations

from math import pi

import torch

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.ssm.s4d import DiagonalSSM

from .frame import Frame
from .machines import Counter, Moore

LIFTED = 16.0  # GELU is the identity there; what is lifted lies between -2 and 1
OPEN = 1000.0  # a gate whose logistic function is 1
STILL = -1000.0  # the logarithm of a decay of 0


def rotation(
    architecture: Architecture, name: str, language: Moore | Counter, labels: int
) -> SequenceModel | str:
    """The witness, or what it lacks."""
    order = circle(language) if isinstance(language, Moore) else None
    if order is None or not isinstance(language, Moore):
        return "one matrix for all symbols counts them modulo a number, and this asks for more"
    n = len(order)
    m = torch.arange(1, n // 2 + 1, dtype=torch.float64)
    angles = 2 * pi * m / n
    waves = len(m)
    codes = torch.ones(language.symbols, max(1, 2 * waves))
    frame = Frame.around(architecture, name, codes, labels, second=2)
    layer = frame.layer
    assert isinstance(layer, DiagonalSSM)
    # [label, m]: the sums over the label's places k of w cos(2π m k / n) / n, and of the sines
    places = torch.tensor(
        [[language.outputs[q] == label for q in order] for label in range(labels)]
    )
    weight = torch.where(2 * m == n, 1.0, 2.0)[:, None] / n
    turns = angles[:, None] * torch.arange(n)
    cosines = places.double() @ (weight * torch.cos(turns)).T
    sines = places.double() @ (weight * torch.sin(turns)).T
    with torch.no_grad():
        layer.log_decay.fill_(STILL)
        layer.frequency.fill_(1.0)  # of channels that read nothing
        layer.skip.fill_(LIFTED)
        width = layer.width
        layer.mix.bias[width:] = OPEN
        for part, first in ((cosines, 0), (sines, waves)):
            channels = slice(first, first + waves)
            layer.frequency[channels, 0] = angles.to(layer.frequency)
            layer.read[channels, 0, int(first == 0)] = (angles / 2).to(layer.read)
            layer.mix.weight[frame.labels, channels] = part.to(layer.skip)
            layer.mix.bias[frame.labels] -= LIFTED * part.sum(1).to(layer.skip)
        layer.mix.bias[frame.labels] += (places.sum(1) / n + cosines.sum(1)).to(layer.skip)
    return frame.model


def circle(machine: Moore) -> list[int] | None:
    """The states in the order in which any symbols visit them, if it is one circle for all.

    >>> circle(Moore(table=[[1], [2], [0]], outputs=[0, 0, 0], start=1))
    [1, 2, 0]
    >>> circle(Moore(table=[[0, 1], [1, 0]], outputs=[0, 1])) is None
    True
    """
    actions = {machine.action(a) for a in range(machine.symbols)}
    if len(actions) > 1:
        return None
    (action,) = actions
    order = [machine.start]
    while action[order[-1]] not in order:
        order.append(action[order[-1]])
    return order if action[order[-1]] == machine.start else None
