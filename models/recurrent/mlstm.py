"""The mLSTM: a matrix memory with exponential gates, trained in parallel.

The block expands the stream to an inner width. Head by head, with c = SiLU(conv(u))::

    u, z = W_up x_t                                     `into`
    q, k, v = W_q c, W_k c / √size, W_v u               block-diagonal, one block a head
    ĩ, f̃ = w_i · (q, k, v) + b_i,  w_f · (q, k, v) + b_f          `gates`, for each head
    C_t = f C_{t-1} + i k vᵀ,     n_t = f n_{t-1} + i k
    h_t = C_tᵀ q / max(|n_tᵀ q|, 1)
    y_t = W_down [ (norm(h_t) + s ⊙ c) ⊙ SiLU(z) ]      `skip` is s; norm by head

with gates i and f as in `flann.models.recurrent.xlstm`.

Beck et al. 2024, arXiv:2405.04517, §2.3 and figure 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.exponential_gates import advance_gates
from flann.models.core.fast_weights import FastWeights, Terms, check_heads
from flann.models.core.layer import Layer
from flann.models.core.registry import register
from flann.models.core.residual_stack import ResidualStack
from flann.models.core.short_convolution import ShortConvolution
from flann.models.scans import stabilised_gates
from flann.models.scans.slstm import Forget

from .xlstm import HeadwiseLinear, compute_log_forget


class MatrixLSTM(FastWeights):
    """An mLSTM block.

    Parameters
    ----------
    width, inner, heads : int
        Width of the stream, inner width, and number of heads that divide the inner width.
    taps : int
        Length of the convolution's kernel.
    forget : 'sigmoid' or 'exponential'
        Forget gate.
    """

    undecayed = ("skip",)

    def __init__(self, width: int, inner: int, heads: int, *, taps: int, forget: Forget) -> None:
        size = inner // heads
        super().__init__(heads, size, size + 1)  # n is the last column of C
        self.inner = inner
        self.forget: Forget = forget
        self.into = nn.Linear(width, 2 * inner, bias=False)
        self.convolution = ShortConvolution(inner, taps, bias=True)
        self.query = HeadwiseLinear(heads, size, size)
        self.keys = HeadwiseLinear(heads, size, size)
        self.values = HeadwiseLinear(heads, size, size)
        self.gates = nn.Linear(3 * inner, 2 * heads)
        self.norm = nn.GroupNorm(heads, inner)
        self.skip = nn.Parameter(torch.ones(inner))
        self.out = nn.Linear(inner, width, bias=False)
        nn.init.zeros_(self.gates.weight)
        with torch.no_grad():
            self.gates.bias[:heads].normal_(std=0.1)
            self.gates.bias[heads:] = torch.linspace(3, 6, heads)

    @override
    def compute_terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        """Return the recurrence's terms.

        A column of ones is appended to v, so that the last column of C is n; k is multiplied by
        the input gate.
        """
        window, m = (None, None) if recent is None else recent
        u, z = self.into(x).chunk(2, dim=-1)
        c, window = self.convolution(u, window)
        q, v = self.query(c), self.values(u)
        k = self.keys(c) * self.key**-0.5
        gates = self.gates(torch.cat([q, k, v], dim=2).flatten(2))
        log_input, pre_activation = gates.chunk(2, dim=-1)
        log_forget = compute_log_forget(pre_activation, self.forget)
        forget, enter, m = scale_gates(log_forget, log_input, m)
        v = functional.pad(v, (0, 1), value=1.0)
        terms = Terms(q, enter[..., None] * k, v, forget[..., None])
        return terms, (c, z, m), (window, m[:, -1])

    @override
    def compute_output(self, y: Tensor, beside: Any) -> Tensor:
        c, z, m = beside
        lower_bound = torch.exp(-m)[..., None]  # the equations' 1, at the memory's scale
        h = y[..., :-1] / torch.maximum(y[..., -1:].abs(), lower_bound)
        h = self.norm(h.flatten(2).flatten(0, 1)).view_as(c)
        mixed: Tensor = self.out((h + self.skip * c) * functional.silu(z))
        return mixed

    @override
    def initial_recent(self, batch_size: int) -> Any:
        """Return the convolution's window and m, before the first symbol."""
        m = self.skip.new_full((batch_size, self.heads), -torch.inf)
        return self.convolution.initial_recent(batch_size), m

    @override
    def recent_size(self) -> int:
        return self.convolution.initial_recent(1).numel() + self.heads


def scale_gates(
    log_forget: Float[Tensor, "batch length heads"],
    log_input: Float[Tensor, "batch length heads"],
    m: Float[Tensor, "batch heads"] | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the forget gates, the input gates and m at every position.

    Parameters
    ----------
    log_forget, log_input : Tensor of shape (batch, length, heads)
        Logarithms of the gates; of one position if m is given.
    m : Tensor of shape (batch, heads), optional
        Logarithm of the scale after the previous symbol; None for a whole word.
    """
    if m is None:
        return stabilised_gates(log_forget, log_input)
    return advance_gates(log_forget, log_input, m[:, None])


@register("mlstm")
class MLSTM(ResidualStack):
    """Matrix memory with exponential gates, xLSTM's parallel half (Beck et al. 2024).

    Parameters
    ----------
    forget : 'sigmoid' or 'exponential'
        Forget gate.
    heads : int
        Number of heads of a layer.
    taps : int
        Length of the convolution's kernel.
    """

    family = "mlstm"
    second_size_name = "inner"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 4000})

    def __init__(self, *, forget: Forget = "sigmoid", heads: int = 4, taps: int = 4) -> None:
        self.heads = self.second_size_step = check_heads("mlstm", heads)
        self.forget: Forget = forget
        self.taps = taps

    @override
    def default_second_size(self, width: int) -> int:
        """Return twice the width of the stream."""
        return 2 * width

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        mixer = MatrixLSTM(
            sizes.width, sizes.second_size, self.heads, taps=self.taps, forget=self.forget
        )
        return [mixer]
