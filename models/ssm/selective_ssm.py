"""What Mamba and Mamba-2 share: their decays and the shape of the architecture."""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import Tensor
from typing_extensions import override

from flann.models.core.residual_stack import ResidualStack
from flann.models.scans.state_space import Eigenvalues


def compute_decay(time_step: Tensor, log_rates: Tensor, eigenvalues: Eigenvalues) -> Tensor:
    """Return the decay α(Δ A), with A = -exp(`log_rates`); the arguments are broadcast.

    α(z) is exp(z), in (0, 1), for positive eigenvalues, and 2 exp(z) - 1, in (-1, 1), for negative
    ones (Grazzi et al. 2024, arXiv:2411.12537).
    """
    decay = torch.exp(time_step * -torch.exp(log_rates))
    return 2 * decay - 1 if eigenvalues == "negative" else decay


class SelectiveArchitecture(ResidualStack):
    """A stack of selective state-space layers on a residual stream.

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        Range of the decays: (0, 1), or (-1, 1).
    state, taps : int
        Number of states of each inner channel, and length of the convolution's kernel.
    """

    second_size_name = "inner"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 2000})

    def __init__(self, *, eigenvalues: Eigenvalues, state: int, taps: int) -> None:
        self.eigenvalues: Eigenvalues = eigenvalues
        self.state, self.taps = state, taps
        self.family = "nonnegative-ssm" if eigenvalues == "positive" else "real-ssm"

    @override
    def default_second_size(self, width: int) -> int:
        """Return twice the width of the stream."""
        return 2 * width
