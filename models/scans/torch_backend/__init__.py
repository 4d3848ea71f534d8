"""The torch backend: loops over time with backward passes written by hand, on any device.

Autograd through a Python loop records several nodes a step and keeps every intermediate. Here a
scan is one node: its forward runs in place over time-major buffers, its backward is the adjoint
recurrence, and what is cheap to compute again is computed again rather than kept.

With the adjoint g_t = ∂loss/∂h_t + (∂h_{t+1}/∂h_t)ᵀ g_{t+1}, which is written ∂b_t here since it
is b_t's gradient too::

    diagonal     ∂b_t = ḡ_t + conj(a_{t+1}) ∂b_{t+1},   ∂a_t = ∂b_t conj(h_{t-1})

The others are in the files of this folder, one recurrence a file. The classic recurrent networks
are left to autograd here, since torch has its own for use.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from flann.models.scans.constants import NORM_EPSILON
from flann.models.scans.operation import (
    CAUCHY,
    DELTA,
    DIAGONAL,
    MATRIX,
    MEMORY,
    PRODUCT,
    SELECTIVE,
    SLSTM,
    define,
)
from flann.models.scans.reference import apply_skip_and_gate, gru, lstm, rnn
from flann.models.scans.time_first import allocate_time_first

from .cauchy import cauchy_backward, cauchy_forward, cauchy_outputs
from .delta import delta_backward, delta_forward, delta_outputs
from .matrix import (
    matrix_backward,
    matrix_forward,
    matrix_outputs,
    product_backward,
    product_forward,
    product_outputs,
)
from .memory import memory_backward, memory_forward, memory_outputs
from .selective import selective_backward, selective_forward, selective_outputs
from .slstm import slstm_backward, slstm_forward, slstm_outputs

__all__ = ["gru", "lstm", "rnn"]


def supports(device: str) -> bool:
    """Return True: torch's operators run on every device."""
    return True


def convolution(x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
    """Compute SiLU of torch's own depthwise convolution, which has a derivative already."""
    padded = functional.pad(x, (0, 0, w.shape[2] - 1, 0)).transpose(1, 2)
    z = functional.conv1d(padded, w[0, :, None], bias[0], groups=x.shape[2])
    return functional.silu(z.transpose(1, 2))


def rms(x: Tensor, gain: Tensor) -> Tensor:
    """Compute torch's own norm, which has a derivative already."""
    return functional.rms_norm(x, x.shape[-1:], eps=NORM_EPSILON) * gain[:, None]


def diagonal_outputs(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    """Allocate h, with time first in memory."""
    return (allocate_time_first(b, *b.shape),)


def diagonal_forward(a: Tensor, b: Tensor, h: Tensor) -> None:
    """Compute every state."""
    a, b, h = (t.transpose(0, 1) for t in (a, b, h))
    h[0] = b[0]
    for t in range(1, len(b)):
        torch.addcmul(b[t], a[t], h[t - 1], out=h[t])


def diagonal_backward(a: Tensor, h: Tensor, grad: Tensor, da: Tensor, db: Tensor) -> None:
    """Compute ∂b backwards in time, then ∂a from it."""
    a, h, grad, da, db = (t.transpose(0, 1) for t in (a, h, grad, da, db))
    a, before = a.conj_physical(), h[:-1].conj_physical()  # at once: see `operation`
    db[-1] = grad[-1]
    for t in range(len(h) - 2, -1, -1):
        torch.addcmul(grad[t], a[t + 1], db[t + 1], out=db[t])
    da[0] = 0
    torch.mul(db[1:], before, out=da[1:])


def selective(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, z: Tensor, negative: bool
) -> Tensor:  # fmt: skip
    """Compute the scan, and what follows it by torch's own operators."""
    return apply_skip_and_gate(_selective(x, dt, A, B, C, negative), x, D, z)


diagonal = define("torch", DIAGONAL, diagonal_forward, diagonal_backward, diagonal_outputs)
_selective = define("torch", SELECTIVE, selective_forward, selective_backward, selective_outputs)
matrix = define("torch", MATRIX, matrix_forward, matrix_backward, matrix_outputs)
product = define("torch", PRODUCT, product_forward, product_backward, product_outputs)
delta = define("torch", DELTA, delta_forward, delta_backward, delta_outputs)
slstm = define("torch", SLSTM, slstm_forward, slstm_backward, slstm_outputs)
memory = define("torch", MEMORY, memory_forward, memory_backward, memory_outputs)
cauchy = define("torch", CAUCHY, cauchy_forward, cauchy_backward, cauchy_outputs)
