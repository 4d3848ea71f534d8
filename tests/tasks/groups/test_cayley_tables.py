"""Groups against sympy: order, table, axioms, solvability; and generating sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy.combinatorics import Permutation, PermutationGroup
from sympy.combinatorics.group_constructs import DirectProduct
from sympy.combinatorics.named_groups import (
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    SymmetricGroup,
)

from flann.errors import UserError
from flann.tasks import get_task
from flann.tasks.groups.cayley_tables import LARGEST_ORDER, Group, get_group
from flann.tasks.groups.generators import choose_generating_set

MAKERS = {"Z": CyclicGroup, "S": SymmetricGroup, "A": AlternatingGroup, "D": DihedralGroup}
SINGLE = [  # every one of order at most 120
    *(f"Z{n}" for n in range(2, 121)),
    *(f"S{n}" for n in range(2, 6)),
    *(f"A{n}" for n in range(3, 6)),
    *(f"D{n}" for n in range(3, 61)),
]
PRODUCTS = ["A4xZ5", "Z2xZ2", "S3xZ4", "D4xZ3", "Z2xZ3xZ5", "A4xS3", "Z2xA5", "Q8xZ3", "Q8xD7"]


def sympy_group(name: str) -> PermutationGroup:
    parts = [
        quaternions() if factor == "Q8" else MAKERS[factor[0]](int(factor[1:]))
        for factor in name.split("x")
    ]
    return DirectProduct(*parts) if len(parts) > 1 else parts[0]


def quaternions() -> PermutationGroup:
    """i and j as permutations of 1 i -1 -i j k -j -k, multiplied from the right."""
    i = Permutation([1, 2, 3, 0, 7, 4, 5, 6])
    j = Permutation([4, 5, 6, 7, 2, 3, 0, 1])
    return PermutationGroup(i, j)


@pytest.mark.parametrize("name", SINGLE)
def test_table_is_sympys(name: str) -> None:
    """The same numbering (lexicographic image lists) and the same left-to-right product."""
    elements = sorted(p.array_form for p in sympy_group(name).elements)
    number = {tuple(e): i for i, e in enumerate(elements)}
    table = get_group(name).table
    assert table.shape == (len(elements),) * 2
    some = range(0, len(elements), max(1, len(elements) // 25))
    for a in some:
        for b in some:
            product = Permutation(elements[a]) * Permutation(elements[b])
            assert table[a, b] == number[tuple(product.array_form)]


@pytest.mark.parametrize("name", [*SINGLE, "Q8", *PRODUCTS])
def test_facts_are_sympys(name: str) -> None:
    group, theirs = get_group(name), sympy_group(name)
    assert group.order == theirs.order() == len(set(group.elements))
    assert group.is_abelian == theirs.is_abelian
    assert group.is_solvable == theirs.is_solvable
    derived = group.commutator_subgroup(np.arange(group.order))
    assert len(derived) == theirs.derived_subgroup().order()


def test_products_of_two_groups_to_order_120_are_sympys() -> None:
    orders = {name: get_group(name).order for name in [*SINGLE, "Q8"]}
    pairs = [(a, b) for a in orders for b in orders if orders[a] * orders[b] <= 120]
    assert len(pairs) > 500
    for a, b in pairs:
        test_facts_are_sympys(f"{a}x{b}")


@pytest.mark.parametrize("name", [*SINGLE, "Q8", *PRODUCTS])
def test_axioms(name: str) -> None:
    group = get_group(name)
    table, everyone = group.table.astype(int), np.arange(group.order)
    np.testing.assert_array_equal(table[0], everyone)
    np.testing.assert_array_equal(table[:, 0], everyone)
    np.testing.assert_array_equal(np.sort(table, axis=0), np.sort(table, axis=1).T)
    np.testing.assert_array_equal(table[everyone, group.inverses], 0)
    np.testing.assert_array_equal(table[group.inverses, everyone], 0)
    for c in everyone[:: max(1, group.order // 20)]:  # (ab)c = a(bc)
        np.testing.assert_array_equal(table[table, c], table[:, table[:, c]])


def test_element_orders() -> None:
    for name in ("S5", "D6", "Q8", "Z12"):
        group = get_group(name)
        for a in range(group.order):
            power, order = a, 1
            while power:
                power, order = int(group.table[power, a]), order + 1
            assert group.element_orders[a] == order


def test_quaternions_are_the_quaternions() -> None:
    group = get_group("Q8")
    assert not group.is_abelian
    assert group.is_solvable
    assert group.element_orders.tolist() == [1, 2, 4, 4, 4, 4, 4, 4]  # one element of order 2
    minus = group.elements.index("-1")
    i, j, k = (group.elements.index(u) for u in "ijk")
    assert all(group.table[u, u] == minus for u in (i, j, k))
    assert group.table[group.table[i, j], k] == minus


@given(st.sampled_from(["Z4", "S3", "A4", "Q8", "D5"]), st.sampled_from(["Z3", "S3", "Q8"]))
def test_products_multiply_part_by_part(first: str, second: str) -> None:
    g, h, both = get_group(first), get_group(second), get_group(f"{first}x{second}")
    for x, y in np.random.default_rng(0).integers(both.order, size=(50, 2)):
        (a, b), (c, d) = divmod(x, h.order), divmod(y, h.order)
        assert both.table[x, y] == g.table[a, c] * h.order + h.table[b, d]
    assert both.elements[h.order + 1] == f"{g.elements[1]}|{h.elements[1]}"


def test_a_wrong_table_would_be_found() -> None:
    table = get_group("S3").table.copy()
    table[[1, 2], 3] = table[[2, 1], 3]
    broken = Group("broken", get_group("S3").elements, table)
    assert not (np.sort(broken.table, axis=1) == np.arange(6)).all()


# -- generators ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *(("A5", count) for count in (2, 6, 8, 12, 60)),
        *(("S5", count) for count in (4, 8, 32)),
        *(("Z60", count) for count in (1, 7)),
        ("D7", 2),
        ("Q8", 2),
        ("A4xZ5", 2),
        ("Z2xZ2", 3),
        ("S6", 2),
    ],
)
def test_generators_generate(name: str, count: int) -> None:
    group = get_group(name)
    chosen = choose_generating_set(group, count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == count
    assert len(group.generate_subgroup(np.array(chosen))) == group.order
    if name in SINGLE:
        images = sorted(p.array_form for p in sympy_group(name).elements)
        theirs = PermutationGroup([Permutation(images[g]) for g in chosen])
        assert theirs.order() == group.order


@pytest.mark.parametrize("n", range(2, 7))
def test_swaps_are_the_transpositions(n: int) -> None:
    symbols = get_task(f"S{n}:generators=swaps").symbols
    assert set(symbols) == {f"({a}{b})" for a in range(n) for b in range(a + 1, n)}


def test_all_generators_are_all_elements() -> None:
    assert get_task("A5:generators=60").symbols == get_task("A5").symbols


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("A6x", "did you mean 'A6'"),
        ("Z0", "did you mean"),
        ("Z1", "too small: expected Z2"),
        ("A2", "too small: expected A3"),
        ("D2", "too small: expected D3"),
        ("A5xZ1", "too small: expected Z2"),
        ("Q9", "did you mean 'Q8'"),
        ("A05", "no group 'A05'"),
        ("A5xx", "did you mean 'A5'"),
        ("a5", "did you mean 'A5'"),
        ("S8", f"expected at most {LARGEST_ORDER}"),
        ("S999999999", "expected at most"),
        ("Z99999999999", "expected at most"),
        ("A5xA5xA5", "expected at most"),
        ("A5:generators=1", "expected generators=2 or more"),
        ("Z2xZ2:generators=1", "expected generators=2 or more"),
        ("A5:generators=0", "expected 1 or more"),
        ("A5:generators=-1", "expected 1 or more"),
        ("A5:generators=61", "at most as many generators"),
        ("A5:generators=swaps", "expected a symmetric group"),
        ("A5:generators=some", "expected a whole number or swaps"),
        ("A5:label=first", "expected all or last"),
        ("A5:lable=last", "did you mean 'label'"),
    ],
)
def test_wrong_groups_are_refused_in_one_line(name: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as error:
        get_task(name)
    assert "\n" not in str(error.value)
    assert len(str(error.value).partition(" (known: ")[0]) < 200
