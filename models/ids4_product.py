"""IDS4 as its authors' code has it: products of matrices that pass through a nonlinearity.

::

    A_t = GELU(Σ_m x_t[m] W_m)                     `transition` holds the W_m, N x N each
    P_t = A_1 A_2 ... A_t                          from the identity
    y_t = C (P_t w + b) + D x_t                    `start` holds w and b, `out` C, `skip` D

Beside `ids4`, the paper's text (see `flann.models.ids4`), the whole product is carried, N² numbers
and N³ work a symbol; the new factor stands on the right, so P_t w is not a state that could be
carried in its place; C and D are full, with biases. Nothing holds the product in range: with
almost every entry of A positive it grows or dies by a constant factor a symbol. At the start W is
such that the mean matrix has a spectral radius of 1.

Merrill, Petty & Sabharwal 2024, arXiv:2404.08819, §5.2 and the code published with it.
"""

from __future__ import annotations

from math import pi, sqrt
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .architecture import Architecture, Sizes
from .registry import register
from .scans import product_scan
from .sequence import Layer, Residual, State


class MatrixProductSSM(Layer):
    """One such layer.

    Parameters
    ----------
    width, state : int
        of the stream, and N.
    """

    undecayed = ("transition",)

    def __init__(self, width: int, state: int) -> None:
        super().__init__()
        self.transition = nn.Parameter(torch.empty(width, state, state))
        self.start = nn.Linear(state, 1)
        self.out = nn.Linear(state, width)
        self.skip = nn.Linear(width, width)
        nn.init.normal_(self.transition, std=(spread_of_unit_radius(state) / width) ** 0.5)

    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        """The outputs at every position."""
        return self._read(product_scan(self.matrices(x)), x)

    def initial_state(self, batch_size: int) -> State:
        """P_0, the identity."""
        n = self.transition.shape[1]
        like = self.transition
        return torch.eye(n, device=like.device, dtype=like.dtype).expand(batch_size, n, n)

    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """One symbol further."""
        P = state @ self.matrices(x.unsqueeze(1))[:, 0]
        return self._read(P, x), P

    def state_size(self, length: int) -> int:
        """The numbers of P."""
        return self.transition.shape[1] ** 2

    def matrices(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length state state"]:
        """A_t at every position; in memory, time comes first, as the scan wants it."""
        flat = x.transpose(0, 1) @ self.transition.flatten(1)
        A: Tensor = functional.gelu(flat).unflatten(-1, self.transition.shape[1:])
        return A.transpose(0, 1)

    def _read(self, P: Tensor, x: Tensor) -> Tensor:
        y: Tensor = self.out(self.start(P).squeeze(-1)) + self.skip(x)
        return y


def spread_of_unit_radius(state: int) -> float:
    """The variance s of normal numbers z for which N x N numbers GELU(z) have a mean of 1/N.

    That mean is s / √(2π (1 + s)), and 1 is the spectral radius of the matrix of means.

    >>> z = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    >>> mean = functional.gelu(z * spread_of_unit_radius(10) ** 0.5).mean().item()
    >>> abs(mean - 0.1) < 0.005
    True
    """
    a = 2 * pi / state**2  # s² = a (1 + s)
    return (a + sqrt(a * a + 4 * a)) / 2


@register("ids4-product")
class IDS4Product(Architecture):
    """Input-dependent S4 as its code has it: products of GELU matrices (Merrill et al. 2024)."""

    family = "input-dependent-ssm"
    knob = "state"
    recipe = MappingProxyType({"lr": 1e-3, "steps": 4000})

    def layers(self, sizes: Sizes) -> list[Layer]:
        """One pre-norm residual block a layer."""
        return [
            Residual(MatrixProductSSM(sizes.width, sizes.second), sizes.width)
            for _ in range(sizes.depth)
        ]
