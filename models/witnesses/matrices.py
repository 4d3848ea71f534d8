"""Any automaton in IDS4: the state is a unit vector, the matrices are the transitions.

::

    A(a) e_q = e_δ(q, a),     h_0 = e_start,     y = the label's coordinate of the state

Nothing is rounded: every matrix has one 1 in each column. With ``state_norm=true`` the unit
vector is longer, and its direction the same.

Merrill, Petty & Sabharwal 2024, arXiv:2404.08819, §5.2.
"""

from __future__ import annotations

import torch

from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel
from flann.models.ssm.ids4 import InputDependentSSM

from .frame import Frame
from .machines import Counter, Moore


def matrices(
    architecture: Architecture, name: str, language: Moore | Counter, labels: int
) -> SequenceModel | str:
    """The witness, or what it lacks."""
    if not isinstance(language, Moore):
        return "no automaton"
    codes = torch.eye(language.symbols)
    frame = Frame.around(architecture, name, codes, labels, second_size=language.states)
    layer = frame.layer
    assert isinstance(layer, InputDependentSSM)
    outputs = torch.tensor(language.outputs)
    with torch.no_grad():
        for a in range(language.symbols):
            layer.transition[a, list(language.action(a)), range(language.states)] = 1
        layer.start[language.start] = 1
        answers = (outputs == torch.arange(labels)[:, None]).to(layer.start.dtype)
        layer.out.weight[frame.labels] = answers
    return frame.model
