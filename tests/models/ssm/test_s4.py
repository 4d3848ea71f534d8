"""Tests of S4 and S4D: convolution, recurrence and the dense system in scipy agree."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import cont2discrete

from flann.models.scans import cauchy_sums
from flann.models.ssm.long_convolution import convolve_by_fft, convolve_by_toeplitz
from flann.models.ssm.s4 import DPLR, build_hippo_legs
from flann.models.ssm.s4d import DiagonalSSM
from flann.models.ssm.time_invariant import TimeInvariantSSM

RULES = {DPLR: "bilinear", DiagonalSSM: "zoh"}
every_kind = pytest.mark.parametrize("kind", RULES)


def build_layer(kind: type[TimeInvariantSSM], width: int = 3, state: int = 8) -> TimeInvariantSSM:
    torch.manual_seed(0)
    return kind(width, state).double()


def restore_conjugates(pairs: Any) -> np.ndarray:
    """Return all N values, given one of each conjugate pair."""
    array = pairs.detach().resolve_conj().numpy()
    return np.concatenate([array, array.conj()])


def build_dense_system(
    ssm: TimeInvariantSSM, channel: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one channel's continuous A, B and C as dense matrices."""
    A, B = (
        np.diag(restore_conjugates(ssm.compute_poles()[channel])),
        np.ones(ssm.state, dtype=complex),
    )
    if isinstance(ssm, DPLR):
        P = restore_conjugates(torch.view_as_complex(ssm.low_rank)[channel])
        A = A - np.outer(P, P.conj())
        B = restore_conjugates(torch.view_as_complex(ssm.into)[channel])
    return A, B[:, None], restore_conjugates(torch.view_as_complex(ssm.read)[channel])[None]


@every_kind
@pytest.mark.parametrize("length", [1, 2, 7, 64, 65, 300])
def test_kernel_equals_that_of_the_discretised_system(
    kind: type[TimeInvariantSSM], length: int
) -> None:
    ssm = build_layer(kind)
    kernel = ssm.compute_kernel(length).detach().numpy()
    for channel in range(ssm.width):
        A, B, C = build_dense_system(ssm, channel)
        step = float(torch.exp(ssm.log_step.detach()[channel]))
        # scipy's bilinear rule also changes C and D by half a step; S4 leaves C unchanged.
        Ad, Bd, _, _, _ = cont2discrete((A, B, C, np.zeros((1, 1))), step, RULES[kind])
        state = Bd
        for j in range(length):
            assert kernel[channel, j] == pytest.approx((C @ state).item().real, abs=1e-8)
            state = Ad @ state


@every_kind
def test_convolution_equals_recurrence_on_a_long_word(kind: type[TimeInvariantSSM]) -> None:
    ssm, length = build_layer(kind), 2000
    with torch.no_grad():
        ssm.log_decay.add_(-3)  # so slow a decay that the kernel's end is not negligible
        x = torch.randn(2, length, 3, dtype=torch.float64)
        state, outputs = ssm.initial_state(2), []
        for t in range(length):
            y, state = ssm.step(x[:, t], state)
            outputs.append(y)
        torch.testing.assert_close(ssm(x), torch.stack(outputs, 1), rtol=1e-7, atol=1e-7)


@every_kind
def test_kernel_of_a_prefix_is_a_prefix_of_the_kernel(kind: type[TimeInvariantSSM]) -> None:
    ssm = build_layer(kind)
    torch.testing.assert_close(
        ssm.compute_kernel(300)[:, :40], ssm.compute_kernel(40), rtol=1e-8, atol=1e-9
    )


@every_kind
def test_kernel_in_single_precision(kind: type[TimeInvariantSSM]) -> None:
    ssm = build_layer(kind, state=64)
    exact = ssm.compute_kernel(512)
    torch.testing.assert_close(ssm.float().compute_kernel(512).double(), exact, rtol=0, atol=1e-3)


@pytest.mark.parametrize("state", [2, 8, 64])
def test_diagonal_form_of_hippo_is_the_same_system(state: int) -> None:
    """Λ - P P* and B have the Markov parameters of HiPPO-LegS."""
    torch.set_default_dtype(torch.float64)
    try:
        poles, P, B = (restore_conjugates(part) for part in build_hippo_legs(state))
    finally:
        torch.set_default_dtype(torch.float32)
    n = np.arange(state)
    roots = np.sqrt(2 * n + 1)
    legs = -np.tril(np.outer(roots, roots), -1) - np.diag(n + 1.0)
    A = np.diag(poles) - np.outer(P, P.conj())
    for power in range(4):  # of the same system in two bases
        parameter = P.conj() @ np.linalg.matrix_power(A, power) @ B
        expected = np.sqrt(n + 0.5) @ np.linalg.matrix_power(legs, power) @ roots
        assert parameter == pytest.approx(expected, rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 3), length=st.integers(1, 40), width=st.integers(1, 4))
def test_both_convolutions_equal_the_sum(batch: int, length: int, width: int) -> None:
    x = torch.randn(batch, length, width, dtype=torch.float64)
    kernel = torch.randn(width, length, dtype=torch.float64)
    expected = torch.zeros_like(x)
    for t in range(length):
        for s in range(t + 1):
            expected[:, t] += kernel[:, t - s] * x[:, s]
    torch.testing.assert_close(convolve_by_toeplitz(x, kernel), expected)
    torch.testing.assert_close(convolve_by_fft(x, kernel), expected)


def test_cauchy_sums_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    coefficients = torch.randn(2, 3, 4, dtype=torch.complex128)
    poles = torch.randn(2, 4, dtype=torch.complex128) - 4
    points = torch.randn(11, dtype=torch.complex128)
    plain = sum(
        (c[..., None] / (points - p[:, None, :, None])).sum(2)
        for c, p in ((coefficients, poles), (coefficients.conj(), poles.conj()))
    )
    monkeypatch.setenv("FLANN_SCAN", "torch")
    backend = import_module("flann.models.scans.torch_backend.cauchy")
    for room in (1, 40, 10**6):
        monkeypatch.setattr(backend, "ROOM", room)
        torch.testing.assert_close(cauchy_sums(coefficients, poles, points), plain)
        leaves = coefficients.requires_grad_(), poles.requires_grad_()
        assert torch.autograd.gradcheck(lambda c, p: cauchy_sums(c, p, points), leaves)


def test_dynamics_learn_slowly() -> None:
    from flann.models import model_of_width

    model = model_of_width("s4", symbols=2, labels=2, depth=1, width=4)
    slow = [group for group in model.parameter_groups(0.1, 0.3) if group["lr"] < 0.1]
    assert len(slow) == 1
    assert slow[0]["lr"] == 1e-3
    assert slow[0]["weight_decay"] == 0
    assert len(slow[0]["params"]) == 5  # step, decay, frequency, P and B
