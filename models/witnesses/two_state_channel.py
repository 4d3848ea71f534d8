"""Any automaton with two states in Mamba: a channel that is held, overwritten or negated.

A symbol acts on two states in one of three ways, each an update of a number h in {0, 1}::

    hold     h <- h          α = 1      Δ = 0
    reset r  h <- r          α = 0      Δ large: exp(Δ A) = 0; Δ = ln 2 for negative eigenvalues
    swap     h <- 1 - h      α = -1     Δ large: 2 exp(Δ A) - 1 = -1, for negative eigenvalues only

The term Δ B u adds r (for a swap 1), with B = r / (Δ u). Δ is the softplus of a number that depends
on the symbol, and is exactly 0 at -1000 and ln 2 at 0.

Positive eigenvalues (flip-flops): Sarrof, Veitsman & Hahn 2024, arXiv:2405.17394. Negative ones
(parity): Grazzi et al. 2024, arXiv:2411.12537, §3.
"""

from __future__ import annotations

from math import log

import torch
from torch.nn.functional import silu

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.ssm.mamba import Mamba, SelectiveSSM

from .construction import NoWitnessError
from .machines import Counter, MooreTable
from .one_layer_model import OneLayerModel

LARGE = 1000.0  # softplus(-1000) is 0, softplus(1000) is 1000, and exp(-1000) is 0
HOLD, SWAP = (0, 1), (1, 0)


def build_two_state_channel(
    architecture: Architecture, name: str, language: MooreTable | Counter, labels: int
) -> SequenceModel:
    """Build the Mamba model whose channel 0 holds the state."""
    if not isinstance(language, MooreTable) or language.states != 2:
        raise NoWitnessError("a construction is known for automata of two states only")
    assert isinstance(architecture, Mamba)
    actions = [language.get_action(a) for a in range(language.symbols)]
    negative = architecture.eigenvalues == "negative"
    if SWAP in actions and not negative:
        raise NoWitnessError("a symbol swaps the two states: expected eigenvalues=negative")
    inner, codes = 1 + language.symbols, torch.eye(language.symbols)
    target = OneLayerModel.build(architecture, name, codes, labels, second_size=inner)
    layer = target.layer
    assert isinstance(layer, SelectiveSSM)
    one = silu(torch.tensor(1.0, dtype=torch.float64)).item()  # SiLU of a coordinate of 1
    states, start = layer.state, language.start
    with torch.no_grad():
        layer.convolution.weight[:, 0, -1] = 1  # the identity
        layer.into.weight[0, : language.symbols] = 1  # channel 0 is 1 at every symbol, channel
        layer.into.weight[1:inner, : language.symbols] = torch.eye(language.symbols)  # 1 + a at a
        layer.into.weight[inner, : language.symbols] = 1  # the gate of channel 0
        layer.time_step.weight[0, 0] = 1
        for a, action in enumerate(actions):
            pre_step, increment = compute_update(action, start, negative)
            layer.select.weight[0, 1 + a] = pre_step / one
            step = log(2) if pre_step == 0 else max(pre_step, 0.0)
            B = increment / (step * one * one) if increment else 0
            layer.select.weight[layer.rank, 1 + a] = B
        layer.select.weight[layer.rank + states, 0] = 1 / one  # C reads the first state
        label_ids = torch.arange(labels)
        at_start, at_other = (
            (label_ids == language.labels[q]).to(layer.skip.dtype) for q in (start, 1 - start)
        )
        layer.out.weight[target.labels, 0] = (at_other - at_start) / one
    target.add_constants(at_start)  # the start's label scores 1 - h, the other's h
    return target.model


def compute_update(action: tuple[int, ...], start: int, negative: bool) -> tuple[float, float]:
    """Return softplus⁻¹(Δ) and the increment of h for a map on the two states.

    The state h is 0 in the start state and 1 in the other one.
    """
    if action == HOLD:
        return -LARGE, 0.0
    if action == SWAP:
        return LARGE, 1.0
    return 0.0 if negative else LARGE, float(action[0] != start)
