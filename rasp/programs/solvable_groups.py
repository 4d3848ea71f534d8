"""Programs for the word problem of a solvable group: prefix products in constant depth.

The program has as many layers as the derived series G = G_0 > G_1 > .. > 1 has steps. In layer i
every position has an element h_t of G_i, and the layer helps to compute the prefix products
H_t = h_1 .. h_t. The quotient A = G_i / G_{i+1} is abelian, so the class Q_t of H_t is a running
sum of the coordinates of h_t in cyclic factors, modulo their orders: one head. With t(q) a
representative of the class q, t(1) = 1,

    h'_t = t(Q_{t-1}) h_t t(Q_t)^-1   lies in G_{i+1},   and   H_t = h'_1 .. h'_t t(Q_t)

so the next layer continues with h'. Extensions need not split. The same head serves all factors of
a direct product (Barrington 1989; Merrill, Petty and Sabharwal 2024, arXiv:2404.08819, section 5,
on why other groups need depth).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.tasks.groups.cayley_tables import Group, get_group

from .snippets import CUMULATIVE_SUM, format_mixed_radix, format_table

LARGEST_FACTOR = 400
"""The largest order of a direct factor, whose tables have that times its quotient entries."""


def write_solvable(group: Group, symbols: Sequence[str], generators: Sequence[int]) -> str:
    """Write the program for the prefix products of a solvable group.

    Parameters
    ----------
    group : Group
    symbols : sequence of str
        the alphabet.
    generators : sequence of int
        the element that each symbol stands for.

    Raises
    ------
    UserError
        for a group that is not solvable, or too large.

    Examples
    --------
    >>> print(write_solvable(get_group("Z3"), "012", [0, 1, 2]))  # doctest: +ELLIPSIS
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
    lines = [CUMULATIVE_SUM]
    factors, number = find_factors(group), "0"
    for i, factor in enumerate(factors):
        elements = [split_element(factors, g)[i] for g in generators]
        suffix = f"_{chr(97 + i)}" if len(factors) > 1 else ""
        lines += SolvableGroupWriter(factor, suffix).write(symbols, elements)
    names = [
        f"product_{chr(97 + i)}" if len(factors) > 1 else "product" for i in range(len(factors))
    ]
    for factor, name in zip(factors, names, strict=True):
        number = f"{number} * {factor.order} + {name}" if number != "0" else name
    lines.append(f"word_problem = {number};")
    return "\n".join(lines)


def count_layers(group: Group) -> int:
    """Return the number of layers of that program: the length of the derived series."""
    return max(len(compute_derived_series(factor)) - 1 for factor in find_factors(group))


def find_factors(group: Group) -> list[Group]:
    """Return the direct factors that the group's name states, or the group itself."""
    names = group.name.split("x")
    if len(names) == 1 or ":" in group.name:
        return [group]
    return [get_group(name) for name in names]


def split_element(factors: Sequence[Group], element: int) -> list[int]:
    """Return the component of an element of a direct product in each factor."""
    components = []
    for factor in reversed(factors):
        element, component = divmod(element, factor.order)
        components.append(component)
    return components[::-1]


def compute_derived_series(group: Group) -> list[NDArray[np.intp]]:
    """Return the members of G, G', G'', .. down to the trivial group."""
    series = [np.arange(group.order)]
    while len(series[-1]) > 1:
        series.append(group.commutator_subgroup(series[-1]))
    return series


class SolvableGroupWriter:
    """Writes the program of one solvable group, layer by layer.

    Parameters
    ----------
    group : Group
    suffix : str
        the end of all its names, for a program that several groups share.
    """

    def __init__(self, group: Group, suffix: str) -> None:
        if group.order > LARGEST_FACTOR:
            raise UserError(
                f"{group.name} has {group.order} elements: expected at most {LARGEST_FACTOR}"
                " in a direct factor"
            )
        self.group, self.suffix = group, suffix
        self.table = group.table.astype(np.intp)
        self.inverses = group.inverses

    def write(self, symbols: Sequence[str], elements: Sequence[int]) -> list[str]:
        """Return the lines that define ``product``, the number of each prefix's product.

        Parameters
        ----------
        symbols : sequence of str
        elements : sequence of int
            the element that each symbol stands for.
        """
        series, suffix = compute_derived_series(self.group), self.suffix
        lines = [f"h0{suffix} = {format_table(symbols, elements)}[tokens];"]
        members: list[int] = list(range(self.group.order))  # what h numbers in this layer
        products: dict[tuple[int, ...], int] = {(): 0}  # of the classes in all layers so far
        names: list[str] = []
        for layer, (whole, normal) in enumerate(pairwise(series)):
            quotient = Quotient(self.group, whole, normal)
            coordinates = [quotient.coordinates.get(g) for g in members]
            layer_names = []
            for axis, order in enumerate(quotient.orders):
                row = [0 if c is None else c[axis] for c in coordinates]
                name = f"q{layer}_{axis}{suffix}"
                lines.append(f"{name} = csum({row}[h{layer}{suffix}]) % {order};")
                layer_names.append(name)
            products = {
                (*classes, *point): int(self.table[quotient.representative[point], done])
                for classes, done in products.items()
                for point in product(*map(range, quotient.orders))
            }
            names += layer_names
            if layer + 2 < len(series):
                lines.append(self.write_descent(layer, quotient, members, normal, layer_names))
                members = normal.tolist()
        lines.append(self.write_product(names, products, series))
        return lines

    def write_descent(
        self,
        layer: int,
        quotient: Quotient,
        members: list[int],
        normal: NDArray[np.intp],
        names: list[str],
    ) -> str:
        """Return the line ``h' = table[Q_t, h_t]`` with h' = t(Q_{t-1}) h_t t(Q_t)^-1.

        Parameters
        ----------
        layer : int
        quotient : Quotient
            G_i / G_{i+1} of this layer.
        members : list of int
            the elements that h numbers in this layer.
        normal : array of int
            the members of G_{i+1}, among which h' is numbered.
        names : list of str
            the names of the coordinates of Q_t.
        """
        rank = {int(g): i for i, g in enumerate(normal)}
        entries = []
        for point in product(*map(range, quotient.orders)):
            after = quotient.representative[point]
            for g in members:
                if g not in quotient.coordinates:
                    entries.append(0)
                    continue
                step = zip(point, quotient.coordinates[g], quotient.orders, strict=True)
                before = quotient.representative[tuple((q - c) % n for q, c, n in step)]
                inner = self.table[self.table[before, g], self.inverses[after]]
                entries.append(rank[int(inner)])
        index = format_mixed_radix(names, quotient.orders)
        suffix = self.suffix
        return f"h{layer + 1}{suffix} = {entries}[{len(members)} * ({index}) + h{layer}{suffix}];"

    def write_product(
        self,
        names: list[str],
        products: dict[tuple[int, ...], int],
        series: list[NDArray[np.intp]],
    ) -> str:
        """Return the line that computes the product from its classes in all layers."""
        orders: list[int] = []
        for whole, normal in pairwise(series):
            orders += Quotient(self.group, whole, normal).orders
        row = [products[point] for point in product(*map(range, orders))]
        return f"product{self.suffix} = {row}[{format_mixed_radix(names, orders)}];"


class Quotient:
    """An abelian quotient G / N, with coordinates in a product of cyclic groups.

    Parameters
    ----------
    group : Group
    whole, normal : arrays of int
        the members of G and of N.

    Attributes
    ----------
    orders : list of int
        the orders of the cyclic factors.
    coordinates : dict
        maps each member of G to the point of its class.
    representative : dict
        maps each point to a member of its class; the origin to the identity.
    """

    def __init__(self, group: Group, whole: NDArray[np.intp], normal: NDArray[np.intp]) -> None:
        self.table = group.table.astype(np.intp)
        self.normal = normal
        self.orders: list[int] = []
        self.representative: dict[tuple[int, ...], int] = {(): 0}
        self.coordinates: dict[int, tuple[int, ...]] = {}
        while len(self.representative) * len(normal) < len(whole):
            self._add_factor(whole)
        for point, t in self.representative.items():
            for n in normal:
                self.coordinates[int(self.table[n, t])] = point

    def _add_factor(self, whole: NDArray[np.intp]) -> None:
        """Add a cyclic factor, generated by an element of the greatest possible order.

        It must meet the factors found so far in the identity alone.
        """
        covered = {int(self.table[n, t]) for t in self.representative.values() for n in self.normal}
        generator, greatest = 0, 0
        for g in whole:
            order = self._compute_order(int(g), covered)
            if order > greatest:
                generator, greatest = int(g), order
        powers = [0]
        for _ in range(greatest - 1):
            powers.append(int(self.table[powers[-1], generator]))
        self.representative = {
            (*point, k): int(self.table[t, power])
            for point, t in self.representative.items()
            for k, power in enumerate(powers)
        }
        self.orders.append(greatest)

    def _compute_order(self, g: int, covered: set[int]) -> int:
        """Return the order of g modulo N, or 0 if a power of g is covered before it reaches N."""
        power, order, inside = g, 1, set(map(int, self.normal))
        while power not in inside:
            if power in covered:
                return 0
            power, order = int(self.table[power, g]), order + 1
        return order if order > 1 else 0
