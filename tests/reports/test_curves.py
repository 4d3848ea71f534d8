"""Tests that figures draw what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from flann.errors import UserError
from flann.reports import curve_table, draw_curves, read_runs
from flann.reports.curves import choose_labels, choose_metrics, compose, compute_median_line
from flann.reports.style import DPI, LIGHT, build_rc_params

from .conftest import build_falling_accuracy

MakeRun = Callable[..., Path]


def build_table(*folders: Path) -> pd.DataFrame:
    return curve_table(read_runs(folders))


def draw_figure(table: pd.DataFrame) -> Figure:
    with mpl.rc_context(cast(Any, build_rc_params(LIGHT))):
        figure = compose(table, 2, LIGHT)
        figure.canvas.draw()
        return figure


def find_marked_lines(axes: Axes) -> list[Any]:
    """Return the lines with markers, one for each curve that was drawn."""
    return [line for line in axes.lines if line.get_marker() not in ("None", "none", None, "")]


def list_legend_texts(figure: Figure) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in figure.legends[0].get_texts()]


def test_the_line_is_the_measured_accuracy(make_folder: MakeRun) -> None:
    table = build_table(make_folder())
    upper, lower = draw_figure(table).axes
    for axes, metric in ((upper, "per_symbol"), (lower, "per_word")):
        (line,) = find_marked_lines(axes)
        np.testing.assert_allclose(line.get_xdata(), table["length"].astype(float))
        np.testing.assert_allclose(line.get_ydata(), table[metric])


def test_the_band_is_the_interval(make_folder: MakeRun) -> None:
    table = build_table(make_folder())
    upper = draw_figure(table).axes[0]
    corners = upper.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == pytest.approx(table["per_symbol_low"].min())
    assert corners[:, 1].max() == pytest.approx(table["per_symbol_high"].max())


def test_nothing_at_one_or_at_zero_is_cut_off(make_folder: MakeRun) -> None:
    perfect = make_folder("perfect", model="lstm", accuracy=lambda position: 1.0)
    hopeless = make_folder("hopeless", model="gru", accuracy=lambda position: 0.0)
    for axes in draw_figure(build_table(perfect, hopeless)).axes:
        box = axes.get_window_extent()
        for line in find_marked_lines(axes):
            points = line.get_transform().transform(line.get_xydata())
            room = line.get_markersize() / 2 * DPI / 72 / 2
            assert points[:, 1].max() + room < box.y1
            assert points[:, 1].min() - room > box.y0
            assert not line.get_clip_on()


def test_coinciding_curves_are_shifted(make_folder: MakeRun) -> None:
    models = ["lstm", "gru", "rnn"]
    folders = [make_folder(model, model=model, accuracy=lambda position: 1.0) for model in models]
    lines = find_marked_lines(draw_figure(build_table(*folders)).axes[0])
    starts = [line.get_transform().transform(line.get_xydata())[0, 0] for line in lines]
    assert all(b - a > 1 for a, b in pairwise(starts))
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 3


def test_seeds_are_thin_lines_and_their_median_a_thick_one(make_folder: MakeRun) -> None:
    holds = [20, 60, 200]
    folders = [
        make_folder(f"s{seed}", seed=seed, accuracy=build_falling_accuracy(hold, 0.1))
        for seed, hold in enumerate(holds)
    ]
    table = build_table(*folders)
    upper = draw_figure(table).axes[0]
    (median,) = find_marked_lines(upper)
    middle = table[table["run"] == "s1"]["per_symbol"]
    np.testing.assert_allclose(median.get_ydata(), middle)
    seeds = [line for line in upper.lines if line.get_linewidth() == 0.6 and line not in [median]]
    assert len(seeds) == 3
    assert not upper.collections


def test_a_median_stands_only_where_all_seeds_were_measured() -> None:
    points = pd.DataFrame(
        {"run": ["a", "a", "b"], "length": [2, 4, 2], "per_word": [1.0, 0.4, 0.5]}
    )
    assert compute_median_line(points, "per_word").to_dict() == {2.0: 0.75}


def test_a_diverged_run_is_named_and_not_drawn(make_folder: MakeRun) -> None:
    figure = draw_figure(
        build_table(make_folder("good"), make_folder("bad", model="gru", status="diverged"))
    )
    assert all(len(find_marked_lines(axes)) == 1 for axes in figure.axes)
    assert list_legend_texts(figure) == ["mamba", "gru (diverged, no curve)"]


def test_a_figure_of_diverged_runs_alone(make_folder: MakeRun) -> None:
    figure = draw_figure(build_table(make_folder(status="diverged")))
    assert not any(find_marked_lines(axes) for axes in figure.axes)
    assert list_legend_texts(figure) == ["mamba (diverged, no curve)"]


def test_a_stopped_run_is_named(make_folder: MakeRun) -> None:
    figure = draw_figure(build_table(make_folder(status="stopped")))
    assert list_legend_texts(figure) == ["mamba (stopped at step 812 of 2000)"]


def test_a_diverged_seed_is_counted(make_folder: MakeRun) -> None:
    folders = [
        make_folder("a"),
        make_folder("b", seed=1, status="diverged"),
        make_folder("c", seed=2),
    ]
    assert list_legend_texts(draw_figure(build_table(*folders))) == ["mamba (1 of 3 diverged)"]


def test_one_panel_where_one_position_is_scored(make_folder: MakeRun) -> None:
    assert choose_metrics(build_table(make_folder("r", recognise=True))) == ["per_symbol"]
    assert len(choose_metrics(build_table(make_folder("t", accuracy=lambda position: 1.0)))) == 2


def test_tasks_stand_beside_each_other_in_the_same_colours(make_folder: MakeRun) -> None:
    folders = [
        make_folder(f"{task}-{model}", task=task, model=model)
        for task, models in (("A5", ("lstm", "gru")), ("parity", ("gru",)))
        for model in models
    ]
    figure = draw_figure(build_table(*folders))
    assert len(figure.axes) == 4
    colours = [[line.get_color() for line in find_marked_lines(axes)] for axes in figure.axes[::2]]
    assert colours[0][1:] == colours[1]
    assert list_legend_texts(figure) == ["lstm", "gru"]


@pytest.mark.filterwarnings("ignore:Glyph")  # letters that the font lacks are drawn as boxes
@pytest.mark.parametrize(
    "name",
    ["$x_1$", r"$\frac{$", "_hidden", "w" * 300, "{}%s", "a:b=c,d=e" + ",f=g" * 40, "名前", ""],
)
def test_any_name_can_be_drawn(make_folder: MakeRun, name: str) -> None:
    figure = draw_figure(build_table(make_folder(model=name, task=name)))
    if name != "名前":
        assert list_legend_texts(figure)[0].replace(" ", "").startswith(name[:5].split(":")[0])
    box = figure.legends[0].get_window_extent()
    assert box.x1 <= figure.bbox.x1 + 1
    assert box.y0 >= 0


@pytest.mark.parametrize("chance", [0.01, 0.5, 0.86, 0.9, 0.94])
@pytest.mark.parametrize("recognise", [True, False])
def test_no_words_are_cut_off_or_on_top_of_each_other(
    make_folder: MakeRun, chance: float, recognise: bool
) -> None:
    folders = [
        make_folder(task, task=task, lengths=(2, longest), chance=chance, recognise=recognise)
        for task, longest in (("A5", 40), ("parity", 1024))
    ]
    figure = draw_figure(build_table(*folders))
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent() for text in cast(list[Text], texts)]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1
    named = [text for text in cast(list[Text], texts) if text.get_text() in ("chance", "reach 0.9")]
    for one, two in combinations([text.get_window_extent() for text in named], 2):
        assert not one.overlaps(two)


def test_the_legend_stands_clear_of_the_axes(make_folder: MakeRun) -> None:
    folders = [make_folder(f"m{n}", model=f"model-number-{n}:option=value") for n in range(12)]
    figure = draw_figure(build_table(*folders))
    top = figure.legends[0].get_window_extent().y1
    lowest = figure.axes[-1].get_tightbbox()
    assert lowest is not None
    assert top < lowest.y0 + 1


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg"])
def test_the_same_table_gives_the_same_bytes(
    make_folder: MakeRun, tmp_path: Path, ending: str
) -> None:
    table = build_table(make_folder())
    first, second = (draw_curves(table, tmp_path / f"{n}{ending}").read_bytes() for n in "ab")
    assert first == second
    assert len(first) > 5000


def test_the_figure_is_one_column_wide(make_folder: MakeRun, tmp_path: Path) -> None:
    picture = matplotlib.image.imread(draw_curves(build_table(make_folder()), tmp_path / "one.png"))
    assert picture.shape[1] == round(3.4 * DPI)
    assert 2 * DPI < picture.shape[0] < 6 * DPI
    assert picture[..., :3].std() > 0.05  # not an empty sheet


def test_another_suffix_is_refused(make_folder: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected \.png, \.pdf, \.svg"):
        draw_curves(build_table(make_folder()), tmp_path / "curve.jpg")


@given(st.sets(st.integers(1, 10_000), min_size=1, max_size=40))
def test_axis_labels_are_tested_lengths_and_never_crowd(lengths: set[int]) -> None:
    shown: Sequence[int] = choose_labels(lengths)
    assert set(shown) <= lengths
    assert max(lengths) in shown
    assert len(shown) <= 10


def test_the_accuracy_of_the_format_alone_is_drawn(make_folder: MakeRun) -> None:
    """The line is labelled, and absent where the task has no format."""
    folder = make_folder(recognise=True)
    plain = draw_figure(build_table(folder))
    curve = pd.read_csv(folder / "curve.csv")
    curve["format_alone"] = 0.93
    curve.to_csv(folder / "curve.csv", index=False)
    drawn = draw_figure(build_table(folder))
    words = [{text.get_text() for text in f.axes[0].texts} for f in (plain, drawn)]
    assert words[1] - words[0] == {"format"}
    assert any(set(line.get_ydata()) == {0.93} for line in drawn.axes[0].lines)
