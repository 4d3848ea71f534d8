"""Generating sets of a group: a deterministic choice of N elements, and the transpositions of Sn.

The choice for ``generators=N``: each generator in turn is the first element (by number) that,
together with those chosen before, generates the largest subgroup. So the first has the greatest
order of all. When they generate the whole group and more are wanted, the rest are the elements of
smallest number not yet chosen, the identity last of all. The symbols of the task are the chosen
elements in order of number.

It finds 1 for ``Zn``, (234) and (01234) for ``A5``, (34) and (01)(234) for ``S5``. It may need
more elements than the fewest possible; then fewer are refused.
"""

from __future__ import annotations

import re

import numpy as np

from flann.errors import UserError

from .cayley_tables import Group


def choose_generating_set(group: Group, count: int) -> list[int]:
    """Return `count` elements that generate the group, in ascending order.

    >>> from flann.tasks.groups.cayley_tables import get_group
    >>> a5 = get_group("A5")
    >>> [a5.elements[g] for g in choose_generating_set(a5, 2)]
    ['(234)', '(01234)']

    Raises
    ------
    UserError
        where `count` is more than the order, or fewer than this choice needs.
    """
    if count > group.order:
        raise UserError(
            f"{group.name} has {group.order} elements: expected at most as many generators,"
            f" got {count}"
        )
    chosen = grow_generating_set(group)
    if count < len(chosen):
        raise UserError(
            f"found no {count} elements that generate {group.name}:"
            f" expected generators={len(chosen)} or more"
        )
    rest = [g for g in [*range(1, group.order), 0] if g not in chosen]
    return sorted(chosen + rest[: count - len(chosen)])


def grow_generating_set(group: Group) -> list[int]:
    """Choose elements one by one, each the first that makes the generated subgroup largest."""
    chosen = [int(np.argmax(group.element_orders))]
    reached = group.generate_subgroup(np.array(chosen))
    while len(reached) < group.order:
        best, best_reached = 0, reached
        for candidate in np.setdiff1d(np.arange(group.order), reached):
            now = group.generate_subgroup(np.array([*chosen, candidate]))
            if len(now) > len(best_reached):
                best, best_reached = int(candidate), now
            if len(now) == group.order:
                break
        chosen.append(best)
        reached = best_reached
    return chosen


def list_transpositions(group: Group) -> list[int]:
    """Return the transpositions of a symmetric group, in ascending order."""
    if not re.fullmatch(r"S\d+", group.name):
        raise UserError(
            f"generators=swaps: expected a symmetric group such as S5, got {group.name}"
        )
    return [g for g, name in enumerate(group.elements) if re.fullmatch(r"\(\d\d\)", name)]
