"""What a sequence architecture can express, and whether what it learns holds at length.

There are four instruments, each worth importing alone, and a conductor:

- `flann.tasks`    words and their true labels (never loads torch)
- `flann.models`   sequence architectures of matched size
- `flann.rasp`     programs that become transformer weights
- `flann.reports`  from run folders to figures and pages

The names below load what they need when they are first used, so ``import flann`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .evaluation.evaluate import evaluate as evaluate
    from .experiments.experiment import Experiment as Experiment
    from .runs.run import run as run

__version__ = "0.2.0"
__all__ = ["Experiment", "evaluate", "run"]

HOMES = {
    "Experiment": "experiments.experiment",
    "evaluate": "evaluation.evaluate",
    "run": "runs.run",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'flann' has no attribute {name!r}")
    return getattr(import_module(f".{HOMES[name]}", __name__), name)
