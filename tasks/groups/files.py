"""Groups in JSON files. Reading never runs code.

By generators, permutations of 0 .. n - 1 given as lists of images; they are the symbols, in the
order of the file, and the elements are numbered in lexicographic order of their image lists::

    {"permutations": [[1, 2, 0, 3], [1, 0, 2, 3]]}

Or by a Cayley table, where ``table[a][b]`` is the number of ab and 0 is the identity; ``elements``
names them, and ``generators`` says which are symbols, all where it is left out::

    {"table": [[0, 1], [1, 0]], "elements": ["e", "swap"], "generators": [0, 1]}

A table is checked to be a group's: every row and column has every element, 0 is the identity, and
products are associative. By Light's test it is enough that (xg)y = x(gy) for the g of a generating
set (Clifford and Preston 1961, "The algebraic theory of semigroups", section 1.2).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from flann.errors import UserError
from flann.tasks.sampling import choose_unsigned

from .cayley_tables import LARGEST_ORDER, Group, build_permutation_group

MOST_BYTES = 1 << 26
MOST_POINTS = 256

Permutation = tuple[int, ...]


def read_group(path: str | Path) -> tuple[Group, list[int]]:
    """Read the group in a file, and the numbers of the elements that are symbols.

    Raises
    ------
    UserError
        for a file that cannot be read, or holds no group, or one that is too large.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path}: {path.stat().st_size} bytes: expected at most {MOST_BYTES}")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the group {path}: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path}: not JSON: {error}") from error
    try:
        if isinstance(found, dict) and "permutations" in found:
            return from_permutations(path.stem, found["permutations"])
        if isinstance(found, dict) and "table" in found:
            return from_table(path.stem, found)
        raise UserError("expected the key 'permutations' or 'table'")
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def from_permutations(name: str, lists: Any) -> tuple[Group, list[int]]:
    """Build the group that permutations generate, and return the numbers of the generators.

    >>> group, symbols = from_permutations("S3", [[1, 2, 0], [1, 0, 2]])
    >>> group.order, [group.elements[g] for g in symbols]
    (6, ['(0 1 2)', '(0 1)'])
    """
    if not isinstance(lists, list) or not lists or not all(isinstance(p, list) for p in lists):
        raise UserError("permutations: expected a list of lists of images")
    points = len(lists[0])
    for images in lists:
        whole = all(type(image) is int for image in images)
        if not whole or sorted(images) != list(range(points)) or not 2 <= points <= MOST_POINTS:
            raise UserError(
                f"permutations: {str(images)[:60]} is no permutation of 0 to {points - 1}"
                f" (of 2 to {MOST_POINTS} points)"
            )
    generators = list(dict.fromkeys(tuple(images) for images in lists))
    elements = sorted(close_under_products(generators))
    if len(elements) == 1:
        raise UserError("permutations: expected one beside the identity")
    numbers = {element: number for number, element in enumerate(elements)}
    names = tuple(map(write_long_cycles, elements))
    group = build_permutation_group(name, np.array(elements), names)
    return group, [numbers[generator] for generator in generators]


def close_under_products(generators: list[Permutation]) -> set[Permutation]:
    """Return all products of permutations, where the left factor acts first."""
    reached = {tuple(range(len(generators[0])))}
    for element in (queue := list(reached)):
        for generator in generators:
            product = tuple([generator[image] for image in element])
            if product not in reached:
                reached.add(product)
                queue.append(product)
        if len(reached) > LARGEST_ORDER:
            raise UserError(f"the group has more than {LARGEST_ORDER} elements: too large")
    return reached


def write_long_cycles(images: Permutation) -> str:
    """Return a permutation in cycle notation with spaces, for any number of points.

    >>> write_long_cycles((1, 0, 2)), write_long_cycles((0, 1))
    ('(0 1)', 'e')
    """
    text, seen = "", set[int]()
    for start in range(len(images)):
        cycle, point = [], start
        while point not in seen:
            seen.add(point)
            cycle.append(str(point))
            point = images[point]
        text += f"({' '.join(cycle)})" if len(cycle) > 1 else ""
    return text or "e"


def from_table(name: str, found: dict[str, Any]) -> tuple[Group, list[int]]:
    """Build the group of a Cayley table, and return the numbers of its symbols."""
    table = check_table(found["table"])
    order = len(table)
    elements = found.get("elements", [str(a) for a in range(order)])
    if (
        not isinstance(elements, list)
        or len(elements) != order
        or not all(isinstance(element, str) and element for element in elements)
        or len(set(elements)) != order
    ):
        raise UserError(f"elements: expected {order} different names")
    symbols = found.get("generators", list(range(order)))
    if (
        not isinstance(symbols, list)
        or not symbols
        or not all(type(g) is int and 0 <= g < order for g in symbols)
        or len(set(symbols)) != len(symbols)
    ):
        raise UserError(f"generators: expected different numbers from 0 to {order - 1}")
    group = Group(name, tuple(elements), table.astype(choose_unsigned(order)))
    check_associative(group)
    if len(reached := group.generate_subgroup(np.array(symbols))) < order:
        raise UserError(f"generators: they reach {len(reached)} elements of {order}")
    return group, symbols


def check_table(rows: Any) -> Int[np.ndarray, "order order"]:
    """Return a square table in which each row and column holds every element, 0 the identity."""
    if not isinstance(rows, list) or not 2 <= len(rows) <= LARGEST_ORDER:
        raise UserError(f"table: expected a list of 2 to {LARGEST_ORDER} rows")
    order = len(rows)
    for a, row in enumerate(rows):
        numbers = isinstance(row, list) and all(type(entry) is int for entry in row)
        if not numbers or sorted(row) != list(range(order)):
            raise UserError(f"table, row {a}: expected each of 0 to {order - 1} once")
    table = np.array(rows)
    if not (np.sort(table, axis=0) == np.arange(order)[:, None]).all():
        raise UserError("table: expected each element once in every column")
    if not (table[0] == np.arange(order)).all() or not (table[:, 0] == np.arange(order)).all():
        raise UserError("table: expected element 0 to be the identity")
    return table


def check_associative(group: Group) -> None:
    """Refuse a table that is not associative, by Light's test."""
    for g in choose_spanning(group):
        left, right = group.table[group.table[:, g]], group.table[:, group.table[g]]
        if not (left == right).all():
            x, y = (int(i) for i in np.argwhere(left != right)[0])
            raise UserError(f"table: not associative: ({x} {g}) {y} is not {x} ({g} {y})")


def choose_spanning(group: Group) -> list[int]:
    """Choose elements whose products are all elements, even if the table is no group's."""
    chosen: list[int] = []
    reached = {0}
    for g in range(1, group.order):
        if g in reached:
            continue
        chosen.append(g)
        for element in (queue := list(reached)):
            for other in chosen:
                product = int(group.table[element, other])
                if product not in reached:
                    reached.add(product)
                    queue.append(product)
    return chosen
