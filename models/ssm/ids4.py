"""IDS4: a linear recurrence whose dense state matrix is a function of the input.

::

    h_t = A(x_t) h_{t-1} + B x_t            A(x) = A_0 + Σ_m x[m] A_m,   affine in x
    y_t = C h_t + D ⊙ x_t

Here `transition` holds the A_m, `rest` A_0, `into` B, `out` C, `skip` D, and `start` the trained
h_0. Initially A_0 = I, and the A_m are normal such that A(x) - I has a spectral radius of about
``spread``. The default is 0.5 for an unnormalised state, which would otherwise overflow before it
has learnt anything, and 2 for a normalised one, so that symbols act differently initially.
(After 600 steps on words of A5 to length 16, a normalised state reaches 0.99 per symbol with 2, and
0.13 with 0.5.)

An unnormalised linear recurrence drifts: an output that depends on the state's direction alone
allows a state that triples at every symbol, which is found quickly on short words and overflows on
long ones. A penalty is therefore added to the loss in training, ``drift`` times the mean of
(log ms(h_t))², where ms is the mean square over the state's entries. It does not change the
function that the model computes. With ``drift=0``, training on words of 40 symbols diverges.

With ``state_norm=true`` the state is divided by its root mean square at every step::

    h_t = ν(A(x_t) h_{t-1} + B x_t),        ν(u) = u / rms(u)

This is a variant, not the model of the paper: it keeps only the state's direction. It needs no
penalty.

Merrill, Petty & Sabharwal 2024, arXiv:2404.08819, §5.2 ("input-dependent S4").
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Sizes
from flann.models.core.layer import Layer, State
from flann.models.core.registry import register
from flann.models.core.residual_stack import ResidualStack
from flann.models.scans import matrix_scan

from .drift_penalty import DriftPenalisedLayer


class InputDependentSSM(DriftPenalisedLayer):
    """An IDS4 layer.

    Parameters
    ----------
    width, state : int
        Widths of the stream and of the state h.
    spread : float
        Approximate spectral radius of A(x) - I at initialisation.
    state_norm : bool
        Whether h is divided by its root mean square at every step.
    drift : float
        Weight of the penalty that keeps h near unit mean square; ignored with `state_norm`.
    """

    undecayed = ("transition", "rest", "start", "skip")

    def __init__(
        self, width: int, state: int, *, spread: float, state_norm: bool, drift: float
    ) -> None:
        super().__init__(0.0 if state_norm else drift)
        self.state_norm = state_norm
        self.transition = nn.Parameter(torch.empty(width, state, state))
        self.rest = nn.Parameter(torch.empty(state, state))
        self.start = nn.Parameter(torch.empty(state))
        self.into = nn.Linear(width, state, bias=False)
        self.out = nn.Linear(state, width, bias=False)
        self.skip = nn.Parameter(torch.ones(width))
        nn.init.normal_(self.transition, std=spread * (width * state) ** -0.5)
        nn.init.eye_(self.rest)
        nn.init.normal_(self.start)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        h = self._compute_states(x, self.initial_state(len(x)))
        self.record_penalty(h, axes=(-1,))
        y: Tensor = self.out(h) + self.skip * x
        return y

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return h_0, the same for every word."""
        return self.start.expand(batch_size, -1)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        h = self._compute_states(x.unsqueeze(1), state).squeeze(1)
        return self.out(h) + self.skip * x, h

    @override
    def state_size(self, length: int) -> int:
        return self.start.numel()

    def compute_matrices(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length state state"]:
        """Return A(x) at every position; its memory layout is time-first, as the scan expects."""
        n, x = self.rest.shape[0], x.transpose(0, 1)
        flat = torch.addmm(self.rest.view(-1), x.flatten(0, 1), self.transition.view(-1, n * n))
        return flat.view(*x.shape[:2], n, n).transpose(0, 1)

    def _compute_states(self, x: Tensor, start: Tensor) -> Tensor:
        """Return every h_t: (batch, length, state)."""
        matrices = self.compute_matrices(x)
        return matrix_scan(matrices, self.into(x), start, normalise=self.state_norm)


@register("ids4")
class IDS4(ResidualStack):
    """Input-dependent S4: a dense state matrix affine in the input (Merrill et al. 2024).

    Parameters
    ----------
    state_norm : bool
        Whether the state is divided by its root mean square at every step.
    drift : float
        Weight of the penalty that keeps an unnormalised state near unit mean square in training.
    spread : float
        Spectral radius of A(x) - I at initialisation; by default 2 for a normalised state and 0.5
        for an unnormalised one.
    """

    family = "input-dependent-ssm"
    second_size_name = "state"

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
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        mixer = InputDependentSSM(
            sizes.width,
            sizes.second_size,
            spread=self.spread,
            state_norm=self.state_norm,
            drift=self.drift,
        )
        return [mixer]
