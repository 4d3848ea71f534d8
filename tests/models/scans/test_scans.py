"""Every scan of every backend equals the plain loop, forward and backward, and maps over models."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.func import grad, vmap

from flann.errors import UserError
from flann.models.scans import diagonal_scan, matrix_scan, scan_backend, selective_scan
from flann.models.scans import dispatch as backends
from flann.models.scans import reference as ref
from flann.models.scans import torch_backend as loop

from .scan_cases import (
    CASES,
    diagonal_inputs,
    equals_reference,
    matrix_inputs,
    normal,
    normalised,
    outcome,
)

BACKENDS = [
    name for name in backends.BACKENDS if name != "ref" and name in backends.list_usable("cpu")
]
LENGTHS = [1, 2, 16, 17, 31, 32, 33]  # on both sides of whole chunks

every_case = pytest.mark.parametrize("case", CASES)
every_backend = pytest.mark.parametrize("backend", BACKENDS)


@every_case
@every_backend
@pytest.mark.parametrize("length", LENGTHS)
def test_equals_reference(
    case: str, backend: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    equals_reference(case, backend, length, monkeypatch)


@pytest.mark.slow
@every_case
@every_backend
def test_equals_reference_on_long_words(
    case: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    equals_reference(case, backend, 1000, monkeypatch, tolerance=1e-6)


@every_case
@every_backend
def test_gradcheck(case: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLANN_SCAN", backend)
    scan, make = CASES[case]
    assert torch.autograd.gradcheck(scan, [t.requires_grad_() for t in make(5, batch=2)])


@every_case
@every_backend
@pytest.mark.parametrize("mapped", ["all", "first"])
def test_maps_over_models(
    case: str, backend: str, mapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vmap of the scan and of its gradient equal a loop over the models."""
    monkeypatch.setenv("FLANN_SCAN", backend)
    scan, make = CASES[case]
    one = make(18, batch=2)
    factors = torch.tensor([1.0, 0.5, -0.25], dtype=torch.float64)
    count = len(one) if mapped == "all" else 1
    if "selective" in case or case == "negative":
        factors = factors.abs()  # time steps and rates keep their sign
    stacked = [torch.stack([t * f for f in factors]) if i < count else t for i, t in enumerate(one)]
    dims = tuple(0 if i < count else None for i in range(len(one)))

    def loss(*inputs: Tensor) -> Tensor:
        return scan(*inputs).abs().square().sum()

    every = tuple(range(len(one)))
    together = vmap(scan, dims)(*stacked), *vmap(grad(loss, argnums=every), dims)(*stacked)
    for model in range(len(factors)):
        own = [t[model] if i < count else t for i, t in enumerate(stacked)]
        alone = scan(*own), *grad(loss, argnums=every)(*own)
        for both, single in zip(together, alone, strict=True):
            torch.testing.assert_close(both[model], single)


@settings(max_examples=25, deadline=None)
@given(
    length=st.integers(1, 40),
    batch=st.integers(1, 3),
    inner=st.integers(1, 6),
    state=st.integers(1, 6),
    seed=st.integers(0, 100),
)
def test_selective_scan_of_any_shape(
    length: int, batch: int, inner: int, state: int, seed: int
) -> None:
    x = normal(batch, length, inner, seed=seed)
    dt, A = normal(batch, length, inner, seed=seed + 1).abs(), -normal(inner, state, seed=seed + 2)
    A = -A.abs()
    B = normal(batch, length, state, seed=seed + 3)
    C = normal(batch, length, state, seed=seed + 4)
    for minus in (False, True):
        inputs = x, dt, A[None], B, C, A[None, :0, 0], x[:, :0], minus
        torch.testing.assert_close(loop.selective(*inputs), ref.selective(*inputs))


@every_case
def test_inputs_are_left_alone(case: str) -> None:
    scan, make = CASES[case]
    inputs = make(20)
    before = [t.clone() for t in inputs]
    outcome(scan, inputs)
    assert all(torch.equal(t, b) for t, b in zip(inputs, before, strict=True))


def test_state_is_never_narrower_than_float32() -> None:
    """A counter of ones passes 256, where bfloat16 would stick."""
    ones = torch.ones(1, 1000, 1, dtype=torch.bfloat16)
    counted = diagonal_scan(ones, ones)
    assert counted.dtype == torch.bfloat16
    assert counted[0, -1, 0].item() == 1000
    eye = ones[..., None]
    assert matrix_scan(eye, ones)[0, -1, 0].item() == 1000
    still = torch.zeros(1, 1, dtype=torch.bfloat16)
    assert selective_scan(ones, ones, still, ones, ones)[0, -1, 0].item() == 1000


def test_normalised_states_have_unit_mean_square() -> None:
    h = normalised(*matrix_inputs(50))
    torch.testing.assert_close(
        h.square().mean(-1), torch.ones(3, 50, dtype=h.dtype), rtol=1e-4, atol=0
    )


def test_backend_is_chosen_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLANN_SCAN", raising=False)
    assert scan_backend() in ("cpu", "torch")
    monkeypatch.setenv("FLANN_SCAN", "ref")
    assert scan_backend() == "ref"
    monkeypatch.setenv("FLANN_SCAN", "trch")
    with pytest.raises(UserError, match="did you mean 'torch'"):
        diagonal_scan(*diagonal_inputs(3))


# -- these tests can fail --------------------------------------------------------------------------


def _decay_without_sign(dt: Tensor, A: Tensor, negative: bool, out: Tensor) -> None:
    torch.mul(dt[:, None, :], A, out=out).exp_()


@pytest.mark.parametrize(
    ("case", "file", "name", "fault"),
    [
        ("negative", "selective", "_decay", _decay_without_sign),
        ("normalised", "matrix", "STATE_NORM_EPSILON", 0.1),
        ("delta", "delta", "_write", lambda S, value: torch.zeros_like(S[:, :, 0])),
        ("slstm", "slstm", "multiply_by_recurrence", lambda R, h, dg: torch.zeros_like(R)),
    ],
)
def test_a_planted_error_is_caught(
    case: str, file: str, name: str, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    equals_reference(case, "torch", 20, monkeypatch)
    module = import_module(f"flann.models.scans.torch_backend.{file}")
    monkeypatch.setattr(module, name, fault)
    with pytest.raises(AssertionError):
        equals_reference(case, "torch", 20, monkeypatch)


@pytest.mark.gpu
@every_case
def test_cuda_equals_cpu(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLANN_SCAN", "torch")
    scan, make = CASES[case]
    inputs = make(40)
    here, there = outcome(scan, inputs), outcome(scan, tuple(t.cuda() for t in inputs))
    for a, b in zip(here, there, strict=True):
        torch.testing.assert_close(a, b.cpu())
