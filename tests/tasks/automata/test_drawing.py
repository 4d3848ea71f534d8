"""Drawings: that they come out, hold what they should, and are the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from flann.errors import UserError
from flann.tasks import get_task, task_names
from flann.tasks.automata.drawing import (
    abbreviate_symbols,
    draw,
    draw_automaton,
    draw_group,
    find_cosets,
)
from flann.tasks.automata.expressions import from_expression
from flann.tasks.automata.files import to_dict


def texts(figure) -> list[str]:  # type: ignore[no-untyped-def]
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def test_every_live_state_and_arrow_is_drawn() -> None:
    drawn = texts(draw_automaton(to_dict(from_expression("a(b|c)*d"))))
    assert sorted(drawn) == ["0", "1", "3", "a", "b, c", "d"]  # state 2 is dead


def test_a_cayley_graph_names_its_elements() -> None:
    structure = get_task("S3:generators=2").structure
    assert set(structure["elements"]) <= set(texts(draw_group(structure)))


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    structure = get_task("parity").structure
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    draw(structure, one)
    draw(structure, other)
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_size > 1000


def test_states_stand_apart() -> None:
    """Circles of 12 states, and of 24 elements in cosets, do not overlap."""
    from matplotlib.patches import Circle

    twelve = from_expression("(a|b){10}c")
    for figure in (
        draw_automaton(to_dict(twelve)),
        draw_group(get_task("S4:generators=2").structure),
        draw_group(get_task("D6:generators=2").structure),
    ):
        circles = [p for p in figure.axes[0].patches if isinstance(p, Circle)]
        centres = {p.center for p in circles}
        assert len(centres) >= 12
        apart = [
            ((a - c) ** 2 + (b - d) ** 2) ** 0.5
            for a, b in centres
            for c, d in centres
            if (a, b) != (c, d)
        ]
        assert min(apart) > 2 * circles[0].radius


def test_all_structures_can_be_drawn() -> None:
    for name in task_names():
        structure = get_task(name).structure
        if structure and structure["kind"] == "automaton" and len(structure["states"]) <= 40:
            draw_automaton(structure)


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected \.svg"):
        draw(get_task("parity").structure, tmp_path / "parity.txt")
    with pytest.raises(UserError, match="cannot be drawn readably"):
        draw(to_dict(from_expression("a{80}")), tmp_path / "long.svg")
    assert not list(tmp_path.iterdir())


def test_cosets_are_rings() -> None:
    table = get_task("S3").structure["table"]
    rings = find_cosets(table, 3)
    assert sorted(g for ring in rings for g in ring) == list(range(6))
    assert all(table[ring[i - 1]][3] == ring[i] for ring in rings for i in range(len(ring)))


def test_many_symbols_are_summed_up() -> None:
    assert abbreviate_symbols(list("abcd"), list("abcd")) == "any"
    assert abbreviate_symbols(list("ab"), list("ab")) == "a, b"
    assert abbreviate_symbols(list("abcde"), list("abcdefghij")) == "a, b, c, …"
