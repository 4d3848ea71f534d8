"""Where a symbol stands, told to a transformer, which otherwise sees a bag of earlier symbols.

At position t, with head width or model width d and frequencies ω_i = 10000^(-2i/d)::

    none         nothing (a causal mask alone still tells how many symbols came before)
    sinusoidal   x_t + (sin ω_0 t, cos ω_0 t, sin ω_1 t, ...)            Vaswani 2017, 1706.03762
    learned      x_t + P[t], a trained table with a last row
    rope         query and key pairs turned by the angle ω_i t           Su 2021, 2104.09864
    alibi        score(i, j) - m_h |i - j|, slope m_h = 2^(-8h/H)        Press 2022, 2108.12409

The default is rope: it is what most present models use, scores depend on distances alone, it has
no table to run out of, and unlike ALiBi it does not build in that near symbols matter most.
"""

from __future__ import annotations

from math import log
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .sequence import Layer, State

Position = Literal["none", "sinusoidal", "learned", "rope", "alibi"]


class AddedPositions(Layer):
    """What sinusoidal and learned positions share: a vector for each place, added to the stream."""

    def vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        """The vectors of places `first` to `last` - 1, on the device and of the type of `like`."""
        raise NotImplementedError

    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        """The stream with places 0, 1, ... added."""
        return x + self.vectors(0, x.shape[1], x)

    def initial_state(self, batch_size: int) -> State:
        """The place of the next symbol."""
        return 0

    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """The stream with its place added."""
        return x + self.vectors(state, state + 1, x)[0], state + 1

    def state_size(self, length: int) -> int:
        """One: the place."""
        return 1


class Sinusoidal(AddedPositions):
    """Sines and cosines of geometrically falling frequencies."""

    def vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        """sin and cos of ω_i t, interleaved."""
        width = like.shape[-1]
        angles = turns(first, last, width + width % 2, like)
        both = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
        return both[:, :width].to(like.dtype)


class Learned(AddedPositions):
    """A trained vector for each of `longest` places."""

    undecayed = ("table",)

    def __init__(self, longest: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(longest, width))
        nn.init.normal_(self.table, std=0.02)

    def vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        """Rows of the table."""
        return self.table[first:last]


def turns(first: int, last: int, width: int, like: Tensor) -> Tensor:
    """The angles ω_i t of places `first` to `last` - 1, (places, width / 2), float32 or wider."""
    kind = torch.promote_types(like.dtype, torch.float32)
    places = torch.arange(first, last, device=like.device, dtype=kind)
    pairs = torch.arange(0, width, 2, device=like.device, dtype=kind)
    return places[:, None] * torch.exp(pairs * (-log(10_000.0) / width))


def turned(x: Float[Tensor, "*batch places width"], first: int) -> Tensor:
    """Rotary positions: pairs (x_i, x_{i + width/2}) turned by ω_i t, t from `first` on."""
    angles = turns(first, first + x.shape[-2], x.shape[-1], x)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def slopes(heads: int, like: Tensor) -> Tensor:
    """ALiBi's slope of each head: 2^(-8/H), 2^(-16/H), ..., 2^(-8).

    >>> slopes(4, torch.zeros(1)).tolist()
    [0.25, 0.0625, 0.015625, 0.00390625]
    """
    ranks = torch.arange(1, heads + 1, device=like.device, dtype=like.dtype)
    return torch.exp2(-8 * ranks / heads)
