"""The scans of the classic recurrent networks, in torch's parametrisation.

::

    rnn    h_t = φ(g_t + h_{t-1} R)                                        φ = tanh or relu
    lstm   i, f, ĉ, o = g_t + h_{t-1} R                                    R = [R_i, R_f, R_c, R_o]
           c_t = σ(f) c_{t-1} + σ(i) tanh(ĉ),      h_t = σ(o) tanh(c_t)
    gru    r, z = g_t + h_{t-1} R,                 m = h_{t-1} R_n + b     R = [R_r, R_z, R_n]
           n = tanh(g_t + σ(r) m),                 h_t = (1 - σ(z)) n + σ(z) h_{t-1}

Elman 1990; Hochreiter & Schmidhuber 1997 with the forget gates of Gers et al. 2000; Cho et al.
2014, arXiv:1406.1078, the reset gate applied after the product, as cuDNN and torch have it.

On the CPU torch records a dozen operators for every step of a simple network or a GRU; here a word
is one. Where torch has kernels of its own, cuDNN's on a GPU and oneDNN's of an LSTM in float32,
those are as good and layers use them (`recurrent_scan`).
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from .dispatch import find_operation, promote_to_state_type, scan_backend

Activation = Literal["tanh", "relu"]


def rnn_scan(
    g: Float[Tensor, "batch length state"],
    R: Float[Tensor, "state state"],
    *,
    activation: Activation = "tanh",
) -> Float[Tensor, "batch length state"]:
    """Compute every h_t of a simple recurrent network from h_0 = 0.

    Parameters
    ----------
    g : tensor of shape (batch, length, state)
        what the word gives to the sums, biases included.
    R : tensor of shape (state, state)
        from the last output to the sums, the transpose of torch's `weight_hh_l0`.
    activation : 'tanh' or 'relu'

    Examples
    --------
    >>> rnn_scan(torch.ones(1, 3, 1), torch.ones(1, 1), activation="relu").flatten().tolist()
    [1.0, 2.0, 3.0]
    """
    h: Tensor = find_operation("rnn", g)(*promote_to_state_type(g, R[None]), activation == "relu")
    return h.to(g.dtype)


def lstm_scan(
    g: Float[Tensor, "batch length gates"], R: Float[Tensor, "state gates"]
) -> Float[Tensor, "batch length state"]:
    """Compute every h_t of an LSTM from h_0 = c_0 = 0; the gates are in torch's order, i, f, g, o.

    Examples
    --------
    A cell whose gates are all open counts:

    >>> lstm_scan(torch.full((1, 3, 4), 99.0), torch.zeros(1, 4)).atanh().flatten()
    tensor([1.0000, 2.0000, 3.0000])
    """
    h: Tensor = find_operation("lstm", g)(*promote_to_state_type(g, R[None]))
    return h.to(g.dtype)


def gru_scan(
    g: Float[Tensor, "batch length gates"],
    R: Float[Tensor, "state gates"],
    bias: Float[Tensor, " state"],
) -> Float[Tensor, "batch length state"]:
    """Compute every h_t of a GRU from h_0 = 0; the gates are in torch's order, r, z, n.

    Examples
    --------
    An update gate that is shut gives the candidate alone:

    >>> g = torch.tensor([0.0, -99.0, 99.0]).expand(1, 2, 3)
    >>> gru_scan(g, torch.zeros(1, 3), torch.zeros(1)).flatten().tolist()
    [1.0, 1.0]
    """
    h: Tensor = find_operation("gru", g)(*promote_to_state_type(g, R[None], bias[None]))
    return h.to(g.dtype)


def recurrent_scan(network: torch.nn.RNNBase, x: Tensor) -> Tensor | None:
    """Compute every h_t of one of torch's networks (one layer, batch first) on x, if it pays.

    Return None where torch's own code is faster: off the CPU, without the compiled kernels, and
    where it has oneDNN's LSTM.

    None where torch's own code is the faster: off the CPU, without the compiled kernels, and where
    it has oneDNN's LSTM.
    """
    kind = network.mode
    if scan_backend(x.device, "lstm") != "cpu" or (
        kind == "LSTM" and x.dtype == torch.float32 and torch.backends.mkldnn.is_available()
    ):
        return None
    named: dict[str, Tensor] = dict(network.named_parameters())
    into, R = named["weight_ih_l0"], named["weight_hh_l0"].T
    before, after = named["bias_ih_l0"], named["bias_hh_l0"]
    if kind == "GRU":  # whose last third of the second bias is behind the reset gate
        gates = 2 * network.hidden_size
        bias = torch.cat([before[:gates] + after[:gates], before[gates:]])
        return gru_scan(functional.linear(x, into, bias), R, after[gates:])
    g = functional.linear(x, into, before + after)
    if kind == "LSTM":
        return lstm_scan(g, R)
    return rnn_scan(g, R, activation="relu" if kind == "RNN_RELU" else "tanh")
