"""Small charts of one run, as points for inline SVG: the training loss, and where errors occur.

The template of the page draws them in the page's own colours, which adapt to light and dark
screens. Coordinates are those of an SVG view box of `WIDE` by `HIGH`, with y downwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, log2

import numpy as np
import pandas as pd

from .number_format import format_share, format_whole
from .runs import Run

WIDE, HIGH = 320.0, 96.0
BINS = 48


@dataclass(frozen=True)
class Bar:
    """A rectangle, given by its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Sparkline:
    """A line with bars below it, and the labels at the ends of its axes.

    Attributes
    ----------
    lines : list of str
        The points of unbroken lines, in the format of SVG's ``points``.
    bars : list of Bar
    shade : Bar or None
        The training lengths, if the x axis is one of positions.
    left, right, top, bottom : str
        The labels at the ends of the axes.
    description : str
        The chart in words, for readers who cannot see it.
    """

    lines: list[str]
    bars: list[Bar]
    shade: Bar | None
    left: str
    right: str
    top: str
    bottom: str
    description: str


def build_loss_chart(run: Run) -> Sparkline | None:
    """Chart the training loss against the step, from zero up, with gaps where it was not finite."""
    progress = run.progress
    finite = progress["loss"][np.isfinite(progress["loss"])]
    if len(finite) < 2:
        return None
    first, last = progress["step"].iloc[0], progress["step"].iloc[-1]
    top = max(float(finite.max()), 1e-12)
    x = (progress["step"] - first) / max(last - first, 1) * WIDE
    y = (1 - progress["loss"].clip(lower=0) / top) * HIGH
    return Sparkline(
        lines=split_at_gaps(zip(x, y, strict=True)),
        bars=[],
        shade=None,
        left=f"step {format_whole(first)}",
        right=f"step {format_whole(last)}",
        top=f"{top:.3g}",
        bottom="0",
        description=f"Training loss from {finite.iloc[0]:.3g} to {finite.iloc[-1]:.3g}.",
    )


def build_position_chart(run: Run) -> Sparkline | None:
    """Chart the accuracy at each position of the longest words, and where their first errors occur.

    Positions lie on a logarithmic axis. The height of a bar is the share of words whose first error
    falls into its range of positions.
    """
    if run.positions.empty:
        return None
    longest = run.positions["length"].max()
    positions = run.positions[run.positions["length"] == longest]
    if len(positions) < 2:
        return None
    low, high = int(positions["position"].iloc[0]), int(positions["position"].iloc[-1])
    span = log2(high / low)

    def to_x(position: float) -> float:
        return min(max(log2(position / low) / span, 0.0), 1.0) * WIDE

    stretches = positions.groupby(assign_bins(positions["position"], low, high))
    measured = run.curve.loc[run.curve["length"] == longest, "words"]
    words = int(measured.iloc[0]) if len(measured) else int(positions["first_errors"].sum())
    points, bars = [], []
    for _, stretch in stretches:
        start, end = int(stretch["position"].iloc[0]), int(stretch["position"].iloc[-1])
        accuracy = float(stretch["accuracy"].mean())
        points.append((to_x((start * end) ** 0.5), (1 - accuracy) * HIGH))
        failed = int(stretch["first_errors"].sum()) / max(words, 1)
        left, right = to_x(start - 0.5), to_x(end + 0.5)
        if failed > 0:
            bars.append(Bar(left, HIGH * (1 - min(failed, 1)), right - left, HIGH * min(failed, 1)))
    first, last = (float(positions["accuracy"].iloc[i]) for i in (0, -1))
    train = [to_x(bound) for bound in run.train_lengths]
    return Sparkline(
        lines=split_at_gaps(points),
        bars=bars,
        shade=Bar(train[0], 0, train[1] - train[0], HIGH),
        left=f"position {low}",
        right=f"position {format_whole(high)}",
        top="1",
        bottom="0",
        description=(
            f"In words of length {format_whole(longest)}, the accuracy is {format_share(first)} at"
            f" the first scored position and {format_share(last)} at the last."
        ),
    )


def assign_bins(positions: pd.Series[int], low: int, high: int) -> pd.Series[int]:
    """Assign each position to one of at most `BINS` bins of equal width on a logarithmic axis."""
    return positions.map(
        lambda position: min(BINS - 1, int(BINS * log2(position / low) / log2(high / low)))
    )


def split_at_gaps(points: Iterable[tuple[float, float]]) -> list[str]:
    """Return the runs of consecutive finite points, in the format of SVG's ``points``."""
    lines: list[list[str]] = [[]]
    for x, y in points:
        if isfinite(x) and isfinite(y):
            lines[-1].append(f"{x:.1f},{y:.1f}")
        elif lines[-1]:
            lines.append([])
    return [" ".join(line) for line in lines if line]
