"""Programs by doubling: the maps of all symbols of a prefix composed in logarithmic depth.

After l layers, each position knows what its last b^l symbols do to the points on which an automaton
or a group acts. The next layer looks up what the windows before that one do, and composes them:
ceil(log_b T) layers of b - 1 heads for words of T symbols, where b windows are composed at a time
(Liu et al. 2022, arXiv:2210.10749).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flann.errors import UnknownNameError, UserError

from .snippets import LOOK_BACK, format_table

Method = Literal["series", "doubling"]


@dataclass(frozen=True)
class Doubling:
    """The options of a program by doubling.

    Attributes
    ----------
    layers : int or None
        the number of layers; by default as many as `length` needs.
    radix : int
        how many windows a layer composes.
    length : int
        the longest word.
    method : {"series", "doubling"} or None
        for groups; by default the derived series of a solvable group, and doubling for others.

    Raises
    ------
    UserError
        for a value outside its range.
    """

    layers: int | None
    radix: int
    length: int
    method: Method | None

    def __post_init__(self) -> None:
        if not 2 <= self.radix <= 64:
            raise UserError(f"radix {self.radix}: expected 2 to 64")
        if self.layers is not None and not 1 <= self.layers <= 32:
            raise UserError(f"layers {self.layers}: expected 1 to 32")
        if self.method not in (None, "series", "doubling"):
            raise UnknownNameError("method", str(self.method), ["series", "doubling"])

    @property
    def depth(self) -> int:
        """The number of layers that are generated."""
        if self.layers is not None:
            return self.layers
        layers, reach = 0, 1
        while reach < self.length:
            layers, reach = layers + 1, reach * self.radix
        return layers

    @property
    def heads(self) -> int:
        """The number of heads in the layer that has most: the windows that it looks up."""
        window, most = 1, 0
        for _ in range(self.depth):
            most = max(most, len(self.list_distances(window)))
            window *= self.radix
        return most

    @property
    def is_requested(self) -> bool:
        """Whether an option asks for doubling, where there is another method."""
        return self.method == "doubling" or self.layers is not None or self.radix != 2

    def list_distances(self, window: int) -> list[int]:
        """Return how far back a layer looks, given the length of its windows.

        Windows that begin before every word are left out.
        """
        return [window * k for k in range(1, self.radix) if window * k < self.length]

    def write(self, symbols: Sequence[str], images: Sequence[Sequence[int]]) -> str:
        """Write the program that composes the maps of a prefix.

        Parameters
        ----------
        symbols : sequence of str
        images : sequence of sequences of int
            for each symbol, the image of each point.

        Returns
        -------
        str
            a program that defines ``p0``, ``p1``, ..: the images of the points under the prefix.
        """
        degree, orbits = len(images[0]), find_orbits(images)
        lines = [LOOK_BACK]
        for point in range(degree):
            table = format_table(symbols, [row[point] for row in images])
            lines.append(f"p{point} = {table}[tokens];")
        window = 1
        for _ in range(self.depth):
            distances = self.list_distances(window)
            for number, distance in enumerate(distances, 1):
                lines += [f"q{i}_{number} = look(p{i}, {distance}, {i});" for i in range(degree)]
            if distances:
                lines += compose_windows(degree, orbits, len(distances))
            window *= self.radix
        return "\n".join(lines)


def compose_windows(degree: int, orbits: Sequence[Sequence[int]], windows: int) -> list[str]:
    """Return the lines that compose the maps of windows, of which the farthest acts first."""
    lines = []
    nearer = [f"p{i}" for i in range(degree)]
    for number in range(1, windows + 1):
        composed = []
        for i in range(degree):
            orbit = next(orbit for orbit in orbits if i in orbit)
            text = nearer[orbit[0]]
            for k in orbit[1:]:
                text = f"({nearer[k]} if q{i}_{number} == {k} else {text})"
            composed.append(text)
        names = [f"r{i}" for i in range(degree)]
        lines.append(
            f"{', '.join(names)} = {', '.join(composed)};" if degree > 1 else f"r0 = {composed[0]};"
        )
        nearer = names
    lines += [f"p{i} = r{i};" for i in range(degree)]
    return lines


def find_orbits(images: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the sets of points that the symbols map into themselves.

    >>> find_orbits([[1, 0, 2], [0, 1, 2]])
    [[0, 1], [2]]
    """
    orbit = list(range(len(images[0])))
    for row in images:
        for a, b in enumerate(row):
            orbit = [min(orbit[a], orbit[b]) if o in (orbit[a], orbit[b]) else o for o in orbit]
    return [[i for i, o in enumerate(orbit) if o == first] for first in sorted(set(orbit))]
