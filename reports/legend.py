"""The curves of a figure and what they are called: one per setting, with how its runs ended."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from .style import Theme, colour, marker

LETTERS = (56, 48, 40, 30)  # where an entry is broken into lines: the most that fits
MARGIN = 0.06  # inches to the left and below


@dataclass(frozen=True)
class Curve:
    """One setting of one task: its words, whether it has a curve at all, and its looks.

    `shift` sets it aside by some points, so that curves which coincide (all at 1) are all seen.
    """

    setting: str
    words: str
    drawn: bool
    shift: float
    look: dict[str, Any]


def curves_of(table: pd.DataFrame, theme: Theme) -> list[Curve]:
    """One curve a setting, in the order of the table.

    One label on two tasks is the same model: it has one colour, and one entry in the legend if its
    runs ended alike.
    """
    drawn = list(dict.fromkeys(table.loc[table["length"].notna(), "label"]))
    counted = say_seeds(table) is None
    curves = []
    for setting, points in table.groupby("setting", sort=False):
        label = str(points["label"].iloc[0])
        number = drawn.index(label) if label in drawn else 0
        runs = points.drop_duplicates("run")
        note = outcome(runs, counted=counted)
        curves.append(
            Curve(
                setting=str(setting),
                words=f"{label} ({note})" if note else label,
                drawn=bool(runs["length"].notna().any()),
                shift=aside(number, len(drawn)),
                look={"color": colour(number, theme), "mec": theme.paper, **marker(number)},
            )
        )
    return curves


def aside(number: int, count: int) -> float:
    """By how many points the curve of this number is set aside: at most 3.5 either way."""
    step = min(1.8, 7 / max(count - 1, 1))
    return (number - (count - 1) / 2) * step


def say_seeds(table: pd.DataFrame) -> str | None:
    """What lines mean, in one note for the figure; None where each entry must say it."""
    counts = set(table.groupby("setting")["run"].nunique())
    if counts == {1}:
        return ""
    if len(counts) == 1:
        return f"Thick: median of {counts.pop()} seeds. Thin: each seed."
    return None


def outcome(runs: pd.DataFrame, *, counted: bool = False) -> str:
    """What a reader must know of the runs behind a curve; nothing if all went well.

    >>> outcome(pd.DataFrame({"status": ["done", "diverged"], "length": [2, None]}))
    '1 of 2 diverged'
    """
    count = len(runs)
    missing = runs["length"].isna()
    failed = list(dict.fromkeys(runs.loc[missing, "status"]))
    stopped = runs[runs["status"].eq("stopped") & ~missing]
    if count == 1 and failed:
        return f"{failed[0]}, no curve"
    if count == 1 and len(stopped):
        return f"stopped at step {stopped['step'].iloc[0]} of {stopped['steps'].iloc[0]}"
    notes = [f"{count} seeds"] if counted and count > 1 else []
    notes += [f"{(runs['status'].eq(s) & missing).sum()} of {count} {s}" for s in failed]
    notes += [f"{len(stopped)} of {count} stopped early"] if len(stopped) else []
    return ", ".join(notes)


def draw_legend(figure: Figure, curves: list[Curve], note: str | None, theme: Theme) -> float:
    """Put the legend at the foot, in as many columns as fit; return its height in inches."""
    unique = {curve.words: curve for curve in curves}
    title = "Thick: median of the seeds. Thin: each seed." if note is None else note
    room = (float(figure.get_figwidth()) - MARGIN) * figure.dpi
    layouts = [(n, LETTERS[0]) for n in range(min(4, len(unique)), 1, -1)]
    for columns, letters in layouts + [(1, letters) for letters in LETTERS]:
        legend = build(figure, unique, title, columns, letters, theme)
        box = legend.get_window_extent()
        if box.width <= room:
            break
        legend.remove()
    else:
        figure.add_artist(legend)  # a word longer than the column: cut off, there is no better way
    return float(box.height) / figure.dpi + MARGIN


def build(
    figure: Figure,
    entries: dict[str, Curve],
    title: str,
    columns: int,
    letters: int,
    theme: Theme,
) -> Legend:
    """The legend in a number of columns, its entries broken after a number of letters."""
    blank = {"ls": "none", "marker": "none"}
    legend = figure.legend(
        [Line2D([], [], **(curve.look if curve.drawn else blank)) for curve in entries.values()],
        [entry(words, letters) for words in entries],
        loc="lower left",
        bbox_to_anchor=(MARGIN, MARGIN),
        bbox_transform=figure.dpi_scale_trans,
        ncols=columns,
        frameon=False,
        fontsize=7,
        handlelength=2.2,
        labelspacing=0.4,
        columnspacing=1.5,
        borderaxespad=0,
        labelcolor=theme.ink,
        title=title or None,
        title_fontsize=6.5,
        alignment="left",
    )
    legend.get_title().set_color(theme.faint)
    return legend


def entry(words: str, letters: int) -> str:
    """An entry's text, in lines; matplotlib would hide one that begins with an underscore."""
    text = "\n".join(wrap(words, letters))
    return " " + text if text.startswith("_") else text
