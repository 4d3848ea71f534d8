"""IDS4 as its authors' code has it: products of matrices that pass through a nonlinearity.

::

    A_t = GELU(Σ_m x_t[m] W_m)                     `transition` holds the W_m, N x N each
    P_t = A_1 A_2 ... A_t                          from the identity
    y_t = C (P_t w + b) + D x_t                    `start` holds w and b, `out` C, `skip` D

Beside `ids4`, the paper's text (see `flann.models.ssm.ids4`), the whole product is carried, N² numbers
and N³ work a symbol; the new factor stands on the right, so P_t w is not a state that could be
carried in its place; C and D are full, with biases. Nothing holds the product in range: it grows
or dies by a constant factor a symbol. At the start W is such that the mean matrix has a spectral
radius of 1, and training, left alone, drives it to 4 within a hundred steps of parity, which
overflows on words of 40. So a penalty is added to the loss while training, as for `ids4`:
``drift`` times the mean of (log ms(P_t) + log N)², where ms is the mean square over the entries
(1/N for the identity). It leaves the model what it is.

Merrill, Petty & Sabharwal 2024, arXiv:2404.08819, §5.2 and the code published with it.
"""

from __future__ import annotations

from math import log, pi, sqrt
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual, State
from flann.models.scans import product_scan

from .ids4 import SMALLEST


class MatrixProductSSM(Layer):
    """One such layer.

    Parameters
    ----------
    width, state : int
        of the stream, and N.
    drift : float
        weight of the penalty that keeps P near the identity's mean square.
    """

    undecayed = ("transition",)

    def __init__(self, width: int, state: int, *, drift: float) -> None:
        super().__init__()
        self.drift = drift
        self.penalty: Tensor | float = 0.0
        self.transition = nn.Parameter(torch.empty(width, state, state))
        self.start = nn.Linear(state, 1)
        self.out = nn.Linear(state, width)
        self.skip = nn.Linear(width, width)
        nn.init.normal_(self.transition, std=(spread_of_unit_radius(state) / width) ** 0.5)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        P = product_scan(self.matrices(x))
        if self.training and self.drift:
            log_ms = P.square().mean((-2, -1)).clamp_min(SMALLEST).log()
            self.penalty = self.drift * (log_ms + log(P.shape[-1])).square().mean()
        return self._read(P, x)

    @override
    def initial_state(self, batch_size: int) -> State:
        n = self.transition.shape[1]
        like = self.transition
        return torch.eye(n, device=like.device, dtype=like.dtype).expand(batch_size, n, n)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        P = state @ self.matrices(x.unsqueeze(1))[:, 0]
        return self._read(P, x), P

    @override
    def state_size(self, length: int) -> int:
        return self.transition.shape[1] ** 2

    @override
    def auxiliary_loss(self) -> Tensor | float:
        penalty, self.penalty = self.penalty, 0.0
        return penalty

    def __getstate__(self) -> dict[str, Any]:
        # The penalty belongs to a graph of operations, which can be neither copied nor pickled.
        return {**self.__dict__, "penalty": 0.0}

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
    """Input-dependent S4 as its code has it: products of GELU matrices (Merrill et al. 2024).

    Parameters
    ----------
    drift : float
        weight of the training penalty that keeps the product in range.
    """

    family = "input-dependent-ssm"
    knob = "state"
    recipe = MappingProxyType({"lr": 1e-3, "steps": 4000})

    def __init__(self, *, drift: float = 0.01) -> None:
        if drift < 0:
            raise UserError(f"ids4-product, option 'drift': expected 0 or more, got {drift}")
        self.drift = drift

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        return [
            Residual(MatrixProductSSM(sizes.width, sizes.second, drift=self.drift), sizes.width)
            for _ in range(sizes.depth)
        ]
