"""Architectures: families of layers that become a model once their sizes are given.

A new architecture is one file with one class::

    @register("my-model")
    class MyModel(Architecture):
        '''One line that `flann models` shows.'''

        second_size_name = "state"

        def __init__(self, *, eigenvalues: Literal["positive", "negative"] = "positive") -> None:
            self.family = "real-ssm"

        def build_layers(self, sizes: Sizes) -> list[Layer]:
            return [Residual(MyLayer(sizes.width, sizes.second_size), sizes.width) ...]

The keyword-only parameters of the class are the options of its name. The class declares the family
that theory speaks of (`family`), the name of the size that is varied beside the width to meet a
parameter budget (`second_size_name`, see `flann.models.core.sizing`), and training settings that
suit it (`recipe`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .layer import Layer
from .sequence import Description, SequenceModel


@dataclass(frozen=True)
class Sizes:
    """The sizes that turn an architecture into a model.

    Attributes
    ----------
    width : int
        Width of the residual stream.
    second_size : int
        The architecture's second size: its state size, feed-forward width or inner width.
    depth : int
        Number of layers (a transformer's layer is attention and feed-forward together).
    """

    width: int
    second_size: int
    depth: int


class Architecture(ABC):
    """The base class of architectures; subclasses are registered by name.

    Attributes
    ----------
    family : str
        The family that theory speaks of.
    causal : bool
        Whether every output is independent of later symbols.
    longest : int or None
        The length of the longest word that the model reads, or None if there is no limit.
    second_size_name : str
        What the second size is: ``"state"``, ``"feedforward"`` or ``"inner"``.
    width_step, second_size_step : int
        Numbers of which the width and the second size must be multiples.
    second_size_minimum : int
        Lower bound on the second size.
    recipe : mapping
        Training settings that suit the architecture.
    """

    family: str
    causal: bool = True
    longest: int | None = None
    second_size_name: str = "state"
    width_step: int = 1
    second_size_step: int = 1
    second_size_minimum: int = 1
    recipe: Mapping[str, float] = MappingProxyType({"lr": 3e-3, "steps": 4000})

    @abstractmethod
    def build_layers(self, sizes: Sizes) -> list[Layer]:
        """Build freshly initialised layers of these sizes."""

    def default_second_size(self, width: int) -> int:
        """Return the usual second size at this width, from which sizing departs least."""
        return width

    @property
    def smallest_second_size(self) -> int:
        """The smallest second size that a model can have."""
        return max(self.second_size_minimum, self.second_size_step)

    def build_model(self, name: str, *, symbols: int, labels: int, sizes: Sizes) -> SequenceModel:
        """Build the whole model: embedding, layers, final norm and head."""
        return SequenceModel(
            symbols=symbols,
            labels=labels,
            width=sizes.width,
            layers=self.build_layers(sizes),
            description=self.describe(name, sizes),
        )

    def describe(self, name: str, sizes: Sizes) -> Description:
        """Return the description of a model of these sizes."""
        named_sizes = {
            "width": sizes.width,
            self.second_size_name: sizes.second_size,
            "depth": sizes.depth,
        }
        return Description(name, self.family, self.causal, self.longest, self.recipe, named_sizes)
