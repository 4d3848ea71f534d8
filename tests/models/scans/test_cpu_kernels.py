"""The compiled kernels: any shape, both precisions, any number of threads; or why they are not."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from flann.models.scans import cpu_backend as cpu
from flann.models.scans import dispatch as backends
from flann.models.scans import reference as ref
from flann.models.scans import scan_backend
from flann.models.scans.cpu_backend import library as compiled

from .scan_cases import CASES, Inputs, equals_reference, normal, outcome

needs_kernels = pytest.mark.skipif(cpu.missing() is not None, reason=str(cpu.missing()))
every_case = pytest.mark.parametrize("case", CASES)
SOURCES = Path(compiled.__file__).parent / "kernels"
WEIGHTS = {"lstm", "lstm stack", "lstm tape"}
"""Cases whose weights have a gradient that torch's own product gives, with threads of its own."""
SINGLE = 2e-5
"""How far float32 may be from the reference in float64, relative to the largest number."""


# -- any shape -------------------------------------------------------------------------------------

some = st.integers(1, 3)
many = st.integers(1, 40)  # on both sides of one vector, and of two


def same(kernel: str, inputs: Inputs, *flags: bool) -> None:
    """The kernel equals the reference on these inputs, forward and backward."""

    def run(module: object) -> list[Tensor]:
        return outcome(lambda *tensors: getattr(module, kernel)(*tensors, *flags), inputs)

    for here, there in zip(run(cpu), run(ref), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-9, atol=1e-9)


@needs_kernels
@settings(max_examples=25)
@given(length=many, batch=some, inner=many, state=many, negative=st.booleans())
def test_selective(length: int, batch: int, inner: int, state: int, negative: bool) -> None:
    x, dt, z = (normal(batch, length, inner, seed=i) for i in range(3))
    B, C = (normal(batch, length, state, seed=i) for i in range(3, 5))
    rates = -normal(1, inner, state, seed=5).abs()
    same("selective", (x, dt.abs(), rates, B, C, normal(1, inner, seed=6), z), negative)


@needs_kernels
@settings(max_examples=25)
@given(length=many, rows=some, key=many, value=many, decays=st.booleans(), looks=st.booleans())
def test_delta(length: int, rows: int, key: int, value: int, decays: bool, looks: bool) -> None:
    q, k = normal(rows, length, key, seed=1), normal(rows, length, key, seed=2)
    k = k / k.norm(dim=-1, keepdim=True)
    inputs = [q, k, normal(rows, length, value, seed=4)]
    inputs += [normal(rows, length, key, seed=3).sigmoid()] if decays else []
    inputs += [k, k] if looks else []

    def run(module: object) -> list[Tensor]:
        def scan(*given: Tensor) -> Tensor:  # what is not there has length 0 and no gradient
            more, none = list(given[3:]), k[:, :0]
            decay = more.pop(0) if decays else none
            found: Tensor = module.delta(*given[:3], decay, *(more or [none, none]))  # type: ignore[attr-defined]
            return found

        return outcome(scan, tuple(inputs))

    for here, there in zip(run(cpu), run(ref), strict=True):
        torch.testing.assert_close(here, there, rtol=1e-9, atol=1e-9)


@needs_kernels
@settings(max_examples=25)
@given(length=many, batch=st.integers(1, 20), heads=some, size=many, sigmoid=st.booleans())
def test_slstm(length: int, batch: int, heads: int, size: int, sigmoid: bool) -> None:
    g = 3 * normal(batch, length, 4, heads * size, seed=1)
    R = normal(1, heads, size, 4, size, seed=2) / size**0.5
    same("slstm", (g, R), sigmoid)


@needs_kernels
@settings(max_examples=40)
@given(length=many, batch=st.integers(1, 20), state=many)
def test_recurrent(length: int, batch: int, state: int) -> None:
    g, R = normal(batch, length, 4 * state, seed=1), normal(1, state, 4 * state, seed=2)
    R = R / state**0.5
    same("lstm", (g, R))
    same("gru", (g[..., state:], R[..., state:], normal(1, state, seed=3)))
    for relu in (False, True):
        same("rnn", (g[..., :state], R[..., :state]), relu)


@needs_kernels
@settings(max_examples=40)
@given(
    length=many, batch=st.integers(1, 20), state=many, cell=st.integers(1, 20), lstm=st.booleans(),
    tape=st.booleans(),
)  # fmt: skip
def test_memory(length: int, batch: int, state: int, cell: int, lstm: bool, tape: bool) -> None:
    gates = state * (4 if lstm else 1)
    R = normal(1, state + cell, gates, seed=2) / (state + cell) ** 0.5
    E, bias = normal(1, state, cell + 3, seed=3), normal(1, cell + 3, seed=4)
    same("memory", (normal(batch, length, gates, seed=1), R, E, bias), lstm, tape)


@needs_kernels
@settings(max_examples=25)
@given(length=many, batch=some, state=many, normalise=st.booleans())
def test_matrix_and_product(length: int, batch: int, state: int, normalise: bool) -> None:
    A = torch.linalg.qr(normal(batch, length, state, state, seed=1)).Q
    b, initial = normal(batch, length, state, seed=2), normal(batch, state, seed=3)
    same("matrix", (A, b, initial), normalise)
    same("product", (A,))


@needs_kernels
@settings(max_examples=20)
@given(length=many, batch=some, inner=many, taps=st.integers(1, 6))
def test_convolution(length: int, batch: int, inner: int, taps: int) -> None:
    w, bias = normal(1, inner, taps, seed=2), normal(1, inner, seed=3)
    same("convolution", (normal(batch, length, inner, seed=1), w, bias))


@needs_kernels
@settings(max_examples=20)
@given(length=many, channels=some, sums=st.integers(1, 9), poles=many)
def test_cauchy(length: int, channels: int, sums: int, poles: int) -> None:
    a, b = (normal(channels, sums, poles, seed=i) for i in range(2))
    centre, height = (normal(channels, poles, seed=i) for i in range(2, 4))
    points = normal(1, 2, length, seed=4).abs() + 5  # at a distance from every pole
    same("cauchy", (a, b, centre, height, points))


@needs_kernels
@settings(max_examples=20)
@given(length=many, batch=some, width=many)
def test_norm(length: int, batch: int, width: int) -> None:
    same("rms", (normal(batch, length, width, seed=1), normal(1, width, seed=2)))


@needs_kernels
@settings(max_examples=20)
@given(length=many, batch=some, state=many)
def test_diagonal(length: int, batch: int, state: int) -> None:
    for kind in (torch.float64, torch.complex128):
        a, b = (normal(batch, length, state, seed=i, kind=kind) for i in range(2))
        same("diagonal", (0.7 * a, b))


# -- precision, threads, extremes ------------------------------------------------------------------


@needs_kernels
@every_case
@pytest.mark.parametrize("length", [1, 33, 300])
def test_single_precision(case: str, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    equals_reference(case, "cpu", length, monkeypatch, tolerance=SINGLE, kind=torch.float32)


@needs_kernels
@every_case
def test_the_number_of_threads_changes_no_bit(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLANN_SCAN", "cpu")
    scan, make = CASES[case]
    inputs = make(40, batch=20)
    alone = outcome(scan, inputs)
    torch.set_num_threads(2)
    try:
        together = outcome(scan, inputs)
    finally:
        torch.set_num_threads(1)
    for one, both in zip(alone, together, strict=True):
        if len(one) == 20 or case not in WEIGHTS:
            assert torch.equal(one, both)
        else:  # a product over all steps, which is torch's own
            torch.testing.assert_close(one, both, rtol=1e-12, atol=1e-12)


@needs_kernels
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_exp_is_exact_far_out_and_passes_nan_on(kind: torch.dtype) -> None:
    """A decay of exp(z) on a state of 1 is exp(z)."""
    z = torch.cat([-torch.logspace(-9, 2.8, 2000), torch.tensor([0.0, -1e9, -torch.inf])]).to(kind)
    found = decayed(z)
    torch.testing.assert_close(
        found, torch.exp(z), rtol=5e-7 if kind == torch.float32 else 1e-14, atol=1e-37
    )
    assert decayed(torch.tensor([torch.nan, -1.0], dtype=kind)).isnan().tolist() == [True, False]


def decayed(z: Tensor) -> Tensor:
    """exp(z) as the kernel's second step sees it."""
    one = torch.ones(1, 2, len(z), dtype=z.dtype)
    x = torch.stack([one[0, 0], torch.zeros_like(z)])[None]
    rates, none = z[None, :, None], z[None, :0]
    return cpu.selective(x, one, rates, one[..., :1], one[..., :1], none, one[:, :0], False)[0, 1]


# -- which backend runs ----------------------------------------------------------------------------


@needs_kernels
def test_the_kernels_are_used_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLANN_SCAN", raising=False)
    assert scan_backend() == "cpu"
    assert backends.describe_backend("cpu") == "scans run on cpu"


def test_without_them_torch_runs_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FLANN_SCAN", raising=False)
    monkeypatch.setattr(compiled, "HERE", tmp_path)
    compiled.load_library.cache_clear()
    try:
        assert scan_backend() == "torch"
        assert "not compiled at installation" in backends.describe_backend("cpu")
        (tmp_path / f"_kernels{compiled.EXTENSION_SUFFIXES[0]}").write_bytes(b"not a library")
        compiled.load_library.cache_clear()
        assert "cannot be loaded" in backends.describe_backend("cpu")
    finally:
        compiled.load_library.cache_clear()


# -- these tests can fail --------------------------------------------------------------------------

FAULTS = {  # by the case that must catch it: a file, the right text and the wrong
    "convolution": (
        "convolution.h",
        "carried[k - 1] + w[k - 1] * dz",
        "carried[k - 1] + w[k] * dz",
    ),
    "cauchy": ("cauchy.h", "by_b[k] -= re * q.re - im", "by_b[k] -= re * q.re + im"),
    "norm": ("rms.h", "along *= r * r / W", "along *= r / W"),
    "diagonal": ("diagonal.h", "dat[i] = g[i] * before[i];", "dat[i] = g[i] * at[i];"),
    "complex": ("diagonal.h", "at[i] * g[i] + at[i + 1]", "at[i] * g[i] - at[i + 1]"),
    "selective": ("selective.h", "by_decay += work.rates[n] * q;", "by_decay += q;"),
    "matrix": ("matrix.h", "row[j] = g[i] * before[j];", "row[j] = g[j] * before[i];"),
    "normalised": ("matrix.h", "h[i] /= r[t]", "h[i] /= 1.001 * r[t]"),
    "product": ("matrix.h", "turned[j * N + i] = A", "turned[i * N + j] = A"),
    "gated linear attention": ("delta.h", "G[i] *= decay[at + i];", "G[i] *= decay[at];"),
    "delta": ("delta.h", "S - put[i] * r", "S - look[i] * r"),
    "rank one": ("delta.h", "by_r -= put[at + i] * G[i];", "by_r -= look[at + i] * G[i];"),
    "slstm": ("slstm.h", "store)(dns + w, forget * dn", "store)(dns + w, forget * dc"),
    "rnn": ("recurrent.h", "dh[row][j] += d.grad", "dh[row][j] = d.grad"),
    "relu rnn": ("cells.h", "NAME(pick)(y > zero", "NAME(pick)(y < zero"),
    "lstm": ("cells.h", "by_c * last * f * (one - f)", "by_c * last * (one - f)"),
    "gru": ("cells.h", "by_n * m * r * (one - r)", "by_n * r * (one - r)"),
    "stack": ("memory.h", "by_shares[k] - along)", "by_shares[k])"),
    "tape": ("memory.h", "sums[1] += M * before;", "sums[1] += M * here;"),
    "lstm stack": ("cells.h", "by_c * g * i * (one - i)", "by_c * i * (one - i)"),
    "lstm tape": ("rows.h", "if (add) sums[row] +=", "if (add && row < 2) sums[row] +="),
    "sigmoid slstm": ("slstm.h", "by_forget *= NAME(sigmoid)(-f)", "by_forget *= NAME(sigmoid)(f)"),
}


def spoilt(folder: Path, file: str, right: str, wrong: str) -> Path:
    """The kernels compiled in a folder from sources with one fault."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    shutil.copytree(SOURCES, folder)
    text = (folder / file).read_text()
    assert text.count(right) == 1
    (folder / file).write_text(text.replace(right, wrong))
    whole = folder / "kernels.c"  # for one processor and one precision alone: a sixth of the time
    alone = whole.read_text().replace("defined(__x86_64__)", "0")
    whole.write_text(alone.replace('#include "all.h"', "", 1))
    target = folder / f"_kernels{compiled.EXTENSION_SUFFIXES[0]}"
    flags = ["-O0", "-fPIC", "-shared", "-w", '-DFLANN_SOURCES="spoilt"']
    subprocess.run([compiler, *flags, str(whole), "-o", str(target), "-lm"], check=True)
    return target


@needs_kernels
@pytest.mark.parametrize("case", FAULTS)
def test_a_planted_error_is_caught(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    equals_reference(case, "cpu", 20, monkeypatch)
    kernels = ctypes.CDLL(str(spoilt(tmp_path / "kernels", *FAULTS[case])))
    monkeypatch.setattr(compiled, "load_library", lambda: kernels)
    with pytest.raises(AssertionError):
        equals_reference(case, "cpu", 20, monkeypatch)


@needs_kernels
def test_compiled_so_without_an_error_they_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, right, _ = FAULTS["matrix"]
    kernels = ctypes.CDLL(str(spoilt(tmp_path / "kernels", file, right, right)))
    monkeypatch.setattr(compiled, "load_library", lambda: kernels)
    for case in FAULTS:
        equals_reference(case, "cpu", 20, monkeypatch)


def test_every_kernel_has_its_planted_error() -> None:
    files = {file.name for file in SOURCES.glob("*.h")} - {"all.h", "vectors.h"}
    assert {file for file, _, _ in FAULTS.values()} == files


def test_a_library_of_other_sources_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = spoilt(tmp_path / "kernels", *FAULTS["matrix"])
    target.rename(tmp_path / target.name)
    monkeypatch.setattr(compiled, "HERE", tmp_path)
    compiled.load_library.cache_clear()
    try:
        assert "other sources" in str(compiled.load_library())
    finally:
        compiled.load_library.cache_clear()
