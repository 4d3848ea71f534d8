"""S4 and S4D: the convolution against the recurrence, and both against a dense system in scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import cont2discrete

from flann.models.scans import cauchy_sums
from flann.models.ssm.long_convolution import by_fft, by_toeplitz
from flann.models.ssm.s4 import DPLR, TimeInvariantSSM, hippo_legs
from flann.models.ssm.s4d import Diagonal

RULES = {DPLR: "bilinear", Diagonal: "zoh"}
every_kind = pytest.mark.parametrize("kind", RULES)


def layer(kind: type[TimeInvariantSSM], width: int = 3, state: int = 8) -> TimeInvariantSSM:
    torch.manual_seed(0)
    return kind(width, state).double()


def both(pairs: Any) -> np.ndarray:
    """All N values from one of each conjugate pair."""
    array = pairs.detach().resolve_conj().numpy()
    return np.concatenate([array, array.conj()])


def dense(ssm: TimeInvariantSSM, channel: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One channel's continuous A, B and C, written out."""
    A, B = np.diag(both(ssm.poles()[channel])), np.ones(ssm.state, dtype=complex)
    if isinstance(ssm, DPLR):
        P = both(torch.view_as_complex(ssm.low_rank)[channel])
        A = A - np.outer(P, P.conj())
        B = both(torch.view_as_complex(ssm.into)[channel])
    return A, B[:, None], both(torch.view_as_complex(ssm.read)[channel])[None]


@every_kind
@pytest.mark.parametrize("length", [1, 2, 7, 64, 65, 300])
def test_kernel_is_that_of_the_discretised_system(
    kind: type[TimeInvariantSSM], length: int
) -> None:
    ssm = layer(kind)
    kernel = ssm.kernel(length).detach().numpy()
    for channel in range(ssm.width):
        A, B, C = dense(ssm, channel)
        step = float(torch.exp(ssm.log_step.detach()[channel]))
        # scipy's bilinear rule also moves half a step into C and D; S4 leaves C as it is.
        Ad, Bd, _, _, _ = cont2discrete((A, B, C, np.zeros((1, 1))), step, RULES[kind])
        state = Bd
        for j in range(length):
            assert kernel[channel, j] == pytest.approx((C @ state).item().real, abs=1e-8)
            state = Ad @ state


@every_kind
def test_convolution_equals_recurrence_on_a_long_word(kind: type[TimeInvariantSSM]) -> None:
    ssm, length = layer(kind), 2000
    with torch.no_grad():
        ssm.log_decay.add_(-3)  # a memory so long that the kernel has not died out by the end
        x = torch.randn(2, length, 3, dtype=torch.float64)
        state, outputs = ssm.initial_state(2), []
        for t in range(length):
            y, state = ssm.step(x[:, t], state)
            outputs.append(y)
        torch.testing.assert_close(ssm(x), torch.stack(outputs, 1), rtol=1e-7, atol=1e-7)


@every_kind
def test_kernel_of_a_prefix_is_the_prefix(kind: type[TimeInvariantSSM]) -> None:
    ssm = layer(kind)
    torch.testing.assert_close(ssm.kernel(300)[:, :40], ssm.kernel(40), rtol=1e-8, atol=1e-9)


@every_kind
def test_kernel_in_single_precision(kind: type[TimeInvariantSSM]) -> None:
    ssm = layer(kind, state=64)
    exact = ssm.kernel(512)
    torch.testing.assert_close(ssm.float().kernel(512).double(), exact, rtol=0, atol=1e-3)


@pytest.mark.parametrize("state", [2, 8, 64])
def test_hippo_is_recovered_from_its_parts(state: int) -> None:
    """Λ - P P* has HiPPO-LegS's eigenvalues -1 ... -N, and its response to any input."""
    torch.set_default_dtype(torch.float64)
    try:
        poles, P, B = (both(part) for part in hippo_legs(state))
    finally:
        torch.set_default_dtype(torch.float32)
    n = np.arange(state)
    roots = np.sqrt(2 * n + 1)
    legs = -np.tril(np.outer(roots, roots), -1) - np.diag(n + 1.0)
    A = np.diag(poles) - np.outer(P, P.conj())
    for power in range(4):  # Markov parameters of the same system in two bases
        here = P.conj() @ np.linalg.matrix_power(A, power) @ B
        there = np.sqrt(n + 0.5) @ np.linalg.matrix_power(legs, power) @ roots
        assert here == pytest.approx(there, rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 3), length=st.integers(1, 40), width=st.integers(1, 4))
def test_both_convolutions_are_the_sum(batch: int, length: int, width: int) -> None:
    x = torch.randn(batch, length, width, dtype=torch.float64)
    kernel = torch.randn(width, length, dtype=torch.float64)
    expected = torch.zeros_like(x)
    for t in range(length):
        for s in range(t + 1):
            expected[:, t] += kernel[:, t - s] * x[:, s]
    torch.testing.assert_close(by_toeplitz(x, kernel), expected)
    torch.testing.assert_close(by_fft(x, kernel), expected)


def test_cauchy_sums_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    coefficients = torch.randn(2, 3, 4, dtype=torch.complex128)
    poles = torch.randn(2, 4, dtype=torch.complex128) - 4
    points = torch.randn(11, dtype=torch.complex128)
    plain = sum(
        (c[..., None] / (points - p[:, None, :, None])).sum(2)
        for c, p in ((coefficients, poles), (coefficients.conj(), poles.conj()))
    )
    monkeypatch.setenv("FLANN_SCAN", "torch")
    for room in (1, 40, 10**6):
        monkeypatch.setattr("flann.models.scans.torch_backend.cauchy.ROOM", room)
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
    assert len(slow[0]["params"]) == 5  # step, decay, frequency, P, B
