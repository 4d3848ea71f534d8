"""A tiny experiment that trains in a moment, and a way to call the command line in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flann.experiments.experiment import Experiment

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "parameters": 2000,
    "steps": 12,
    "batch": 8,
    "train_lengths": (1, 6),
    "test_lengths": (2, 6, 12),
    "test_size": 32,
}
TINY_OPTIONS = (
    "--task parity --model lstm --parameters 2000 --steps 12 --batch 8 --train-lengths 1:6"
    " --test-lengths 2,6,12 --test-size 32"
).split()

Command = Callable[..., subprocess.CompletedProcess[str]]
Here = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tiny() -> Experiment:
    return Experiment(task="parity", model="lstm", **TINY)  # type: ignore[arg-type]


@pytest.fixture
def flann(tmp_path: Path) -> Command:
    """Call ``flann`` as a user does, in a process of its own, in an empty folder."""

    def call(*words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flann", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return call


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    """Call ``flann`` within this process: exit code, standard output, standard error."""
    from flann.cli.main import main

    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(words))
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return call
