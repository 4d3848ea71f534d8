"""The scan of a controller with a soft, unbounded memory: a stack or a tape.

::

    [i, f, g, o] or u = g_t + [h_{t-1}, M_{t-1}[0]] R       an LSTM's gates, or tanh's argument
    h_t               = the LSTM's, or tanh(u)
    [v, s]            = h_t E + b,   a = softmax(s)         a word to write and three actions

    stack   M_t[i] = a_0 M_{t-1}[i-1] + a_1 M_{t-1}[i+1] + a_2 M_{t-1}[i],     M_{t-1}[-1] = v
    tape    M_t[i] = a_0 M'[i-1] + a_1 M'[i+1] + a_2 M'[i],                    M' with v for M'[0]

A stack's cells have indices from 0, its top; a tape's are of both signs, 0 under the head. All
begin as zeros, and after t symbols t cells of a stack and 2t + 1 of a tape can be anything else.

Joulin & Mikolov 2015, arXiv:1503.01007, §3.2; Suzgun et al. 2019, arXiv:1911.03329, §3 and §4.
"""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from .dispatch import find_operation, promote_to_state_type

Controller = Literal["rnn", "lstm"]
Memory = Literal["stack", "tape"]


def memory_scan(
    g: Float[Tensor, "batch length gates"],
    R: Float[Tensor, "seen gates"],
    E: Float[Tensor, "state said"],
    bias: Float[Tensor, " said"],
    *,
    controller: Controller,
    memory: Memory,
) -> Float[Tensor, "batch length state"]:
    """Compute every h_t from a controller and a memory of zeros.

    Parameters
    ----------
    g : tensor of shape (batch, length, gates)
        what the word gives to the controller's sums, biases included; gates is the state's size,
        or four times that for an LSTM, in the order i, f, g, o.
    R : tensor of shape (state + cell, gates)
        from the last output, then from what the memory shows, to the sums.
    E, bias : tensors of shape (state, cell + 3) and (cell + 3,)
        from the output to the word that is written, then to the three actions' scores: push, pop
        and none for a stack, the head left, right and nowhere for a tape.
    controller : 'rnn' or 'lstm'
    memory : 'stack' or 'tape'

    Returns
    -------
    tensor of shape (batch, length, state)

    Examples
    --------
    A controller that sees nothing but the memory, and always pushes 1:

    >>> import torch
    >>> R, E = torch.tensor([[0.0], [1.0]]), torch.zeros(1, 4)
    >>> always_push_one = torch.tensor([1.0, 99.0, 0.0, 0.0])
    >>> word = torch.zeros(1, 3, 1)
    >>> memory_scan(word, R, E, always_push_one, controller="rnn", memory="stack").flatten()
    tensor([0.0000, 0.7616, 0.7616])
    """
    inputs = promote_to_state_type(g, R[None], E[None], bias[None])
    h: Tensor = find_operation("memory", g)(*inputs, controller == "lstm", memory == "tape")
    return h.to(g.dtype)
