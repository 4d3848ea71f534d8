"""Small charts of one run, as points for inline SVG: the loss in training, and where errors fall.

The page's template draws them in the page's own colours, so that they read by day and by night.
Coordinates are those of an SVG view box of `WIDE` by `HIGH`, y downwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, log2

import numpy as np
import pandas as pd

from .numbers import share, whole
from .runs import Run

WIDE, HIGH = 320.0, 96.0
BINS = 48


@dataclass(frozen=True)
class Bar:
    """One bar, from the foot up."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Sparkline:
    """A line, bars below it, and what its ends mean.

    Attributes
    ----------
    lines : list of str
        the points of unbroken lines, as SVG's ``points``.
    bars : list of Bar
    shade : Bar or None
        the training lengths, where the x axis is one of positions.
    left, right, top, bottom : str
        the values at the ends of the axes.
    words : str
        what is drawn, for who cannot see it.
    """

    lines: list[str]
    bars: list[Bar]
    shade: Bar | None
    left: str
    right: str
    top: str
    bottom: str
    words: str


def loss_line(run: Run) -> Sparkline | None:
    """The training loss against the step, from zero up; broken where it was not finite."""
    progress = run.progress
    finite = progress["loss"][np.isfinite(progress["loss"])]
    if len(finite) < 2:
        return None
    first, last = progress["step"].iloc[0], progress["step"].iloc[-1]
    top = max(float(finite.max()), 1e-12)
    x = (progress["step"] - first) / max(last - first, 1) * WIDE
    y = (1 - progress["loss"].clip(lower=0) / top) * HIGH
    return Sparkline(
        lines=unbroken(zip(x, y, strict=True)),
        bars=[],
        shade=None,
        left=f"step {whole(first)}",
        right=f"step {whole(last)}",
        top=f"{top:.3g}",
        bottom="0",
        words=f"Training loss from {finite.iloc[0]:.3g} to {finite.iloc[-1]:.3g}.",
    )


def position_line(run: Run) -> Sparkline | None:
    """Accuracy at each position of the longest words, and where their first errors fall.

    Positions lie on a logarithmic axis. In a bar are the words whose first error falls into its
    stretch of positions, as a share of all words.
    """
    if run.positions.empty:
        return None
    longest = run.positions["length"].max()
    places = run.positions[run.positions["length"] == longest]
    if len(places) < 2:
        return None
    low, high = int(places["position"].iloc[0]), int(places["position"].iloc[-1])
    span = log2(high / low)

    def across(place: float) -> float:
        return min(max(log2(place / low) / span, 0.0), 1.0) * WIDE

    stretches = places.groupby(stretch_of(places["position"], low, high))
    measured = run.curve.loc[run.curve["length"] == longest, "words"]
    words = int(measured.iloc[0]) if len(measured) else int(places["first_errors"].sum())
    points, bars = [], []
    for _, stretch in stretches:
        start, end = int(stretch["position"].iloc[0]), int(stretch["position"].iloc[-1])
        accuracy = float(stretch["accuracy"].mean())
        points.append((across((start * end) ** 0.5), (1 - accuracy) * HIGH))
        fallen = int(stretch["first_errors"].sum()) / max(words, 1)
        left, right = across(start - 0.5), across(end + 0.5)
        if fallen > 0:
            bars.append(Bar(left, HIGH * (1 - min(fallen, 1)), right - left, HIGH * min(fallen, 1)))
    train = [across(bound) for bound in run.train_lengths]
    return Sparkline(
        lines=unbroken(points),
        bars=bars,
        shade=Bar(train[0], 0, train[1] - train[0], HIGH),
        left=f"position {low}",
        right=f"position {whole(high)}",
        top="1",
        bottom="0",
        words=(
            f"In words of length {whole(longest)}: accuracy {share(places['accuracy'].iloc[0])} at"
            f" the first scored position, {share(places['accuracy'].iloc[-1])} at the last."
        ),
    )


def stretch_of(positions: pd.Series[int], low: int, high: int) -> pd.Series[int]:
    """Which of at most `BINS` stretches, equally long on a logarithmic axis, a position is in."""
    return positions.map(
        lambda place: min(BINS - 1, int(BINS * log2(place / low) / log2(high / low)))
    )


def unbroken(points: Iterable[tuple[float, float]]) -> list[str]:
    """The stretches of finite points, each as SVG takes them."""
    lines: list[list[str]] = [[]]
    for x, y in points:
        if isfinite(x) and isfinite(y):
            lines[-1].append(f"{x:.1f},{y:.1f}")
        elif lines[-1]:
            lines.append([])
    return [" ".join(line) for line in lines if line]
