"""Any automaton of two states in Mamba: a channel that holds, is overwritten, or changes sign.

A symbol acts on two states in one of three ways, each an update of one number h, 0 or 1::

    hold     h <- h          α = 1      Δ = 0
    reset r  h <- r          α = 0      Δ great: exp(Δ A) = 0;  with negative eigenvalues Δ = ln 2
    swap     h <- 1 - h      α = -1     Δ great: 2 exp(Δ A) - 1 = -1, negative eigenvalues alone

and what is added is Δ B u with B = (r or 1) / (Δ u). Δ is the softplus of a number that each symbol
chooses: it is exactly 0 at -1000, and ln 2 at 0.

Positive eigenvalues: Sarrof, Veitsman & Hahn 2024, arXiv:2405.17394 (flip-flops). Negative ones:
Grazzi et al. 2024, arXiv:2411.12537, §3 (parity).
"""

from __future__ import annotations

from math import log

import torch
from torch.nn.functional import silu

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.ssm.mamba import SelectiveSSM

from .frame import Frame
from .machines import Counter, Moore

FAR = 1000.0  # softplus(-1000) is 0, softplus(1000) is 1000, and exp(-1000) is 0
HOLD, SWAP = (0, 1), (1, 0)


def two_states(
    architecture: Architecture, name: str, language: Moore | Counter, labels: int
) -> SequenceModel | str:
    """The witness, or what it lacks."""
    if not isinstance(language, Moore) or language.states != 2:
        return "this construction is for automata of two states"
    actions = [language.action(a) for a in range(language.symbols)]
    negative = ":eigenvalues=negative" in name
    if SWAP in actions and not negative:
        return "a symbol swaps the two states, which eigenvalues in [0, 1] cannot"
    inner = 1 + language.symbols
    frame = Frame.around(architecture, name, torch.eye(language.symbols), labels, second_size=inner)
    layer = frame.layer
    assert isinstance(layer, SelectiveSSM)
    one = silu(torch.tensor(1.0, dtype=torch.float64)).item()  # what a coordinate of 1 becomes
    states, start = layer.state, language.start
    with torch.no_grad():
        layer.convolution.weight[:, 0, -1] = 1  # every symbol by itself
        layer.into.weight[0, : language.symbols] = 1  # channel 0 is on at every symbol,
        layer.into.weight[1:inner, : language.symbols] = torch.eye(language.symbols)  # the others
        layer.into.weight[inner, : language.symbols] = 1  # at their own; the gate of 0 is open
        layer.time_step.weight[0, 0] = 1
        for a, action in enumerate(actions):
            moved, added = update(action, start, negative)
            layer.select.weight[0, 1 + a] = moved / one
            step = log(2) if moved == 0 else max(moved, 0.0)
            layer.select.weight[layer.rank, 1 + a] = added / (step * one * one) if added else 0
        layer.select.weight[layer.rank + states, 0] = 1 / one  # C reads the first state
        every = torch.arange(labels)
        first, other = (
            (every == language.outputs[q]).to(layer.skip.dtype) for q in (start, 1 - start)
        )
        layer.out.weight[frame.labels, 0] = (other - first) / one
    frame.add_constants(first)  # the start's label scores 1 - h, the other's h
    return frame.model


def update(action: tuple[int, ...], start: int, negative: bool) -> tuple[float, float]:
    """What softplus is to make Δ of, and what is added; h is 0 at the start, 1 at the other."""
    if action == HOLD:
        return -FAR, 0.0
    if action == SWAP:
        return FAR, 1.0
    return 0.0 if negative else FAR, float(action[0] != start)
