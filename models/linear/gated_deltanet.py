"""Gated DeltaNet: the delta rule on a memory that decays, with a gated output.

The equations are in `flann.models.linear.delta_rule`, with one key a symbol.

Yang, Kautz & Hatamizadeh 2024, arXiv:2412.06464.
"""

from __future__ import annotations

from flann.models.core.registry import register
from flann.models.scans.state_space import Eigenvalues

from .delta_rule import DeltaArchitecture


@register("gated-deltanet")
class GatedDeltaNet(DeltaArchitecture):
    """Delta rule on a memory that decays (Yang, Kautz & Hatamizadeh 2024).

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        Range of the eigenvalue along a key: [0, 1], or [-1, 1], times the decay.
    heads : int
        Number of heads of a layer.
    taps : int
        Length of the convolution's kernel.
    """

    gated = True

    def __init__(
        self, *, eigenvalues: Eigenvalues = "positive", heads: int = 4, taps: int = 4
    ) -> None:
        super().__init__("gated-deltanet", heads, eigenvalues, taps)
