"""Drawings of automata and Cayley graphs as SVG, PNG or PDF.

An automaton's states stand on a circle in breadth-first order, so that most arrows are short; an
arrow into the start, a second ring round a state that accepts, the symbols on each arrow. Dead
states are left out, as textbooks do: a missing arrow leads to one.

A Cayley graph has an arrow from g to gs for each generator s, a colour for each s. The elements
stand in cosets of the cyclic subgroup of the generator of greatest order, each coset a ring. Where
s is its own inverse, one line without a head serves both ways.

matplotlib is imported when something is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from flann.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_DRAWN = 60  # states or elements
FORMATS = (".svg", ".png", ".pdf")

INK, PAPER, FILL = "#222222", "#ffffff", "#eef3f8"
COLOURS = ("#1f77b4", "#d1495b", "#2a9d5c", "#8e5ea2", "#b8860b", "#4a4a4a")

Point = Float[np.ndarray, " xy"]
Places = Float[np.ndarray, "points xy"]


def draw(structure: dict[str, Any], path: str | Path) -> None:
    """Draw an automaton or a group, given as ``task.structure``.

    Parameters
    ----------
    structure : dict
        of kind ``"automaton"`` or ``"group"``.
    path : str or Path
        where to: ``.svg``, ``.png`` or ``.pdf``.

    Raises
    ------
    UserError
        for another suffix, or too many states or elements to be read.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise UserError(f"cannot draw to {path.name!r}: expected {', '.join(FORMATS)}")
    from matplotlib import rc_context

    # the same drawing gives the same bytes: no date, no random ids
    with rc_context({"svg.hashsalt": "flann", "font.family": "DejaVu Sans"}):
        drawn = draw_group if structure["kind"] == "group" else draw_automaton
        figure = drawn(structure)
        metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
        figure.savefig(path, dpi=150, facecolor=PAPER, metadata=metadata)


def check_readable(count: int, what: str) -> None:
    """Refuse a drawing that would have too many states or elements to be read."""
    if count > MOST_DRAWN:
        raise UserError(f"{count} {what} cannot be drawn readably: expected at most {MOST_DRAWN}")


def start_figure(extent: float) -> tuple[Figure, Axes]:
    """Return an empty square figure that extends `extent` to every side; a unit is half an inch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(extent, extent))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
    axes.axis("off")
    return figure, axes


def place_on_circle(count: int, radius: float, turn: float = 0.0) -> Places:
    """Return points on a circle, clockwise from the left."""
    angle = np.pi - 2 * np.pi * np.arange(count) / max(count, 1) - turn
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


# -- automata ------------------------------------------------------------------------------------

STATE_RADIUS = 0.42


def draw_automaton(structure: dict[str, Any]) -> Figure:
    """Draw the states on a circle and arrows with the symbols that take them."""
    kept = [q for q in order_states(structure) if q not in find_dead_states(structure)]
    kept = kept or [structure["start"]]
    check_readable(len(kept), "states")
    radius = 0.0 if len(kept) == 1 else max(1.5, 0.34 * len(kept))
    place = dict(zip(kept, place_on_circle(len(kept), radius), strict=True))
    figure, axes = start_figure(radius + 1.7)
    arrows = group_arrows(structure, kept)
    for (origin, target), symbols in arrows.items():
        label = abbreviate_symbols(symbols, structure["symbols"])
        if origin == target:
            draw_loop(axes, place[origin], label, alone=len(kept) == 1)
        else:
            straight = (target, origin) not in arrows and len(kept) <= 2
            draw_arrow(axes, place[origin], place[target], label, 0.0 if straight else 0.22)
    start = place[structure["start"]]
    axes.annotate(
        "",
        start - [STATE_RADIUS, 0],
        start - [STATE_RADIUS + 0.7, 0],
        arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0},
    )
    names = structure["states"]
    size = name_size([names[q] for q in kept])
    for q, point in place.items():
        draw_state(axes, point, names[q], q in structure["accepting"], size)
    return figure


def order_states(structure: dict[str, Any]) -> list[int]:
    """Return the reachable states in breadth-first order."""
    order = [structure["start"]]
    for q in order:
        order += [p for p in dict.fromkeys(structure["table"][q]) if p not in order]
    return order


def find_dead_states(structure: dict[str, Any]) -> set[int]:
    """Return the states that reach no accepting state; none if no state accepts."""
    live = set(structure["accepting"])
    while more := {
        q for q, row in enumerate(structure["table"]) if q not in live and live & set(row)
    }:
        live |= more
    return set(range(len(structure["table"]))) - live if live else set()


def group_arrows(structure: dict[str, Any], kept: list[int]) -> dict[tuple[int, int], list[str]]:
    """Return the symbols that lead from each state to each other one."""
    arrows: dict[tuple[int, int], list[str]] = {}
    for q in kept:
        for symbol, target in zip(structure["symbols"], structure["table"][q], strict=True):
            if target in kept:
                arrows.setdefault((q, target), []).append(symbol)
    return arrows


def abbreviate_symbols(symbols: list[str], alphabet: list[str]) -> str:
    """Return the symbols of one arrow as text, abbreviated if there are many.

    >>> abbreviate_symbols(list("abcdefg"), list("abcdefgh"))
    'all but h'
    """
    others = [symbol for symbol in alphabet if symbol not in symbols]
    if not others and len(symbols) > 3:
        return "any"
    if len(symbols) > 3 and len(others) <= 2:
        return "all but " + ", ".join(others)
    shown = symbols if len(symbols) <= 4 else [*symbols[:3], "…"]
    return ", ".join(shown)


def name_size(names: list[str]) -> float:
    """Return the type size at which the longest name fits into its circle."""
    longest = max(map(len, names))
    return 11 if longest <= 3 else max(4.5, 33 / longest)


def draw_state(axes: Axes, point: Point, name: str, accepting: bool, size: float) -> None:
    """Draw a state as a circle with its name, a double circle if it accepts."""
    from matplotlib.patches import Circle

    x, y = map(float, point)
    axes.add_patch(Circle((x, y), STATE_RADIUS, facecolor=FILL, edgecolor=INK, zorder=3))
    if accepting:
        ring = Circle((x, y), STATE_RADIUS - 0.08, facecolor="none", edgecolor=INK, zorder=4)
        axes.add_patch(ring)
    axes.text(x, y, name, ha="center", va="center", fontsize=size, color=INK, zorder=5)


def draw_arrow(
    axes: Axes,
    origin: Point,
    target: Point,
    label: str,
    bow: float,
) -> None:
    """Draw a bowed arrow between two states, with its label on the outer side."""
    from matplotlib.patches import FancyArrowPatch

    shrink = STATE_RADIUS * 36  # half an inch a unit, 72 points an inch
    axes.add_patch(
        FancyArrowPatch(
            (float(origin[0]), float(origin[1])),
            (float(target[0]), float(target[1])),
            connectionstyle=f"arc3,rad={bow}",
            arrowstyle="-|>,head_length=5,head_width=2.5",
            shrinkA=shrink,
            shrinkB=shrink,
            color=INK,
            linewidth=1,
            zorder=2,
        )
    )
    along = target - origin
    aside = np.array([along[1], -along[0]])
    t = 0.4  # nearer its own end, so that the labels of crossing arrows stay apart
    write_label(axes, origin + t * along + 2 * t * (1 - t) * bow * aside, label)


def draw_loop(axes: Axes, point: Point, label: str, alone: bool) -> None:
    """Draw an arrow from a state to itself, on the side away from the centre."""
    from matplotlib.patches import FancyArrowPatch

    outward = np.array([0.0, 1.0]) if alone else point / np.linalg.norm(point)
    if abs(outward[1]) < 0.2 and outward[0] < 0:
        outward = np.array([-0.5, 0.87])  # the left is where the arrow into the start is
    turned = np.array([-outward[1], outward[0]])
    feet = [point + STATE_RADIUS * (0.86 * outward + side * 0.5 * turned) for side in (1, -1)]
    axes.add_patch(
        FancyArrowPatch(
            (float(feet[0][0]), float(feet[0][1])),
            (float(feet[1][0]), float(feet[1][1])),
            connectionstyle="arc3,rad=-1.6",
            arrowstyle="-|>,head_length=5,head_width=2.5",
            shrinkA=0,
            shrinkB=0,
            color=INK,
            linewidth=1,
            zorder=2,
        )
    )
    write_label(axes, point + outward * (STATE_RADIUS + 0.62), label)


def write_label(axes: Axes, point: Point, label: str) -> None:
    """Write the symbols of an arrow on a white ground."""
    box = {"boxstyle": "round,pad=0.12", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.9}
    x, y = map(float, point)
    axes.text(x, y, label, ha="center", va="center", fontsize=9, color=INK, bbox=box, zorder=6)


# -- Cayley graphs -------------------------------------------------------------------------------


def draw_group(structure: dict[str, Any]) -> Figure:
    """Draw the elements in cosets of the first generator, with an arrow for each generator."""
    from matplotlib.lines import Line2D

    names, table = structure["elements"], structure["table"]
    generators = [g for g in structure["generators"] if g != 0]  # the identity goes nowhere
    ring = max(generators, key=lambda s: len(find_cosets(table, s)[0]), default=0)
    check_readable(len(names), "elements")
    check_readable(len(generators) * len(names) // 4, "bundles of arrows")
    cosets = find_cosets(table, ring)
    place, extent = place_cosets(cosets)
    figure, axes = start_figure(extent)
    for colour, s in zip(COLOURS * len(generators), generators, strict=False):
        for g in range(len(names)):
            involution = table[s][s] == 0
            if not (involution and table[g][s] < g):
                draw_step(axes, place[g], place[table[g][s]], colour, not involution)
    for g, point in place.items():
        draw_state(axes, point, names[g], g == 0, name_size(names))
    lines = [
        Line2D([], [], color=colour, label=names[s])
        for colour, s in zip(COLOURS * len(generators), generators, strict=False)
    ]
    axes.legend(handles=lines, loc="lower right", frameon=False, fontsize=10)
    return figure


def find_cosets(table: list[list[int]], s: int) -> list[list[int]]:
    """Return the cosets g<s>, each in the order g, gs, gss, ..., the subgroup itself first."""
    left, cosets = dict.fromkeys(range(len(table))), []
    while left:
        coset = [next(iter(left))]
        while (following := table[coset[-1]][s]) != coset[0]:
            coset.append(following)
        for g in coset:
            del left[g]
        cosets.append(coset)
    return cosets


def place_cosets(cosets: list[list[int]]) -> tuple[dict[int, Point], float]:
    """Place a small ring for each coset on a large ring, and return how far it all extends."""
    ring = max(0.75, 0.24 * len(cosets[0])) if len(cosets[0]) > 1 else 0.0
    apart = 2 * ring + 1.1  # from centre to centre, so that neighbouring rings do not touch
    large = 0.0 if len(cosets) == 1 else apart / (2 * np.sin(np.pi / len(cosets)))
    place = {}
    for coset, centre in zip(cosets, place_on_circle(len(cosets), large), strict=True):
        for g, point in zip(coset, place_on_circle(len(coset), ring), strict=True):
            place[g] = centre + point
    return place, large + ring + 1.2


def draw_step(
    axes: Axes,
    origin: Point,
    target: Point,
    colour: str,
    head: bool,
) -> None:
    """Draw the arrow from an element to its product with a generator."""
    from matplotlib.patches import FancyArrowPatch

    shrink = STATE_RADIUS * 36
    axes.add_patch(
        FancyArrowPatch(
            (float(origin[0]), float(origin[1])),
            (float(target[0]), float(target[1])),
            connectionstyle="arc3,rad=0.08" if head else "arc3,rad=0",
            arrowstyle="-|>,head_length=4.5,head_width=2.2" if head else "-",
            shrinkA=shrink,
            shrinkB=shrink,
            color=colour,
            linewidth=1.1,
            zorder=2,
        )
    )
