"""Where a symbol stands, told to a transformer, which otherwise sees a bag of earlier symbols.

At place t, with head width or model width d and frequencies ω_i = 10000^(-2i/d)::

    none            nothing (a causal mask alone still tells how many symbols came before)
    sinusoidal      x_t + (sin ω_0 t, cos ω_0 t, sin ω_1 t, ...)         Vaswani 2017, 1706.03762
    learned         x_t + P[t], a trained table with a last row
    binary          x_t + W (b_0, b_1, ...), the digits of t in base two, as -1 and 1
    rope            query and key pairs turned by the angle ω_i t        Su 2021, 2104.09864
    alibi           score(i, j) - m_h |i - j|, slope m_h = 2^(-8h/H)     Press 2022, 2108.12409
    relative        vectors for distances, added to keys and values      Shaw 2018, 1803.02155
    t5              a number for each distance and head, by buckets      Raffel 2020, 1910.10683
    transformer-xl  a trained map of sinusoids of the distance           Dai 2019, 1901.02860

The first four act on the stream and are here, as is what turns a vector; those that act on pairs
of positions are in `relative_positions`. Any of them can stand at places that are drawn
(`random_places`) instead of 0, 1, 2, ...

The default is rope: it is what most present models use, scores depend on distances alone, it has
no table to run out of, and unlike ALiBi it does not build in that near symbols matter most.
"""

from __future__ import annotations

from math import log
from typing import Literal

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from typing_extensions import override

from flann.models.core.layer import Layer, State

from .randomised_positions import IN_ORDER, Places

Position = Literal[
    "none",
    "sinusoidal",
    "learned",
    "binary",
    "rope",
    "alibi",
    "relative",
    "t5",
    "transformer-xl",
]
DIGITS = 32
"""Of a binary place: more than the words that any memory holds need."""


class AddedPositions(Layer):
    """What positions on the stream share: a vector for each place, added to it.

    Attributes
    ----------
    places : Places
        where the symbols of a word stand; 0, 1, 2, ... unless they are drawn.
    """

    places: Places = IN_ORDER

    def vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        """The vectors of symbols `first` to `last` - 1, on the device and of the type of `like`."""
        raise NotImplementedError

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        return x + self.vectors(0, x.shape[1], x)

    @override
    def initial_state(self, batch_size: int) -> State:
        return 0

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        return x + self.vectors(state, state + 1, x)[0], state + 1

    @override
    def state_size(self, length: int) -> int:
        return 1


class Sinusoidal(AddedPositions):
    """Sines and cosines of geometrically falling frequencies."""

    @override
    def vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        return sinusoids(self.places.at(first, last, like.device), like.shape[-1], like)


class Learned(AddedPositions):
    """A trained vector for each of `longest` places."""

    undecayed = ("table",)

    def __init__(self, longest: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(longest, width))
        nn.init.normal_(self.table, std=0.02)

    @override
    def vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        return self.table[self.places.rows(first, last, like.device)]


class Binary(AddedPositions):
    """A trained map of the place's digits in base two, the lowest first, as -1 and 1."""

    undecayed = ("digits",)

    def __init__(self, width: int) -> None:
        super().__init__()
        self.digits = nn.Parameter(torch.empty(DIGITS, width))
        nn.init.normal_(self.digits, std=0.02)

    @override
    def vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        places = self.places.at(first, last, like.device)
        bits = (places[:, None] >> torch.arange(DIGITS, device=like.device)) & 1
        return (2 * bits - 1).to(like.dtype) @ self.digits


def sinusoids(places: Tensor, width: int, like: Tensor) -> Tensor:
    """sin and cos of ω_i t, interleaved, (places, width)."""
    angles = turns(places, width + width % 2, like)
    both = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
    return both[:, :width].to(like.dtype)


def turns(places: Tensor, width: int, like: Tensor) -> Tensor:
    """The angles ω_i t of these places, (places, width / 2), float32 or wider."""
    kind = torch.promote_types(like.dtype, torch.float32)
    pairs = torch.arange(0, width, 2, device=like.device, dtype=kind)
    return places.to(kind)[:, None] * torch.exp(pairs * (-log(10_000.0) / width))


def turned(
    x: Float[Tensor, "*batch places width"], places: int | Integer[Tensor, " places"] | Tensor
) -> Tensor:
    """Rotary positions: pairs (x_i, x_{i + width/2}) turned by ω_i t.

    `places` says the t of each vector, or the first if they follow each other.
    """
    if isinstance(places, int):
        places = torch.arange(places, places + x.shape[-2], device=x.device)
    angles = turns(places, x.shape[-1], x)
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
