"""Witnesses: exact weights for an architecture on a language, constructed rather than trained.

A model that fails to learn a language says nothing about what its architecture can express unless
weights that solve the language are known. This package constructs such weights for every pair of an
architecture and a kind of language with a known construction. They are weights of the very model
that is trained otherwise: same class, same evaluation, and training can start from them.

The language is given as a `MooreTable` (a finite automaton with labels) or a `Counter`; nothing
here depends on a task. There is one construction a file:

- `saturated_units`: any automaton in an RNN, a GRU or an LSTM with saturated units;
- `lstm_counter`: a counter compared with zero in an LSTM;
- `transition_matrices`: any automaton in IDS4, whose matrices are the transition matrices;
- `two_state_channel`: any automaton with two states in Mamba, by hold, reset and sign change;
- `rotating_poles`: the length of the word modulo n in S4D, by poles on the unit circle;
- `reflections`: permutation groups by the delta rule, one reflection a transposition.

All of them fill in the one layer of a `flann.models.witnesses.one_layer_model.OneLayerModel`, whose
embedding and head are the same for every construction.

>>> import torch
>>> parity = MooreTable(table=[[0, 1], [1, 0]], labels=[0, 1])
>>> model = build_witness("mamba:eigenvalues=negative", parity, labels=2)
>>> model(torch.tensor([[1, 0, 1, 1]])).argmax(-1).tolist()
[[1, 1, 0, 1]]
"""

from __future__ import annotations

from flann.models.core.registry import model_registry
from flann.models.core.sequence import SequenceModel
from flann.names import parse_name

from .construction import Construction, NoWitnessError
from .lstm_counter import build_lstm_counter
from .machines import Counter, MooreTable
from .reflections import build_reflections
from .rotating_poles import build_rotating_poles
from .saturated_units import build_saturated_units
from .transition_matrices import build_transition_matrices
from .two_state_channel import build_two_state_channel

__all__ = ["CONSTRUCTIONS", "Counter", "MooreTable", "NoWitnessError", "build_witness"]

CONSTRUCTIONS: dict[str, tuple[Construction, ...]] = {
    "rnn": (build_saturated_units,),
    "gru": (build_saturated_units,),
    "lstm": (build_lstm_counter, build_saturated_units),
    "ids4": (build_transition_matrices,),
    "mamba": (build_two_state_channel,),
    "s4d": (build_rotating_poles,),
    "deltanet": (build_reflections,),
    "deltaproduct": (build_reflections,),
}
"""The constructions for each registered architecture, in the order in which they are tried."""


def build_witness(
    architecture: str, language: MooreTable | Counter, *, labels: int
) -> SequenceModel:
    """Build a model of this architecture that solves the language exactly.

    Parameters
    ----------
    architecture : str
        Name with options: ``"lstm"``, ``"mamba:eigenvalues=negative"``.
    language : MooreTable or Counter
        Definition of the correct label at every position.
    labels : int
        Number of label ids of the model.

    Raises
    ------
    NoWitnessError
        If no construction applies, with the reason for each.
    """
    design = model_registry.create(architecture)
    name = model_registry.canonical(architecture)
    reasons = []
    for construction in CONSTRUCTIONS.get(parse_name(name)[0], ()):
        try:
            return construction(design, name, language, labels)
        except NoWitnessError as error:
            reasons.append(str(error))
    reason = "; ".join(reasons) or f"expected one of {', '.join(CONSTRUCTIONS)}"
    raise NoWitnessError(f"no witness for {architecture}: {reason}")
