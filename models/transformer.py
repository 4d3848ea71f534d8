"""The transformer, every part of which can be chosen.

A layer is attention and a feed-forward part, each on the residual stream (see `flann.models.
attention`, `feedforward`, `positions`, and `Residual` in `flann.models.sequence` for the norm)::

    x = x + attention(norm(x));   x = x + feedforward(norm(x))            norm=pre, the default

`TransformerConfig` is the whole design written out, block by block, with nothing tied to anything
else: head width apart from model width, heads and feed-forward width of each block apart. The
registered `transformer` fills one in from a width and a feed-forward width; who has weights of
their own to put in fills one in by hand and calls `transformer_from`.

Vaswani et al. 2017, arXiv:1706.03762; pre-norm: Xiong et al. 2020, arXiv:2002.04745.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch

from flann.errors import UserError

from .architecture import Architecture, Sizes
from .attention import Attention
from .feedforward import Activation, FeedForward
from .positions import Learned, Position, Sinusoidal
from .registry import register
from .sequence import Description, Layer, Residual, SequenceModel

Norm = Literal["pre", "post", "none"]


@dataclass(frozen=True)
class Block:
    """One layer of a transformer: heads of its attention, width of its feed-forward part.

    Zero heads or a zero width leave the part out. Its mask is the whole design's unless it has one
    of its own.
    """

    heads: int
    head_width: int
    feedforward: int
    causal: bool | None = None


@dataclass(frozen=True)
class TransformerConfig:
    """A transformer's whole design.

    Attributes
    ----------
    width : int
        of the residual stream.
    blocks : tuple of Block
        the layers, each with sizes of its own.
    causal : bool
        whether a position sees only itself and what came before.
    position : Position
        none, sinusoidal, learned, rope or alibi.
    norm : 'pre', 'post' or 'none'
        where RMSNorm stands in a layer; pre adds one before the head.
    activation : 'relu' or 'gelu'
        of the feed-forward parts.
    bos : bool
        whether a symbol of the model's own stands before every word.
    longest : int or None
        how many rows a learned table of positions has, counting that symbol's.
    """

    width: int
    blocks: tuple[Block, ...]
    causal: bool = True
    position: Position = "rope"
    norm: Norm = "pre"
    activation: Activation = "gelu"
    bos: bool = False
    longest: int | None = None

    def __post_init__(self) -> None:
        if self.position == "learned" and self.longest is None:
            raise UserError("learned positions need a longest length")
        if self.position == "rope" and any(block.head_width % 2 for block in self.blocks):
            raise UserError("rotary positions turn pairs: expected an even head width")

    @property
    def family(self) -> str:
        """What theory calls it: positions and the mask decide what it can tell apart."""
        if self.causal:
            return "transformer-nope" if self.position == "none" else "transformer"
        return "transformer-equivariant" if self.position == "none" else "transformer-bidirectional"

    @property
    def longest_word(self) -> int | None:
        """The longest word it reads."""
        return None if self.longest is None else self.longest - self.bos


def transformer_from(
    config: TransformerConfig,
    *,
    symbols: int,
    labels: int,
    description: Description | None = None,
    seed: int | None = None,
) -> SequenceModel:
    """The model that a configuration describes.

    Parameters
    ----------
    config : TransformerConfig
    symbols, labels : int
        how many token ids come in and label ids go out.
    description : Description, optional
        what it says of itself; by default, what follows from the configuration.
    seed : int, optional
        of the weights; by default they come from torch's generator, for who sets them anyway.

    Examples
    --------
    >>> config = TransformerConfig(width=6, blocks=(Block(3, 5, 7), Block(1, 9, 0)),
    ...                            position="none", norm="none", activation="relu", bos=True)
    >>> model = transformer_from(config, symbols=2, labels=2)
    >>> model.family, [type(part.layer).__name__ for part in model.layers]
    ('transformer-nope', ['Attention', 'FeedForward', 'Attention'])
    """
    if seed is not None:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return transformer_from(config, symbols=symbols, labels=labels, description=description)
    return SequenceModel(
        symbols=symbols,
        labels=labels,
        width=config.width,
        layers=layers_of(config),
        description=description or _described(config),
        final_norm=config.norm == "pre",
        bos=config.bos,
    )


def layers_of(config: TransformerConfig) -> list[Layer]:
    """Positions added to the stream if they are, then attention and feed-forward in turn."""
    layers: list[Layer] = []
    if config.position == "sinusoidal":
        layers.append(Sinusoidal())
    if config.position == "learned":
        layers.append(Learned(config.longest or 0, config.width))
    for block in config.blocks:
        layers += [Residual(part, config.width, config.norm) for part in _parts(config, block)]
    return layers


def _parts(config: TransformerConfig, block: Block) -> list[Layer]:
    parts: list[Layer] = []
    if block.heads:
        parts.append(
            Attention(
                config.width,
                block.heads,
                block.head_width,
                causal=config.causal if block.causal is None else block.causal,
                position=config.position,
            )
        )
    if block.feedforward:
        parts.append(FeedForward(config.width, block.feedforward, config.activation))
    return parts


def _described(config: TransformerConfig) -> Description:
    sizes = {"width": config.width, "depth": len(config.blocks)}
    return Description(
        "transformer", config.family, config.causal, config.longest_word, {"lr": 1e-3}, sizes
    )


@register("transformer")
class Transformer(Architecture):
    """Transformer (Vaswani et al. 2017): softmax attention and feed-forward, parts by choice.

    Parameters
    ----------
    causal : bool
        whether a position sees only itself and what came before.
    position : Position
        none, sinusoidal, learned, rope or alibi.
    norm : 'pre', 'post' or 'none'
        where RMSNorm stands.
    activation : 'relu' or 'gelu'
        of the feed-forward parts.
    heads : int
        of each layer's attention.
    bos : bool
        whether a symbol of the model's own stands before every word.
    max_length : int
        the longest word with learned positions; their table counts as parameters.
    """

    knob = "feedforward"
    recipe = MappingProxyType({"lr": 1e-3, "steps": 4000})

    def __init__(
        self,
        *,
        causal: bool = True,
        position: Position = "rope",
        norm: Norm = "pre",
        activation: Activation = "gelu",
        heads: int = 4,
        bos: bool = False,
        max_length: int = 512,
    ) -> None:
        if heads < 1:
            raise UserError(f"transformer, option 'heads': expected 1 or more, got {heads}")
        if position == "learned" and max_length < 1:
            raise UserError(
                f"transformer, option 'max_length': expected 1 or more, got {max_length}"
            )
        self.position, self.norm, self.activation = position, norm, activation
        self.causal, self.heads, self.bos = causal, heads, bos
        self.longest = max_length if position == "learned" else None
        self.family = self.config(Sizes(2 * heads, 1, 1)).family
        self.width_step = 2 * heads  # heads share the width out, each an even part of it

    def customary(self, width: int) -> int:
        """A feed-forward four times as wide as the stream."""
        return 4 * width

    def config(self, sizes: Sizes) -> TransformerConfig:
        """The whole design at these sizes: every layer alike, the heads sharing the width."""
        block = Block(self.heads, sizes.width // self.heads, sizes.second)
        return TransformerConfig(
            width=sizes.width,
            blocks=(block,) * sizes.depth,
            causal=self.causal,
            position=self.position,
            norm=self.norm,
            activation=self.activation,
            bos=self.bos,
            longest=None if self.longest is None else self.longest + self.bos,
        )

    def layers(self, sizes: Sizes) -> list[Layer]:
        """Attention and feed-forward in turn."""
        return layers_of(self.config(sizes))

    def model(self, name: str, *, symbols: int, labels: int, sizes: Sizes) -> SequenceModel:
        """The whole model."""
        return transformer_from(
            self.config(sizes),
            symbols=symbols,
            labels=labels,
            description=self.description(name, sizes),
        )
