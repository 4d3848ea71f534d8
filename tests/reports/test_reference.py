"""Tests that the reference curve is drawn where a run has one, and its label overlaps no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from flann.reports import curve_table, read_runs
from flann.reports.curves import compose
from flann.reports.style import LIGHT

from .conftest import make_run

POINTS = [{"length": n, "per_symbol": 1.0, "per_word": 1.0} for n in (2, 8, 32)]
REFERENCE = {"name": "RASP program, 2 layers", "curve": POINTS}


def build_table(folder: Path, chance: float, recognise: bool = False) -> pd.DataFrame:
    run = make_run(folder / "run", task="parity", chance=chance, recognise=recognise)
    return curve_table(read_runs([run]))


def list_labels(figure: Figure) -> list[Any]:
    return [text for axes in figure.axes for text in axes.texts if text.get_text()]


def test_it_is_drawn_on_both_panels_and_labelled_once(tmp_path: Path) -> None:
    figure = compose(build_table(tmp_path, 0.5), 2, LIGHT, {"parity": REFERENCE})
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert any(list(line.get_xdata()) == [2, 8, 32] for line in axes.lines)  # type: ignore[arg-type]
    assert sum(text.get_text() == "RASP" for text in list_labels(figure)) == 1


def test_without_one_nothing_is_drawn(tmp_path: Path) -> None:
    points = build_table(tmp_path, 0.5)
    for references in (None, {}, {"A5": REFERENCE}):
        figure = compose(points, 2, LIGHT, references)
        assert all(text.get_text() != "RASP" for text in list_labels(figure))


@pytest.mark.parametrize("recognise", [True, False])
@pytest.mark.parametrize("chance", [0.1, 0.5, 0.8, 0.88, 0.94, 0.99])
def test_its_label_overlaps_no_other(chance: float, recognise: bool, tmp_path: Path) -> None:
    figure = compose(build_table(tmp_path, chance, recognise), 2, LIGHT, {"parity": REFERENCE})
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in list_labels(figure)]
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            apart = a.x0 >= b.x1 or b.x0 >= a.x1 or a.y0 + 2 >= b.y1 or b.y0 + 2 >= a.y1
            assert apart
