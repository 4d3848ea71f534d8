"""What an architecture is, before it has a size: the layers that it makes of a width and a knob.

A new architecture is one file with one class::

    @register("my-model")
    class MyModel(Architecture):
        '''One line that `flann models` shows.'''

        knob = "state"

        def __init__(self, *, eigenvalues: Literal["positive", "negative"] = "positive") -> None:
            self.family = "real-ssm"

        def layers(self, sizes: Sizes) -> list[Layer]:
            return [Residual(MyLayer(sizes.width, sizes.second), sizes.width) ...]

Its keyword-only parameters are the options of its name. It says what theory calls it (`family`),
what its second knob is (`knob`, beside the width; the two together meet a parameter budget,
see `flann.models.core.sizing`) and what training settings suit it (`recipe`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .sequence import Description, Layer, SequenceModel


@dataclass(frozen=True)
class Sizes:
    """The numbers that make an architecture into a model.

    Attributes
    ----------
    width : int
        of the residual stream.
    second : int
        the architecture's second knob: state size, feed-forward width, inner width.
    depth : int
        how many layers (a transformer's layer is attention and feed-forward together).
    """

    width: int
    second: int
    depth: int


class Architecture(ABC):
    """A design of layers; subclasses are registered by name.

    Attributes
    ----------
    family : str
        what theory calls it.
    causal : bool
        whether an output depends on no later symbol.
    longest : int or None
        the greatest length it can read, if there is one.
    knob : str
        what the second size is called: ``"state"``, ``"feedforward"``, ``"inner"``.
    width_step, knob_step : int
        of what the two sizes must be multiples.
    knob_least : int
        the second knob's smallest sensible value.
    recipe : mapping
        training settings that suit it.
    """

    family: str
    causal: bool = True
    longest: int | None = None
    knob: str = "state"
    width_step: int = 1
    knob_step: int = 1
    knob_least: int = 1
    recipe: Mapping[str, float] = MappingProxyType({"lr": 3e-3, "steps": 4000})

    @abstractmethod
    def layers(self, sizes: Sizes) -> list[Layer]:
        """The layers of a model of these sizes, freshly initialised."""

    def customary(self, width: int) -> int:
        """The second knob's usual value at this width, from which sizing departs least."""
        return width

    def model(self, name: str, *, symbols: int, labels: int, sizes: Sizes) -> SequenceModel:
        """The whole model: embedding, layers, norm, head."""
        return SequenceModel(
            symbols=symbols,
            labels=labels,
            width=sizes.width,
            layers=self.layers(sizes),
            description=self.description(name, sizes),
        )

    def description(self, name: str, sizes: Sizes) -> Description:
        """What a model of these sizes says of itself."""
        numbers = {"width": sizes.width, self.knob: sizes.second, "depth": sizes.depth}
        return Description(name, self.family, self.causal, self.longest, self.recipe, numbers)
