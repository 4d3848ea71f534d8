"""Construction of a positional encoding from its name."""

from __future__ import annotations

from .added import AddedPositions
from .alibi import Alibi
from .binary import Binary
from .learned import Learned
from .names import Position
from .relative import RelativePositions
from .rope import Rotary
from .shaw import Shaw
from .sinusoidal import Sinusoidal
from .t5_bias import T5Bias
from .transformer_xl import TransformerXL


def build_added_positions(
    position: Position, *, width: int, longest: int | None
) -> AddedPositions | None:
    """Build the encoding that is added to the stream; None if this one acts within attention.

    Parameters
    ----------
    position : Position
        Which encoding to build.
    width : int
        Width of the residual stream.
    longest : int or None
        Number of rows of a learned table.
    """
    if position == "sinusoidal":
        return Sinusoidal()
    if position == "learned":
        return Learned(longest or 0, width)
    return Binary(width) if position == "binary" else None


def build_relative_positions(
    position: Position,
    *,
    width: int,
    heads: int,
    head_width: int,
    causal: bool,
    distance: int | None = None,
    interpolation: float | None = None,
) -> RelativePositions:
    """Build the encoding's effect within attention, which is none if it is added to the stream.

    Parameters
    ----------
    position : Position
        Which encoding to build.
    width, heads, head_width, causal
        Sizes and mask of the attention layer.
    distance : int, optional
        D of ``relative`` (default 16) and ``t5`` (default 128).
    interpolation : float, optional
        s of ``rope`` (default 1).
    """
    options = {} if distance is None else {"distance": distance}
    if position == "rope":
        return Rotary() if interpolation is None else Rotary(interpolation)
    if position == "alibi":
        return Alibi(heads)
    if position == "relative":
        return Shaw(head_width, causal, **options)
    if position == "t5":
        return T5Bias(heads, causal, **options)
    if position == "transformer-xl":
        return TransformerXL(width, heads, head_width)
    return RelativePositions()
