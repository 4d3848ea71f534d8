"""What a run records about itself beside its numbers: where it was made, and what theory says."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from flann.models import SequenceModel
from flann.models.scans import scan_backend
from flann.tasks import Task

from . import __version__
from .devices import describe
from .experiment import Experiment
from .verdicts import join

REGIME_OF = {"cot": "chain of thought", "padding": "padding"}
"""The regime of theory that a format is asked in; directly in any."""
PACKAGES = ("torch", "numpy", "pandas", "safetensors")


def environment(experiment: Experiment, device: torch.device) -> dict[str, Any]:
    """The command that makes the run again, and what it ran on."""
    return {
        "command": experiment.command(),
        "flann": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "versions": {name: version_of(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "device": describe(device),
        "threads": torch.get_num_threads(),
        "backend": scan_backend(device),
    }


def version_of(package: str) -> str:
    """A package's version, installed or merely importable."""
    try:
        return version(package)
    except PackageNotFoundError:
        return str(getattr(import_module(package), "__version__", "unknown"))


@cache
def commit() -> str | None:
    """The commit of flann's own code, ``+changes`` if it was edited since; None outside git."""
    here = Path(__file__).resolve().parent
    told = git(here, "rev-parse", "--short=12", "HEAD")
    tracked = git(here, "ls-files", Path(__file__).name)
    if not told or not tracked:
        return None
    changed = git(here.parent, "status", "--porcelain", "--untracked-files=no", "--", "*.py")
    return told + ("+changes" if changed else "")


def git(folder: Path, *words: str) -> str:
    """What git answers about a folder; empty if it cannot."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def theory_of(task: Task, model: SequenceModel, put: str = "direct") -> dict[str, Any]:
    """What the task's theory says of this model's family, when it is asked in this format.

    What is known of a model that answers directly says nothing of one that writes its way, or
    that has padding to work with. Of families that theory does not know it says nothing.
    """
    regime = REGIME_OF.get(put.partition("=")[0])
    joined = join(task, model.name, model.family, silent=True)
    about = [s for s in joined["statements"] if regime in (None, s["regime"])]
    return {**joined, "statements": about}
