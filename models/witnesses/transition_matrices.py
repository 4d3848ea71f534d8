"""Any automaton in IDS4: the state is a unit vector and the matrices are the transition matrices.

::

    A(a) e_q = e_δ(q, a),     h_0 = e_start,     y = the coordinate of the state's label

There is no rounding, as every column of a matrix has a single 1. With ``state_norm=true`` the state
is a multiple of the unit vector.

Merrill, Petty & Sabharwal 2024, arXiv:2404.08819, §5.2.
"""

from __future__ import annotations

import torch

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.ssm.ids4 import InputDependentSSM

from .construction import NoWitnessError
from .machines import Counter, MooreTable
from .one_layer_model import OneLayerModel


def build_transition_matrices(
    architecture: Architecture, name: str, language: MooreTable | Counter, labels: int
) -> SequenceModel:
    """Build the IDS4 model whose matrices are the automaton's."""
    if not isinstance(language, MooreTable):
        raise NoWitnessError("a construction is known for finite automata only")
    codes = torch.eye(language.symbols)
    target = OneLayerModel.build(architecture, name, codes, labels, second_size=language.states)
    layer = target.layer
    assert isinstance(layer, InputDependentSSM)
    state_labels = torch.tensor(language.labels)
    with torch.no_grad():
        for a in range(language.symbols):
            layer.transition[a, list(language.get_action(a)), range(language.states)] = 1
        layer.start[language.start] = 1
        has_label = (state_labels == torch.arange(labels)[:, None]).to(layer.start.dtype)
        layer.out.weight[target.labels] = has_label
    return target.model
