"""The registry of architectures, which reads names from source files without importing them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from flann.registry import Registry, is_import

if TYPE_CHECKING:
    from .architecture import Architecture


class ModelRegistry(Registry["Architecture"]):
    """The registry of models; ``package.module:Name`` can be a model from outside flann."""

    @override
    def create(self, text: str, *arguments: Any, imports: bool = False) -> Architecture:
        """Create the named architecture; `flann.models.core.external` wraps imported models."""
        if not is_import(text):
            return super().create(text, *arguments, imports=imports)
        from .external import wrap_external  # loads torch

        return wrap_external(text, self._imported(text, imports))


model_registry = ModelRegistry("model", "flann.models", Path(__file__).parents[1])
register = model_registry.register


def model_names() -> list[str]:
    """Return the names of the registered architectures, sorted, without loading torch.

    >>> {"lstm", "mamba", "transformer"} <= set(model_names())
    True
    """
    return model_registry.names()
