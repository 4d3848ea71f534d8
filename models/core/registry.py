"""The names of the architectures, found by reading this folder's files and importing none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from flann.registry import Registry, is_import

if TYPE_CHECKING:
    from .architecture import Architecture


class ModelRegistry(Registry["Architecture"]):
    """The registry of models; what lies at ``package.module:Name`` may be anybody's."""

    @override
    def create(self, text: str, *arguments: Any, imports: bool = False) -> Architecture:
        if not is_import(text):
            return super().create(text, *arguments, imports=imports)
        from .external import wrap_external

        return wrap_external(text, self._imported(text, imports))


model_registry = ModelRegistry("model", "flann.models", Path(__file__).parents[1])
register = model_registry.register


def model_names() -> list[str]:
    """The registered architectures, sorted; torch is not loaded to tell.

    >>> {"lstm", "mamba", "transformer"} <= set(model_names())
    True
    """
    return model_registry.names()
