"""Witnesses: exact weights for an architecture on a language, built and not trained.

A model that fails to learn a language says nothing about what its architecture can express, unless
somebody shows weights that do it. These are such weights, for every architecture and kind of
language with a known construction, in the very model that is trained otherwise: the same class, the
same evaluation, and training can start from it.

What is recognised is given as a `Moore` machine (finitely many states) or a `Counter`, so nothing
here knows a task. The constructions, one a file::

    saturated   any automaton in an RNN, a GRU or an LSTM whose units are saturated
    matrices    any automaton in IDS4: its matrices are the transition matrices
    two_states  any automaton of two states in Mamba: hold, reset, and swap by the eigenvalue -1
    householder permutation groups by the delta rule, a reflection a swap
    rotation    the length of the word modulo n in S4D: a pole on the unit circle
    counting    a counter read against zero in an LSTM

All share one frame (`frame`): symbols are unit vectors, labels have coordinates of their own in the
stream, and the head reads these.

>>> import torch
>>> parity = Moore(table=[[0, 1], [1, 0]], outputs=[0, 1])
>>> model = witness("mamba:eigenvalues=negative", parity, labels=2)
>>> model(torch.tensor([[1, 0, 1, 1]])).argmax(-1).tolist()
[[1, 1, 0, 1]]
"""

from __future__ import annotations

from collections.abc import Callable

from flann.errors import UserError
from flann.models.core.registry import model_registry
from flann.models.core.sequence import SequenceModel

from .counting import counting
from .householder import householder
from .machines import Counter, Moore
from .matrices import matrices
from .rotation import rotation
from .saturated import saturated
from .two_states import two_states

__all__ = ["CONSTRUCTIONS", "Counter", "Moore", "NoWitnessError", "witness"]


class NoWitnessError(UserError):
    """No construction is known of this language in this architecture."""


Construction = Callable[..., SequenceModel | str]

CONSTRUCTIONS: dict[str, tuple[Construction, ...]] = {
    "rnn": (saturated,),
    "gru": (saturated,),
    "lstm": (counting, saturated),
    "ids4": (matrices,),
    "mamba": (two_states,),
    "s4d": (rotation,),
    "deltanet": (householder,),
    "deltaproduct": (householder,),
}


def witness(architecture: str, language: Moore | Counter, *, labels: int) -> SequenceModel:
    """A model of this architecture whose weights answer the language exactly.

    Parameters
    ----------
    architecture : str
        by the grammar of names: ``"lstm"``, ``"mamba:eigenvalues=negative"``.
    language : Moore or Counter
        what is to be answered at every position.
    labels : int
        how many label ids go out.

    Raises
    ------
    NoWitnessError
        where no construction is known, with what each of them lacked.
    """
    base = architecture.partition(":")[0]
    made = model_registry.create(architecture)
    lacking = []
    for construction in CONSTRUCTIONS.get(base, ()):
        model = construction(made, model_registry.canonical(architecture), language, labels)
        if isinstance(model, SequenceModel):
            return model
        lacking.append(model)
    why = "; ".join(lacking) or f"known are those for {', '.join(CONSTRUCTIONS)}"
    raise NoWitnessError(f"no witness for {architecture}: {why}")
