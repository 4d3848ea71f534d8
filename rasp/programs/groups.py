"""Programs for the word problem of a finite group: prefix products in few attention layers.

**Solvable groups** need as many layers as their derived series G = G_0 > G_1 > .. > 1 has steps.
In layer i every position has an element h_t of G_i, and the prefix products H_t = h_1 .. h_t are
wanted. The quotient A = G_i / G_{i+1} is abelian, so the class Q_t of H_t is a running sum of the
coordinates of h_t in cyclic factors, modulo their orders: one head. With t(q) a representative of
the class q, t(1) = 1,

    h'_t = t(Q_{t-1}) h_t t(Q_t)^-1   lies in G_{i+1},   and   H_t = h'_1 .. h'_t t(Q_t)

so the next layer goes on with h'. Extensions need not split. The factors of a direct product are
done side by side by the same head (Barrington 1989; Merrill, Petty and Sabharwal 2024,
arXiv:2404.08819, section 5, on why others need depth).

**Any group**, and any finite automaton, is done to length T by doubling: after l layers a position
knows what its last 2^l symbols do to the points that the group acts on, and looks up what the 2^l
before them did. ceil(log_b T) layers of b - 1 heads, where b windows are joined at a time (Liu et
al. 2022, arXiv:2210.10749).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.tasks.groups.cayley_tables import Group, get_group

LARGEST_SOLVABLE = (
    400  # elements of a factor: its tables have as many entries as that times its quotient
)
MOST_POINTS = 16  # that a group is made to act on
Table = NDArray[np.integer]


def solvable_program(group: Group, symbols: Sequence[str], generators: Sequence[int]) -> str:
    """The prefix products of a solvable group, a layer for each step of its derived series.

    Parameters
    ----------
    group : Group
    symbols : sequence of str
        what the word is made of.
    generators : sequence of int
        the element that each symbol stands for.

    Raises
    ------
    UserError
        for a group that is not solvable.

    Examples
    --------
    >>> print(solvable_program(get_group("Z3"), "012", [0, 1, 2]))  # doctest: +ELLIPSIS
    def csum(x) { return round((indices + 1) * aggregate(select(indices, indices, <=), x)); }
    h0 = {"0": 0, "1": 1, "2": 2}[tokens];
    q0_0 = csum([0, 1, 2][h0]) % 3;
    ...
    """
    if not group.is_solvable:
        raise UserError(
            f"{group.name} is not solvable: no constant number of layers is known to be enough;"
            " doubling takes a layer more for each doubling of the length"
        )
    lines = [CSUM]
    parts, place = factors_of(group), "0"
    for number, factor in enumerate(parts):
        of_symbol = [components(parts, g)[number] for g in generators]
        lines += Series(factor, f"_{chr(97 + number)}" if len(parts) > 1 else "").program(
            symbols, of_symbol
        )
    names = [f"product_{chr(97 + i)}" if len(parts) > 1 else "product" for i in range(len(parts))]
    for factor, name in zip(parts, names, strict=True):
        place = f"{place} * {factor.order} + {name}" if place != "0" else name
    lines.append(f"word_problem = {place};")
    return "\n".join(lines)


def layers_of(group: Group) -> int:
    """How many layers that takes: the length of the derived series."""
    return max(len(derived_series(factor)) - 1 for factor in factors_of(group))


def factors_of(group: Group) -> list[Group]:
    """The direct factors that its name tells of; itself if it tells of none."""
    names = group.name.split("x")
    if len(names) == 1 or ":" in group.name:
        return [group]
    return [get_group(name) for name in names]


def components(parts: Sequence[Group], element: int) -> list[int]:
    """The number of an element in each direct factor."""
    found = []
    for part in reversed(parts):
        element, here = divmod(element, part.order)
        found.append(here)
    return found[::-1]


def derived_series(group: Group) -> list[NDArray[np.intp]]:
    """The members of G, G', G'', .. down to the trivial group."""
    series = [np.arange(group.order)]
    while len(series[-1]) > 1:
        series.append(group.commutator_subgroup(series[-1]))
    return series


class Series:
    """A solvable group's program, layer by layer.

    Parameters
    ----------
    group : Group
    mark : str
        the end of its names, where several groups share a program.
    """

    def __init__(self, group: Group, mark: str) -> None:
        if group.order > LARGEST_SOLVABLE:
            raise UserError(
                f"{group.name} has {group.order} elements: expected at most {LARGEST_SOLVABLE}"
                " in a direct factor"
            )
        self.group, self.mark = group, mark
        self.table = group.table.astype(np.intp)
        self.inverses = group.inverses

    def program(self, symbols: Sequence[str], of_symbol: Sequence[int]) -> list[str]:
        """The lines that end with ``product``, the number of each prefix's product."""
        series, mark = derived_series(self.group), self.mark
        pairs = ", ".join(f'"{s}": {g}' for s, g in zip(symbols, of_symbol, strict=True))
        lines = [f"h0{mark} = {{{pairs}}}[tokens];"]
        held: list[int] = list(range(self.group.order))  # what the numbers of this layer stand for
        answers: dict[tuple[int, ...], int] = {(): 0}
        names: list[str] = []
        for layer, (whole, normal) in enumerate(pairwise(series)):
            quotient = Quotient(self.group, whole, normal)
            coordinates = [quotient.coordinates.get(g) for g in held]
            here = []
            for axis, order in enumerate(quotient.orders):
                row = [0 if c is None else c[axis] for c in coordinates]
                name = f"q{layer}_{axis}{mark}"
                lines.append(f"{name} = csum({row}[h{layer}{mark}]) % {order};")
                here.append(name)
            answers = {
                (*before, *point): int(self.table[quotient.representative[point], done])
                for before, done in answers.items()
                for point in product(*map(range, quotient.orders))
            }
            names += here
            if layer + 2 < len(series):
                lines.append(self.descent(layer, quotient, held, normal, here))
                held = normal.tolist()
        lines.append(self.answer(names, answers, series))
        return lines

    def descent(
        self,
        layer: int,
        quotient: Quotient,
        held: list[int],
        normal: NDArray[np.intp],
        here: list[str],
    ) -> str:
        """``h' = table[Q, h]``, h' = t(Q_before) h t(Q)^-1, numbered within the next group."""
        rank = {int(g): i for i, g in enumerate(normal)}
        entries = []
        for point in product(*map(range, quotient.orders)):
            after = quotient.representative[point]
            for g in held:
                if g not in quotient.coordinates:
                    entries.append(0)
                    continue
                moved = quotient.coordinates[g]
                back = zip(point, moved, quotient.orders, strict=True)
                before = quotient.representative[tuple((q - c) % n for q, c, n in back)]
                inner = self.table[self.table[before, g], self.inverses[after]]
                entries.append(rank[int(inner)])
        index = code(here, quotient.orders)
        return (
            f"h{layer + 1}{self.mark} = {entries}[{len(held)} * ({index}) + h{layer}{self.mark}];"
        )

    def answer(
        self,
        names: list[str],
        answers: dict[tuple[int, ...], int],
        series: list[NDArray[np.intp]],
    ) -> str:
        """The product from the classes of every layer."""
        orders: list[int] = []
        for whole, normal in pairwise(series):
            orders += Quotient(self.group, whole, normal).orders
        row = [answers[point] for point in product(*map(range, orders))]
        return f"product{self.mark} = {row}[{code(names, orders)}];"


def code(names: Sequence[str], orders: Sequence[int]) -> str:
    """Several small numbers as one: ``4 * a + 2 * b + c``.

    >>> code(["a", "b"], [3, 2])
    '2 * a + b'
    """
    terms = []
    for place, name in enumerate(names):
        scale = prod(orders[place + 1 :])
        terms.append(name if scale == 1 else f"{scale} * {name}")
    return " + ".join(terms) or "0"


class Quotient:
    """An abelian quotient G / N in coordinates.

    Attributes
    ----------
    orders : list of int
        of its cyclic factors.
    coordinates : dict
        for each member of G, its class as a point.
    representative : dict
        for each point, a member of that class; the identity for the origin.
    """

    def __init__(self, group: Group, whole: NDArray[np.intp], normal: NDArray[np.intp]) -> None:
        self.table = group.table.astype(np.intp)
        self.normal = normal
        self.orders: list[int] = []
        self.representative: dict[tuple[int, ...], int] = {(): 0}
        self.coordinates: dict[int, tuple[int, ...]] = {}
        while len(self.representative) * len(normal) < len(whole):
            self.extend(whole)
        for point, t in self.representative.items():
            for n in normal:
                self.coordinates[int(self.table[n, t])] = point

    def extend(self, whole: NDArray[np.intp]) -> None:
        """One more cyclic factor: an element of the greatest order that meets the others in 1."""
        covered = {int(self.table[n, t]) for t in self.representative.values() for n in self.normal}
        best, most = 0, 0
        for g in whole:
            order = self.order_outside(int(g), covered)
            if order > most:
                best, most = int(g), order
        powers = [0]
        for _ in range(most - 1):
            powers.append(int(self.table[powers[-1], best]))
        self.representative = {
            (*point, k): int(self.table[t, power])
            for point, t in self.representative.items()
            for k, power in enumerate(powers)
        }
        self.orders.append(most)

    def order_outside(self, g: int, covered: set[int]) -> int:
        """The order of g modulo N, or 0 if some power of it is covered before N is reached."""
        power, order, inside = g, 1, set(map(int, self.normal))
        while power not in inside:
            if power in covered:
                return 0
            power, order = int(self.table[power, g]), order + 1
        return order if order > 1 else 0


# -- doubling --------------------------------------------------------------------------------------


def doubling_program(
    symbols: Sequence[str], images: Sequence[Sequence[int]], layers: int, radix: int, length: int
) -> str:
    """What the prefix does to each point, by joining windows; ends with the list ``p``.

    Parameters
    ----------
    symbols : sequence of str
    images : sequence of sequences of int
        for each symbol, where it takes each point.
    layers, radix : int
        right for words of up to radix^layers symbols.
    length : int
        windows that begin before every word are left out.
    """
    degree, orbits = len(images[0]), orbits_of(images)
    lines = [LOOK]
    for point in range(degree):
        pairs = ", ".join(f'"{s}": {row[point]}' for s, row in zip(symbols, images, strict=True))
        lines.append(f"p{point} = {{{pairs}}}[tokens];")
    window = 1
    for _ in range(layers):
        away = [window * k for k in range(1, radix) if window * k < length]
        for number, distance in enumerate(away, 1):
            lines += [f"q{i}_{number} = look(p{i}, {distance}, {i});" for i in range(degree)]
        if away:
            lines += joined(degree, orbits, len(away))
        window *= radix
    return "\n".join(lines)


def joined(degree: int, orbits: Sequence[Sequence[int]], windows: int) -> list[str]:
    """Windows composed: what the farthest does first, and the nearest last."""
    lines = []
    nearer = [f"p{i}" for i in range(degree)]
    for number in range(1, windows + 1):
        made = []
        for i in range(degree):
            orbit = next(orbit for orbit in orbits if i in orbit)
            text = nearer[orbit[0]]
            for k in orbit[1:]:
                text = f"({nearer[k]} if q{i}_{number} == {k} else {text})"
            made.append(text)
        names = [f"r{i}" for i in range(degree)]
        lines.append(
            f"{', '.join(names)} = {', '.join(made)};" if degree > 1 else f"r0 = {made[0]};"
        )
        nearer = names
    lines += [f"p{i} = r{i};" for i in range(degree)]
    return lines


def orbits_of(images: Sequence[Sequence[int]]) -> list[list[int]]:
    """The sets of points that the symbols move among themselves.

    >>> orbits_of([[1, 0, 2], [0, 1, 2]])
    [[0, 1], [2]]
    """
    orbit = list(range(len(images[0])))
    for row in images:
        for a, b in enumerate(row):
            orbit = [min(orbit[a], orbit[b]) if o in (orbit[a], orbit[b]) else o for o in orbit]
    return [[i for i, o in enumerate(orbit) if o == first] for first in sorted(set(orbit))]


def action_of(group: Group) -> list[list[int]]:
    """Where each element takes each of a few points, faithfully.

    Permutations as their names tell; else the cosets of a subgroup without normal subgroups.
    """
    named = [permutation(name) for name in group.elements]
    points = 1 + max((max(cycle) for row in named if row for cycle in row), default=0)
    if all(row is not None for row in named) and points > 1:
        images = [images_of(row or [], points) for row in named]
        if len({tuple(row) for row in images}) == group.order:
            return images
    return coset_action(group)


def permutation(name: str) -> list[list[int]] | None:
    """The cycles of a permutation written with one digit a point; None if it is none.

    >>> permutation("(012)(34)"), permutation("e"), permutation("r1")
    ([[0, 1, 2], [3, 4]], [], None)
    """
    if name == "e":
        return []
    if not (name.startswith("(") and name.endswith(")")):
        return None
    cycles = name[1:-1].split(")(")
    return [[int(p) for p in c] for c in cycles] if all(c.isdigit() for c in cycles) else None


def images_of(cycles: Sequence[Sequence[int]], points: int) -> list[int]:
    """A permutation's image list."""
    images = list(range(points))
    for cycle in cycles:
        for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            images[a] = b
    return images


def coset_action(group: Group) -> list[list[int]]:
    """The action on the right cosets of the largest subgroup found that has no normal part."""
    table = group.table.astype(np.intp)
    best = np.array([0])
    if group.order <= 128:
        seen = {g: group.generate_subgroup(np.array([g])) for g in range(group.order)}
        for members in seen.values():
            if len(members) > len(best) and core_free(group, members):
                best = members
    cosets: list[int] = []
    place = np.full(group.order, -1)
    for g in range(group.order):
        if place[g] < 0:
            place[table[best, g]] = len(cosets)
            cosets.append(g)
    if len(cosets) > MOST_POINTS:
        raise UserError(
            f"{group.name} acts faithfully on {len(cosets)} points at the fewest found: expected"
            f" {MOST_POINTS} at most, so that its program stays small"
        )
    return [[int(place[table[c, g]]) for c in cosets] for g in range(group.order)]


def core_free(group: Group, members: NDArray[np.intp]) -> bool:
    """Whether the conjugates of a subgroup have only the identity in common."""
    table, inverses = group.table.astype(np.intp), group.inverses
    core = set(members.tolist())
    for g in range(group.order):
        core &= {int(table[table[inverses[g], m], g]) for m in members}
    return core == {0}


CSUM = "def csum(x) { return round((indices + 1) * aggregate(select(indices, indices, <=), x)); }"
LOOK = "def look(x, d, before) { return aggregate(select(indices, indices - d, ==), x, before); }"
