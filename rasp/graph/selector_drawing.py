"""Drawings of selectors: as text, or as a figure with one panel for each attention head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flann.errors import UserError

from .analysis import analyse
from .evaluation import Spans, run_selector
from .formula import format_formula
from .sops import Node, Selector, SOp
from .word_batch import InputWord

MAX_DRAWN = 64  # positions drawn as text
MAX_LABELLED = 24  # positions whose symbols are written on the axes of a figure
PANEL_INCHES = 2.6
SUFFIXES = (".png", ".pdf", ".svg")


def format_pairs(pairs: Sequence[Sequence[bool]], word: InputWord | None = None) -> str:
    """Return a selector as text, with a row for each query and a column for each key.

    Examples
    --------
    >>> print(format_pairs([[True, False], [True, True]], "ab"))
          a b
        a X .
        b X X
    """
    length = len(pairs)
    symbols = [str(symbol) for symbol in (word or range(length))]
    drawn = min(length, MAX_DRAWN)
    width = max(len(symbol) for symbol in symbols[:drawn])
    header = " ".join(symbol.rjust(width) for symbol in symbols[:drawn])
    lines = ["    " + " " * width + " " + header]
    for symbol, row in zip(symbols[:drawn], pairs, strict=False):
        marks = " ".join(("X" if pair else ".").rjust(width) for pair in row[:drawn])
        lines.append(f"    {symbol.rjust(width)} {marks}")
    if drawn < length:
        lines.append(f"    the first {drawn} of {length} positions")
    return "\n".join(lines)


def collect_heads(
    node: Node, word: InputWord, spans: Spans | None = None
) -> list[tuple[str, Sequence[Sequence[bool]]]]:
    """Return a title for each head that a node requires, and the pairs it selects on a word."""
    if not isinstance(node, SOp | Selector):
        return []
    return [
        (f"layer {number}: {format_formula(head, 56)}", run_selector(head, word, spans))
        for number, heads in enumerate(analyse([node]).selectors, 1)
        for head in heads
    ]


def draw_heads(
    heads: Sequence[tuple[str, Sequence[Sequence[bool]]]], word: InputWord, path: Path | str
) -> Path:
    """Draw each head as a panel of a figure: keys from left to right, queries from top to bottom.

    Parameters
    ----------
    heads : sequence of (title, pairs)
    word : str or list
        the word on which the selectors were run.
    path : Path or str
        ends in ``.png``, ``.pdf`` or ``.svg``.

    Returns
    -------
    Path
        of the figure.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise UserError(f"cannot draw {path.name!r}: expected {', '.join(SUFFIXES)} at its end")
    if not heads:
        raise UserError("no head to draw: the program has no attention")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(3, len(heads))
    rows = -(-len(heads) // columns)
    size = (PANEL_INCHES * columns, (PANEL_INCHES + 0.35) * rows)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    symbols = [str(symbol) for symbol in word]
    marks = symbols if len(symbols) <= MAX_LABELLED else [""] * len(symbols)
    for panel, (title, pairs) in enumerate(heads, 1):
        axes: Any = figure.add_subplot(rows, columns, panel)
        axes.imshow(pairs, cmap="Greys", vmin=0, vmax=1.4, interpolation="nearest")
        axes.set_title(title, fontsize=7)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(range(len(symbols)), marks)
            axis.set_tick_params(labelsize=6, length=0)
        axes.set_xlabel("key", fontsize=6)
        axes.set_ylabel("query", fontsize=6)
    try:
        figure.savefig(path, dpi=200)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    return path
