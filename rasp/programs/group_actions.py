"""Faithful actions of a finite group on few points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.tasks.groups.cayley_tables import Group

MAX_POINTS = 16
"""The most points on which a group may act, so that its program stays small."""

MAX_SEARCH_ORDER = 128
"""The largest order of a group whose cyclic subgroups are searched for an action."""


def find_action(group: Group) -> list[list[int]]:
    """Return the images of a few points under each element, for a faithful action.

    Elements that are named as permutations act as those; any other group acts on the cosets of a
    subgroup.
    """
    cycles = [parse_permutation(name) for name in group.elements]
    points = 1 + max((max(cycle) for row in cycles if row for cycle in row), default=0)
    if all(row is not None for row in cycles) and points > 1:
        images = [list_images(row or [], points) for row in cycles]
        if len({tuple(row) for row in images}) == group.order:
            return images
    return find_coset_action(group)


def parse_permutation(name: str) -> list[list[int]] | None:
    """Return the cycles of a permutation written with one digit a point; None for other names.

    >>> parse_permutation("(012)(34)"), parse_permutation("e"), parse_permutation("r1")
    ([[0, 1, 2], [3, 4]], [], None)
    """
    if name == "e":
        return []
    if not (name.startswith("(") and name.endswith(")")):
        return None
    cycles = name[1:-1].split(")(")
    return [[int(p) for p in c] for c in cycles] if all(c.isdigit() for c in cycles) else None


def list_images(cycles: Sequence[Sequence[int]], points: int) -> list[int]:
    """Return the image of each point under a permutation given by its cycles."""
    images = list(range(points))
    for cycle in cycles:
        for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            images[a] = b
    return images


def find_coset_action(group: Group) -> list[list[int]]:
    """Return the action on the right cosets of the largest core-free cyclic subgroup.

    Raises
    ------
    UserError
        for a group that needs more than `MAX_POINTS` points.
    """
    table = group.table.astype(np.intp)
    best = np.array([0])
    if group.order <= MAX_SEARCH_ORDER:
        for g in range(group.order):
            members = group.generate_subgroup(np.array([g]))
            if len(members) > len(best) and is_core_free(group, members):
                best = members
    cosets: list[int] = []
    coset_of = np.full(group.order, -1)
    for g in range(group.order):
        if coset_of[g] < 0:
            coset_of[table[best, g]] = len(cosets)
            cosets.append(g)
    if len(cosets) > MAX_POINTS:
        raise UserError(
            f"{group.name} acts faithfully on {len(cosets)} points at the fewest found: expected"
            f" at most {MAX_POINTS}, so that its program stays small"
        )
    return [[int(coset_of[table[c, g]]) for c in cosets] for g in range(group.order)]


def is_core_free(group: Group, members: NDArray[np.intp]) -> bool:
    """Return whether the conjugates of a subgroup have only the identity in common."""
    table, inverses = group.table.astype(np.intp), group.inverses
    core = set(members.tolist())
    for g in range(group.order):
        core &= {int(table[table[inverses[g], m], g]) for m in members}
    return core == {0}


def choose_base(images: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return a base of a group that acts on points, and the images of the base for each element.

    A base is a set of points whose images distinguish all elements; here the fewest first points.
    The images are combined into one number.

    >>> choose_base([[0, 1, 2], [1, 0, 2], [2, 1, 0]])
    ([0], [0, 1, 2])
    """
    degree, base = len(images[0]), [0]
    while len({tuple(row[p] for p in base) for row in images}) < len(images):
        base.append(len(base))
    codes = []
    for row in images:
        code = 0
        for point in base:
            code = code * degree + row[point]
        codes.append(code)
    return base, codes
