"""The kinds of attention that a transformer can have, with their options.

::

    full        every key                                  `attention`, Vaswani et al. 2017
    log-length  every key, scores scaled by log n          `attention`, Chiang & Cholak 2022
    window      the last W keys and G global ones          `sparse`, Beltagy et al. 2020
    bigbird     neighbouring, first and random blocks      `sparse`, Zaheer et al. 2020
    linear      the kernel of elu(x) + 1                   `kernel`, Katharopoulos et al. 2020
    performer   an estimate of the softmax's kernel        `kernel`, Choromanski et al. 2021
    linformer   trained linear combinations of keys        `low_rank`, Wang et al. 2020
    nystrom     means of segments of the word              `low_rank`, Xiong et al. 2021

Multi-query and grouped-query attention (``key_heads``) combine with each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from flann.errors import UserError

from .attention import Attention, LogLength
from .kernel import KernelAttention, Performer
from .low_rank import Linformer, LowRankAttention, Nystrom
from .positions.names import PAIRWISE, Position
from .sparse import BigBird, SlidingWindow

AttentionKind = Literal[
    "full", "log-length", "window", "bigbird", "linear", "performer", "linformer", "nystrom"
]
LAYERS: dict[str, type[Attention]] = {
    "full": Attention,
    "log-length": LogLength,
    "window": SlidingWindow,
    "bigbird": BigBird,
    "linear": KernelAttention,
    "performer": Performer,
    "linformer": Linformer,
    "nystrom": Nystrom,
}
OPTIONS: dict[str, tuple[str, ...]] = {
    "window": ("window", "global_tokens"),
    "bigbird": ("block", "random_blocks", "seed"),
    "performer": ("features",),
    "linformer": ("rank",),
    "nystrom": ("landmarks",),
}


@dataclass(frozen=True)
class AttentionOptions:
    """A kind of attention and its options; None stands for the default of the kind.

    Attributes
    ----------
    kind : AttentionKind
        Which attention it is.
    key_heads : int, optional
        Number of key and value heads; by default, as many as query heads.
    window, global_tokens : int, optional
        Of ``window``: the window's width, and the number of first symbols that attend to all
        symbols and that all attend to.
    block, random_blocks, seed : int, optional
        Of ``bigbird``: the number of symbols in a block, the number of random blocks that each
        block sees, and the seed from which they are drawn.
    features : int, optional
        Of ``performer``: the number of random features.
    rank : int, optional
        Of ``linformer``: the number of linear combinations.
    landmarks : int, optional
        Of ``nystrom``: the number of segments.
    """

    kind: AttentionKind = "full"
    key_heads: int | None = None
    window: int | None = None
    global_tokens: int | None = None
    block: int | None = None
    random_blocks: int | None = None
    seed: int | None = None
    features: int | None = None
    rank: int | None = None
    landmarks: int | None = None

    def __post_init__(self) -> None:
        for kind, names in OPTIONS.items():
            for name in names:
                if kind != self.kind and getattr(self, name) is not None:
                    raise UserError(f"option {name!r} is for attention={kind}, not {self.kind}")

    @property
    def explicit(self) -> dict[str, int]:
        """The options that differ from None."""
        names = ("key_heads", *OPTIONS.get(self.kind, ()))
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def check(self, *, causal: bool, position: Position) -> None:
        """Refuse a mask or a positional encoding that this kind of attention does not support.

        Raises
        ------
        UserError
            If the kind does not support them; the message says which it supports.
        """
        if causal and issubclass(LAYERS[self.kind], LowRankAttention):
            raise UserError(
                f"attention={self.kind} mixes the whole word before it looks: expected causal=false"
            )
        if position in PAIRWISE and issubclass(
            LAYERS[self.kind], (KernelAttention, LowRankAttention)
        ):
            raise UserError(
                f"attention={self.kind} never forms the score of a pair, which position={position}"
                " changes: expected position=none, sinusoidal, learned, binary or rope"
            )

    def build_layer(
        self, width: int, heads: int, head_width: int, *, longest: int | None, **others: Any
    ) -> Attention:
        """Build the layer; `others` are the parameters that every `Attention` has."""
        options: dict[str, Any] = dict(self.explicit)
        if self.kind == "linformer":
            options["longest"] = longest or 0
        return LAYERS[self.kind](width, heads, head_width, **options, **others)


FULL = AttentionOptions()
