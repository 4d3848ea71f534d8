"""What a run records beside its numbers: what it ran on, and what theory says of it."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from flann import __version__
from flann.devices import describe_device
from flann.experiments.experiment import ResolvedExperiment
from flann.models import SequenceModel
from flann.models.scans import scan_backend
from flann.tasks import Task
from flann.theory_report import join_theory

REGIMES = {"cot": "chain of thought", "padding": "padding"}
"""The regime of theory that a format belongs to; the direct format belongs to all others."""
PACKAGES = ("torch", "numpy", "pandas", "safetensors")


def describe_environment(experiment: ResolvedExperiment, device: torch.device) -> dict[str, Any]:
    """Return the command that makes the run again, and what the run was made with."""
    return {
        "command": experiment.command,
        "flann": __version__,
        "commit": find_commit(),
        "python": platform.python_version(),
        "versions": {name: find_version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "device": describe_device(device),
        "threads": torch.get_num_threads(),
        "backend": scan_backend(device),
    }


def find_version(package: str) -> str:
    """Return the version of a package, whether it is installed or merely importable."""
    try:
        return version(package)
    except PackageNotFoundError:
        return str(getattr(import_module(package), "__version__", "unknown"))


@cache
def find_commit() -> str | None:
    """Return the commit of flann's code, with ``+changes`` after an edit; None outside git."""
    here = Path(__file__).resolve().parent
    commit = run_git(here, "rev-parse", "--short=12", "HEAD")
    tracked = run_git(here, "ls-files", Path(__file__).name)
    if not commit or not tracked:
        return None
    changed = run_git(
        here.parents[1], "status", "--porcelain", "--untracked-files=no", "--", "*.py"
    )
    return commit + ("+changes" if changed else "")


def run_git(folder: Path, *words: str) -> str:
    """Return what git prints about a folder; empty if git fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def select_theory(task: Task, model: SequenceModel, format: str = "direct") -> dict[str, Any]:
    """Return what theory says of the model's family on a task that is presented in this format.

    What is known of a model that answers directly says nothing of one that generates a chain of
    thought, or that has padding. Of a family that theory does not cover there are no statements.
    """
    regime = REGIMES.get(format.partition("=")[0])
    theory = join_theory(task, model.name, model.family, allow_unknown=True)
    statements = [s for s in theory["statements"] if regime in (None, s["regime"])]
    return {**theory, "statements": statements}
