"""The curves of a figure and their legend: one entry for each setting, with how its runs ended."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from .style import Theme, choose_colour, choose_marker

LETTERS = (56, 48, 40, 30)  # widths at which to wrap an entry; the greatest that fits is used
MARGIN = 0.06  # inches to the left and below


@dataclass(frozen=True)
class Curve:
    """The curve of one setting.

    Attributes
    ----------
    setting : str
        The setting, as `flann.reports.table.identify_setting` returns it.
    text : str
        The entry in the legend.
    has_points : bool
        Whether there is a curve to draw.
    shift : float
        By how many points the curve is shifted sideways, so that coinciding curves are all visible.
    style : dict
        Matplotlib's colour, line and marker.
    """

    setting: str
    text: str
    has_points: bool
    shift: float
    style: dict[str, Any]


def list_curves(table: pd.DataFrame, theme: Theme) -> list[Curve]:
    """Return one curve for each setting, in the order of the table.

    A label that occurs on two tasks is the same model: it has one colour, and one entry in the
    legend if its runs ended alike.
    """
    labels = list(dict.fromkeys(table.loc[table["length"].notna(), "label"]))
    with_seed_count = describe_seeds(table) is None
    curves = []
    for setting, points in table.groupby("setting", sort=False):
        label = str(points["label"].iloc[0])
        number = labels.index(label) if label in labels else 0
        runs = points.drop_duplicates("run")
        note = describe_outcome(runs, with_seed_count=with_seed_count)
        curves.append(
            Curve(
                setting=str(setting),
                text=f"{label} ({note})" if note else label,
                has_points=bool(runs["length"].notna().any()),
                shift=compute_shift(number, len(labels)),
                style={
                    "color": choose_colour(number, theme),
                    "mec": theme.paper,
                    **choose_marker(number),
                },
            )
        )
    return curves


def compute_shift(number: int, count: int) -> float:
    """Return the shift of a curve in points, at most 3.5 in either direction."""
    step = min(1.8, 7 / max(count - 1, 1))
    return (number - (count - 1) / 2) * step


def describe_seeds(table: pd.DataFrame) -> str | None:
    """Return a note on what the lines mean, or None if the settings differ in their number of
    seeds.
    """
    counts = set(table.groupby("setting")["run"].nunique())
    if counts == {1}:
        return ""
    if len(counts) == 1:
        return f"Thick: median of {counts.pop()} seeds. Thin: each seed."
    return None


def describe_outcome(runs: pd.DataFrame, *, with_seed_count: bool = False) -> str:
    """Return what a reader must know of the runs behind a curve, or nothing if all ended well.

    >>> describe_outcome(pd.DataFrame({"status": ["done", "diverged"], "length": [2, None]}))
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
    notes = [f"{count} seeds"] if with_seed_count and count > 1 else []
    notes += [f"{(runs['status'].eq(s) & missing).sum()} of {count} {s}" for s in failed]
    notes += [f"{len(stopped)} of {count} stopped early"] if len(stopped) else []
    return ", ".join(notes)


def draw_legend(figure: Figure, curves: list[Curve], note: str | None, theme: Theme) -> float:
    """Draw the legend at the foot in as many columns as fit, and return its height in inches."""
    unique = {curve.text: curve for curve in curves}
    title = "Thick: median of the seeds. Thin: each seed." if note is None else note
    room = (float(figure.get_figwidth()) - MARGIN) * figure.dpi
    layouts = [(n, LETTERS[0]) for n in range(min(4, len(unique)), 1, -1)]
    for columns, letters in layouts + [(1, letters) for letters in LETTERS]:
        legend = build_legend(figure, unique, title, columns, letters, theme)
        box = legend.get_window_extent()
        if box.width <= room:
            break
        legend.remove()
    else:
        figure.add_artist(legend)  # a word wider than the figure is cut off
    return float(box.height) / figure.dpi + MARGIN


def build_legend(
    figure: Figure,
    entries: dict[str, Curve],
    title: str,
    columns: int,
    letters: int,
    theme: Theme,
) -> Legend:
    """Build the legend with a number of columns, and entries wrapped at a number of letters."""
    blank = {"ls": "none", "marker": "none"}
    legend = figure.legend(
        [
            Line2D([], [], **(curve.style if curve.has_points else blank))
            for curve in entries.values()
        ],
        [wrap_entry(text, letters) for text in entries],
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


def wrap_entry(text: str, letters: int) -> str:
    """Wrap an entry into lines; a leading space keeps matplotlib from hiding a leading
    underscore.
    """
    text = "\n".join(wrap(text, letters))
    return " " + text if text.startswith("_") else text
