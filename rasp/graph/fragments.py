"""Membership of a program in smaller languages, decided by its form.

- **C-RASP** counts earlier positions and compares counts (Yang and Chiang 2024, arXiv:2404.04393):
  selectors are ``select(indices, indices, <=)`` or ``<``, aggregates are means or counts of
  booleans, and numbers meet only in linear comparisons. It cannot count modulo any number.
- **B-RASP** is hard attention over booleans (Yang, Chiang and Angluin 2024, arXiv:2310.13897), and
  defines exactly the star-free languages. By form: selectors are masks of the order of positions,
  and an aggregate of booleans is only compared with 0 or 1, which asks whether some or all earlier
  positions satisfy a condition.
- **RASP-L** describes what a causal transformer learns to extend to longer words (Zhou et al. 2023,
  arXiv:2310.16028): it attends only to earlier positions, and has no arithmetic on indices other
  than adding or subtracting 1, and no products, powers or remainders of numbers.

"Not by its form" says that this program is not written in the fragment. Another program that
computes the same function may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .formula import format_formula
from .sops import (
    Aggregate,
    At,
    Combine,
    Constant,
    Input,
    Lookup,
    Map,
    Member,
    Node,
    Select,
    Selector,
    SOp,
    create_input,
    sort_topologically,
)

COMPARISON_SIGNS = ("==", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Verdict:
    """Whether a program is in a fragment.

    Attributes
    ----------
    fragment : str
    reason : str or None
        the first reason why it is not; None if it is.
    """

    fragment: str
    reason: str | None

    @property
    def holds(self) -> bool:
        """Whether the program is in the fragment."""
        return self.reason is None

    def __str__(self) -> str:
        if self.holds:
            return f"in {self.fragment}"
        return f"not by its form in {self.fragment}: {self.reason}"


def classify(root: SOp) -> tuple[Verdict, ...]:
    """Return the verdict on each fragment.

    Examples
    --------
    >>> from flann.rasp import aggregate, indices, select, tokens, indicator
    >>> ones = aggregate(select(indices, indices, "<="), indicator(tokens == "1"))
    >>> [verdict.holds for verdict in classify((ones > 0.5).node)]
    [True, False, True]
    """
    checks = {"C-RASP": check_c_rasp, "B-RASP": check_b_rasp, "RASP-L": check_rasp_l}
    return tuple(Verdict(name, next(check(root), None)) for name, check in checks.items())


# -- C-RASP ----------------------------------------------------------------------------------------


def check_c_rasp(root: SOp) -> Iterator[str]:
    """Yield a reason why a program is not in C-RASP, if there is one."""
    kinds: dict[int, str] = {}
    for node in sort_topologically([root]):
        if isinstance(node, Selector):
            if not is_mask(node):
                yield f"{format_formula(node)} does more than look back"
                return
            continue
        kind = classify_c_rasp_node(node, kinds)
        if kind is None:
            yield f"{format_formula(node)} is no count, mean or comparison of them"
            return
        kinds[node.number] = kind
    if kinds[root.number] != "finite":
        yield "its values are numbers without a bound"


def classify_c_rasp_node(node: Node, kinds: dict[int, str]) -> str | None:
    """Return the kind of a node in C-RASP, given the kinds of its parts.

    The kinds are ``finite`` (finitely many values), ``position``, ``count`` and ``mean``; None for
    a node that C-RASP does not have.
    """
    if isinstance(node, Input):
        return "position" if node.name == "indices" else "finite"
    if isinstance(node, Constant):
        return "finite"
    if isinstance(node, Aggregate):
        return "mean" if kinds[node.values.number] == "finite" else None
    if isinstance(node, At):
        return None
    inner = [kinds[part.number] for part in node.parts if part.number in kinds]
    if all(kind == "finite" for kind in inner):
        return "finite"
    if isinstance(node, Lookup | Member) or not isinstance(node, Map):
        return None
    return classify_arithmetic(node, inner)


def classify_arithmetic(node: Map, inner: list[str]) -> str | None:
    """Return the kind of an elementwise node, some of whose operands are numbers without bound."""
    if is_count(node):
        return "count"
    unbounded = [kind for kind in inner if kind != "finite"]
    same = len(set(unbounded)) == 1 and (unbounded[0] != "mean" or has_only_means(node))
    linear = same or set(unbounded) <= {"count", "position"}
    if node.function in COMPARISON_SIGNS and linear:
        return "finite"
    if node.function in ("+", "-", "neg") and linear:
        return "mean" if "mean" in unbounded else "count"
    if node.function == "*" and any(isinstance(part, Constant) for part in node.operands):
        return unbounded[0]
    if node.function == "*" and scales_mean(node):
        return "mean"  # (indices + 1) * mean is a count once it is rounded
    return None


def has_only_means(node: Map) -> bool:
    """Return whether every operand is constant or computed from an aggregate."""
    return all(
        isinstance(operand, Constant)
        or any(isinstance(part, Aggregate) for part in sort_topologically([operand]))
        for operand in node.operands
    )


def scales_mean(node: Map) -> bool:
    """Return whether an operand is an aggregate over earlier positions."""
    return any(isinstance(part, Aggregate) and is_mask(part.selector) for part in node.operands)


def is_count(node: Map) -> bool:
    """Return whether a node is ``round(x * aggregate(..))``, a count of earlier positions."""
    if node.function != "round":
        return False
    inner = node.operands[0]
    return isinstance(inner, Map) and inner.function == "*" and scales_mean(inner)


def is_mask(selector: Selector) -> bool:
    """Return whether a selector is ``select(indices, indices, <=)`` or ``<``."""
    indices = create_input("indices")
    return (
        isinstance(selector, Select)
        and selector.keys is indices
        and selector.queries is indices
        and selector.relation in ("<=", "<")
    )


# -- B-RASP ----------------------------------------------------------------------------------------


def check_b_rasp(root: SOp) -> Iterator[str]:
    """Yield a reason why a program is not in B-RASP, if there is one."""
    nodes = sort_topologically([root])
    compared = {part.number for node in nodes if is_quantifier(node) for part in node.parts}
    for node in nodes:
        if isinstance(node, Input) and node.name == "indices" and not is_only_selected(node, nodes):
            yield "indices are used as numbers"
            return
        if isinstance(node, Select) and not is_order(node):
            yield f"{format_formula(node)} does not compare positions by their order"
            return
        if isinstance(node, At):
            yield f"{format_formula(node)} looks at a numbered position"
            return
        if isinstance(node, Aggregate) and not (
            node.number in compared and is_zero_or_one(node.values)
        ):
            yield f"{format_formula(node)} is a mean that is not only compared with 0 or 1"
            return
        if isinstance(node, Aggregate) and is_used_as_number(node, nodes):
            yield f"{format_formula(node)} is also used as a number"
            return


def is_order(node: Select) -> bool:
    """Return whether a selector compares indices by order, or selects everything or nothing."""
    indices = create_input("indices")
    constant = isinstance(node.keys, Constant) and isinstance(node.queries, Constant)
    return constant or (
        node.keys is indices and node.queries is indices and node.relation not in ("==", "!=")
    )


def is_only_selected(indices: Node, nodes: list[Node]) -> bool:
    """Return whether only selectors use the indices."""
    return all(isinstance(node, Select) for node in nodes if indices in node.parts)


def is_quantifier(node: Node) -> bool:
    """Return whether a node compares a mean with 0 or 1, asking for "some", "none" or "all"."""
    if not (isinstance(node, Map) and node.function in COMPARISON_SIGNS):
        return False
    value = node.operands[1]
    if not isinstance(value, Constant):
        return False
    return (node.function, value.value) in {
        (">", 0), ("==", 0), ("<=", 0), ("<", 1), ("==", 1), (">=", 1),
    }  # fmt: skip


def is_zero_or_one(node: SOp) -> bool:
    """Return whether an s-op is the indicator of a boolean, or the constant 0 or 1."""
    if isinstance(node, Constant):
        return node.value in (0, 1) and not isinstance(node.value, bool)
    return isinstance(node, Map) and node.function == "indicator"


def is_used_as_number(aggregate: Aggregate, nodes: list[Node]) -> bool:
    """Return whether a node other than a quantifier uses an aggregate."""
    return any(aggregate in node.parts and not is_quantifier(node) for node in nodes)


# -- RASP-L ----------------------------------------------------------------------------------------


def check_rasp_l(root: SOp) -> Iterator[str]:
    """Yield a reason why a program is not in RASP-L, if there is one."""
    nodes = sort_topologically([root])
    arithmetic = find_index_arithmetic(nodes)
    for node in nodes:
        if isinstance(node, Aggregate) and not looks_back(node.selector):
            yield f"{format_formula(node.selector)} looks ahead"
            return
        if isinstance(node, At):
            yield f"{format_formula(node)} looks ahead"
            return
        if isinstance(node, Map) and node.function in ("%", "^"):
            yield f"{format_formula(node)}: '{node.function}' of a number"
            return
        if isinstance(node, Map) and node.function in ("*", "/") and count_varying(node) > 1:
            yield f"{format_formula(node)}: a product of two s-ops"
            return
        if isinstance(node, Map) and node.number in arithmetic and not is_neighbour(node):
            yield f"{format_formula(node)}: arithmetic on indices"
            return


def find_index_arithmetic(nodes: list[Node]) -> set[int]:
    """Return the numbers of the nodes that compute with indices."""
    found: set[int] = set()
    indices = create_input("indices")
    for node in nodes:
        arithmetic = isinstance(node, Map) and node.function in ("+", "-", "*", "/", "%", "neg")
        if arithmetic and any(part is indices or part.number in found for part in node.parts):
            found.add(node.number)
    return found


def is_neighbour(node: Map) -> bool:
    """Return whether a node adds 1 to, or subtracts 1 from, its other operand."""
    return node.function in ("+", "-") and any(
        isinstance(part, Constant) and part.value == 1 for part in node.operands
    )


def looks_back(selector: Selector) -> bool:
    """Return whether every selected key is at or before its query."""
    indices = create_input("indices")
    if isinstance(selector, Combine):
        parts = [looks_back(part) for part in selector.operands]
        return {"and": any(parts), "or": all(parts), "not": False}[selector.connective]
    if not (isinstance(selector, Select) and selector.keys is indices):
        return False
    queries = selector.queries
    if queries is indices:
        return selector.relation in ("<", "<=", "==")
    if not (isinstance(queries, Map) and queries.function == "-"):
        return False
    base, distance = queries.operands
    return base is indices and isinstance(distance, Constant) and selector.relation != ">"


def count_varying(node: Map) -> int:
    """Return the number of operands that are not constant."""
    return sum(not isinstance(part, Constant) for part in node.operands)
