"""The names of the positional encodings."""

from __future__ import annotations

from typing import Literal

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

PAIRWISE: tuple[Position, ...] = ("alibi", "relative", "t5", "transformer-xl")
"""Encodings that change the score of each pair; rope acts on queries and keys separately."""
