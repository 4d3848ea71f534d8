"""The curves of a figure and what they are called: one per setting, with what became of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import Theme, colour, marker

LINE = 0.155  # inches a line of the legend takes
LETTER = 0.058  # inches a letter takes, on average
HANDLE = 0.5  # inches for the line before the words
MARGIN = 0.1


@dataclass(frozen=True)
class Curve:
    """One setting's looks and words."""

    setting: str
    words: str
    colour: str
    look: dict[str, Any]


def curves_of(table: pd.DataFrame, theme: Theme) -> list[Curve]:
    """One curve a setting and task label, in the order of the table.

    The same label on two tasks is the same model: it has one colour and one line in the legend.
    """
    labels = {label: number for number, label in enumerate(dict.fromkeys(table["label"]))}
    curves = []
    for setting, runs in table.groupby("setting", sort=False):
        label = runs["label"].iloc[0]
        number = labels[label]
        look = {
            "color": colour(number, theme),
            "marker": marker(number),
            "ms": 3.6,
            "mec": theme.paper,
            "mew": 0.5,
            "lw": 1.4,
        }
        note = outcome(runs.drop_duplicates("run"))
        words = f"{label} ({note})" if note else str(label)
        curves.append(Curve(str(setting), words, look["color"], look))
    return curves


def outcome(runs: pd.DataFrame) -> str:
    """What a reader must know of the runs behind a curve; nothing if all went well.

    >>> outcome(pd.DataFrame({"status": ["done", "diverged"], "length": [2, None]}))
    'median of 1 of 2 seeds: 1 diverged'
    """
    count = len(runs)
    without = int(runs["length"].isna().sum())
    stopped = int((runs["status"].eq("stopped") & runs["length"].notna()).sum())
    if count == 1:
        if without:
            return f"{runs['status'].iloc[0]}: no curve"
        return f"stopped at step {runs['step'].iloc[0]} of {runs['steps'].iloc[0]}" * stopped
    if without == count:
        return f"{count} seeds, all without a curve"
    seeds = (
        f"median of {count - without} of {count} seeds" if without else f"median of {count} seeds"
    )
    notes = [f"{without} diverged"] * bool(without) + [f"{stopped} stopped early"] * bool(stopped)
    return seeds + (": " + ", ".join(notes) if notes else "")


def entries(curves: list[Curve], width: float) -> list[tuple[Curve, str]]:
    """Each different text once, broken into lines that fit the width."""
    letters = int((width - HANDLE - 2 * MARGIN) / LETTER)
    unique = {curve.words: curve for curve in curves}
    return [(curve, "\n".join(wrap(words, letters))) for words, curve in unique.items()]


def columns_of(texts: list[str], width: float) -> int:
    """How many columns of the legend fit."""
    longest = max(len(line) for text in texts for line in text.split("\n"))
    return max(1, min(len(texts), int((width - MARGIN) / (HANDLE + LETTER * longest + 0.1))))


def legend_height(curves: list[Curve], width: float) -> float:
    """Inches that the legend takes at the foot of a figure of this width."""
    texts = [text for _, text in entries(curves, width)]
    lines = sum(text.count("\n") + 1 for text in texts)
    return LINE * -(-lines // columns_of(texts, width)) + 2 * MARGIN


def draw_legend(figure: Figure, curves: list[Curve], theme: Theme) -> None:
    """The legend at the foot, in words."""
    width = float(figure.get_figwidth())
    listed = entries(curves, width)
    texts = [text for _, text in listed]
    figure.legend(
        [Line2D([], [], **curve.look) for curve, _ in listed],
        [text if not text.startswith("_") else " " + text for text in texts],  # _ would hide it
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=columns_of(texts, width),
        frameon=False,
        fontsize=7,
        handlelength=2.2,
        labelspacing=0.45,
        borderaxespad=0.4,
        labelcolor=theme.ink,
    )
