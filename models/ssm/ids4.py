"""IDS4: a linear recurrence whose matrix depends on the input, one dense matrix for every symbol.

::

    h_t = A(x_t) h_{t-1} + B x_t            A(x) = A_0 + Σ_m x[m] A_m,   affine in x
    y_t = C h_t + D ⊙ x_t

with `transition` holding the A_m, `rest` A_0, `into` B, `out` C, `skip` D, and `start` the
trained h_0. At the start A_0 = I and the A_m are normal numbers such that A(x) - I has a
spectral radius of about ``spread``: small, 0.5, where the state is free, for it would overflow
before it has learnt anything; 2 where it is normalised, for then the symbols differ from the
start. (600 steps on words of A5 to length 16: 0.99 per symbol with 2, and 0.13 with 0.5.)

A free linear recurrence drifts: whatever reads the state's direction is as well served by a state
that triples at every symbol, which is quickest to find on short words and overflows on long ones.
So a penalty is added to the loss while training, ``drift`` times the mean of (log ms(h_t))²,
where ms is the mean square over the state. It leaves the model what it is; without it
(``drift=0``) training on words of 40 symbols ends in infinities.

With ``state_norm=true`` the state is divided by its root mean square at every step::

    h_t = ν(A(x_t) h_{t-1} + B x_t),        ν(u) = u / rms(u)

That is another model, not the paper's: only the state's direction is left. It needs no penalty.

IDS4: Merrill, Petty & Sabharwal 2024, arXiv:2404.08819, §5.2 ("input-dependent S4").
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual, State
from flann.models.scans import matrix_scan

SMALLEST = 1e-12  # so that a state of zeros has a finite log


class InputDependentSSM(Layer):
    """One IDS4 layer.

    Parameters
    ----------
    width, state : int
        of the stream and of h.
    spread : float
        spectral radius of A(x)'s departure from the identity at the start, about.
    state_norm : bool
        whether h is divided by its root mean square at every step.
    drift : float
        weight of the penalty that keeps h near unit mean square; of no use with `state_norm`.
    """

    undecayed = ("transition", "rest", "start", "skip")

    def __init__(
        self, width: int, state: int, *, spread: float, state_norm: bool, drift: float
    ) -> None:
        super().__init__()
        self.state_norm, self.drift = state_norm, 0.0 if state_norm else drift
        self.transition = nn.Parameter(torch.empty(width, state, state))
        self.rest = nn.Parameter(torch.empty(state, state))
        self.start = nn.Parameter(torch.empty(state))
        self.into = nn.Linear(width, state, bias=False)
        self.out = nn.Linear(state, width, bias=False)
        self.skip = nn.Parameter(torch.ones(width))
        self.penalty: Tensor | float = 0.0
        nn.init.normal_(self.transition, std=spread * (width * state) ** -0.5)
        nn.init.eye_(self.rest)
        nn.init.normal_(self.start)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        h = self._states(x, self.initial_state(len(x)))
        if self.training and self.drift:
            log_ms = h.square().mean(-1).clamp_min(SMALLEST).log()
            self.penalty = self.drift * log_ms.square().mean()
        y: Tensor = self.out(h) + self.skip * x
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
        return self.start.expand(batch_size, -1)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        h = self._states(x.unsqueeze(1), state).squeeze(1)
        return self.out(h) + self.skip * x, h

    @override
    def state_size(self, length: int) -> int:
        return self.start.numel()

    @override
    def auxiliary_loss(self) -> Tensor | float:
        penalty, self.penalty = self.penalty, 0.0
        return penalty

    def __getstate__(self) -> dict[str, Any]:
        # The penalty belongs to a graph of operations, which can be neither copied nor pickled.
        return {**self.__dict__, "penalty": 0.0}

    def _states(self, x: Tensor, start: Tensor) -> Tensor:
        """Every h_t, (batch, length, state)."""
        return matrix_scan(self.matrices(x), self.into(x), start, normalise=self.state_norm)

    def matrices(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length state state"]:
        """A(x) at every position; in memory, time comes first, as the scan wants it."""
        n, x = self.rest.shape[0], x.transpose(0, 1)
        flat = torch.addmm(self.rest.view(-1), x.flatten(0, 1), self.transition.view(-1, n * n))
        return flat.view(*x.shape[:2], n, n).transpose(0, 1)


@register("ids4")
class IDS4(Architecture):
    """Input-dependent S4: a dense state matrix affine in the input (Merrill et al. 2024).

    Parameters
    ----------
    state_norm : bool
        whether the state is divided by its root mean square at every step.
    drift : float
        weight of the training penalty that keeps a free state near unit mean square.
    spread : float
        how far A(x) is from the identity at the start, as a spectral radius: 2 if the state is
        normalised, and 0.5 if it is free.
    """

    family = "input-dependent-ssm"
    knob = "state"

    def __init__(
        self, *, state_norm: bool = False, drift: float = 0.01, spread: float | None = None
    ) -> None:
        if spread is None:
            spread = 2.0 if state_norm else 0.5
        if drift < 0 or spread < 0:
            raise UserError("ids4, options 'drift' and 'spread': expected 0 or more")
        self.state_norm, self.drift, self.spread = state_norm, drift, spread
        self.recipe = MappingProxyType({"lr": 1e-2 if state_norm else 3e-3, "steps": 2000})

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        return [Residual(self._layer(sizes), sizes.width) for _ in range(sizes.depth)]

    def _layer(self, sizes: Sizes) -> Layer:
        return InputDependentSSM(
            sizes.width,
            sizes.second,
            spread=self.spread,
            state_norm=self.state_norm,
            drift=self.drift,
        )
