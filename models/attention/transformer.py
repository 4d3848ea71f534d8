"""The transformer, every part of which can be chosen.

A layer is attention and a feed-forward part, each on the residual stream (see `flann.models.
attention_kinds`, `positions`, `feedforward`, `norms`, and `Residual` in `flann.models.core.sequence` for
where the norm stands)::

    x = x + attention(norm(x));   x = x + feedforward(norm(x))            norm=pre, the default

A feed-forward part can be a mixture of experts (`experts`), each with the activation that it would
have alone; attention, and with it what theory says, is the same.

All layers together can be gone through several times with the same weights (`looped`), and the
symbols of a word can stand at places that are drawn (`random_places`). Parts combine freely; what
cannot combine says why.

`TransformerConfig` is the whole design written out, block by block, with nothing tied to anything
else: head width apart from model width, heads and feed-forward width of each block apart. The
registered `transformer` fills one in from a width and a feed-forward width; who has weights of
their own to put in fills one in by hand and calls `transformer_from`.

Vaswani et al. 2017, arXiv:1706.03762; pre-norm: Xiong et al. 2020, arXiv:2002.04745.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Literal

import torch
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.experts import NO_EXPERTS, Mixture
from flann.models.core.feedforward import Activation, build_feedforward, default_inner_width
from flann.models.core.layer import Layer, Residual
from flann.models.core.norms import NormKind
from flann.models.core.registry import register
from flann.models.core.sequence import Description, SequenceModel

from .kinds import FULL, AttentionChoice, AttentionKind
from .looped import Looped, Loops
from .positions import AddedPositions, Binary, Learned, Position, Sinusoidal
from .randomised_positions import IN_ORDER, Places, RandomPlaces
from .relative_positions import pair_positions

Norm = Literal["pre", "post", "none"]
MAX_LENGTH = 512


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
        what tells it where a symbol stands.
    norm : 'pre', 'post' or 'none'
        where a norm stands in a layer; pre adds one before the head.
    activation : Activation
        of the feed-forward parts.
    bos : bool
        whether a symbol of the model's own stands before every word.
    longest : int or None
        how many places there are, counting that symbol's, where there is a last one: rows of a
        learned table, columns of Linformer's mixtures, what randomised places are drawn from.
    norm_kind : NormKind
        which norm it is.
    attention : AttentionChoice
        which keys a query sees and how, with the options of that.
    distance : int or None
        the greatest that relative and t5 positions tell apart.
    interpolation : float or None
        by how much places are divided before rope turns.
    randomised : bool
        whether places are drawn.
    loops : int or 'log'
        how many times all blocks are gone through.
    mixture : Mixture
        of experts, which every feed-forward part is if it has any; their width is the block's.
    """

    width: int
    blocks: tuple[Block, ...]
    causal: bool = True
    position: Position = "rope"
    norm: Norm = "pre"
    activation: Activation = "gelu"
    bos: bool = False
    longest: int | None = None
    norm_kind: NormKind = "rms"
    attention: AttentionChoice = FULL
    distance: int | None = None
    interpolation: float | None = None
    randomised: bool = False
    loops: Loops = 1
    mixture: Mixture = NO_EXPERTS

    def __post_init__(self) -> None:
        self.mixture.check("transformer")
        self.attention.check(causal=self.causal, position=self.position)
        if self.needs_longest and self.longest is None:
            raise UserError("learned or randomised positions and Linformer need a longest length")
        if self.randomised and self.position == "none":
            raise UserError("position=none: there are no positions to be randomised")
        if self.distance is not None and self.position not in ("relative", "t5"):
            raise UserError(f"option 'distance' is for relative and t5, not {self.position}")
        if self.interpolation is not None and self.position != "rope":
            raise UserError(f"option 'interpolation' is for rope, not {self.position}")
        if self.norm == "none" and self.norm_kind != "rms":
            raise UserError(f"norm=none: there is no norm to be norm_kind={self.norm_kind}")
        if self.loops != "log" and self.loops < 1:
            raise UserError(f"loops {self.loops}: expected 1 or more, or log")
        if self.position == "rope" and any(block.head_width % 2 for block in self.blocks):
            raise UserError("rotary positions turn pairs: expected an even head width")

    @property
    def family(self) -> str:
        """What theory calls it: attention, positions, mask and depth decide what it can tell apart.

        What is proven of attention to every key is not proven of less, so that the other kinds are
        families of their own, of which theory is silent; a sum of outer products is a known one.
        """
        kind = self.attention.kind
        if kind in ("linear", "performer") and self.causal and self.position == "none":
            return "linear-attention"
        if kind not in ("full", "log-length"):
            return f"transformer-{kind}"
        if self.loops == "log" and (self.causal or self.position != "none"):
            return "transformer-looped"
        if self.causal:
            return "transformer-nope" if self.position == "none" else "transformer"
        return "transformer-equivariant" if self.position == "none" else "transformer-bidirectional"

    @property
    def needs_longest(self) -> bool:
        """Whether it has a last place."""
        return self.randomised or self.position == "learned" or self.attention.kind == "linformer"

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
        norm_kind=config.norm_kind,
        bos=config.bos,
    )


def layers_of(config: TransformerConfig) -> list[Layer]:
    """Positions added to the stream if they are, then attention and feed-forward in turn."""
    layers: list[Layer] = []
    places = IN_ORDER
    if config.randomised:
        layers.append(drawn := RandomPlaces(config.longest or 0))
        places = drawn.places
    if added := _added(config):
        added.places = places
        layers.append(added)
    blocks: list[Layer] = [
        Residual(part, config.width, config.norm, config.norm_kind)
        for block in config.blocks
        for part in _parts(config, block, places)
    ]
    return layers + (blocks if config.loops == 1 else [Looped(blocks, config.loops)])


def _added(config: TransformerConfig) -> AddedPositions | None:
    if config.position == "sinusoidal":
        return Sinusoidal()
    if config.position == "learned":
        return Learned(config.longest or 0, config.width)
    return Binary(config.width) if config.position == "binary" else None


def _parts(config: TransformerConfig, block: Block, places: Places) -> list[Layer]:
    parts: list[Layer] = []
    if block.heads:
        parts.append(_attention(config, block, places))
    if block.feedforward:
        parts.append(_feedforward(config, block))
    return parts


def _feedforward(config: TransformerConfig, block: Block) -> Layer:
    if config.mixture.experts:
        return config.mixture.layer(config.width, block.feedforward, config.activation)
    return build_feedforward(config.width, block.feedforward, config.activation)


def _attention(config: TransformerConfig, block: Block, places: Places) -> Layer:
    causal = config.causal if block.causal is None else block.causal
    config.attention.check(causal=causal, position=config.position)
    pairs = partial(
        pair_positions,
        config.position,
        width=config.width,
        heads=block.heads,
        head_width=block.head_width,
        causal=causal,
        distance=config.distance,
        interpolation=config.interpolation,
    )
    return config.attention.layer(
        config.width,
        block.heads,
        block.head_width,
        longest=config.longest,
        causal=causal,
        position=pairs,
        places=places,
    )


def _described(config: TransformerConfig) -> Description:
    sizes = {"width": config.width, "depth": len(config.blocks)}
    return Description(
        "transformer", config.family, config.causal, config.longest_word, {"lr": 1e-3}, sizes
    )


@register("transformer")
class Transformer(Architecture):
    """Transformer (Vaswani et al. 2017): attention and feed-forward, every part by choice.

    Parameters
    ----------
    causal : bool
        whether a position sees only itself and what came before.
    position : Position
        what tells it where a symbol stands (`flann.models.attention.positions`).
    norm : 'pre', 'post' or 'none'
        where a norm stands.
    activation : Activation
        of the feed-forward parts.
    heads : int
        of each layer's attention.
    bos : bool
        whether a symbol of the model's own stands before every word.
    max_length : int
        the longest word with learned or randomised positions or Linformer; its table counts as
        parameters.
    attention : AttentionKind
        which keys a query sees, and how (`flann.models.attention.kinds`).
    key_heads : int, optional
        how many heads keys and values have: 1 is multi-query attention, more is grouped-query.
    norm_kind : NormKind
        which norm it is.
    randomised : bool
        whether a word's symbols stand at places drawn from `max_length` of them.
    distance : int, optional
        the greatest that relative positions (16) and t5's (128) tell apart.
    interpolation : float, optional
        by how much places are divided before rope turns.
    loops : int or 'log'
        how many times the layers are gone through; ``log`` is log2 of the word's length.
    experts : int
        how many experts every feed-forward part has; 0 for none.
    chosen : int
        how many of them a symbol uses.
    balance : float
        weight of the experts' balance loss.
    window, global_tokens, block, random_blocks, pattern, features, rank, landmarks : int, optional
        of some kinds of attention (`AttentionChoice`).
    """

    second_size_name = "feedforward"
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
        max_length: int = MAX_LENGTH,
        attention: AttentionKind = "full",
        key_heads: int | None = None,
        norm_kind: NormKind = "rms",
        randomised: bool = False,
        distance: int | None = None,
        interpolation: float | None = None,
        loops: int | Literal["log"] = 1,
        experts: int = 0,
        chosen: int = 2,
        balance: float = 0.01,
        window: int | None = None,
        global_tokens: int | None = None,
        block: int | None = None,
        random_blocks: int | None = None,
        pattern: int | None = None,
        features: int | None = None,
        rank: int | None = None,
        landmarks: int | None = None,
    ) -> None:
        for option, value in (("heads", heads), ("max_length", max_length)):
            if value < 1:
                raise UserError(f"transformer, option {option!r}: expected 1 or more, got {value}")
        self.design = TransformerConfig(
            width=0,
            blocks=(),
            causal=causal,
            position=position,
            norm=norm,
            activation=activation,
            bos=bos,
            longest=max_length + bos,
            norm_kind=norm_kind,
            attention=AttentionChoice(
                attention,
                key_heads,
                window,
                global_tokens,
                block,
                random_blocks,
                pattern,
                features,
                rank,
                landmarks,
            ),
            distance=distance,
            interpolation=interpolation,
            randomised=randomised,
            loops=loops,
            mixture=Mixture(experts, chosen, balance),
        )
        if not self.design.needs_longest:
            if max_length != MAX_LENGTH:
                raise UserError(
                    "option 'max_length' is for learned or randomised positions and Linformer:"
                    " other transformers have no last place"
                )
            self.design = replace(self.design, longest=None)
        self.causal, self.heads, self.family = causal, heads, self.design.family
        self.longest = self.design.longest_word
        self.width_step = 2 * heads  # heads share the width out, each an even part of it
        with torch.device("meta"):
            self.build_layers(Sizes(self.width_step, 1, 1))  # what cannot be built says so now

    @override
    def default_second_size(self, width: int) -> int:
        """A feed-forward four times as wide as the stream, or as many parameters' worth.

        Each expert of a mixture is as wide as that, as in the hybrids.
        """
        return default_inner_width(width, self.design.activation)

    def config(self, sizes: Sizes) -> TransformerConfig:
        """The whole design at these sizes: every layer alike, the heads sharing the width."""
        block = Block(self.heads, sizes.width // self.heads, sizes.second_size)
        return replace(self.design, width=sizes.width, blocks=(block,) * sizes.depth)

    @override
    def build_layers(self, sizes: Sizes) -> list[Layer]:
        return layers_of(self.config(sizes))

    @override
    def build_model(self, name: str, *, symbols: int, labels: int, sizes: Sizes) -> SequenceModel:
        return transformer_from(
            self.config(sizes),
            symbols=symbols,
            labels=labels,
            description=self.describe(name, sizes),
        )
