"""DeltaNet: the delta rule with normalised keys.

The equations are in `flann.models.linear.delta_rule`, with one key a symbol and no gates.

Yang et al. 2024, arXiv:2406.06484, §3.3.
"""

from __future__ import annotations

from flann.models.core.registry import register
from flann.models.scans.state_space import Eigenvalues

from .delta_rule import DeltaArchitecture


@register("deltanet")
class DeltaNet(DeltaArchitecture):
    """Delta rule with unit keys (Yang et al. 2024); eigenvalues positive, or negative too.

    Parameters
    ----------
    eigenvalues : 'positive' or 'negative'
        Range of the eigenvalue along a key: [0, 1], or [-1, 1].
    heads : int
        Number of heads of a layer.
    taps : int
        Length of the convolution's kernel.
    """

    def __init__(
        self, *, eigenvalues: Eigenvalues = "positive", heads: int = 4, taps: int = 4
    ) -> None:
        super().__init__("deltanet", heads, eigenvalues, taps)
