"""The front of the scans: checks types, picks a backend, calls it."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any, Literal

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from flann.errors import UserError, unknown

BACKENDS = {"torch": "loop", "ref": "ref"}
"""The backends and their modules, the preferred first."""

Eigenvalues = Literal["positive", "negative"]


def selective_scan(
    x: Float[Tensor, "batch length inner"],
    dt: Float[Tensor, "batch length inner"],
    A: Float[Tensor, "inner state"],
    B: Float[Tensor, "batch length state"],
    C: Float[Tensor, "batch length state"],
    *,
    eigenvalues: Eigenvalues = "positive",
) -> Float[Tensor, "batch length inner"]:
    """Mamba's selective scan from a zero state.

    Parameters
    ----------
    x, dt : tensors of shape (batch, length, inner)
        the input and its time step Δ.
    A : tensor of shape (inner, state)
        the continuous dynamics, negative.
    B, C : tensors of shape (batch, length, state)
        how the input enters the state and how the state is read.
    eigenvalues : 'positive' or 'negative'
        α(z) = exp(z), in (0, 1), or 2 exp(z) - 1, in (-1, 1).

    Returns
    -------
    tensor of shape (batch, length, inner)

    Examples
    --------
    With Δ so large that exp(Δ A) vanishes, the state is the last input alone, or alternates:

    >>> one = torch.ones(1, 3, 1)
    >>> selective_scan(one, 50 * one, -one[0, :1], one, one).flatten().tolist()
    [50.0, 50.0, 50.0]
    >>> y = selective_scan(one, 50 * one, -one[0, :1], one, one, eigenvalues="negative")
    >>> y.flatten().tolist()
    [50.0, 0.0, 50.0]
    """
    run = _operation("selective", x)
    y: Tensor = run(*_in_state_type(x, dt, A, B, C), eigenvalues)
    return y.to(x.dtype)


def diagonal_scan(
    a: Float[Tensor, "batch length state"] | Complex[Tensor, "batch length state"],
    b: Float[Tensor, "batch length state"] | Complex[Tensor, "batch length state"],
) -> Float[Tensor, "batch length state"] | Complex[Tensor, "batch length state"]:
    """Every state of h_t = a_t ⊙ h_{t-1} + b_t from a zero state, real or complex.

    Examples
    --------
    >>> diagonal_scan(torch.full((1, 4, 1), 2.0), torch.ones(1, 4, 1)).flatten().tolist()
    [1.0, 3.0, 7.0, 15.0]
    """
    run = _operation("diagonal", b)
    h: Tensor = run(*_in_state_type(a, b))
    return h.to(b.dtype)


def matrix_scan(
    A: Float[Tensor, "batch length state state"],
    b: Float[Tensor, "batch length state"],
    initial: Float[Tensor, "batch state"] | None = None,
    *,
    normalise: bool = False,
) -> Float[Tensor, "batch length state"]:
    """Every state of h_t = ν(A_t h_{t-1} + b_t).

    Parameters
    ----------
    A : tensor of shape (batch, length, state, state)
    b : tensor of shape (batch, length, state)
    initial : tensor of shape (batch, state), optional
        h_0; zero if not given.
    normalise : bool
        whether ν divides by the root mean square, or is the identity.

    Examples
    --------
    >>> turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).expand(1, 3, 2, 2)
    >>> start = torch.tensor([[[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]])
    >>> matrix_scan(turn, start).tolist()
    [[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]]
    """
    run = _operation("matrix", b)
    start = torch.zeros_like(b[:, 0]) if initial is None else initial
    h: Tensor = run(*_in_state_type(A, b, start), normalise)
    return h.to(b.dtype)


def scan_backend(device: torch.device | str = "cpu", operation: str = "selective") -> str:
    """The name of the backend in use for an operation on a device.

    >>> scan_backend() in BACKENDS
    True
    """
    return _choose(operation, torch.device(device).type)


def _operation(operation: str, tensor: Tensor) -> Any:
    return getattr(_module(_choose(operation, tensor.device.type)), operation)


def _choose(operation: str, device: str) -> str:
    wanted = os.environ.get("FLANN_SCAN")
    if wanted and wanted not in BACKENDS:
        raise unknown("scan backend in FLANN_SCAN", wanted, BACKENDS)
    for name in [wanted] if wanted else BACKENDS:
        if hasattr(_module(name), operation) and _module(name).supports(device):
            return name
    raise UserError(f"the scan backend {wanted!r} has no {operation} scan on {device}")


@cache
def _module(name: str) -> Any:
    return import_module(f".{BACKENDS[name]}", __package__)


def _in_state_type(*tensors: Tensor) -> list[Tensor]:
    """All in float32 or wider: what carries a state never has less."""
    widest = torch.float32
    for tensor in tensors:
        widest = torch.promote_types(widest, tensor.dtype)
    return [tensor.to(widest) for tensor in tensors]
