"""Linear time-invariant state spaces, one for every channel: what S4 and S4D share.

Every channel u of the stream drives N states through a system of its own::

    x'(t) = A x(t) + B u(t),    y(t) = C x(t) + D u(t)

A discretisation with the step Δ turns it into a recurrence, or equivalently a convolution::

    x_t = Ā x_{t-1} + B̄ u_t,          y_t = C x_t + D u_t               recurrence, `step`
    y   = K * u + D u,                K_j = C Ā^j B̄                     convolution, `forward`

after which the channels are mixed, GLU(W GELU(y)). A is real, so its eigenvalues come in conjugate
pairs. One of each pair is kept, N/2 in all; sums over all N are twice the real part.

Gu, Goel & Ré 2021, arXiv:2111.00396.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.layer import Layer, State
from flann.models.core.residual_stack import ResidualStack
from flann.models.core.time_step import draw_log_time_steps

from .long_convolution import convolve_causally


class TimeInvariantSSM(Layer):
    """A state space for every channel, and the mixing of the channels.

    Parameters
    ----------
    width, state : int
        Number of channels, and the even number N of states of each.
    """

    slow = ("log_step", "log_decay", "frequency", "low_rank", "into")
    undecayed = ("skip",)
    log_decay: nn.Parameter
    frequency: nn.Parameter

    def __init__(self, width: int, state: int) -> None:
        super().__init__()
        self.width, self.state = width, state
        self.log_step = nn.Parameter(draw_log_time_steps(width))
        self.read = nn.Parameter(torch.randn(width, state // 2, 2) * 0.5**0.5)  # C
        self.skip = nn.Parameter(torch.ones(width))  # D
        self.mix = nn.Linear(width, 2 * width)

    def compute_kernel(self, length: int) -> Float[Tensor, "width length"]:
        """Return K_0 ... K_{length-1} of every channel."""
        raise NotImplementedError

    def advance(self, u: Tensor, x: Tensor) -> Tensor:
        """Return x_t given u_t and x_{t-1}: complex, of shape (batch, width, N/2)."""
        raise NotImplementedError

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        y = convolve_causally(x, self.compute_kernel(x.shape[1]).to(x.dtype))
        return self._mix_channels(y + self.skip * x)

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return complex zeros of shape (batch, width, N/2)."""
        zeros = self.read.new_zeros(batch_size, self.width, self.state // 2, 2)
        return torch.view_as_complex(zeros)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        state = self.advance(x, state)
        y = 2 * (torch.view_as_complex(self.read) * state).sum(-1).real
        return self._mix_channels(y + self.skip * x), state

    @override
    def state_size(self, length: int) -> int:
        return self.width * self.state

    def compute_poles(self) -> Complex[Tensor, "width pairs"]:
        """Return Λ, one of each conjugate pair."""
        return torch.complex(-torch.exp(self.log_decay), self.frequency)

    def _mix_channels(self, y: Tensor) -> Tensor:
        mixed: Tensor = functional.glu(self.mix(functional.gelu(y)), dim=-1)
        return mixed


class TimeInvariantArchitecture(ResidualStack):
    """A stack of time-invariant state-space layers on a residual stream."""

    family = "time-invariant-ssm"
    second_size_name = "state"
    second_size_step = 2
    recipe = MappingProxyType({"lr": 3e-3, "steps": 4000})
    ssm: type[TimeInvariantSSM]

    @override
    def default_second_size(self, width: int) -> int:
        """Return N = 64, whatever the width."""
        return 64

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        return [self.ssm(sizes.width, sizes.second_size)]
