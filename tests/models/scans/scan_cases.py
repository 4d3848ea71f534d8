"""Inputs for every scan, and what it means for a backend to equal the reference on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from flann.models.scans import (
    cauchy_sums,
    delta_scan,
    diagonal_scan,
    gru_scan,
    linear_attention_scan,
    lstm_scan,
    matrix_scan,
    memory_scan,
    product_scan,
    rank_one_scan,
    rms_norm,
    rnn_scan,
    selective_scan,
    short_convolution,
    slstm_scan,
)

Inputs = tuple[Tensor, ...]
Scan = Callable[..., Tensor]


def normal(*shape: int, seed: int, kind: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=kind)


def diagonal_inputs(length: int, *, batch: int = 3, kind: torch.dtype = torch.float64) -> Inputs:
    return (
        0.7 * normal(batch, length, 4, seed=1, kind=kind),
        normal(batch, length, 4, seed=2, kind=kind),
    )


def complex_inputs(length: int, *, batch: int = 3) -> Inputs:
    return diagonal_inputs(length, batch=batch, kind=torch.complex128)


def selective_inputs(length: int, *, batch: int = 3) -> Inputs:
    x, dt = normal(batch, length, 5, seed=1), normal(batch, length, 5, seed=2).abs()
    A = -normal(5, 4, seed=3).abs()
    return x, dt, A, normal(batch, length, 4, seed=4), normal(batch, length, 4, seed=5)


def gated_selective_inputs(length: int, *, batch: int = 3) -> Inputs:
    behind = normal(5, seed=6), normal(batch, length, 5, seed=7)
    return *selective_inputs(length, batch=batch), *behind


def matrix_inputs(length: int, *, batch: int = 3) -> Inputs:
    A = torch.eye(4, dtype=torch.float64) + 0.2 * normal(batch, length, 4, 4, seed=1)
    return A, normal(batch, length, 4, seed=2), normal(batch, 4, seed=3)


def product_inputs(length: int, *, batch: int = 3) -> Inputs:
    turns = torch.linalg.qr(normal(batch, length, 4, 4, seed=1)).Q
    return (turns + 0.01 * normal(batch, length, 4, 4, seed=2),)


def memory_inputs(length: int, *, batch: int = 3) -> Inputs:
    """q, k of norm 1, v: two heads, keys of 3 and values of 5."""
    q, k = normal(batch, length, 2, 3, seed=1), normal(batch, length, 2, 3, seed=2)
    return q, k / k.norm(dim=-1, keepdim=True), normal(batch, length, 2, 5, seed=3)


def decaying_inputs(length: int, *, batch: int = 3) -> Inputs:
    return *memory_inputs(length, batch=batch), normal(batch, length, 2, 3, seed=4).sigmoid()


def delta_inputs(length: int, *, batch: int = 3) -> Inputs:
    return *memory_inputs(length, batch=batch), 2 * normal(batch, length, 2, seed=4).sigmoid()


def gated_delta_inputs(length: int, *, batch: int = 3) -> Inputs:
    return *delta_inputs(length, batch=batch), normal(batch, length, 2, 1, seed=5).sigmoid()


def rank_one_inputs(length: int, *, batch: int = 3) -> Inputs:
    q, k, v, decay = decaying_inputs(length, batch=batch)
    put = normal(batch, length, 2, 3, seed=6).sigmoid() * k
    return q, normal(batch, length, 2, 3, seed=7), v, decay, k, put


def slstm_inputs(length: int, *, batch: int = 3) -> Inputs:
    return 2 * normal(batch, length, 4, 6, seed=1), 0.5 * normal(2, 3, 4, 3, seed=2)


def convolution_inputs(length: int, *, batch: int = 3) -> Inputs:
    return normal(batch, length, 5, seed=1), normal(5, 4, seed=2), normal(5, seed=3)


def recurrent_inputs(length: int, gates: int = 1, *, batch: int = 3) -> Inputs:
    return normal(batch, length, 6 * gates, seed=1), 0.5 * normal(6, 6 * gates, seed=2)


def gru_inputs(length: int, *, batch: int = 3) -> Inputs:
    return *recurrent_inputs(length, 3, batch=batch), normal(6, seed=3)


def controlled_inputs(length: int, gates: int, *, batch: int) -> Inputs:
    """A controller of 6 and cells of 2, with actions that are far from even."""
    g, R = normal(batch, length, 6 * gates, seed=1), 0.5 * normal(8, 6 * gates, seed=2)
    return g, R, normal(6, 5, seed=3), normal(5, seed=4)


def simple_inputs(length: int, *, batch: int = 3) -> Inputs:
    return controlled_inputs(length, 1, batch=batch)


def lstm_inputs(length: int, *, batch: int = 3) -> Inputs:
    return controlled_inputs(length, 4, batch=batch)


def cauchy_inputs(length: int, *, batch: int = 3) -> Inputs:
    """Five sums of six pairs, and a weight for every point of a circle."""
    kind = torch.complex128
    coefficients, poles = (
        normal(batch, 5, 6, seed=1, kind=kind),
        normal(batch, 6, seed=2, kind=kind),
    )
    return coefficients, poles, normal(batch, length, seed=3)


def weighed_sums(coefficients: Tensor, poles: Tensor, weights: Tensor) -> Tensor:
    angles = torch.linspace(0, 3, weights.shape[-1], dtype=torch.float64)
    points = 2 * torch.exp(1j * angles).to(coefficients.dtype)
    sums = cauchy_sums(coefficients, poles, points)
    return weights[:, None] * (sums.real + 2 * sums.imag)


def norm_inputs(length: int, *, batch: int = 3) -> Inputs:
    return normal(batch, length, 5, seed=1), normal(5, seed=2)


def negative(*inputs: Tensor) -> Tensor:
    return selective_scan(*inputs, eigenvalues="negative")


def gated_selective(*inputs: Tensor) -> Tensor:
    return selective_scan(*inputs[:5], skip=inputs[5], gate=inputs[6])


def normalised(*inputs: Tensor) -> Tensor:
    return matrix_scan(*inputs, normalise=True)


def sigmoid_slstm(*inputs: Tensor) -> Tensor:
    return slstm_scan(*inputs, forget="sigmoid")


CASES: dict[str, tuple[Scan, Callable[..., Inputs]]] = {
    "convolution": (short_convolution, convolution_inputs),
    "rnn": (rnn_scan, recurrent_inputs),
    "relu rnn": (partial(rnn_scan, activation="relu"), recurrent_inputs),
    "lstm": (lstm_scan, partial(recurrent_inputs, gates=4)),
    "gru": (gru_scan, gru_inputs),
    "stack": (partial(memory_scan, controller="rnn", memory="stack"), simple_inputs),
    "tape": (partial(memory_scan, controller="rnn", memory="tape"), simple_inputs),
    "lstm stack": (partial(memory_scan, controller="lstm", memory="stack"), lstm_inputs),
    "lstm tape": (partial(memory_scan, controller="lstm", memory="tape"), lstm_inputs),
    "cauchy": (weighed_sums, cauchy_inputs),
    "norm": (rms_norm, norm_inputs),
    "diagonal": (diagonal_scan, diagonal_inputs),
    "complex": (diagonal_scan, complex_inputs),
    "selective": (selective_scan, selective_inputs),
    "negative": (negative, selective_inputs),
    "gated selective": (gated_selective, gated_selective_inputs),
    "matrix": (matrix_scan, matrix_inputs),
    "normalised": (normalised, matrix_inputs),
    "product": (product_scan, product_inputs),
    "linear attention": (linear_attention_scan, memory_inputs),
    "gated linear attention": (linear_attention_scan, decaying_inputs),
    "delta": (delta_scan, delta_inputs),
    "gated delta": (delta_scan, gated_delta_inputs),
    "rank one": (rank_one_scan, rank_one_inputs),
    "slstm": (slstm_scan, slstm_inputs),
    "sigmoid slstm": (sigmoid_slstm, slstm_inputs),
}


def outcome(scan: Scan, inputs: Inputs) -> list[Tensor]:
    """The output, and the gradients of a random functional of it."""
    leaves = [t.detach().clone().requires_grad_() for t in inputs]
    output = scan(*leaves)
    drawn = normal(*output.shape, seed=9, kind=in_precision(output, torch.float64).dtype)
    weights = drawn.to(output)  # the same in every precision
    (output * weights).sum().abs().backward()
    none = torch.zeros_like  # where autograd saw that nothing depends on it
    return [output.detach(), *(none(t) if t.grad is None else t.grad for t in leaves)]


def equals_reference(
    case: str,
    backend: str,
    length: int,
    monkeypatch: pytest.MonkeyPatch,
    tolerance: float = 1e-9,
    kind: torch.dtype = torch.float64,
) -> None:
    """The backend's output and gradients, in one precision, are the reference's in double.

    The tolerance is relative to each tensor's largest number: gradients are sums of many terms.
    """
    scan, make = CASES[case]
    inputs = tuple(in_precision(t, kind) for t in make(length))
    monkeypatch.setenv("FLANN_SCAN", "ref")
    expected = outcome(scan, tuple(in_precision(t, torch.float64) for t in inputs))
    monkeypatch.setenv("FLANN_SCAN", backend)
    for there, here in zip(expected, outcome(scan, inputs), strict=True):
        assert here.dtype == in_precision(there, kind).dtype
        scale = max(1.0, float(there.abs().max()))
        here = in_precision(here, torch.float64)
        torch.testing.assert_close(here / scale, there / scale, rtol=tolerance, atol=tolerance)


def in_precision(tensor: Tensor, kind: torch.dtype) -> Tensor:
    """In that precision, complex if it was."""
    return tensor.to(kind.to_complex() if tensor.is_complex() else kind)
