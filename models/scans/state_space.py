"""The scans of state-space models: checked types in, the backend's result out."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from .dispatch import find_operation, promote_to_state_type

Eigenvalues = Literal["positive", "negative"]


def selective_scan(
    x: Float[Tensor, "batch length inner"],
    dt: Float[Tensor, "batch length inner"],
    A: Float[Tensor, "inner state"],
    B: Float[Tensor, "batch length state"],
    C: Float[Tensor, "batch length state"],
    *,
    skip: Float[Tensor, " inner"] | None = None,
    gate: Float[Tensor, "batch length inner"] | None = None,
    eigenvalues: Eigenvalues = "positive",
) -> Float[Tensor, "batch length inner"]:
    """Compute Mamba's selective scan from a zero state, and what follows it if that is given.

    Parameters
    ----------
    x, dt : tensors of shape (batch, length, inner)
        the input and its time step Δ.
    A : tensor of shape (inner, state)
        the continuous dynamics, negative.
    B, C : tensors of shape (batch, length, state)
        how the input enters the state and how the state is read.
    skip, gate : tensors of shape (inner,) and (batch, length, inner), optional
        D and z, both or neither: the result is then (y + D x) SiLU(z).
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
    if skip is None or gate is None:
        assert skip is gate is None, "the skip and the gate come together"
        skip, gate = x.new_zeros(0), x[:, :0]
    inputs = promote_to_state_type(x, dt, A[None], B, C, skip[None], gate)
    y: Tensor = find_operation("selective", x)(*inputs, eigenvalues == "negative")
    return y.to(x.dtype)


def diagonal_scan(
    a: Float[Tensor, "batch length state"] | Complex[Tensor, "batch length state"],
    b: Float[Tensor, "batch length state"] | Complex[Tensor, "batch length state"],
) -> Float[Tensor, "batch length state"] | Complex[Tensor, "batch length state"]:
    """Compute every state of h_t = a_t ⊙ h_{t-1} + b_t from a zero state, real or complex.

    Examples
    --------
    >>> diagonal_scan(torch.full((1, 4, 1), 2.0), torch.ones(1, 4, 1)).flatten().tolist()
    [1.0, 3.0, 7.0, 15.0]
    """
    run = find_operation("diagonal", b)
    h: Tensor = run(*promote_to_state_type(a, b))
    return h.to(b.dtype)


def matrix_scan(
    A: Float[Tensor, "batch length state state"],
    b: Float[Tensor, "batch length state"],
    initial: Float[Tensor, "batch state"] | None = None,
    *,
    normalise: bool = False,
) -> Float[Tensor, "batch length state"]:
    """Compute every state of h_t = ν(A_t h_{t-1} + b_t).

    Parameters
    ----------
    A : tensor of shape (batch, length, state, state)
    b : tensor of shape (batch, length, state)
    initial : tensor of shape (batch, state), optional
        h_0; zero if not given.
    normalise : bool
        whether ν divides by the root mean square, or is the identity.

    Returns
    -------
    tensor of shape (batch, length, state)

    Examples
    --------
    >>> turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).expand(1, 3, 2, 2)
    >>> start = torch.tensor([[[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]])
    >>> matrix_scan(turn, start).tolist()
    [[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]]
    """
    run = find_operation("matrix", b)
    start = torch.zeros_like(b[:, 0]) if initial is None else initial
    h: Tensor = run(*promote_to_state_type(A, b, start), normalise)
    return h.to(b.dtype)


def product_scan(
    A: Float[Tensor, "batch length state state"],
) -> Float[Tensor, "batch length state state"]:
    """Compute every prefix product P_t = A_1 A_2 ... A_t, with O(state³) work a step.

    Where only P_t w is needed and w is to the *left* of the newest factor (h_t = A_t h_{t-1}),
    `matrix_scan` carries the vector at O(state²) a step. For A_t ... A_1, transpose before and
    after.

    Examples
    --------
    >>> product_scan(torch.tensor([[[[2.0]], [[3.0]], [[4.0]]]])).flatten().tolist()
    [2.0, 6.0, 24.0]
    """
    P: Tensor = find_operation("product", A)(*promote_to_state_type(A))
    return P.to(A.dtype)
