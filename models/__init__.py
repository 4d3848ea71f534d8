"""Sequence architectures of matched size, all mapping tokens to logits of labels.

>>> from flann.models import build_model, model_names
>>> "lstm" in model_names()
True
>>> model = build_model("lstm", symbols=2, labels=2, depth=1, parameters=10_000)
>>> model.family, model.has_step
('lstm', True)

Names and their one-line summaries are read from the source files without loading torch; everything
else loads it at first use. A new architecture is one file in this package with one
``@register("name")`` (see `flann.models.core.architecture`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .core.registry import model_names, model_registry, register

if TYPE_CHECKING:
    from .core.architecture import Architecture as Architecture
    from .core.build import build_model as build_model
    from .core.build import model_of_width as model_of_width
    from .core.layer import Layer as Layer
    from .core.sequence import SequenceModel as SequenceModel

__all__ = [
    "Architecture",
    "Layer",
    "SequenceModel",
    "build_model",
    "model_names",
    "model_of_width",
    "model_registry",
    "register",
]

HOMES = {
    "Architecture": "core.architecture",
    "Layer": "core.layer",
    "SequenceModel": "core.sequence",
    "build_model": "core.build",
    "model_of_width": "core.build",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'flann.models' has no attribute {name!r}")
    return getattr(import_module(f".{HOMES[name]}", __name__), name)
