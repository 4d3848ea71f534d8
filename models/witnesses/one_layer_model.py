"""A one-layer model with fixed embedding, norms and head, in which every witness is built.

The stream has coordinates for a code of the symbol and one coordinate for every label::

    x_t            = (code of the symbol, 0)      mostly a unit vector
    norm(x_t)      = (code, 0)                    the norm's gain cancels its division
    layer          : (code, 0) -> (0, y_t)        filled in by the construction
    norm(x_t+y_t)  ∝ (code, y_t)
    logits         ∝ y_t + constants              the head reads the labels' coordinates

The final norm divides by a positive number, which leaves the order of the logits unchanged. The
constants (`OneLayerModel.add_constants`) are therefore not biases, which would not be divided, but
weights on the coordinates of the code, whose sum is the same for every symbol.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.layer import Layer, Residual
from flann.models.core.sequence import SequenceModel


@dataclass(frozen=True)
class OneLayerModel:
    """A model with one layer, whose parameters are all zero until a construction sets them.

    Attributes
    ----------
    model : SequenceModel
        The whole model.
    layer : Layer
        Its one layer, without norm and residual connection.
    symbols, labels : slice
        Coordinates of the stream that hold the code, and those that hold the labels.
    code_sum : float
        Sum of the coordinates of a code.
    """

    model: SequenceModel
    layer: Layer
    symbols: slice
    labels: slice
    code_sum: float

    @classmethod
    def build(
        cls,
        architecture: Architecture,
        name: str,
        codes: Float[Tensor, "symbols coordinates"],
        labels: int,
        second_size: int,
        least_width: int = 1,
    ) -> OneLayerModel:
        """Build the model with its embedding, norms and head.

        Parameters
        ----------
        architecture : Architecture
            Architecture of the model.
        name : str
            Canonical name of the architecture.
        codes : Tensor of shape (symbols, coordinates)
            Codes of the symbols, all of the same norm and the same sum.
        labels : int
            Number of labels.
        second_size : int
            Second size of the architecture.
        least_width : int
            Lower bound of the width.
        """
        count, coordinates = codes.shape
        width = max(coordinates + labels, least_width)
        width += -width % architecture.width_step
        model = architecture.build_model(
            name, symbols=count, labels=labels, sizes=Sizes(width, second_size, depth=1)
        )
        block = model.layers[0]  # a feed-forward layer after it stays zero and adds nothing
        assert isinstance(block, Residual)
        built = cls(
            model,
            block.layer,
            slice(0, coordinates),
            slice(coordinates, coordinates + labels),
            float(codes[0].sum()),
        )
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
            model.embedding.weight[:, built.symbols] = codes.to(model.embedding.weight)
            mean_square = float(codes[0].square().sum()) / width
            for norm in (block.norm, model.norm):
                assert isinstance(norm, nn.RMSNorm)
                assert norm.eps is not None
                norm.weight.fill_((mean_square + norm.eps) ** 0.5)
            model.head.weight[:, built.labels] = torch.eye(labels)
        return built

    def add_constants(self, constants: Float[Tensor, " labels"]) -> None:
        """Add one number to the logit of each label at every position."""
        with torch.no_grad():
            self.model.head.weight[:, self.symbols] += constants[:, None] / self.code_sum
