"""The transformer, with every part optional.

A layer is attention and a feed-forward part, each on the residual stream::

    x = x + attention(norm(x));   x = x + feedforward(norm(x))            norm=pre, the default

The parts are in `flann.models.attention.attention_options`, `flann.models.attention.positions`,
`flann.models.core.feedforward` and `flann.models.core.norms`; `Residual` in
`flann.models.core.layer` places the norm. A feed-forward part can be a mixture of experts
(`flann.models.core.experts`), which does not change the family that theory speaks of. All layers
together can be applied several times with the same weights (`looped`), and positions can be drawn
at random (`positions.randomised`). Parts combine freely, and an error explains what cannot combine.

`TransformerConfig` describes a whole design, block by block, with all sizes independent. The
registered `transformer` derives one from a width and a feed-forward width. To set weights by hand,
write a configuration and call `build_transformer`.

Vaswani et al. 2017, arXiv:1706.03762; pre-norm: Xiong et al. 2020, arXiv:2002.04745.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Literal

import torch
from typing_extensions import override

from flann.errors import UserError
from flann.models.core.architecture import Architecture, Sizes
from flann.models.core.experts import Mixture
from flann.models.core.feedforward import Activation, build_feedforward, default_inner_width
from flann.models.core.layer import Layer, Residual
from flann.models.core.norms import NormKind
from flann.models.core.registry import register
from flann.models.core.sequence import Description, SequenceModel

from .attention_options import AttentionKind, AttentionOptions
from .looped import Looped
from .positions.build import build_added_positions, build_relative_positions
from .positions.names import Position
from .positions.randomised import CONSECUTIVE, PositionMap, RandomisedPositions
from .transformer_config import Block, Norm, TransformerConfig

MAX_LENGTH = 512


def build_transformer(
    config: TransformerConfig,
    *,
    symbols: int,
    labels: int,
    description: Description | None = None,
    seed: int | None = None,
) -> SequenceModel:
    """Build the model that a configuration describes.

    Parameters
    ----------
    config : TransformerConfig
        The whole design.
    symbols, labels : int
        Number of input symbols and of output labels.
    description : Description, optional
        The model's description; by default, it follows from the configuration.
    seed : int, optional
        Random seed of the weights; by default they are drawn from torch's global generator.

    Examples
    --------
    >>> config = TransformerConfig(width=6, blocks=(Block(3, 5, 7), Block(1, 9, 0)),
    ...                            position="none", norm="none", activation="relu", bos=True)
    >>> model = build_transformer(config, symbols=2, labels=2)
    >>> model.family, [type(part.layer).__name__ for part in model.layers]
    ('transformer-nope', ['Attention', 'FeedForward', 'Attention'])
    """
    if seed is not None:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return build_transformer(
                config, symbols=symbols, labels=labels, description=description
            )
    return SequenceModel(
        symbols=symbols,
        labels=labels,
        width=config.width,
        layers=build_transformer_layers(config),
        description=description or _describe(config),
        final_norm=config.norm == "pre",
        norm_kind=config.norm_kind,
        bos=config.bos,
    )


def build_transformer_layers(config: TransformerConfig) -> list[Layer]:
    """Build the positional encoding, then attention and feed-forward parts in turn."""
    layers: list[Layer] = []
    position_map = CONSECUTIVE
    if config.randomised:
        layers.append(randomised := RandomisedPositions(config.longest or 0))
        position_map = randomised.position_map
    added = build_added_positions(config.position, width=config.width, longest=config.longest)
    if added is not None:
        added.position_map = position_map
        layers.append(added)
    blocks: list[Layer] = [
        Residual(part, config.width, config.norm, config.norm_kind)
        for block in config.blocks
        for part in _build_parts(config, block, position_map)
    ]
    return layers + (blocks if config.loops == 1 else [Looped(blocks, config.loops)])


def _build_parts(config: TransformerConfig, block: Block, position_map: PositionMap) -> list[Layer]:
    parts: list[Layer] = []
    if block.heads:
        parts.append(_build_attention(config, block, position_map))
    if block.feedforward:
        parts.append(_build_feedforward(config, block))
    return parts


def _build_feedforward(config: TransformerConfig, block: Block) -> Layer:
    if config.mixture.experts:
        return config.mixture.build_layer(config.width, block.feedforward, config.activation)
    return build_feedforward(config.width, block.feedforward, config.activation)


def _build_attention(config: TransformerConfig, block: Block, position_map: PositionMap) -> Layer:
    causal = config.causal if block.causal is None else block.causal
    config.attention.check(causal=causal, position=config.position)
    position = partial(
        build_relative_positions,
        config.position,
        width=config.width,
        heads=block.heads,
        head_width=block.head_width,
        causal=causal,
        distance=config.distance,
        interpolation=config.interpolation,
    )
    return config.attention.build_layer(
        config.width,
        block.heads,
        block.head_width,
        longest=config.longest,
        causal=causal,
        position=position,
        position_map=position_map,
    )


def _describe(config: TransformerConfig) -> Description:
    sizes = {"width": config.width, "depth": len(config.blocks)}
    return Description(
        "transformer", config.family, config.causal, config.longest_word, {"lr": 1e-3}, sizes
    )


@register("transformer", renamed={"chosen": "top_k", "pattern": "seed"})
class Transformer(Architecture):
    """Transformer (Vaswani et al. 2017): attention and feed-forward, every part by choice.

    Parameters
    ----------
    causal : bool
        Whether a position attends only to itself and to earlier ones.
    position : Position
        The positional encoding (`flann.models.attention.positions`).
    norm : 'pre', 'post' or 'none'
        Where the norm is applied.
    activation : Activation
        Activation of the feed-forward parts.
    heads : int
        Number of heads of each layer's attention.
    bos : bool
        Whether every word is preceded by a symbol of the model's own.
    max_length : int
        Length of the longest word with learned or randomised positions or Linformer; a table of
        this length counts as parameters.
    attention : AttentionKind
        The kind of attention (`flann.models.attention.attention_options`).
    key_heads : int, optional
        Number of key and value heads: 1 is multi-query attention, more is grouped-query attention.
    norm_kind : NormKind
        Which norm is applied.
    randomised : bool
        Whether positions are drawn at random from `max_length` of them.
    distance : int, optional
        The largest distance that ``relative`` (16) and ``t5`` (128) positions distinguish.
    interpolation : float, optional
        Factor by which positions are divided before rope's rotation.
    loops : int or 'log'
        How many times the layers are applied; ``log`` is log2 of the word's length.
    experts : int
        Number of experts in every feed-forward part; 0 for none.
    top_k : int
        Number of experts that each symbol uses.
    balance : float
        Weight of the experts' balance loss.
    window, global_tokens, block, random_blocks, seed, features, rank, landmarks : int, optional
        Options of single kinds of attention (`AttentionOptions`).
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
        top_k: int = 2,
        balance: float = 0.01,
        window: int | None = None,
        global_tokens: int | None = None,
        block: int | None = None,
        random_blocks: int | None = None,
        seed: int | None = None,
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
            attention=AttentionOptions(
                attention,
                key_heads,
                window,
                global_tokens,
                block,
                random_blocks,
                seed,
                features,
                rank,
                landmarks,
            ),
            distance=distance,
            interpolation=interpolation,
            randomised=randomised,
            loops=loops,
            mixture=Mixture(experts, top_k, balance),
        )
        if not self.design.needs_longest:
            if max_length != MAX_LENGTH:
                raise UserError(
                    "option 'max_length' is for learned or randomised positions and Linformer:"
                    " other transformers have no limit"
                )
            self.design = replace(self.design, longest=None)
        self.causal, self.heads, self.family = causal, heads, self.design.family
        self.longest = self.design.longest_word
        self.width_step = 2 * heads  # an even head width
        with torch.device("meta"):
            self.build_layers(Sizes(self.width_step, 1, 1))  # raise errors about options at once

    @override
    def default_second_size(self, width: int) -> int:
        """Return the usual feed-forward width, which is also the width of each expert."""
        return default_inner_width(width, self.design.activation)

    def configure(self, sizes: Sizes) -> TransformerConfig:
        """Return the design at these sizes: identical layers whose heads share the width."""
        block = Block(self.heads, sizes.width // self.heads, sizes.second_size)
        return replace(self.design, width=sizes.width, blocks=(block,) * sizes.depth)

    @override
    def build_layers(self, sizes: Sizes) -> list[Layer]:
        return build_transformer_layers(self.configure(sizes))

    @override
    def build_model(self, name: str, *, symbols: int, labels: int, sizes: Sizes) -> SequenceModel:
        return build_transformer(
            self.configure(sizes),
            symbols=symbols,
            labels=labels,
            description=self.describe(name, sizes),
        )
