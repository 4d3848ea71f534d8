"""The usual stack of an architecture: pre-norm residual blocks, one or more a layer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from typing_extensions import override

from .architecture import Architecture, Sizes
from .layer import Layer, Residual


class ResidualStack(Architecture):
    """An architecture whose layers are pre-norm residual blocks of the same kind."""

    @abstractmethod
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        """Build what one layer adds to the residual stream, block by block.

        Parameters
        ----------
        sizes : Sizes
            Sizes of the model.
        index : int
            Index of the layer, from 0 to ``sizes.depth - 1``.
        """

    @override
    def build_layers(self, sizes: Sizes) -> list[Layer]:
        return [
            Residual(mixer, sizes.width)
            for index in range(sizes.depth)
            for mixer in self.build_mixers(sizes, index)
        ]
