"""The triton backend: launches kernels on contiguous, batch-first tensors.

The kernels are in `kernels` and `memory_kernels`.
Nothing here waits for the device or looks at a number on it, so a training step can be captured in
a CUDA graph. With ``TRITON_INTERPRET=1`` in the environment the kernels run without a GPU, very
slowly: that is how they are checked where there is none.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from flann.models.scans import torch_backend as loop
from flann.models.scans.constants import STATE_NORM_EPSILON
from flann.models.scans.operation import (
    DELTA,
    DIAGONAL,
    MATRIX,
    MEMORY,
    PRODUCT,
    SELECTIVE,
    SLSTM,
    define,
)
from flann.models.scans.reference import apply_skip_and_gate
from flann.models.scans.torch_backend.memory import memory_outputs, multiply_by_weights
from flann.models.scans.torch_backend.slstm import multiply_by_recurrence

CHUNK = 16
"""How many steps the backward runs again at a time."""
CHANNELS = 64
"""Channels, or values, of one program."""
TILE = 4096
"""Numbers of state that one program holds, at most about."""
BLOCK, MEMORY_BLOCK = 32, 256
"""Numbers of a controller's state, and of its memory, that a program handles at a time."""
LARGEST_PRODUCT = 32
"""The largest matrix whose prefix products are made here; torch's own are as good beyond."""


def missing() -> str | None:
    """Return why the kernels cannot be used here, or None if they can."""
    return None if find_spec("triton") else "triton is not installed"


def supports(device: str) -> bool:
    """Return whether the device is CUDA with triton, or the CPU under triton's interpreter."""
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    return (device == "cuda" or (device == "cpu" and interpreted)) and missing() is None


def _get_kernel(name: str) -> Any:
    from . import kernels as gpu_kernels

    return getattr(gpu_kernels, name)


def _round_up_to_power_of_two(n: int) -> int:
    """Return the least power of two that is not less."""
    return 1 << max(0, n - 1).bit_length()


def _make_contiguous(*tensors: Tensor) -> list[Tensor]:
    return [t.contiguous() for t in tensors]


def _allocate_outputs(like: Tensor, *shapes: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(like.new_empty(shape) for shape in shapes)


# -- diagonal --------------------------------------------------------------------------------------


def diagonal_forward(a: Tensor, b: Tensor, h: Tensor) -> None:
    """Compute every state."""
    _diagonal("forward", _make_contiguous(a, b), [h])


def diagonal_backward(a: Tensor, h: Tensor, grad: Tensor, da: Tensor, db: Tensor) -> None:
    """Run the adjoint recurrence backwards in time."""
    found = [torch.empty_like(h), torch.empty_like(h)]
    _diagonal("backward", _make_contiguous(a, h, grad), found)
    da.copy_(found[0])
    db.copy_(found[1])


def _diagonal(direction: str, inputs: list[Tensor], outputs: list[Tensor]) -> None:
    batch, length, state = inputs[0].shape
    block = min(CHANNELS, _round_up_to_power_of_two(state))
    tensors, kind = [*inputs, *outputs], "diagonal"
    if inputs[0].is_complex():
        tensors, kind = [torch.view_as_real(t) for t in tensors], "complex"
    grid = (batch, -(-state // block))
    _get_kernel(f"{kind}_{direction}")[grid](*tensors, length, state, BS=block)


# -- selective -------------------------------------------------------------------------------------


def selective_outputs(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, *_: object
) -> tuple[Tensor, ...]:
    """Allocate the outputs, and the state before each chunk."""
    chunks = -(-x.shape[1] // CHUNK)
    return _allocate_outputs(x, x.shape, (len(x), chunks, x.shape[2], B.shape[2]))


def _selective_blocks(inner: int, state: int) -> dict[str, int]:
    states = _round_up_to_power_of_two(state)
    return {
        "BE": min(_round_up_to_power_of_two(inner), CHANNELS, max(1, TILE // states)),
        "BN": states,
    }


def selective_forward(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor,
    y: Tensor, kept: Tensor, negative: bool,
) -> None:  # fmt: skip
    """Compute every output, and the state before each chunk."""
    (batch, length, inner), state = x.shape, B.shape[2]
    blocks = _selective_blocks(inner, state)
    _get_kernel("selective_forward")[(batch, -(-inner // blocks["BE"]))](
        *_make_contiguous(x, dt, A, B, C), y, kept, length, inner, state, batch // len(A),
        negative=negative, CHUNK=CHUNK, **blocks,
    )  # fmt: skip


def selective_backward(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, kept: Tensor, grad: Tensor,
    dx: Tensor, ddt: Tensor, dA: Tensor, dB: Tensor, dC: Tensor, negative: bool,
) -> None:  # fmt: skip
    """Run the adjoint recurrence backwards in time; sums over rows and over blocks of channels are
    left to torch.
    """
    (batch, length, inner), state = x.shape, B.shape[2]
    blocks = _selective_blocks(inner, state)
    parts = -(-inner // blocks["BE"])
    by_x, by_dt, by_A, by_B, by_C, scratch = _allocate_outputs(
        x, x.shape, x.shape, (batch, inner, state), (parts, *B.shape), (parts, *B.shape),
        (batch * parts * CHUNK, blocks["BE"], blocks["BN"]),
    )  # fmt: skip
    _get_kernel("selective_backward")[(batch, parts)](
        *_make_contiguous(x, dt, A, B, C, kept, grad), by_x, by_dt, by_A, by_B, by_C, scratch,
        length, inner, state, batch // len(A), batch, negative=negative, CHUNK=CHUNK, **blocks,
    )  # fmt: skip
    dx.copy_(by_x)
    ddt.copy_(by_dt)
    dA.copy_(by_A.unflatten(0, (len(A), -1)).sum(1))
    dB.copy_(by_B.sum(0))
    dC.copy_(by_C.sum(0))


# -- matrix and product ----------------------------------------------------------------------------


def matrix_outputs(A: Tensor, b: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate the states, and what each was divided by."""
    return _allocate_outputs(b, b.shape, b.shape[:2])


def matrix_forward(
    A: Tensor, b: Tensor, initial: Tensor, h: Tensor, r: Tensor, normalise: bool
) -> None:
    """Compute every state, and what each was divided by."""
    batch, length, state = b.shape
    _get_kernel("matrix_forward")[(batch,)](
        *_make_contiguous(A, b, initial), h, r, length, state, STATE_NORM_EPSILON,
        normalise=normalise, BN=_round_up_to_power_of_two(state),
    )  # fmt: skip


def matrix_backward(
    A: Tensor, initial: Tensor, h: Tensor, r: Tensor, grad: Tensor,
    dA: Tensor, db: Tensor, dinitial: Tensor, normalise: bool,
) -> None:  # fmt: skip
    """Run the adjoint recurrence backwards in time."""
    batch, length, state = h.shape
    found = _allocate_outputs(h, A.shape, h.shape, initial.shape)
    _get_kernel("matrix_backward")[(batch,)](
        *_make_contiguous(A, initial, h, r, grad), *found, length, state,
        normalise=normalise, BN=_round_up_to_power_of_two(state),
    )  # fmt: skip
    for to, filled in zip((dA, db, dinitial), found, strict=True):
        to.copy_(filled)


def product_forward(A: Tensor, P: Tensor) -> None:
    """Compute every prefix product."""
    batch, length, state = A.shape[:3]
    _get_kernel("product_forward")[(batch,)](
        *_make_contiguous(A), P, length, state, BN=_round_up_to_power_of_two(state)
    )


def product_backward(A: Tensor, P: Tensor, grad: Tensor, dA: Tensor) -> None:
    """Run the adjoint recurrence backwards in time."""
    batch, length, state = A.shape[:3]
    found = A.new_empty(A.shape)
    _get_kernel("product_backward")[(batch,)](
        *_make_contiguous(A, P, grad), found, length, state, BN=_round_up_to_power_of_two(state)
    )
    dA.copy_(found)


# -- delta -----------------------------------------------------------------------------------------


def delta_outputs(q: Tensor, k: Tensor, v: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate the outputs, and the state before each chunk."""
    chunks = -(-q.shape[1] // CHUNK)
    return _allocate_outputs(v, v.shape, (len(v), chunks, q.shape[2], v.shape[2]))


def _delta_settings(key: int, value: int, decay: Tensor, look: Tensor) -> dict[str, Any]:
    keys = _round_up_to_power_of_two(key)
    values = min(_round_up_to_power_of_two(value), CHANNELS, max(1, TILE // keys))
    there = {"decays": decay.shape[1] > 0, "looks": look.shape[1] > 0}
    return {**there, "CHUNK": CHUNK, "BK": keys, "BV": values}


def delta_forward(
    q: Tensor, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, put: Tensor,
    y: Tensor, kept: Tensor,
) -> None:  # fmt: skip
    """Compute every output, and the state before each chunk."""
    (rows, length, key), value = q.shape, v.shape[2]
    settings = _delta_settings(key, value, decay, look)
    _get_kernel("delta_forward")[(rows, -(-value // settings["BV"]))](
        *_make_contiguous(q, k, v, decay, look, put), y, kept, length, key, value, **settings
    )


def delta_backward(
    q: Tensor, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, put: Tensor, kept: Tensor,
    grad: Tensor, dq: Tensor, dk: Tensor, dv: Tensor, ddecay: Tensor, dlook: Tensor, dput: Tensor,
) -> None:  # fmt: skip
    """Run the adjoint recurrence backwards in time; torch sums over blocks of values."""
    (rows, length, key), value = q.shape, v.shape[2]
    settings = _delta_settings(key, value, decay, look)
    parts = -(-value // settings["BV"])
    by_key = [q.new_empty(parts, *t.shape) for t in (q, k, decay, look, put)]
    by_q, by_k, by_decay, by_look, by_put = by_key
    by_v = v.new_empty(v.shape)
    scratch = q.new_empty(rows * parts * CHUNK, settings["BK"], settings["BV"])
    _get_kernel("delta_backward")[(rows, parts)](
        *_make_contiguous(q, k, v, decay, look, put, kept, grad),
        by_q, by_k, by_v, by_decay, by_look, by_put, scratch, length, key, value, rows, **settings,
    )  # fmt: skip
    dv.copy_(by_v)
    for to, filled in zip((dq, dk, ddecay, dlook, dput), by_key, strict=True):
        to.copy_(filled.sum(0))


# -- slstm -----------------------------------------------------------------------------------------


def slstm_outputs(g: Tensor, R: Tensor, *_: object) -> tuple[Tensor, ...]:
    """Allocate h; c, n and m; the gates before their nonlinearities."""
    batch, length, width = *g.shape[:2], g.shape[3]
    return _allocate_outputs(g, (batch, length, width), (batch, length, 3, width), g.shape)


def slstm_forward(
    g: Tensor, R: Tensor, h: Tensor, cells: Tensor, gates: Tensor, sigmoid: bool
) -> None:
    """Compute every output, cell and gate."""
    heads, size = R.shape[1:3]
    _get_kernel("slstm_forward")[(len(g), heads)](
        *_make_contiguous(g, R), h, cells, gates, g.shape[1], heads, size, len(g) // len(R),
        sigmoid=sigmoid, BH=_round_up_to_power_of_two(size),
    )  # fmt: skip


def slstm_backward(
    R: Tensor, h: Tensor, cells: Tensor, gates: Tensor, grad: Tensor,
    dg: Tensor, dR: Tensor, sigmoid: bool,
) -> None:  # fmt: skip
    """Compute the gates' gradients backwards in time, then R's all at once."""
    heads, size = R.shape[1:3]
    found = gates.new_empty(gates.shape)
    _get_kernel("slstm_backward")[(len(h), heads)](
        *_make_contiguous(R, cells, gates, grad), found, h.shape[1], heads, size, len(h) // len(R),
        sigmoid=sigmoid, BH=_round_up_to_power_of_two(size),
    )  # fmt: skip
    dg.copy_(found)
    dR.copy_(multiply_by_recurrence(R, h, found))


# -- memory ----------------------------------------------------------------------------------------


def memory_forward(
    g: Tensor, R: Tensor, E: Tensor, bias: Tensor, h: Tensor, cells: Tensor, gates: Tensor,
    shown: Tensor, said: Tensor, kept: Tensor, lstm: bool, tape: bool,
) -> None:  # fmt: skip
    """Compute every output, and what the backward pass needs."""
    sizes, settings = _memory_settings(h, R, shown, kept, lstm, tape)
    scratch = g.new_zeros(len(g), 2, sizes[4])
    outputs = [h, cells, gates, shown, said, kept]
    _memory_kernel("memory_forward")[(len(g),)](
        *_make_contiguous(g, R, E, bias), *outputs, scratch, *sizes, **settings
    )


def memory_backward(
    R: Tensor, E: Tensor, bias: Tensor, h: Tensor, cells: Tensor, gates: Tensor, shown: Tensor,
    said: Tensor, kept: Tensor, grad: Tensor, dg: Tensor, dR: Tensor, dE: Tensor, dbias: Tensor,
    lstm: bool, tape: bool,
) -> None:  # fmt: skip
    """Compute the gradients backwards in time, and the weights' gradients last, all at once."""
    sizes, settings = _memory_settings(h, R, shown, kept, lstm, tape)
    batch, state, cell, room = len(h), sizes[1], sizes[2], sizes[4]
    found, dsaid = gates.new_empty(gates.shape), said.new_empty(said.shape)
    memories = h.new_empty(batch, CHUNK + 1, room)
    adjoints, carried = h.new_zeros(batch, 2, room), h.new_zeros(batch, 2 * state + cell)
    inputs = _make_contiguous(R, E, h, cells, gates, said, kept, grad)
    _memory_kernel("memory_backward")[(batch,)](
        *inputs, found, dsaid, memories, adjoints, carried, *sizes, **settings
    )
    dg.copy_(found)
    for to, filled in zip(
        (dR, dE, dbias), multiply_by_weights(R, h, shown, found, dsaid), strict=True
    ):
        to.copy_(filled)


def _memory_settings(
    h: Tensor, R: Tensor, shown: Tensor, kept: Tensor, lstm: bool, tape: bool
) -> tuple[list[int], dict[str, Any]]:
    """Return the sizes that a memory kernel takes, in its order."""
    batch, length, state = h.shape
    cell = shown.shape[2]
    left = (length if tape else 1) * cell
    sizes = [length, state, cell, batch // len(R), left + (length + 1) * cell, left, kept.shape[2]]
    settings: dict[str, Any] = {"LSTM": lstm, "TAPE": tape, "CHUNK": CHUNK}
    return sizes, settings | {
        "BI": BLOCK,
        "BC": _round_up_to_power_of_two(cell + 3),
        "BM": MEMORY_BLOCK,
    }


def _memory_kernel(name: str) -> Any:
    from . import memory_kernels as gpu_memory_kernels

    return getattr(gpu_memory_kernels, name)


# -- the operations --------------------------------------------------------------------------------


def _allocate_like(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Allocate one output of the last input's shape."""
    return (tensors[-1].new_empty(tensors[-1].shape),)


diagonal = define("triton", DIAGONAL, diagonal_forward, diagonal_backward, _allocate_like)
_selective = define("triton", SELECTIVE, selective_forward, selective_backward, selective_outputs)
matrix = define("triton", MATRIX, matrix_forward, matrix_backward, matrix_outputs)
_product = define("triton", PRODUCT, product_forward, product_backward, _allocate_like)
delta = define("triton", DELTA, delta_forward, delta_backward, delta_outputs)
slstm = define("triton", SLSTM, slstm_forward, slstm_backward, slstm_outputs)
memory = define("triton", MEMORY, memory_forward, memory_backward, memory_outputs)
convolution, rms, cauchy = loop.convolution, loop.rms, loop.cauchy
rnn, lstm, gru = loop.rnn, loop.lstm, loop.gru  # layers use cuDNN's: see `recurrent`


def selective(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, z: Tensor, negative: bool
) -> Tensor:  # fmt: skip
    """Compute the scan, and what follows it by torch's own operators."""
    return apply_skip_and_gate(_selective(x, dt, A, B, C, negative), x, D, z)


def product(A: Tensor) -> Tensor:
    """Compute prefix products, by this backend while the matrices fit into a program."""
    return (_product if A.shape[-1] <= LARGEST_PRODUCT else loop.product)(A)
