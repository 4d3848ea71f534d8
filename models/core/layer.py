"""The layer interface, and the layers that wrap others or carry no state.

A layer is parallel (`Layer.forward`, all positions at once) and, where the architecture is a
recurrence, also sequential (`Layer.step`, one position at a time with a carried state). Both
compute the same function; a test checks this for every registered architecture.

Pre-norm and post-norm: Xiong et al. 2020, arXiv:2002.04745.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from .norms import NormKind, build_norm

State = Any
"""The state that a layer carries from one step to the next: tensors, tuples of them, or None."""

SLOW_RATE = 1e-3
"""Upper bound on the learning rate of state-space dynamics, as in S4 (Gu et al. 2021,
arXiv:2111.00396, appendix D)."""


class Layer(nn.Module):
    """A map of the residual stream, evaluated on whole words and, where possible, step by step.

    Attributes
    ----------
    undecayed : tuple of str
        Names of the parameters that are exempt from weight decay.
    slow : tuple of str
        Names of the parameters that are exempt and whose learning rate is at most `SLOW_RATE`.
    has_step : bool
        Whether the layer can be evaluated one position at a time.
    """

    undecayed: ClassVar[tuple[str, ...]] = ()
    slow: ClassVar[tuple[str, ...]] = ()
    has_step: bool = True

    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        """Return the layer's output at every position."""
        raise NotImplementedError

    def initial_state(self, batch_size: int) -> State:
        """Return the state before the first symbol of each of `batch_size` words."""
        raise NotImplementedError

    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """Return the output at one position and the next state; `state` is not modified."""
        raise NotImplementedError

    def state_size(self, length: int) -> int:
        """Return how many numbers the state of one word holds after `length` steps."""
        raise NotImplementedError

    def auxiliary_loss(self) -> Tensor | float:
        """Return the layer's own loss from its last forward pass, such as a balance loss, or 0."""
        return 0.0

    def set_length(self, length: int | None) -> None:
        """Behave as for a word of `length` positions; None restores the default.

        This affects only layers whose function depends on the length of the word, because their
        depth grows with it or their positions are drawn for it. For these, the outputs on a prefix
        are the prefix of the outputs only at a fixed length.
        """


class Stateless(Layer):
    """A layer that acts on each position separately and carries no state."""

    @override
    def initial_state(self, batch_size: int) -> State:
        return None

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        return self(x.unsqueeze(1)).squeeze(1), None

    @override
    def state_size(self, length: int) -> int:
        return 0


class Residual(Layer):
    """A layer on a residual stream: ``x + layer(norm(x))``, ``norm(x + layer(x))``, or no norm.

    Parameters
    ----------
    layer : Layer
        The layer whose output is added to the stream.
    width : int
        Width of the stream.
    norm : 'pre', 'post' or 'none'
        Where the norm is applied.
    kind : NormKind
        Which norm is applied.
    """

    def __init__(
        self,
        layer: Layer,
        width: int,
        norm: Literal["pre", "post", "none"] = "pre",
        kind: NormKind = "rms",
    ) -> None:
        super().__init__()
        self.layer, self.norm_placement, self.has_step = layer, norm, layer.has_step
        self.norm = nn.Identity() if norm == "none" else build_norm(kind, width)

    def _prepare(self, x: Tensor) -> Tensor:
        return self.norm(x) if self.norm_placement == "pre" else x

    def _finish(self, x: Tensor) -> Tensor:
        return self.norm(x) if self.norm_placement == "post" else x

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        return self._finish(x + self.layer(self._prepare(x)))

    @override
    def initial_state(self, batch_size: int) -> State:
        return self.layer.initial_state(batch_size)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        y, state = self.layer.step(self._prepare(x), state)
        return self._finish(x + y), state

    @override
    def state_size(self, length: int) -> int:
        return self.layer.state_size(length)

    @override
    def auxiliary_loss(self) -> Tensor | float:
        return self.layer.auxiliary_loss()

    @override
    def set_length(self, length: int | None) -> None:
        self.layer.set_length(length)
