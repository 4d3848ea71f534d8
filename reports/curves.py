"""The figure of accuracy against length, with a pair of panels for each task.

The upper panel shows accuracy per symbol, which falls gradually and shows how a model fails. The
lower panel shows the share of words in which every scored position is right, which falls sharply
and determines the reach. The band of a single run is its 95% interval. With several seeds, the
thick line is their median and each seed is a thin line, because the spread between seeds is wider
than the interval of any one of them. Nothing is smoothed: the markers are the tested lengths, on a
logarithmic axis.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from matplotlib.transforms import offset_copy

from flann.curve_schema import FORMAT_ALONE, REACH
from flann.errors import UserError
from flann.files import write_aside

from .legend import Curve, describe_seeds, draw_legend, list_curves
from .style import DPI, LIGHT, Theme, build_rc_params

WIDTH = 3.4  # inches: one column of a two-column paper
LEFT, RIGHT, TOP, BOTTOM, GAP = 0.5, 0.5, 0.4, 0.42, 0.13
HEIGHTS = {"per_symbol": 1.6, "per_word": 0.8}
TITLES = {"per_symbol": "accuracy per symbol", "per_word": "words correct"}
References = Mapping[str, Mapping[str, Any]]
"""The curve of a program that is right by construction (`Run.reference`), by task."""
CROWDED = 0.12  # labels of lines that are closer than this would overlap
METADATA: dict[str, dict[str, Any]] = {  # no dates: equal tables give equal bytes
    ".png": {},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}


@dataclass(frozen=True)
class Panel:
    """One metric on one task; `reach` says whether the panel shows the line of the reach."""

    metric: str
    points: pd.DataFrame
    curves: list[Curve]
    theme: Theme
    reach: bool
    reference: Mapping[str, Any] | None = None


def draw_curves(table: pd.DataFrame, path: Path | str, *, columns: int = 2) -> Path:
    """Draw the curves of a table, in colours for white paper.

    Parameters
    ----------
    table : DataFrame
        The result of `curve_table`.
    path : Path or str
        The file of the figure: ``.png`` (200 dots per inch), ``.pdf`` or ``.svg``.
    columns : int
        The number of tasks beside each other, each 3.4 inches wide, as a column of a paper.

    Returns
    -------
    Path
        The file of the figure.

    Raises
    ------
    UserError
        For another suffix, or a file that cannot be written.

    Examples
    --------
    >>> draw_curves(pd.DataFrame(), "curves.jpg")
    Traceback (most recent call last):
    ...
    flann.errors.UserError: cannot draw 'curves.jpg': expected .png, .pdf, .svg at its end
    """
    path = Path(path)
    if path.suffix not in METADATA:
        raise UserError(f"cannot draw {path.name!r}: expected {', '.join(METADATA)} at its end")
    write_aside(path, render_figure(table, columns=columns, kind=path.suffix))
    return path


def render_figure(
    table: pd.DataFrame,
    *,
    columns: int = 2,
    theme: Theme = LIGHT,
    kind: str = ".png",
    references: References | None = None,
) -> bytes:
    """Return the figure as the bytes of a file; `references` holds the curve of a program for
    some tasks.
    """
    content = io.BytesIO()
    with mpl.rc_context(cast(Any, build_rc_params(theme))):
        figure = compose(table, columns, theme, references)
        figure.savefig(content, format=kind[1:], dpi=DPI, metadata=METADATA[kind])
    return content.getvalue()


def compose(
    table: pd.DataFrame, columns: int, theme: Theme, references: References | None = None
) -> Figure:
    """Lay out the panels and the legend on a page of the size that they need."""
    tasks = list(dict.fromkeys(table["task"]))
    metrics = choose_metrics(table)
    columns = min(columns, len(tasks))
    block = TOP + BOTTOM + sum(HEIGHTS[metric] for metric in metrics) + GAP * (len(metrics) - 1)
    above = -(-len(tasks) // columns) * block
    figure = Figure(figsize=(WIDTH * columns, above))
    FigureCanvasAgg(figure)
    curves = list_curves(table, theme)
    legend = draw_legend(figure, curves, describe_seeds(table), theme)
    figure.set_figheight(above + legend)
    for index, task in enumerate(tasks):
        row, column = divmod(index, columns)
        corner = WIDTH * column, above + legend - row * block
        points = table[table["task"] == task]
        panels = [
            Panel(
                metric, points, curves, theme, metric == metrics[-1], (references or {}).get(task)
            )
            for metric in metrics
        ]
        draw_task(figure, corner, panels)
    return figure


def draw_task(figure: Figure, corner: tuple[float, float], panels: list[Panel]) -> None:
    """Draw a task's panels below each other, from the upper left corner (in inches)."""
    left, top = corner[0] + LEFT, corner[1] - TOP
    for panel in panels:
        high = HEIGHTS[panel.metric]
        axes = figure.add_axes(to_fractions((left, top - high, WIDTH - LEFT - RIGHT, high), figure))
        draw_panel(axes, panel)
        draw_reference(axes, panel)
        format_length_axis(axes, panel.points, last=panel is panels[-1])
        axes.set_ylabel(TITLES[panel.metric] if len(panels) > 1 else "accuracy")
        if panel is panels[0]:
            draw_heading(axes, panel)
        top -= high + GAP


def to_fractions(
    inches: tuple[float, float, float, float], figure: Figure
) -> tuple[float, float, float, float]:
    """Convert a rectangle from inches to shares of the figure's width and height."""
    left, bottom, wide, high = inches
    width, height = figure.get_size_inches()
    return left / width, bottom / height, wide / width, high / height


def choose_metrics(table: pd.DataFrame) -> list[str]:
    """Return both metrics, or one if every word has a single scored position and so the two
    agree.
    """
    same = table["per_symbol"].eq(table["per_word"])
    same &= table["chance_per_symbol"].eq(table["chance_per_word"])
    single = bool((same | table["length"].isna()).all())
    return ["per_symbol"] if single else ["per_symbol", "per_word"]


# -- one panel -------------------------------------------------------------------------------------


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw the training lengths, chance, and the curves on top of them."""
    shade_training(axes, panel)
    draw_chance(axes, panel)
    draw_format(axes, panel)
    for order, curve in enumerate(panel.curves):
        mine = panel.points[panel.points["setting"] == curve.setting].dropna(subset="length")
        if len(mine):
            draw_curve(axes, mine, panel.metric, curve, 3 + order)
    short = HEIGHTS[panel.metric] < 1
    axes.set_ylim(-0.05, 1.05)  # room for a marker at 0 and at 1
    axes.set_yticks([0, 0.5, 1] if short else [0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g}"))
    if panel.reach:
        draw_reach(axes, panel.theme)


def draw_curve(axes: Axes, points: pd.DataFrame, metric: str, curve: Curve, order: float) -> None:
    """Draw one setting: a run with its interval, or the median of its seeds and each seed thin."""
    shifted = offset_copy(axes.transData, cast(Figure, axes.figure), x=curve.shift, units="points")
    faint = {"color": curve.style["color"], "transform": shifted, "zorder": order}
    alone = points["run"].nunique() == 1
    for _, seed in points.groupby("run", sort=False):
        x = seed["length"].to_numpy(float)
        if alone:
            low, high = (seed[f"{metric}_{end}"].to_numpy(float) for end in ("low", "high"))
            axes.fill_between(x, low, high, alpha=0.2, lw=0, **faint)
        else:
            axes.plot(x, seed[metric].to_numpy(float), lw=0.6, alpha=0.6, **faint)
    line = compute_median_line(points, metric)
    axes.plot(line.index, line, **curve.style, transform=shifted, zorder=order + 0.5, clip_on=False)


def compute_median_line(points: pd.DataFrame, metric: str) -> pd.Series[float]:
    """Return the median over the seeds, at the lengths where all of them were measured."""
    by_length = points.astype({"length": float}).groupby("length")[metric]
    everywhere = by_length.count() == points["run"].nunique()
    return by_length.median()[everywhere].astype(float)


def shade_training(axes: Axes, panel: Panel) -> None:
    """Shade the training lengths."""
    trained = panel.points[panel.points["steps"].ne(0)]
    ranges = trained[["train_low", "train_high"]].drop_duplicates()
    for low, high in ranges.itertuples(index=False):
        axes.axvspan(low / 1.03, high * 1.03, color=panel.theme.shade, lw=0, zorder=0)


def draw_chance(axes: Axes, panel: Panel) -> None:
    """Draw and label the accuracy of the best guess that sees only the position."""
    points = panel.points.dropna(subset="length")
    if points.empty:
        return
    chance = points.astype({"length": float}).groupby("length")[f"chance_{panel.metric}"].first()
    axes.plot(chance.index, chance, ls=":", lw=1.1, color=panel.theme.faint, zorder=2)
    end = float(chance.iloc[-1])
    crowded = panel.reach and abs(end - REACH) < CROWDED
    label_line(axes, "chance", min(end, REACH) if crowded else end, panel.theme, below=crowded)


def draw_format(axes: Axes, panel: Panel) -> None:
    """Draw the accuracy of checking the words' format alone, if the task has a format."""
    points = panel.points.dropna(subset=["length", FORMAT_ALONE]).astype({"length": float})
    if points.empty:
        return
    alone = points.groupby("length")[FORMAT_ALONE].first()
    axes.plot(alone.index, alone, ls=(0, (4, 2)), lw=0.9, color=panel.theme.faint, zorder=2)
    end, distance = float(alone.iloc[-1]), 0.6 * CROWDED
    chance = float(points[f"chance_{panel.metric}"].iloc[-1])
    for occupied in (chance, REACH) if panel.reach else (chance,):
        if abs(end - occupied) < distance:  # the labels would overlap
            end = occupied + distance
    label_line(axes, "format", end, panel.theme)


def draw_reach(axes: Axes, theme: Theme) -> None:
    """Draw the accuracy that a run must keep for a length to count as reached."""
    axes.axhline(REACH, color=theme.faint, lw=0.6, zorder=1)
    label_line(axes, f"reach {REACH}", REACH, theme)


def draw_reference(axes: Axes, panel: Panel) -> None:
    """Draw the curve of a program that is right by construction, and label it on the upper
    panel.
    """
    points = panel.reference["curve"] if panel.reference else []
    lengths = panel.points["length"].dropna()
    points = [point for point in points if len(lengths) and point["length"] <= lengths.max()]
    if not points:
        return
    style: dict[str, Any] = {"ls": (0, (4, 1.5)), "lw": 0.9, "color": panel.theme.ink}
    shares = [point[panel.metric] for point in points]
    axes.plot([point["length"] for point in points], shares, zorder=2.5, **style)
    if panel.metric == "per_symbol":
        chance = panel.points["chance_per_symbol"].dropna()
        crowded = panel.reach or abs(float(chance.iloc[-1]) - shares[-1]) < CROWDED
        label_line(axes, "RASP", shares[-1], panel.theme, above=crowded)


def label_line(
    axes: Axes,
    text: str,
    height: float,
    theme: Theme,
    *,
    below: bool = False,
    above: bool = False,
) -> None:
    """Write a line's label at its end, outside the panel, where no curve passes."""
    axes.annotate(
        text,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(3, -5 if below else 2 if above else 0),
        textcoords="offset points",
        va="top" if below else "bottom" if above else "center",
        ha="left",
        size=6.5,
        color=theme.faint,
    )


# -- around the panels -----------------------------------------------------------------------------


def draw_heading(axes: Axes, panel: Panel) -> None:
    """Write the task's name and, above the shading, the training lengths."""
    task = str(panel.points["task"].iloc[0])
    ranges = panel.points[["train_low", "train_high"]].drop_duplicates()
    low, high = (int(bound) for bound in ranges.iloc[0])
    text = f"trained on {low}–{high}" if len(ranges) == 1 else "training lengths"
    if panel.points["steps"].eq(0).all():
        text = "not trained"
    name = axes.annotate(
        task if len(task) <= 48 else task[:47] + "…",
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 14),
        textcoords="offset points",
    )
    name.set(size=9, weight="bold")
    axes.annotate(
        text,
        (int(ranges["train_low"].min()), 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        size=6.5,
        color=panel.theme.faint,
    )


def format_length_axis(axes: Axes, points: pd.DataFrame, *, last: bool) -> None:
    """Format a log-2 axis with a small tick at every tested length and as many labels as fit."""
    lengths = sorted({int(n) for n in points["length"].dropna()})
    ends = [*lengths, int(points["train_low"].min()), int(points["train_high"].max())]
    margin = max(1.05, (max(ends) / min(ends)) ** 0.045)
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(ends) / margin, max(ends) * margin)
    axes.xaxis.set_major_locator(FixedLocator(choose_labels(lengths)))
    axes.xaxis.set_minor_locator(FixedLocator(lengths) if lengths else NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda length, _: f"{length:g}"))
    axes.tick_params(axis="x", labelbottom=last)
    if last:
        axes.set_xlabel("word length")


def choose_labels(lengths: Iterable[int], room: int = 8) -> list[int]:
    """Choose the tested lengths to label on the axis: powers of two first, and none too close to
    another.

    >>> choose_labels([2, 4, 8, 16, 32, 40, 64, 128, 256, 320])
    [2, 4, 8, 16, 32, 64, 128, 320]
    """
    ordered = sorted(lengths)
    if not ordered:
        return []
    distance = max(0.45, log2(ordered[-1] / ordered[0]) / room)
    labels = [ordered[-1]]  # the longest tested length is always labelled
    for length in sorted(ordered[:-1], key=lambda n: (n & (n - 1) != 0, n)):
        if all(abs(log2(length / other)) >= distance for other in labels):
            labels.append(length)
    return sorted(labels)
