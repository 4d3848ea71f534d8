"""A training penalty that keeps the state of a linear recurrence in range."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from typing_extensions import override

from flann.models.core.layer import Layer

SMALLEST_MEAN_SQUARE = 1e-12
"""Lower bound of a state's mean square, so that a state of zeros has a finite logarithm."""


class DriftPenalisedLayer(Layer):
    """A layer whose auxiliary loss penalises the drift of its state's mean square.

    The loss is ``drift`` times the mean of (log ms(h_t) - log ms_0)² over words and positions,
    where ms is the mean square over the state's entries.

    Parameters
    ----------
    drift : float
        Weight of the penalty; 0 for none.
    """

    def __init__(self, drift: float) -> None:
        super().__init__()
        self.drift = drift
        self.penalty: Tensor | float = 0.0

    def record_penalty(
        self, states: Tensor, axes: tuple[int, ...], log_target: float = 0.0
    ) -> None:
        """Store the penalty of a forward pass in training.

        Parameters
        ----------
        states : Tensor of shape (batch, length, ...)
            h_t at every position.
        axes : tuple of int
            Axes of a state's entries.
        log_target : float
            log ms_0.
        """
        if self.training and self.drift:
            mean_square = states.square().mean(axes).clamp_min(SMALLEST_MEAN_SQUARE)
            self.penalty = self.drift * (mean_square.log() - log_target).square().mean()

    @override
    def auxiliary_loss(self) -> Tensor | float:
        """Return the penalty of the last forward pass in training, and reset it to 0."""
        penalty, self.penalty = self.penalty, 0.0
        return penalty

    def __getstate__(self) -> dict[str, Any]:
        # The penalty belongs to an autograd graph, which can be neither copied nor pickled.
        return {**self.__dict__, "penalty": 0.0}
