"""DeltaProduct: several steps of the delta rule a symbol.

The equations are in `flann.models.linear.delta_rule`. The transition matrix of a symbol is a
product of n generalised Householder matrices; a gated memory decays before the first of its steps.

Siems et al. 2025, arXiv:2502.10297, §3.
"""

from __future__ import annotations

from flann.errors import UserError
from flann.models.core.registry import register
from flann.models.scans.state_space import Eigenvalues

from .delta_rule import DeltaArchitecture


@register("deltaproduct")
class DeltaProduct(DeltaArchitecture):
    """Several steps of the delta rule a symbol: products of Householders (Siems et al. 2025).

    Parameters
    ----------
    factors : int
        Number n of steps a symbol.
    eigenvalues : 'positive' or 'negative'
        Range of the eigenvalue of each factor along its key: [0, 1], or [-1, 1].
    gated : bool
        Whether the memory decays before a symbol's first step and the output is gated.
    heads : int
        Number of heads of a layer.
    taps : int
        Length of the convolution's kernel.
    """

    def __init__(
        self,
        *,
        factors: int = 2,
        eigenvalues: Eigenvalues = "positive",
        gated: bool = False,
        heads: int = 4,
        taps: int = 4,
    ) -> None:
        super().__init__("deltaproduct", heads, eigenvalues, taps)
        if factors < 1:
            raise UserError(f"deltaproduct, option 'factors': expected 1 or more, got {factors}")
        self.factors, self.gated = factors, gated
        if eigenvalues == "negative" and factors > 1:
            self.family = "householder-products"
