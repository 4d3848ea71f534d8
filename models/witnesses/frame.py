"""The frame that every witness stands in: what its one layer reads, and where it writes.

The stream has some coordinates for symbols and one for each label::

    x_t            = (code of the symbol, 0)      a unit vector, mostly
    norm(x_t)      = (code, 0)                    the norm's gain undoes its division
    layer          : (code, 0) -> (0, y_t)        what a construction is about
    norm(x_t+y_t)  ∝ (code, y_t)
    logits         ∝ y_t + constants              the head reads the labels' coordinates

The last norm divides everything by one positive number, which changes no order of logits. What
a construction wants to add to a logit at every position (`add_constants`) is therefore no bias,
which would not be divided, but a weight on the coordinates of the code, whose sum is the same for
every symbol.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.layer import Layer, Residual
from flann.models.core.sequence import SequenceModel

EPSILON = 1e-5  # of the norms


@dataclass(frozen=True)
class Frame:
    """A model of one layer with the frame's weights; the layer's own are all zero.

    Attributes
    ----------
    model : SequenceModel
    layer : Layer
        the one layer, without its norm and residual.
    symbols, labels : slice
        the coordinates of the stream that have the code, and that have the labels.
    code_sum : float
        what the coordinates of a code add up to.
    """

    model: SequenceModel
    layer: Layer
    symbols: slice
    labels: slice
    code_sum: float

    @classmethod
    def around(
        cls,
        architecture: Architecture,
        name: str,
        codes: Float[Tensor, "symbols coordinates"],
        labels: int,
        second: int,
        least_width: int = 1,
    ) -> Frame:
        """The frame for symbols of these codes, all of one length and one sum.

        `name` is the architecture's, canonical, and `second` its second knob.
        """
        count, coordinates = codes.shape
        width = max(coordinates + labels, least_width)
        width += -width % architecture.width_step
        model = architecture.build_model(
            name, symbols=count, labels=labels, sizes=Sizes(width, second, depth=1)
        )
        block = model.layers[0]  # a feed-forward part behind it is zero, and adds nothing
        assert isinstance(block, Residual)
        frame = cls(
            model,
            block.layer,
            slice(0, coordinates),
            slice(coordinates, coordinates + labels),
            float(codes[0].sum()),
        )
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
            model.embedding.weight[:, frame.symbols] = codes.to(model.embedding.weight)
            mean_square = float(codes[0].square().sum()) / width
            for norm in (block.norm, model.norm):
                assert isinstance(norm, nn.RMSNorm)
                norm.weight.fill_((mean_square + EPSILON) ** 0.5)
            model.head.weight[:, frame.labels] = torch.eye(labels)
        return frame

    def add_constants(self, constants: Float[Tensor, " labels"]) -> None:
        """Add a number to each logit at every position."""
        with torch.no_grad():
            self.model.head.weight[:, self.symbols] += constants[:, None] / self.code_sum
