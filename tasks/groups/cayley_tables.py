"""Finite groups by name, as Cayley tables.

``Zn`` cyclic, ``Sn`` symmetric, ``An`` alternating, ``Dn`` dihedral (order 2n), ``Q8``
quaternions, and ``x`` for direct products: ``A4xZ5``.

Conventions, which the numbers of symbols and labels follow:

- the elements of a permutation group are numbered in lexicographic order of their image lists, so
  the identity is 0 (``Zn`` acts by rotations of n points, ``Dn`` on the corners of the n-gon,
  ``Q8`` on itself);
- in G x H the element (a, b) has number ``a * |H| + b``;
- products compose from left to right: in ``ab``, first a acts, then b, so
  ``(ab)(point) = b(a(point))``.

Names of elements: ``Zn`` 0, 1, ..; permutations as cycles of the points 0, 1, .. (``(012)(34)``,
identity ``e``); ``Dn`` r1, r2, .. for the rotations ``x -> x + k`` and s0, s1, .. for the
reflections ``x -> k - x``; products ``a|b``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import permutations
from math import factorial, prod

import numpy as np
from jaxtyping import Int, Integer, UInt

from flann.errors import UserError, find_nearest
from flann.tasks.sampling import choose_unsigned

LARGEST_ORDER = 5040  # S7: a table of this order takes 51 MB

Table = UInt[np.ndarray, "order order"]


@dataclass(frozen=True, eq=False)
class Group:
    """A finite group: the names of its elements and its Cayley table, ``table[a, b] = ab``.

    >>> klein = get_group("Z2xZ2")
    >>> klein.table.tolist()
    [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]
    >>> get_group("A5").is_solvable
    False
    """

    name: str
    elements: tuple[str, ...]
    table: Table

    @property
    def order(self) -> int:
        """The number of elements."""
        return len(self.elements)

    @cached_property
    def inverses(self) -> Int[np.ndarray, " order"]:
        """The inverse of each element."""
        inverses: Int[np.ndarray, " order"] = np.argmin(self.table, axis=1)  # there stands 0
        return inverses

    @cached_property
    def element_orders(self) -> Int[np.ndarray, " order"]:
        """The order of each element: the least k with a^k = identity."""
        orders = np.ones(self.order, np.intp)
        power = everyone = np.arange(self.order)
        while (unfinished := power != 0).any():
            orders += unfinished
            power = np.where(unfinished, self.table[power, everyone], 0)
        return orders

    @cached_property
    def is_abelian(self) -> bool:
        """Whether ab = ba for all a and b."""
        return bool((self.table == self.table.T).all())

    @cached_property
    def is_solvable(self) -> bool:
        """Whether the derived series ends in the trivial group."""
        if self.is_abelian:
            return True
        members = np.arange(self.order)
        while len(derived := self.commutator_subgroup(members)) < len(members):
            members = derived
        return len(members) == 1

    def commutator_subgroup(
        self, members: Int[np.ndarray, " members"]
    ) -> Int[np.ndarray, " smaller"]:
        """Return the subgroup that the commutators a^-1 b^-1 a b of a subgroup generate."""
        products = self.table[np.ix_(members, members)]
        inverse_products = self.table[np.ix_(self.inverses[members], self.inverses[members])]
        return self.generate_subgroup(np.unique(self.table[inverse_products, products]))

    def generate_subgroup(
        self, generators: Integer[np.ndarray, " generators"]
    ) -> Int[np.ndarray, " members"]:
        """Return the elements of the subgroup that these elements generate, in ascending order."""
        steps = self.table[:, np.unique(generators)]
        reached = np.zeros(self.order, bool)
        reached[0] = True
        frontier = np.array([0])
        while frontier.size:
            onward = np.unique(steps[frontier])
            frontier = onward[~reached[onward]]
            reached[frontier] = True
        return np.flatnonzero(reached)


# -- names ---------------------------------------------------------------------------------------

FACTOR = re.compile(r"(?P<family>[ZSAD])(?P<n>[1-9]\d*)|Q8")
SMALLEST = {"Z": 2, "S": 2, "A": 3, "D": 3}  # below these a group is trivial, or another's name


@lru_cache(maxsize=32)
def get_group(name: str) -> Group:
    """Return the group of this name.

    Raises
    ------
    UserError
        for a name that is no group, a trivial factor, or an order above `LARGEST_ORDER`.
    """
    factors = name.split("x")
    for factor in factors:
        check_factor(factor, name)
    order = prod(compute_order(factor) for factor in factors)
    if order > LARGEST_ORDER:
        raise UserError(f"the group {name} has {order} elements: expected at most {LARGEST_ORDER}")
    group = reduce(build_direct_product, map(build_factor, factors))
    return Group(name, group.elements, group.table)


def check_factor(factor: str, name: str) -> None:
    """Refuse a factor of no known family, or one too small to be a group of its own."""
    match = FACTOR.fullmatch(factor)
    if match is None:
        valid = "x".join(part for part in name.split("x") if FACTOR.fullmatch(part))
        guess = valid or find_nearest(name, ["Z2", "S3", "A4", "D4", "Q8"])
        hint = f": did you mean {guess!r}?" if guess else ""
        raise UserError(
            f"no group {name!r}{hint} (expected Zn, Sn, An, Dn, Q8, or a product such as A4xZ5)"
        )
    family = match["family"]
    if family and int(match["n"]) < SMALLEST[family]:
        least = f"{family}{SMALLEST[family]}"
        raise UserError(f"the group {factor} is too small: expected {least} or larger")


def compute_order(factor: str) -> int:
    """Return the order of one factor, from its name alone."""
    if factor == "Q8":
        return 8
    n = int(factor[1:])
    if factor[0] in "SA":  # the factorial of a huge n would never end
        return factorial(min(n, 20)) // (2 if factor[0] == "A" else 1)
    return n if factor[0] == "Z" else 2 * n


# -- construction --------------------------------------------------------------------------------


def build_factor(factor: str) -> Group:
    """Build one factor of a direct product."""
    if factor == "Q8":
        return build_quaternions()
    build = {"Z": build_cyclic, "S": build_symmetric, "A": build_alternating, "D": build_dihedral}[
        factor[0]
    ]
    return build(int(factor[1:]))


def build_cyclic(n: int) -> Group:
    """Build the integers modulo n under addition."""
    numbers = np.arange(n, dtype=np.uint16)  # twice LARGEST_ORDER fits
    table = (numbers[:, None] + numbers) % np.uint16(n)
    return Group(f"Z{n}", tuple(map(str, range(n))), table.astype(choose_unsigned(n)))


def build_symmetric(n: int) -> Group:
    """Build the group of all permutations of n points."""
    return build_permutation_group(f"S{n}", np.array(list(permutations(range(n)))))


def build_alternating(n: int) -> Group:
    """Build the group of even permutations of n points."""
    images = np.array(list(permutations(range(n))))
    first, second = np.triu_indices(n, 1)
    inversions = (images[:, first] > images[:, second]).sum(axis=1)
    return build_permutation_group(f"A{n}", images[inversions % 2 == 0])


def build_dihedral(n: int) -> Group:
    """Build the symmetries of the regular n-gon: rotations x -> x + k, reflections x -> k - x."""
    points = np.arange(n, dtype=np.int16)
    turns = points[:, None]
    images = np.concatenate([(turns + points) % n, (turns - points) % n])
    names = ["e", *(f"r{k}" for k in range(1, n)), *(f"s{k}" for k in range(n))]
    ranked = np.lexsort((images[:, 1], images[:, 0]))  # two points tell symmetries apart
    return build_permutation_group(f"D{n}", images[ranked], tuple(names[i] for i in ranked))


def build_quaternions() -> Group:
    """Build 1, -1, i, -i, j, -j, k, -k, in this order, with i^2 = j^2 = k^2 = ijk = -1."""
    units = [["1", "i", "j", "k"], ["i", "-1", "k", "-j"], ["j", "-k", "-1", "i"]]
    units += [["k", "j", "-i", "-1"]]
    names = ("1", "-1", "i", "-i", "j", "-j", "k", "-k")
    table = np.empty((8, 8), np.uint8)
    for a in range(8):
        for b in range(8):
            product = names.index(units[a // 2][b // 2])
            table[a, b] = product ^ (a % 2) ^ (b % 2)  # the lowest bit of a number is its sign
    return Group("Q8", names, table)


def build_permutation_group(
    name: str, images: Int[np.ndarray, "order points"], elements: tuple[str, ...] | None = None
) -> Group:
    """Build the group of permutations given by their image lists, in lexicographic order.

    A product is found by its rank among the image lists, read as numbers. Only the first few
    points are needed to tell the elements apart: as many as the longest common prefix of two
    neighbours, and one.
    """
    degree = images.shape[1]
    differs = images[1:] != images[:-1]
    base = int(differs.argmax(axis=1).max()) + 1
    weights = degree ** np.arange(base)[::-1]
    leading = images[:, :base].astype(np.int64)
    codes = leading @ weights
    table = np.empty((len(images), len(images)), choose_unsigned(len(images)))
    for b, then in enumerate(images):
        table[:, b] = np.searchsorted(codes, then[leading] @ weights)
    return Group(name, elements or tuple(map(write_cycles, images.tolist())), table)


def write_cycles(images: list[int]) -> str:
    """Return a permutation of at most ten points in cycle notation.

    >>> write_cycles([1, 2, 0, 4, 3]), write_cycles([0, 1])
    ('(012)(34)', 'e')
    """
    text, seen = "", set[int]()
    for start in range(len(images)):
        cycle = []
        point = start
        while point not in seen:
            seen.add(point)
            cycle.append(str(point))
            point = images[point]
        if len(cycle) > 1:
            text += f"({''.join(cycle)})"
    return text or "e"


def build_direct_product(first: Group, second: Group) -> Group:
    """Build the pairs (a, b), multiplied componentwise and numbered ``a * |H| + b``."""
    a, b = np.divmod(np.arange(first.order * second.order), second.order)
    table = first.table[np.ix_(a, a)].astype(np.uint32) * second.order + second.table[np.ix_(b, b)]
    elements = tuple(f"{x}|{y}" for x in first.elements for y in second.elements)
    dtype = choose_unsigned(len(elements))
    return Group(f"{first.name}x{second.name}", elements, table.astype(dtype))
