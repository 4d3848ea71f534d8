"""Selectors drawn: as text, or as a figure with a panel for each attention head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flann.errors import UserError

from .values import Word

WIDEST = 64  # positions drawn
INCHES = 2.6  # a panel
ENDINGS = (".png", ".pdf", ".svg")


def as_text(pairs: Sequence[Sequence[bool]], word: Word | None = None) -> str:
    """A selector as text: a row for each query, a column for each key.

    Examples
    --------
    >>> print(as_text([[True, False], [True, True]], "ab"))
          a b
        a X .
        b X X
    """
    length = len(pairs)
    symbols = [str(symbol) for symbol in (word or range(length))]
    shown = min(length, WIDEST)
    wide = max(len(symbol) for symbol in symbols[:shown])
    head = " ".join(symbol.rjust(wide) for symbol in symbols[:shown])
    lines = ["    " + " " * wide + " " + head]
    for symbol, row in zip(symbols[:shown], pairs, strict=False):
        marks = " ".join(("X" if pair else ".").rjust(wide) for pair in row[:shown])
        lines.append(f"    {symbol.rjust(wide)} {marks}")
    if shown < length:
        lines.append(f"    the first {shown} of {length} positions")
    return "\n".join(lines)


def draw_heads(
    heads: Sequence[tuple[str, Sequence[Sequence[bool]]]], word: Word, path: Path | str
) -> Path:
    """A figure with a panel for each head: keys from left to right, queries downwards.

    Parameters
    ----------
    heads : sequence of (title, pairs)
    word : str or list
        on which they were run.
    path : Path or str
        ``.png``, ``.pdf`` or ``.svg``.
    """
    path = Path(path)
    if path.suffix not in ENDINGS:
        raise UserError(f"cannot draw {path.name!r}: expected {', '.join(ENDINGS)} at its end")
    if not heads:
        raise UserError("no head to draw: the program has no attention")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(3, len(heads))
    rows = -(-len(heads) // columns)
    figure = Figure(figsize=(INCHES * columns, (INCHES + 0.35) * rows), layout="constrained")
    FigureCanvasAgg(figure)
    symbols = [str(symbol) for symbol in word]
    marks = symbols if len(symbols) <= 24 else [""] * len(symbols)
    for place, (title, pairs) in enumerate(heads):
        axes: Any = figure.add_subplot(rows, columns, place + 1)
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
