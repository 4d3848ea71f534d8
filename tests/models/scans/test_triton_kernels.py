"""The GPU kernels under triton's interpreter, in a process of its own: no GPU is needed.

The interpreter is chosen by the environment before triton is loaded, and is very slow, so the words
are short; the same tests run on a GPU as ``pytest -m gpu`` (`test_scans.py`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from flann.models import build_model

from .scan_cases import CASES, equals_reference, outcome

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
ROOT = Path(__file__).parents[2]
needs_triton = pytest.mark.skipif(not find_spec("triton"), reason="triton is not installed here")


@needs_triton
@pytest.mark.slow
@pytest.mark.skipif(INTERPRETED, reason="this is that process")
def test_kernels_in_the_interpreter() -> None:
    """Runs the tests below where they can run."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
        cwd=ROOT, env={**os.environ, "TRITON_INTERPRET": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


interpreted = pytest.mark.skipif(not INTERPRETED, reason="needs TRITON_INTERPRET=1")


@needs_triton
@interpreted
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("length", [1, 2, 17])
def test_equals_reference(case: str, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    equals_reference(case, "triton", length, monkeypatch)


@needs_triton
@interpreted
@pytest.mark.parametrize("case", ["lstm stack", "tape"])
def test_memories_of_several_blocks(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flann.models.scans.triton_backend.BLOCK", 4)
    monkeypatch.setattr("flann.models.scans.triton_backend.MEMORY_BLOCK", 8)
    equals_reference(case, "triton", 18, monkeypatch)


@needs_triton
@interpreted
def test_a_planted_error_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flann.models.scans.triton_backend.STATE_NORM_EPSILON", 0.1)
    with pytest.raises(AssertionError):
        equals_reference("normalised", "triton", 5, monkeypatch)


@pytest.mark.gpu
@needs_triton
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("length", [1, 2, 31, 32, 33, 1000])
def test_on_a_gpu(case: str, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scan, make = CASES[case]
    inputs = make(length)
    monkeypatch.setenv("FLANN_SCAN", "ref")
    expected = outcome(scan, inputs)
    monkeypatch.setenv("FLANN_SCAN", "triton")
    found = outcome(scan, tuple(t.cuda() for t in inputs))
    for there, here in zip(expected, found, strict=True):
        scale = max(1.0, float(there.abs().max()))
        torch.testing.assert_close(here.cpu() / scale, there / scale, rtol=1e-6, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.parametrize("backend", ["triton", "torch"])
@pytest.mark.parametrize("name", ["mamba", "ids4"])
def test_a_training_step_is_captured_in_a_graph(
    name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captured once and replayed, it gives the gradients that it gives directly."""
    monkeypatch.setenv("FLANN_SCAN", backend)
    model = build_model(name, symbols=5, labels=5, depth=1, parameters=10_000).cuda()
    tokens = torch.randint(5, (4, 33), device="cuda")

    def step() -> None:
        logits = model(tokens)
        nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()

    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):  # a first time outside, where kernels are compiled
        step()
    torch.cuda.current_stream().wait_stream(stream)
    direct = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.zero_()
    graph.replay()
    replayed = [p.grad for p in model.parameters() if p.grad is not None]
    torch.testing.assert_close(replayed, direct, rtol=1e-4, atol=1e-5)
