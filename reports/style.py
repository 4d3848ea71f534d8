"""The style of figures: fonts for a column of a paper, and colours that are safe for the
colour-blind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import seaborn as sns
from matplotlib.colors import to_hex, to_rgb

DPI = 200
MARKERS = "osD^vPX*"
SIZES = {"o": 3.9, "s": 3.6, "D": 3.4, "^": 4.3, "v": 4.3, "P": 4.6, "X": 4.6, "*": 6.0}
COLOURS = [0, 1, 2, 3, 4, 9, 5, 7]  # of seaborn's palette "colorblind", without its two palest


@dataclass(frozen=True)
class Theme:
    """The colours around the curves, and the share by which the curves are lightened."""

    ink: str
    faint: str
    shade: str
    paper: str
    lighten: float = 0.0


LIGHT = Theme(ink="#1d2129", faint="#667080", shade="#eceff3", paper="#ffffff")
DARK = Theme(ink="#e6e8ec", faint="#9aa2af", shade="#242a33", paper="#14171c", lighten=0.25)


def build_rc_params(theme: Theme) -> dict[str, Any]:
    """Return matplotlib's parameters for a figure."""
    return {
        **sns.axes_style("ticks"),
        "font.family": "DejaVu Sans",
        "font.size": 8,
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "axes.linewidth": 0.7,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "xtick.minor.width": 0.5,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "xtick.minor.size": 1.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.parse_math": False,  # a dollar sign in a user's name is not mathematics
        "svg.hashsalt": "flann",  # equal figures have equal bytes
        "figure.facecolor": theme.paper,
        "axes.facecolor": theme.paper,
        "savefig.facecolor": theme.paper,
        **dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor"], theme.ink),
        **dict.fromkeys(["xtick.color", "ytick.color"], theme.ink),
    }


def choose_colour(number: int, theme: Theme) -> str:
    """Return the colour of the curve with this number, from 0; colours repeat after eight."""
    red, green, blue = to_rgb(sns.color_palette("colorblind")[COLOURS[number % len(COLOURS)]])
    light = theme.lighten
    return to_hex((red + (1 - red) * light, green + (1 - green) * light, blue + (1 - blue) * light))


def choose_marker(number: int) -> dict[str, Any]:
    """Return the line and marker of the curve with this number; their cycle is offset from that
    of the colours.
    """
    shape = MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]
    return {"marker": shape, "ms": SIZES[shape], "mew": 0.5, "lw": 1.3}
