"""IDS4 as in its authors' code: products of matrices that pass through a nonlinearity.

::

    A_t = GELU(Σ_m x_t[m] W_m)                     `transition` holds the W_m, N x N each
    P_t = A_1 A_2 ... A_t                          P_0 = I
    y_t = C (P_t w + b) + D x_t                    `start` holds w and b, `out` C, `skip` D

This differs from the model of the paper's text (`flann.models.ssm.ids4`) as follows. The state is
the whole product, N² numbers with N³ operations a symbol: the new factor is multiplied on the
right, so P_t w cannot be computed from P_{t-1} w. C and D are full matrices with biases. Nothing
bounds the product, which grows or decays exponentially. Initially W is such that the mean matrix
has a spectral radius of 1; without a penalty, a hundred training steps on parity drive it to 4,
which overflows on words of 40. As for `ids4`, a penalty is therefore added to the loss in training,
``drift`` times the mean of (log ms(P_t) + log N)², where ms is the mean square over the entries
(1/N for the identity). It does not change the function that the model computes.

Merrill, Petty & Sabharwal 2024, arXiv:2404.08819, §5.2 and the code published with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, pi, sqrt
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Sizes
from flann.models.core.layer import Layer, State
from flann.models.core.registry import register
from flann.models.core.residual_stack import ResidualStack
from flann.models.scans import product_scan

from .drift_penalty import DriftPenalisedLayer


class MatrixProductSSM(DriftPenalisedLayer):
    """A layer whose state is a product of input-dependent matrices.

    Parameters
    ----------
    width, state : int
        Width of the stream, and N.
    drift : float
        Weight of the penalty that keeps P near the identity's mean square.
    """

    undecayed = ("transition",)

    def __init__(self, width: int, state: int, *, drift: float) -> None:
        super().__init__(drift)
        self.transition = nn.Parameter(torch.empty(width, state, state))
        self.start = nn.Linear(state, 1)
        self.out = nn.Linear(state, width)
        self.skip = nn.Linear(width, width)
        nn.init.normal_(self.transition, std=(solve_variance_of_unit_radius(state) / width) ** 0.5)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        P = product_scan(self.compute_matrices(x))
        self.record_penalty(P, axes=(-2, -1), log_target=-log(P.shape[-1]))
        return self._read_out(P, x)

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return P_0, the identity."""
        n = self.transition.shape[1]
        like = self.transition
        return torch.eye(n, device=like.device, dtype=like.dtype).expand(batch_size, n, n)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        P = state @ self.compute_matrices(x.unsqueeze(1))[:, 0]
        return self._read_out(P, x), P

    @override
    def state_size(self, length: int) -> int:
        return self.transition.shape[1] ** 2

    def compute_matrices(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length state state"]:
        """Return A_t at every position; its memory layout is time-first, as the scan expects."""
        flat = x.transpose(0, 1) @ self.transition.flatten(1)
        A: Tensor = functional.gelu(flat).unflatten(-1, self.transition.shape[1:])
        return A.transpose(0, 1)

    def _read_out(self, P: Tensor, x: Tensor) -> Tensor:
        y: Tensor = self.out(self.start(P).squeeze(-1)) + self.skip(x)
        return y


def solve_variance_of_unit_radius(state: int) -> float:
    """Return the variance s for which GELU(z), with z normal, has the mean 1/N.

    The mean is s / √(2π (1 + s)). An N x N matrix with all entries 1/N has the spectral radius 1.

    >>> z = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    >>> mean = functional.gelu(z * solve_variance_of_unit_radius(10) ** 0.5).mean().item()
    >>> abs(mean - 0.1) < 0.005
    True
    """
    a = 2 * pi / state**2  # s² = a (1 + s)
    return (a + sqrt(a * a + 4 * a)) / 2


@register("ids4-product")
class IDS4Product(ResidualStack):
    """Input-dependent S4 as its code has it: products of GELU matrices (Merrill et al. 2024).

    Parameters
    ----------
    drift : float
        Weight of the penalty that keeps the product in range in training.
    """

    family = "input-dependent-ssm"
    second_size_name = "state"
    recipe = MappingProxyType({"lr": 1e-3, "steps": 4000})

    def __init__(self, *, drift: float = 0.01) -> None:
        if drift < 0:
            raise UserError(f"ids4-product, option 'drift': expected 0 or more, got {drift}")
        self.drift = drift

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        return [MatrixProductSSM(sizes.width, sizes.second_size, drift=self.drift)]
