"""The whole design of a transformer as plain data, with every size of every block independent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flann.errors import UserError
from flann.models.core.experts import NO_EXPERTS, Mixture
from flann.models.core.feedforward import Activation
from flann.models.core.norms import NormKind

from .attention_options import FULL, AttentionOptions
from .looped import Loops
from .positions.names import Position

Norm = Literal["pre", "post", "none"]


@dataclass(frozen=True)
class Block:
    """One layer of a transformer: the heads of its attention, the width of its feed-forward part.

    Zero heads or a zero width omit the part. `causal` overrides the mask of the whole design.
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
        Width of the residual stream.
    blocks : tuple of Block
        The layers, each with its own sizes.
    causal : bool
        Whether a position attends only to itself and to earlier ones.
    position : Position
        The positional encoding.
    norm : 'pre', 'post' or 'none'
        Where the norm is applied in a layer; ``pre`` adds a final norm before the head.
    activation : Activation
        Activation of the feed-forward parts.
    bos : bool
        Whether every word is preceded by a symbol of the model's own.
    longest : int or None
        Number of positions, counting that symbol's, if there is a limit: the rows of a learned
        table, the columns of Linformer's projections, or the range of randomised positions.
    norm_kind : NormKind
        Which norm is applied.
    attention : AttentionOptions
        The kind of attention and its options.
    distance : int or None
        The largest distance that ``relative`` and ``t5`` positions distinguish.
    interpolation : float or None
        Factor by which positions are divided before rope's rotation.
    randomised : bool
        Whether positions are drawn at random.
    loops : int or 'log'
        How many times all blocks are applied.
    mixture : Mixture
        The mixture of experts in every feed-forward part, if any; the block gives their width.
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
    attention: AttentionOptions = FULL
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
        """The family that theory speaks of, which attention, positions, mask and depth determine.

        Results about attention to every key do not carry over to attention to some of them, so the
        other kinds are separate families, of which theory knows nothing. The exception is causal
        kernel attention without positions, which is linear attention.
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
        """Whether the number of positions is limited."""
        return self.randomised or self.position == "learned" or self.attention.kind == "linformer"

    @property
    def longest_word(self) -> int | None:
        """The length of the longest word, not counting the model's own first symbol."""
        return None if self.longest is None else self.longest - self.bos
