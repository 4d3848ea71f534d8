"""IDS4: a linear recurrence whose matrix depends on the input, one dense matrix for every symbol.

::

    h_t = A(x_t) h_{t-1} + B x_t            A(x) = A_0 + Σ_m x[m] A_m,   affine in x
    y_t = C h_t + D ⊙ x_t

with `transition` holding the A_m, `rest` A_0, and `start` h_0. Every A(x) begins near the
identity: A_0 = I, A_m of small normal numbers. With ``state_norm=true`` the state is divided by
its root mean square at every step::

    h_t = ν(A(x_t) h_{t-1} + B x_t),        ν(u) = u / rms(u)

That is another model, not the paper's: a free linear recurrence drifts, its state growing or
dying by a factor at every step, while a normalised one keeps only the direction.

IDS4: Merrill, Petty & Sabharwal 2024, arXiv:2404.08819, §5.2 ("input-dependent S4").
"""

from __future__ import annotations

from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .architecture import Architecture, Sizes
from .registry import register
from .scans import matrix_scan
from .sequence import Layer, Residual, State


class InputDependentSSM(Layer):
    """One IDS4 layer.

    Parameters
    ----------
    width, state : int
        of the stream and of h.
    spread : float
        standard deviation of A(x)'s departure from the identity, for x of unit mean square.
    state_norm : bool
        whether h is divided by its root mean square at every step.
    """

    undecayed = ("transition", "rest", "start")

    def __init__(self, width: int, state: int, *, spread: float, state_norm: bool) -> None:
        super().__init__()
        self.state_norm = state_norm
        self.transition = nn.Parameter(torch.empty(width, state, state))
        self.rest = nn.Parameter(torch.empty(state, state))
        self.start = nn.Parameter(torch.empty(state))
        self.into = nn.Linear(width, state, bias=False)
        self.out = nn.Linear(state, width, bias=False)
        self.skip = nn.Parameter(torch.ones(width))
        nn.init.normal_(self.transition, std=spread * width**-0.5)
        nn.init.eye_(self.rest)
        nn.init.normal_(self.start)

    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        """The outputs at every position."""
        h = matrix_scan(
            self._matrices(x), self.into(x), self._start(len(x)), normalise=self.state_norm
        )
        return self.out(h) + self.skip * x  # type: ignore[no-any-return]

    def initial_state(self, batch_size: int) -> State:
        """h_0, the same for every word."""
        return self._start(batch_size)

    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """One symbol further."""
        x = x.unsqueeze(1)
        h = matrix_scan(self._matrices(x), self.into(x), state, normalise=self.state_norm)
        return (self.out(h) + self.skip * x).squeeze(1), h.squeeze(1)

    def state_size(self, length: int) -> int:
        """The numbers of h."""
        return self.start.numel()

    def _matrices(self, x: Tensor) -> Tensor:
        """A(x) at every position, (batch, length, state, state); in memory, time comes first."""
        n, x = self.rest.shape[0], x.transpose(0, 1)
        flat = torch.addmm(self.rest.view(-1), x.flatten(0, 1), self.transition.view(-1, n * n))
        return flat.view(*x.shape[:2], n, n).transpose(0, 1)

    def _start(self, batch_size: int) -> Tensor:
        return self.start.expand(batch_size, -1)


@register("ids4")
class IDS4(Architecture):
    """Input-dependent S4: a dense state matrix affine in the input (Merrill et al. 2024).

    Parameters
    ----------
    state_norm : bool
        whether the state is divided by its root mean square at every step.
    spread : float
        how far A(x) is from the identity at the start.
    """

    family = "input-dependent-ssm"
    knob = "state"
    recipe = MappingProxyType({"lr": 3e-3})

    def __init__(self, *, state_norm: bool = False, spread: float = 0.1) -> None:
        self.state_norm, self.spread = state_norm, spread

    def layers(self, sizes: Sizes) -> list[Layer]:
        """One pre-norm residual block a layer."""
        return [Residual(self._layer(sizes), sizes.width) for _ in range(sizes.depth)]

    def _layer(self, sizes: Sizes) -> Layer:
        return InputDependentSSM(
            sizes.width, sizes.second, spread=self.spread, state_norm=self.state_norm
        )
