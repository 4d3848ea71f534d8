"""The cpu backend: fused C, with the states that the backward needs computed again in cache.

Each function here lays tensors out as its kernel reads them (contiguous, batch first) and passes
their sizes. What is one matrix product over all steps is left to torch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from flann.models.scans.constants import NORM_EPSILON, STATE_NORM_EPSILON
from flann.models.scans.operation import (
    CAUCHY,
    CONVOLUTION,
    DELTA,
    DIAGONAL,
    GATED,
    GRU,
    LSTM,
    MATRIX,
    MEMORY,
    PRODUCT,
    RMS,
    RNN,
    SLSTM,
    define,
)
from flann.models.scans.torch_backend.cauchy import cauchy_outputs
from flann.models.scans.torch_backend.memory import memory_outputs, multiply_by_weights
from flann.models.scans.torch_backend.slstm import multiply_by_recurrence

from .library import call, load_library

CHUNK = 16
"""How many steps the backward runs again at a time: SELECTIVE_CHUNK, DELTA_CHUNK, MEMORY_CHUNK."""
VECTOR = 64
"""Bytes of the kernels' vectors."""


def missing() -> str | None:
    """Return why the kernels cannot be used here, or None if they can."""
    kernels = load_library()
    return kernels if isinstance(kernels, str) else None


def supports(device: str) -> bool:
    """Return whether the device is the CPU and the kernels are there."""
    return device == "cpu" and missing() is None


# -- cauchy ----------------------------------------------------------------------------------------


def cauchy_forward(
    a: Tensor, b: Tensor, centre: Tensor, height: Tensor, points: Tensor, sums: Tensor
) -> None:
    """Compute every sum at every point."""
    inputs = _make_contiguous(a, b, centre, height, points)
    call("cauchy_forward", [*inputs, sums], [*a.shape, points.shape[2], len(points)])


def cauchy_backward(
    a: Tensor, b: Tensor, centre: Tensor, height: Tensor, points: Tensor, grad: Tensor,
    da: Tensor, db: Tensor, dcentre: Tensor, dheight: Tensor, dpoints: Tensor,
) -> None:  # fmt: skip
    """Compute the gradients, as sums over the points, which are constants."""
    inputs = _make_contiguous(a, b, centre, height, points, grad)
    with _Filled(da, db, dcentre, dheight) as found:
        call("cauchy_backward", [*inputs, *found], [*a.shape, points.shape[2], len(points)])
    dpoints.zero_()


# -- convolution -----------------------------------------------------------------------------------


def convolution_outputs(x: Tensor, w: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
    """Allocate y."""
    return (_allocate(x, *x.shape),)


def convolution_forward(x: Tensor, w: Tensor, bias: Tensor, y: Tensor) -> None:
    """Compute every output."""
    x, taps, bias = _make_contiguous(x, w.mT, bias)
    call("convolution_forward", [x, taps, bias, y], [*x.shape, w.shape[2], len(w)])


def convolution_backward(
    x: Tensor, w: Tensor, bias: Tensor, grad: Tensor, dx: Tensor, dw: Tensor, dbias: Tensor
) -> None:
    """Compute the gradients; those of shared weights are summed over the rows that share them."""
    x, taps, bias, grad = _make_contiguous(x, w.mT, bias, grad)
    by_taps = _allocate(x, len(x), *taps.shape[1:])
    by_bias = _allocate(x, len(x), *bias.shape[1:])
    with _Filled(dx) as (to,):
        tensors = [x, taps, bias, grad, to, by_taps, by_bias]
        call("convolution_backward", tensors, [*x.shape, w.shape[2], len(w)])
    dw.copy_(by_taps.unflatten(0, (len(w), -1)).sum(1).mT)
    dbias.copy_(by_bias.unflatten(0, (len(w), -1)).sum(1))


# -- rms -------------------------------------------------------------------------------------------


def rms_outputs(x: Tensor, gain: Tensor) -> tuple[Tensor, ...]:
    """Allocate y."""
    return (_allocate(x, *x.shape),)


def rms_forward(x: Tensor, gain: Tensor, y: Tensor) -> None:
    """Compute every position."""
    call(
        "rms_forward", [*_make_contiguous(x, gain), y, _number(NORM_EPSILON)], [*x.shape, len(gain)]
    )


def rms_backward(x: Tensor, gain: Tensor, grad: Tensor, dx: Tensor, dgain: Tensor) -> None:
    """Compute the gradients; those of shared weights are summed over the rows that share them."""
    by_gain = _allocate(x, len(x), x.shape[2])
    with _Filled(dx) as (to,):
        tensors = [*_make_contiguous(x, gain, grad), to, by_gain, _number(NORM_EPSILON)]
        call("rms_backward", tensors, [*x.shape, len(gain)])
    dgain.copy_(by_gain.unflatten(0, (len(gain), -1)).sum(1))


# -- diagonal --------------------------------------------------------------------------------------


def diagonal_outputs(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    """Allocate h."""
    return (_allocate(b, *b.shape),)


def diagonal_forward(a: Tensor, b: Tensor, h: Tensor) -> None:
    """Compute every state."""
    a, b = _make_contiguous(a, b)
    call("diagonal_forward", [a, b, h], [*b.shape, b.is_complex()])


def diagonal_backward(a: Tensor, h: Tensor, grad: Tensor, da: Tensor, db: Tensor) -> None:
    """Run the adjoint recurrence backwards in time."""
    a, h, grad = _make_contiguous(a, h, grad)
    with _Filled(da, db) as (to_a, to_b):
        call("diagonal_backward", [a, h, grad, to_a, to_b], [*h.shape, h.is_complex()])


# -- selective -------------------------------------------------------------------------------------


def selective_outputs(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, *_: object
) -> tuple[Tensor, ...]:
    """Allocate the outputs, and the state before each chunk."""
    chunks = -(-x.shape[1] // CHUNK)
    return _allocate(x, *x.shape), _allocate(x, len(x), chunks, B.shape[2], x.shape[2])


def selective_forward(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, z: Tensor,
    y: Tensor, kept: Tensor, negative: bool,
) -> None:  # fmt: skip
    """Compute every output, and the state before each chunk."""
    sizes = [*x.shape, B.shape[2], len(A), negative, D.shape[1] > 0]
    call("selective_forward", [*_make_contiguous(x, dt, A.mT, B, C, D, z), y, kept], sizes)


def selective_backward(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, z: Tensor, kept: Tensor,
    grad: Tensor, dx: Tensor, ddt: Tensor, dA: Tensor, dB: Tensor, dC: Tensor, dD: Tensor,
    dz: Tensor, negative: bool,
) -> None:  # fmt: skip
    """Run the adjoint recurrence backwards in time; A's and D's gradients are summed over the rows
    that share them.
    """
    sizes = [*x.shape, B.shape[2], len(A), negative, D.shape[1] > 0]
    inputs = _make_contiguous(x, dt, A.mT, B, C, D, z, kept, grad)
    by_A, by_D = _allocate(x, len(x), *A.mT.shape[1:]), _allocate(x, len(x), *D.shape[1:])
    with _Filled(dx, ddt, dB, dC, dz) as (to_x, to_dt, to_B, to_C, to_z):
        gradients = [to_x, to_dt, by_A, to_B, to_C, by_D, to_z]
        call("selective_backward", [*inputs, *gradients], sizes)
    dA.copy_(by_A.unflatten(0, (len(A), -1)).sum(1).mT)
    dD.copy_(by_D.unflatten(0, (len(D), -1)).sum(1))


# -- matrix ----------------------------------------------------------------------------------------


def matrix_outputs(A: Tensor, b: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate the states, and what each was divided by."""
    return _allocate(b, *b.shape), _allocate(b, *b.shape[:2])


def matrix_forward(
    A: Tensor, b: Tensor, initial: Tensor, h: Tensor, r: Tensor, normalise: bool
) -> None:
    """Compute every state, and what each was divided by."""
    A, b, initial = _make_contiguous(A, b, initial)
    call(
        "matrix_forward", [A, b, initial, h, r, _number(STATE_NORM_EPSILON)], [*b.shape, normalise]
    )


def matrix_backward(
    A: Tensor, initial: Tensor, h: Tensor, r: Tensor, grad: Tensor,
    dA: Tensor, db: Tensor, dinitial: Tensor, normalise: bool,
) -> None:  # fmt: skip
    """Run the adjoint recurrence backwards in time."""
    A, initial, grad = _make_contiguous(A, initial, grad)
    with _Filled(dA, db, dinitial) as found:
        call("matrix_backward", [A, initial, h, r, grad, *found], [*h.shape, normalise])


# -- product ---------------------------------------------------------------------------------------


def product_outputs(A: Tensor) -> tuple[Tensor, ...]:
    """Allocate the products."""
    return (_allocate(A, *A.shape),)


def product_forward(A: Tensor, P: Tensor) -> None:
    """Compute every prefix product."""
    call("product_forward", [*_make_contiguous(A), P], A.shape[:3])


def product_backward(A: Tensor, P: Tensor, grad: Tensor, dA: Tensor) -> None:
    """Run the adjoint recurrence backwards in time."""
    A, grad = _make_contiguous(A, grad)
    with _Filled(dA) as found:
        call("product_backward", [A, P, grad, *found], A.shape[:3])


# -- delta -----------------------------------------------------------------------------------------


def delta_outputs(q: Tensor, k: Tensor, v: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate the outputs, and the state before each chunk."""
    chunks = -(-q.shape[1] // CHUNK)
    return _allocate(v, *v.shape), _allocate(v, len(v), chunks, q.shape[2], v.shape[2])


def delta_forward(
    q: Tensor, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, put: Tensor,
    y: Tensor, kept: Tensor,
) -> None:  # fmt: skip
    """Compute every output, and the state before each chunk."""
    inputs = _make_contiguous(q, k, v, decay, look, put)
    call("delta_forward", [*inputs, y, kept], _delta_sizes(q, v, decay, look))


def delta_backward(
    q: Tensor, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, put: Tensor, kept: Tensor,
    grad: Tensor, dq: Tensor, dk: Tensor, dv: Tensor, ddecay: Tensor, dlook: Tensor, dput: Tensor,
) -> None:  # fmt: skip
    """Run the adjoint recurrence backwards in time."""
    inputs = _make_contiguous(q, k, v, decay, look, put, kept, grad)
    with _Filled(dq, dk, dv, ddecay, dlook, dput) as found:
        call("delta_backward", [*inputs, *found], _delta_sizes(q, v, decay, look))


def _delta_sizes(q: Tensor, v: Tensor, decay: Tensor, look: Tensor) -> list[int]:
    return [*q.shape, v.shape[2], decay.shape[1] > 0, look.shape[1] > 0]


# -- slstm -----------------------------------------------------------------------------------------


def slstm_outputs(g: Tensor, R: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate h; c, n and m; the gates before their nonlinearities."""
    batch, length, width = *g.shape[:2], g.shape[3]
    return (
        _allocate(g, batch, length, width),
        _allocate(g, batch, length, 3, width),
        _allocate(g, *g.shape),
    )


def slstm_forward(
    g: Tensor, R: Tensor, h: Tensor, cells: Tensor, gates: Tensor, sigmoid: bool
) -> None:
    """Compute every output, cell and gate."""
    sizes = [*g.shape[:2], *R.shape[1:3], len(R), sigmoid]
    call("slstm_forward", [*_make_contiguous(g), _pad_to_vectors(R), h, cells, gates], sizes)


def slstm_backward(
    R: Tensor, h: Tensor, cells: Tensor, gates: Tensor, grad: Tensor,
    dg: Tensor, dR: Tensor, sigmoid: bool,
) -> None:  # fmt: skip
    """Compute the gates' gradients backwards in time, then R's all at once."""
    sizes = [*h.shape[:2], *R.shape[1:3], len(R), sigmoid]
    matrices, (grad,) = _pad_to_vectors(R.permute(0, 1, 3, 4, 2)), _make_contiguous(grad)
    with _Filled(dg) as (to,):
        call("slstm_backward", [matrices, cells, gates, grad, to], sizes)
    dR.copy_(multiply_by_recurrence(R, h, dg))


# -- recurrent -------------------------------------------------------------------------------------

TANH, RELU, IS_LSTM, IS_GRU = range(4)
"""The kernel's kinds of cells."""


def rnn_outputs(g: Tensor, R: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate h."""
    return (_allocate(g, *g.shape),)


def rnn_forward(g: Tensor, R: Tensor, h: Tensor, relu: bool) -> None:
    """Compute every output."""
    _recurrent_forward(RELU if relu else TANH, g, R, None, h, None, None)


def rnn_backward(R: Tensor, h: Tensor, grad: Tensor, dg: Tensor, dR: Tensor, relu: bool) -> None:
    """Compute the sums' gradients backwards in time, then R's all at once."""
    _recurrent_backward(RELU if relu else TANH, R, None, h, None, None, grad, dg, dR)


def lstm_outputs(g: Tensor, R: Tensor) -> tuple[Tensor, ...]:
    """Allocate h, c, and the gates' sums."""
    h = _allocate(g, *g.shape[:2], R.shape[1])
    return h, torch.empty_like(h), _allocate(g, *g.shape)


def lstm_forward(g: Tensor, R: Tensor, h: Tensor, cells: Tensor, sums: Tensor) -> None:
    """Compute every output, cell and gate."""
    _recurrent_forward(IS_LSTM, g, R, None, h, cells, sums)


def lstm_backward(
    R: Tensor, h: Tensor, cells: Tensor, sums: Tensor, grad: Tensor, dg: Tensor, dR: Tensor
) -> None:
    """Compute the gates' gradients backwards in time, then R's all at once."""
    _recurrent_backward(IS_LSTM, R, None, h, cells, sums, grad, dg, dR)


def gru_outputs(g: Tensor, R: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
    """Allocate h, and the sums of r, z and what is reset."""
    return _allocate(g, *g.shape[:2], R.shape[1]), _allocate(g, *g.shape)


def gru_forward(g: Tensor, R: Tensor, bias: Tensor, h: Tensor, sums: Tensor) -> None:
    """Compute every output and gate."""
    _recurrent_forward(IS_GRU, g, R, bias, h, None, sums)


def gru_backward(
    g: Tensor, R: Tensor, bias: Tensor, h: Tensor, sums: Tensor, grad: Tensor, dg: Tensor,
    dR: Tensor, dbias: Tensor,
) -> None:  # fmt: skip
    """Compute the gates' gradients backwards in time, then the weights' all at once."""
    dsums = _recurrent_backward(IS_GRU, R, g, h, None, sums, grad, dg, dR)
    by_bias = dsums[..., -h.shape[2] :].unflatten(0, (len(R), -1))
    dbias.copy_(by_bias.sum((1, 2)))


def _recurrent_forward(
    kind: int, g: Tensor, R: Tensor, bias: Tensor | None, h: Tensor, cells: Tensor | None,
    sums: Tensor | None,
) -> None:  # fmt: skip
    none = _allocate(g, 0)
    given = [t if t is not None else none for t in (bias, h, cells, sums)]
    call(
        "recurrent_forward",
        [*_make_contiguous(g), _pad_to_vectors(R), *_make_contiguous(*given)],
        [*h.shape, len(R), kind],
    )


def _recurrent_backward(
    kind: int, R: Tensor, g: Tensor | None, h: Tensor, cells: Tensor | None, sums: Tensor | None,
    grad: Tensor, dg: Tensor, dR: Tensor,
) -> Tensor:  # fmt: skip
    none = _allocate(h, 0)
    given = [t if t is not None else none for t in (g, h, cells, sums)]
    with _Filled(dg) as (to,):
        dsums = torch.empty_like(to) if kind == IS_GRU else to
        tensors = [_pad_to_vectors(R.mT), *_make_contiguous(*given, grad), to, dsums]
        call("recurrent_backward", tensors, [*h.shape, len(R), kind])
    before, after = (t.unflatten(0, (len(R), -1)).flatten(1, 2) for t in (h[:, :-1], dsums[:, 1:]))
    torch.matmul(before.mT, after, out=dR)
    return dsums


# -- memory ----------------------------------------------------------------------------------------


def memory_forward(
    g: Tensor, R: Tensor, E: Tensor, bias: Tensor, h: Tensor, cells: Tensor, gates: Tensor,
    shown: Tensor, said: Tensor, kept: Tensor, lstm: bool, tape: bool,
) -> None:  # fmt: skip
    """Compute every output, and what the backward pass needs."""
    inputs = [*_make_contiguous(g), _pad_to_vectors(R), _pad_to_vectors(E), *_make_contiguous(bias)]
    sizes = [*h.shape, shown.shape[2], len(R), lstm, tape]
    call("memory_forward", [*inputs, h, cells, gates, shown, said, kept], sizes)


def memory_backward(
    R: Tensor, E: Tensor, bias: Tensor, h: Tensor, cells: Tensor, gates: Tensor, shown: Tensor,
    said: Tensor, kept: Tensor, grad: Tensor, dg: Tensor, dR: Tensor, dE: Tensor, dbias: Tensor,
    lstm: bool, tape: bool,
) -> None:  # fmt: skip
    """Compute the gradients backwards in time, and the weights' gradients last, all at once."""
    dsaid = _allocate(said, *said.shape)
    inputs = [
        _pad_to_vectors(R.mT),
        _pad_to_vectors(E.mT),
        h,
        cells,
        gates,
        said,
        kept,
        *_make_contiguous(grad),
    ]
    sizes = [*h.shape, shown.shape[2], len(R), lstm, tape]
    with _Filled(dg) as (to,):
        call("memory_backward", [*inputs, to, dsaid], sizes)
    for weights, found in zip(
        (dR, dE, dbias), multiply_by_weights(R, h, shown, dg, dsaid), strict=True
    ):
        weights.copy_(found)


def _pad_to_vectors(R: Tensor) -> Tensor:
    """Pad the last axis with zeros to whole vectors, at an aligned address."""
    size, lanes = R.shape[-1], VECTOR // R.element_size()
    wide = -(-size // lanes) * lanes
    room = R.new_zeros(R.shape[:-1].numel() * wide + lanes)
    offset = -room.data_ptr() % VECTOR // R.element_size()
    padded = room[offset : len(room) - lanes + offset].view(*R.shape[:-1], wide)
    padded[..., :size] = R
    return padded


# -- layout ----------------------------------------------------------------------------------------


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _allocate(like: Tensor, *shape: int) -> Tensor:
    return like.new_empty(shape)


def _make_contiguous(*tensors: Tensor) -> list[Tensor]:
    return [t.contiguous() for t in tensors]


class _Filled:
    """Contiguous stand-ins for tensors that are not contiguous, copied back at the end."""

    def __init__(self, *tensors: Tensor) -> None:
        self.tensors = tensors
        self.stand_ins = [t if t.is_contiguous() else _allocate(t, *t.shape) for t in tensors]

    def __enter__(self) -> list[Tensor]:
        return self.stand_ins

    def __exit__(self, *_: object) -> None:
        for tensor, filled in zip(self.tensors, self.stand_ins, strict=True):
            if filled is not tensor:
                tensor.copy_(filled)


convolution = define(
    "cpu", CONVOLUTION, convolution_forward, convolution_backward, convolution_outputs
)
rms = define("cpu", RMS, rms_forward, rms_backward, rms_outputs)
diagonal = define("cpu", DIAGONAL, diagonal_forward, diagonal_backward, diagonal_outputs)
selective = define("cpu", GATED, selective_forward, selective_backward, selective_outputs)
matrix = define("cpu", MATRIX, matrix_forward, matrix_backward, matrix_outputs)
product = define("cpu", PRODUCT, product_forward, product_backward, product_outputs)
delta = define("cpu", DELTA, delta_forward, delta_backward, delta_outputs)
slstm = define("cpu", SLSTM, slstm_forward, slstm_backward, slstm_outputs)
memory = define("cpu", MEMORY, memory_forward, memory_backward, memory_outputs)
rnn = define("cpu", RNN, rnn_forward, rnn_backward, rnn_outputs)
lstm = define("cpu", LSTM, lstm_forward, lstm_backward, lstm_outputs)
gru = define("cpu", GRU, gru_forward, gru_backward, gru_outputs)
cauchy = define("cpu", CAUCHY, cauchy_forward, cauchy_backward, cauchy_outputs)
