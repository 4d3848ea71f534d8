"""Which attention a transformer has, and the options that go with it.

::

    full        every key                                  `attention`, Vaswani et al. 2017
    log-length  every key, scores times log n              `attention`, Chiang & Cholak 2022
    window      the last W keys, and G global ones         `sparse_attention`, Beltagy et al. 2020
    bigbird     neighbouring, first and random blocks      `sparse_attention`, Zaheer et al. 2020
    linear      a kernel of elu(x) + 1                     `kernel_attention`, Katharopoulos 2020
    performer   a kernel that estimates the softmax's      `kernel_attention`, Choromanski 2021
    linformer   mixtures of keys, trained for each place   `low_rank_attention`, Wang et al. 2020
    nystrom     means of segments of the word              `low_rank_attention`, Xiong et al. 2021

``key_heads`` (multi-query and grouped-query attention) goes with each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from flann.errors import UserError

from .attention import Attention, LogLength
from .kernel import LinearAttention, Performer
from .low_rank import Linformer, Nystrom
from .positions import Position
from .relative_positions import ON_PAIRS
from .sparse import BigBird, SlidingWindow

AttentionKind = Literal[
    "full", "log-length", "window", "bigbird", "linear", "performer", "linformer", "nystrom"
]
LAYERS: dict[str, type[Attention]] = {
    "full": Attention,
    "log-length": LogLength,
    "window": SlidingWindow,
    "bigbird": BigBird,
    "linear": LinearAttention,
    "performer": Performer,
    "linformer": Linformer,
    "nystrom": Nystrom,
}
OPTIONS: dict[str, tuple[str, ...]] = {
    "window": ("window", "global_tokens"),
    "bigbird": ("block", "random_blocks", "pattern"),
    "performer": ("features",),
    "linformer": ("rank",),
    "nystrom": ("landmarks",),
}
WITHOUT_PAIRS = ("linear", "performer", "linformer", "nystrom")
WHOLE_WORD = ("linformer", "nystrom")


@dataclass(frozen=True)
class AttentionChoice:
    """A kind of attention and its options; None is the kind's own default.

    Attributes
    ----------
    kind : AttentionKind
    key_heads : int, optional
        how many heads keys and values have; as many as queries by default.
    window, global_tokens : int, optional
        of ``window``: how far back, and how many first symbols see all and are seen by all.
    block, random_blocks, pattern : int, optional
        of ``bigbird``: symbols in a block, how many random ones, and the seed that draws them.
    features : int, optional
        of ``performer``: how many random ones.
    rank : int, optional
        of ``linformer``: how many mixtures.
    landmarks : int, optional
        of ``nystrom``: how many segments.
    """

    kind: AttentionKind = "full"
    key_heads: int | None = None
    window: int | None = None
    global_tokens: int | None = None
    block: int | None = None
    random_blocks: int | None = None
    pattern: int | None = None
    features: int | None = None
    rank: int | None = None
    landmarks: int | None = None

    def __post_init__(self) -> None:
        for kind, names in OPTIONS.items():
            for name in names:
                if kind != self.kind and getattr(self, name) is not None:
                    raise UserError(f"option {name!r} is for attention={kind}, not {self.kind}")

    @property
    def options(self) -> dict[str, int]:
        """Those that were chosen."""
        names = ("key_heads", *OPTIONS.get(self.kind, ()))
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def check(self, *, causal: bool, position: Position) -> None:
        """Refuse a mask or positions that do not go with this attention."""
        if causal and self.kind in WHOLE_WORD:
            raise UserError(
                f"attention={self.kind} mixes the whole word before it looks: expected causal=false"
            )
        if position in ON_PAIRS and self.kind in WITHOUT_PAIRS:
            raise UserError(
                f"attention={self.kind} never forms the score of a pair, which position={position}"
                " changes: expected position=none, sinusoidal, learned, binary or rope"
            )

    def layer(
        self, width: int, heads: int, head_width: int, *, longest: int | None, **others: Any
    ) -> Attention:
        """The layer; `others` are the parameters that every `Attention` has."""
        chosen: dict[str, Any] = dict(self.options)
        if self.kind == "linformer":
            chosen["longest"] = longest or 0
        return LAYERS[self.kind](width, heads, head_width, **chosen, **others)


FULL = AttentionChoice()
