"""The figure of what models cost: training and generation, time and memory, against length.

Four panels on logarithmic axes have one line for each model. The upper ones show the training of a
word, as time per symbol and as memory stored for the backward pass; the lower ones show the
generation of a symbol, as time and as the size of the state. A horizontal line is a cost that does
not grow with the length of the word.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from flann.errors import UserError
from flann.files import write_aside

from .curves import METADATA
from .style import DPI, LIGHT, Theme, build_rc_params, choose_colour, choose_marker

SIZE = (6.8, 5.2)  # inches: both columns of a two-column paper
NARROW = 100  # ratio of an axis' ends below which more ticks are labelled
PANELS = [
    ("training_us", "training: µs per symbol"),
    ("training_mb", "training: MB stored for the backward pass"),
    ("step_us", "generation: µs per symbol"),
    ("state_kb", "generation: kB of state"),
]


def draw_costs(table: pd.DataFrame, path: Path | str) -> Path:
    """Draw what models cost against the length of the word.

    Parameters
    ----------
    table : DataFrame
        One row for each model and length, with columns model, length, training_seconds and
        training_bytes (of a word), step_seconds and state_bytes (of a generated symbol; missing
        for a model without a step form).
    path : Path or str
        The file of the figure: .png, .pdf or .svg.

    Raises
    ------
    UserError
        For another suffix, or a file that cannot be written.

    Examples
    --------
    >>> draw_costs(pd.DataFrame(), "costs.jpg")
    Traceback (most recent call last):
    ...
    flann.errors.UserError: cannot draw 'costs.jpg': expected .png, .pdf, .svg at its end
    """
    path = Path(path)
    if path.suffix not in METADATA:
        raise UserError(f"cannot draw {path.name!r}: expected {', '.join(METADATA)} at its end")
    content = io.BytesIO()
    with mpl.rc_context(cast(Any, build_rc_params(LIGHT))):
        figure = compose(convert_units(table), LIGHT)
        figure.savefig(content, format=path.suffix[1:], dpi=DPI, metadata=METADATA[path.suffix])
    write_aside(path, content.getvalue())
    return path


def convert_units(table: pd.DataFrame) -> pd.DataFrame:
    """Add the quantities of the four panels, in units that are easy to read."""
    return table.assign(
        training_us=1e6 * table["training_seconds"] / table["length"],
        training_mb=table["training_bytes"] / 1e6,
        step_us=1e6 * table["step_seconds"].astype(float),
        state_kb=table["state_bytes"].astype(float) / 1e3,
    )


def compose(table: pd.DataFrame, theme: Theme) -> Figure:
    """Lay out four panels with one legend below them."""
    figure = Figure(figsize=SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    models = list(dict.fromkeys(table["model"]))
    panels = figure.subplots(2, 2, sharex=True)
    for axes, (quantity, title) in zip(panels.flat, PANELS, strict=True):
        for number, model in enumerate(models):
            points = table[table["model"] == model].dropna(subset=[quantity])
            axes.plot(
                points["length"], points[quantity], label=model,
                color=choose_colour(number, theme), mec=theme.paper, **choose_marker(number),
            )  # fmt: skip
        format_axes(axes, title, sorted(set(table["length"])), theme)
    for axes in panels[1]:
        axes.set_xlabel("length of the word")
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside lower center",
        ncols=min(4, len(models)), frameon=False, fontsize=7, labelcolor=theme.ink,
    )  # fmt: skip
    return figure


def format_axes(axes: Axes, title: str, lengths: list[int], theme: Theme) -> None:
    """Format logarithmic axes with plain numbers, and a title on the left."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_title(title, loc="left", fontsize=8, color=theme.ink)
    axes.xaxis.set_major_locator(FixedLocator([float(n) for n in lengths]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    low, high = axes.get_ylim()
    if high < NARROW * low:  # otherwise the axis would have a single label
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", color=theme.shade, lw=0.6)
    axes.set_axisbelow(True)
