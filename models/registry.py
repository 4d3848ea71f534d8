"""The names of the architectures, found by reading this folder's files and importing none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flann.registry import Registry

if TYPE_CHECKING:
    from .architecture import Architecture

model_registry: Registry[Architecture] = Registry("model", "flann.models", Path(__file__).parent)
register = model_registry.register


def model_names() -> list[str]:
    """The registered architectures, sorted; torch is not loaded to tell.

    >>> {"lstm", "mamba", "transformer"} <= set(model_names())
    True
    """
    return model_registry.names()
