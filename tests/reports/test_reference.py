"""The reference curve: drawn where a run has one, named clear of the other names."""

from __future__ import annotations

import pandas as pd
import pytest

from flann.reports.curves import compose
from flann.reports.style import LIGHT

POINTS = [{"length": n, "per_symbol": 1.0, "per_word": 1.0} for n in (2, 8, 32)]
REFERENCE = {"name": "RASP program, 2 layers", "curve": POINTS}


def table(chance: float, single: bool = False) -> pd.DataFrame:
    row = {
        "task": "parity", "model": "lstm", "label": "lstm", "setting": "{}", "seed": 0, "run": "r",
        "status": "done", "step": 1, "steps": 1, "reach": 2, "train_low": 2, "train_high": 8,
        "words": 10, "per_symbol": 0.7, "per_word": 0.7 if single else 0.2, "last_symbol": 0.7,
        "first_error": None, "chance_per_symbol": chance, "chance_last_symbol": chance,
        "chance_per_word": chance if single else 0.0,
    }  # fmt: skip
    row |= {f"{m}_{end}": row[m] for m in ("per_symbol", "per_word", "last_symbol")
            for end in ("low", "high")}  # fmt: skip
    return pd.DataFrame([{**row, "length": n} for n in (2, 8, 32)])


def names(figure: object) -> list[object]:
    return [text for axes in figure.axes for text in axes.texts if text.get_text()]  # type: ignore[attr-defined]


def test_it_is_drawn_on_both_panels_and_named_once() -> None:
    figure = compose(table(0.5), 2, LIGHT, {"parity": REFERENCE})
    for axes in figure.axes:
        line = next(line for line in axes.lines if list(line.get_ydata()) == [1.0, 1.0, 1.0])
        assert list(line.get_xdata()) == [2, 8, 32]
    assert sum(text.get_text() == "RASP" for text in names(figure)) == 1  # type: ignore[attr-defined]


def test_without_one_nothing_is_drawn() -> None:
    for references in (None, {}, {"A5": REFERENCE}):
        figure = compose(table(0.5), 2, LIGHT, references)
        assert all(text.get_text() != "RASP" for text in names(figure))  # type: ignore[attr-defined]


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("chance", [0.1, 0.5, 0.8, 0.88, 0.94, 0.99])
def test_its_name_is_on_top_of_no_other(chance: float, single: bool) -> None:
    figure = compose(table(chance, single), 2, LIGHT, {"parity": REFERENCE})
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in names(figure)]  # type: ignore[attr-defined]
    overlaps = [
        (a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]
        if a.x0 < b.x1 and b.x0 < a.x1 and a.y0 + 2 < b.y1 and b.y0 + 2 < a.y1
    ]  # fmt: skip
    assert not overlaps
