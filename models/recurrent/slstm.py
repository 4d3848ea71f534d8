"""The sLSTM: an LSTM with exponential gates and a block-diagonal recurrent matrix.

With c = SiLU(conv(x)) and R block-diagonal, one block a head::

    ĩ, f̃ = W c + R h_{t-1} + b;   z, o = W x_t + R h_{t-1} + b            `recurrent` is R
    c_t = f c_{t-1} + i tanh(z),  n_t = f n_{t-1} + i,  h_t = σ(o) c_t / n_t
    y_t = norm(h_t)                                     by head

with gates i and f as in `flann.models.recurrent.xlstm`. The cell is followed by a feed-forward
layer on the stream, W_down (GELU(W_gate x) ⊙ W_up x).

Beck et al. 2024, arXiv:2405.04517, §2.2 and figure 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.exponential_gates import advance_gates
from flann.models.core.fast_weights import check_heads
from flann.models.core.layer import Layer, State, Stateless
from flann.models.core.registry import register
from flann.models.core.residual_stack import ResidualStack
from flann.models.core.short_convolution import ShortConvolution
from flann.models.scans import slstm_scan
from flann.models.scans.slstm import Forget

from .xlstm import HeadwiseLinear, compute_log_forget


class ScalarLSTM(Layer):
    """An sLSTM cell with its convolution and norm.

    Parameters
    ----------
    width, heads : int
        Width of the stream and of c, n and h; number of heads that divide them.
    taps : int
        Length of the convolution's kernel.
    forget : 'sigmoid' or 'exponential'
        Forget gate.
    """

    undecayed = ("bias",)

    def __init__(self, width: int, heads: int, *, taps: int, forget: Forget) -> None:
        super().__init__()
        size = width // heads
        self.width, self.heads = width, heads
        self.forget: Forget = forget
        self.convolution = ShortConvolution(width, taps, bias=True)
        self.by_recent = HeadwiseLinear(heads, size, 2 * size)
        self.by_symbol = HeadwiseLinear(heads, size, 2 * size)
        self.recurrent = nn.Parameter(torch.empty(heads, size, 4, size))  # R
        self.bias = nn.Parameter(torch.zeros(4, width))
        self.norm = nn.GroupNorm(heads, width)
        nn.init.uniform_(self.recurrent, -(size**-0.5), size**-0.5)
        with torch.no_grad():  # in every head, from channels that forget at once to ones that keep
            self.bias[1] = torch.linspace(0, 6, size).repeat(heads)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        from_x, _ = self._compute_gate_inputs(x, None)
        return self._normalise(slstm_scan(from_x, self.recurrent, forget=self.forget))

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return (window, h, c, n, m): zeros, and minus infinity for m."""
        zeros = self.bias.new_zeros(batch_size, self.width)
        window = self.convolution.initial_recent(batch_size)
        return window, zeros, zeros, zeros, torch.full_like(zeros, -torch.inf)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        window, h, c, n, m = state
        from_x, window = self._compute_gate_inputs(x.unsqueeze(1), window)
        by_head = h.unflatten(-1, (self.heads, -1))
        from_h = torch.einsum("bhi,higo->bgho", by_head, self.recurrent).flatten(2)
        i, f, z, o = (from_x.squeeze(1) + from_h).unbind(1)
        forget, enter, m = advance_gates(compute_log_forget(f, self.forget), i, m)
        c, n = forget * c + enter * torch.tanh(z), forget * n + enter
        h = torch.sigmoid(o) * c / n
        return self._normalise(h.unsqueeze(1)).squeeze(1), (window, h, c, n, m)

    @override
    def state_size(self, length: int) -> int:
        return self.convolution.initial_recent(1).numel() + 4 * self.width

    def _compute_gate_inputs(
        self, x: Tensor, window: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Return W c or W x + b for the gates, (batch, length, 4, width), and the new window."""
        c, window = self.convolution(x, window)
        halves = torch.stack([self.by_recent(c), self.by_symbol(x)], dim=2)
        gates = halves.unflatten(-1, (2, -1)).transpose(3, 4)  # batch, length, 2, 2, heads, size
        return gates.flatten(4).flatten(2, 3) + self.bias, window

    def _normalise(self, h: Tensor) -> Tensor:
        y: Tensor = self.norm(h.flatten(0, 1)).view_as(h)
        return y


class GatedFeedForward(Stateless):
    """The map W_down (GELU(W_gate x) ⊙ W_up x) at every position."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.into = nn.Linear(width, 2 * inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        gate, up = self.into(x).chunk(2, dim=-1)
        y: Tensor = self.out(functional.gelu(gate) * up)
        return y


@register("slstm")
class SLSTM(ResidualStack):
    """LSTM with exponential gates and heads, xLSTM's recurrent half (Beck et al. 2024).

    Parameters
    ----------
    forget : 'sigmoid' or 'exponential'
        Forget gate.
    heads : int
        Number of heads; the gates of a head depend on the previous output of that head alone.
    taps : int
        Length of the convolution's kernel.
    """

    family = "slstm"
    second_size_name = "feedforward"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 4000})

    def __init__(self, *, forget: Forget = "sigmoid", heads: int = 4, taps: int = 4) -> None:
        self.heads = self.width_step = check_heads("slstm", heads)
        self.forget: Forget = forget
        self.taps = taps

    @override
    def default_second_size(self, width: int) -> int:
        """Return 4/3 of the width of the stream, as in the paper."""
        return round(4 * width / 3)

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        return [
            ScalarLSTM(sizes.width, self.heads, taps=self.taps, forget=self.forget),
            GatedFeedForward(sizes.width, sizes.second_size),
        ]
