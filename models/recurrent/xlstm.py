"""xLSTM: exponential gates; the mLSTM remembers in a matrix, the sLSTM sees its last output.

Both keep a cell c and a normaliser n and give c / n, so that a gate can be any positive number;
a scale e^{-m} is taken out of both, so that none overflows. i = exp(ĩ), f = σ(f̃), or exp(f̃) with
``forget=exponential``.

mLSTM, head by head, on u, an up-projection of the stream to an inner width, c = SiLU(conv(u))::

    u, z = W_up x_t                                     `into`
    q, k, v = W_q c, W_k c / √size, W_v u               block-diagonal, a block for each head
    ĩ, f̃ = w_i · (q, k, v) + b_i,  w_f · (q, k, v) + b_f          `gates`, for each head
    C_t = f C_{t-1} + i k vᵀ,     n_t = f n_{t-1} + i k
    h_t = C_tᵀ q / max(|n_tᵀ q|, 1)
    y_t = W_down [ (norm(h_t) + s ⊙ c) ⊙ SiLU(z) ]      `skip` is s; norm by head

sLSTM, with c = SiLU(conv(x)) and R block-diagonal, a block for each head::

    ĩ, f̃ = W c + R h_{t-1} + b;   z, o = W x_t + R h_{t-1} + b            `word`, `recurrent`
    c_t = f c_{t-1} + i tanh(z),  n_t = f n_{t-1} + i,  h_t = σ(o) c_t / n_t
    y_t = norm(h_t)                                     by head

and after it a feed-forward part on the stream, W_down (GELU(W_gate x) ⊙ W_up x).

Beck et al. 2024, arXiv:2405.04517, §2.2-2.3, the blocks of figures 10 and 11. That the forget
gate is a σ by default, and the biases that the gates begin with, are from the authors' code.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.fast_weights import FastWeights, Terms, shared_out
from flann.models.core.registry import register
from flann.models.core.sequence import Layer, Residual, State, Stateless
from flann.models.core.short_convolution import ShortConvolution
from flann.models.scans import slstm_scan, stabilised_gates
from flann.models.scans.slstm import Forget


class ByHead(nn.Module):
    """A block-diagonal linear map: every head's channels to some of its own.

    Parameters
    ----------
    heads, size, out : int
        how many blocks, from how many channels each, to how many.
    """

    def __init__(self, heads: int, size: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(heads, size, out))
        nn.init.uniform_(self.weight, -(size**-0.5), size**-0.5)

    def forward(
        self, x: Float[Tensor, "batch length channels"]
    ) -> Float[Tensor, "batch length heads out"]:
        """Head by head."""
        return torch.einsum("bthi,hio->btho", x.unflatten(-1, (len(self.weight), -1)), self.weight)


def log_forget(gate: Tensor, forget: Forget) -> Tensor:
    """log f from f̃."""
    return functional.logsigmoid(gate) if forget == "sigmoid" else gate


class MatrixLSTM(FastWeights):
    """One mLSTM block.

    Parameters
    ----------
    width, inner, heads : int
        of the stream, of the up-projection, and how many heads share that out.
    taps : int
        of the convolution.
    forget : 'sigmoid' or 'exponential'
        the forget gate.
    """

    undecayed = ("skip",)

    def __init__(self, width: int, inner: int, heads: int, *, taps: int, forget: Forget) -> None:
        size = inner // heads
        super().__init__(heads, size, size + 1)  # n is one more column of C
        self.inner = inner
        self.forget: Forget = forget
        self.into = nn.Linear(width, 2 * inner, bias=False)
        self.convolution = ShortConvolution(inner, taps, bias=True)
        self.query = ByHead(heads, size, size)
        self.keys = ByHead(heads, size, size)
        self.values = ByHead(heads, size, size)
        self.gates = nn.Linear(3 * inner, 2 * heads)
        self.norm = nn.GroupNorm(heads, inner)
        self.skip = nn.Parameter(torch.ones(inner))
        self.out = nn.Linear(inner, width, bias=False)
        nn.init.zeros_(self.gates.weight)
        with torch.no_grad():
            self.gates.bias[:heads].normal_(std=0.1)
            self.gates.bias[heads:] = torch.linspace(3, 6, heads)

    @override
    def terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        window, m = (None, None) if recent is None else recent
        u, z = self.into(x).chunk(2, dim=-1)
        c, window = self.convolution(u, window)
        q, v = self.query(c), self.values(u)
        k = self.keys(c) * self.key**-0.5
        enter, forget = self.gates(torch.cat([q, k, v], dim=2).flatten(2)).chunk(2, dim=-1)
        forget, enter, m = gated(log_forget(forget, self.forget), enter, m)
        v = functional.pad(v, (0, 1), value=1.0)
        terms = Terms(q, enter[..., None] * k, v, forget[..., None])
        return terms, (c, z, m), (window, m[:, -1])

    @override
    def output(self, y: Tensor, beside: Any) -> Tensor:
        c, z, m = beside
        least = torch.exp(-m)[..., None]  # what 1 is at the memory's scale
        h = y[..., :-1] / torch.maximum(y[..., -1:].abs(), least)
        h = self.norm(h.flatten(2).flatten(0, 1)).view_as(c)
        mixed: Tensor = self.out((h + self.skip * c) * functional.silu(z))
        return mixed

    @override
    def start(self, batch_size: int) -> Any:
        m = self.skip.new_full((batch_size, self.heads), -torch.inf)
        return self.convolution.start(batch_size), m

    @override
    def recent_size(self) -> int:
        return self.convolution.start(1).numel() + self.heads


def gated(
    log_forget: Float[Tensor, "batch length heads"],
    log_enter: Float[Tensor, "batch length heads"],
    m: Float[Tensor, "batch heads"] | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gates at the scale m, over a whole word (m is None), or at one symbol after m."""
    if m is None:
        return stabilised_gates(log_forget, log_enter)
    kept = log_forget + m[:, None]
    m = torch.maximum(kept, log_enter)
    return torch.exp(kept - m), torch.exp(log_enter - m), m


class ScalarLSTM(Layer):
    """One sLSTM cell, its convolution and its norm.

    Parameters
    ----------
    width, heads : int
        of the stream and of c, n and h; and how many heads share them out.
    taps : int
        of the convolution.
    forget : 'sigmoid' or 'exponential'
        the forget gate.
    """

    undecayed = ("bias",)

    def __init__(self, width: int, heads: int, *, taps: int, forget: Forget) -> None:
        super().__init__()
        size = width // heads
        self.width, self.heads = width, heads
        self.forget: Forget = forget
        self.convolution = ShortConvolution(width, taps, bias=True)
        self.by_recent = ByHead(heads, size, 2 * size)
        self.by_symbol = ByHead(heads, size, 2 * size)
        self.recurrent = nn.Parameter(torch.empty(heads, size, 4, size))  # R
        self.bias = nn.Parameter(torch.zeros(4, width))
        self.norm = nn.GroupNorm(heads, width)
        nn.init.uniform_(self.recurrent, -(size**-0.5), size**-0.5)
        with torch.no_grad():  # from heads' channels that forget at once to ones that keep
            self.bias[1] = torch.linspace(0, 6, size).repeat(heads)

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        word, _ = self._from_word(x, None)
        return self._normed(slstm_scan(word, self.recurrent, forget=self.forget))

    @override
    def initial_state(self, batch_size: int) -> State:
        zeros = self.bias.new_zeros(batch_size, self.width)
        window = self.convolution.start(batch_size)
        return window, zeros, zeros, zeros, torch.full_like(zeros, -torch.inf)

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        window, h, c, n, m = state
        word, window = self._from_word(x.unsqueeze(1), window)
        by_head = h.unflatten(-1, (self.heads, -1))
        from_h = torch.einsum("bhi,higo->bgho", by_head, self.recurrent).flatten(2)
        i, f, z, o = (word.squeeze(1) + from_h).unbind(1)
        kept = log_forget(f, self.forget) + m
        m = torch.maximum(kept, i)
        forget, enter = torch.exp(kept - m), torch.exp(i - m)
        c, n = forget * c + enter * torch.tanh(z), forget * n + enter
        h = torch.sigmoid(o) * c / n
        return self._normed(h.unsqueeze(1)).squeeze(1), (window, h, c, n, m)

    @override
    def state_size(self, length: int) -> int:
        return self.convolution.start(1).numel() + 4 * self.width

    def _from_word(self, x: Tensor, window: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """What the word gives to the gates, (batch, length, 4, width), and the window."""
        c, window = self.convolution(x, window)
        halves = torch.stack([self.by_recent(c), self.by_symbol(x)], dim=2)
        gates = halves.unflatten(-1, (2, -1)).transpose(3, 4)  # batch, length, 2, 2, heads, size
        return gates.flatten(4).flatten(2, 3) + self.bias, window

    def _normed(self, h: Tensor) -> Tensor:
        y: Tensor = self.norm(h.flatten(0, 1)).view_as(h)
        return y


class GatedFeedForward(Stateless):
    """W_down (GELU(W_gate x) ⊙ W_up x) at every position."""

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


@register("mlstm")
class MLSTM(Architecture):
    """Matrix memory with exponential gates, xLSTM's parallel half (Beck et al. 2024).

    Parameters
    ----------
    forget : 'sigmoid' or 'exponential'
        the forget gate.
    heads : int
        of each layer's memory.
    taps : int
        of the convolution.
    """

    family = "mlstm"
    knob = "inner"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 4000})

    def __init__(self, *, forget: Forget = "sigmoid", heads: int = 4, taps: int = 4) -> None:
        self.heads = self.knob_step = shared_out("mlstm", heads)
        self.forget: Forget = forget
        self.taps = taps

    @override
    def customary(self, width: int) -> int:
        return 2 * width

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        return [Residual(self._layer(sizes), sizes.width) for _ in range(sizes.depth)]

    def _layer(self, sizes: Sizes) -> Layer:
        return MatrixLSTM(sizes.width, sizes.second, self.heads, taps=self.taps, forget=self.forget)


@register("slstm")
class SLSTM(Architecture):
    """LSTM with exponential gates and heads, xLSTM's recurrent half (Beck et al. 2024).

    Parameters
    ----------
    forget : 'sigmoid' or 'exponential'
        the forget gate.
    heads : int
        that share the cells out; gates see the last output of their own head alone.
    taps : int
        of the convolution.
    """

    family = "slstm"
    knob = "feedforward"
    recipe = MappingProxyType({"lr": 1e-2, "steps": 4000})

    def __init__(self, *, forget: Forget = "sigmoid", heads: int = 4, taps: int = 4) -> None:
        self.heads = self.width_step = shared_out("slstm", heads)
        self.forget: Forget = forget
        self.taps = taps

    @override
    def customary(self, width: int) -> int:
        return round(4 * width / 3)

    @override
    def layers(self, sizes: Sizes) -> list[Layer]:
        layers: list[Layer] = []
        for _ in range(sizes.depth):
            parts = (
                ScalarLSTM(sizes.width, self.heads, taps=self.taps, forget=self.forget),
                GatedFeedForward(sizes.width, sizes.second),
            )
            layers += [Residual(part, sizes.width) for part in parts]
        return layers
