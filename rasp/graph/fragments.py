"""Which smaller languages a program stays in, as far as its form tells.

- **C-RASP** counts earlier positions and compares counts (Yang and Chiang 2024, arXiv:2404.04393):
  selectors are ``select(indices, indices, <=)`` or ``<``, aggregates are means or counts of
  booleans, and numbers meet only in linear comparisons. It cannot count modulo anything.
- **B-RASP** is hard attention over booleans (Yang, Chiang and Angluin 2024, arXiv:2310.13897), and
  is what is star-free. By form: masks by order alone, and an aggregate of booleans only asked
  whether it is 0 or 1, that is, whether something or everything earlier holds.
- **RASP-L** is what a causal transformer learns to extend to longer words (Zhou et al. 2023,
  arXiv:2310.16028): it looks back only, and does no arithmetic on indices but +1 and -1, nor
  products, powers or remainders of numbers.

"Not by its form" says that this program is not written in the fragment. Another program for the
same function may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    formula,
    input_named,
    ordered,
)

COMPARISONS = ("==", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Verdict:
    """Whether a program is in a fragment, and if not, the first reason."""

    fragment: str
    reason: str | None

    @property
    def holds(self) -> bool:
        """Whether it is in."""
        return self.reason is None

    def __str__(self) -> str:
        return (
            f"in {self.fragment}"
            if self.holds
            else f"not by its form in {self.fragment}: {self.reason}"
        )


def fragments(root: SOp) -> tuple[Verdict, ...]:
    """The verdict on each fragment.

    Examples
    --------
    >>> from .face import aggregate, indices, select, tokens, indicator
    >>> ones = aggregate(select(indices, indices, "<="), indicator(tokens == "1"))
    >>> [verdict.holds for verdict in fragments((ones > 0.5).node)]
    [True, False, True]
    """
    checks = {"C-RASP": against_counting, "B-RASP": against_boolean, "RASP-L": against_learnable}
    return tuple(Verdict(name, next(check(root), None)) for name, check in checks.items())


# -- C-RASP ----------------------------------------------------------------------------------------


def against_counting(root: SOp) -> Iterator[str]:
    """Why a program is not counting of earlier positions and linear comparisons."""
    kinds: dict[int, str] = {}  # finite, count, mean
    for node in ordered([root]):
        if isinstance(node, Selector):
            if not is_mask(node):
                yield f"{formula(node)} does more than look back"
                return
            continue
        kind = counting_kind(node, kinds)
        if kind is None:
            yield f"{formula(node)} is no count, mean or comparison of them"
            return
        kinds[node.number] = kind
    if kinds[root.number] != "finite":
        yield "its values are numbers without a bound"


def counting_kind(node: Node, kinds: dict[int, str]) -> str | None:
    """What a node is in C-RASP, from what its parts are; None if it is nothing there."""
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
    return arithmetic_kind(node, inner)


def arithmetic_kind(node: Map, inner: list[str]) -> str | None:
    """The kind of an elementwise node with a count or a mean in it."""
    if is_count(node):
        return "count"
    loose = [kind for kind in inner if kind != "finite"]
    if any(kind == "scaled" for kind in loose):
        return None
    same = len(set(loose)) == 1 and (loose[0] != "mean" or constants_only(node))
    linear = same or set(loose) <= {"count", "position"}
    if node.function in COMPARISONS and linear:
        return "finite"
    if node.function in ("+", "-", "neg") and linear:
        return "mean" if "mean" in loose else "count"
    if node.function == "*" and any(isinstance(part, Constant) for part in node.operands):
        return loose[0]
    if node.function == "*" and scales_mean(node):
        return "mean"  # (indices + 1) * mean: is a count once rounded
    return None


def constants_only(node: Map) -> bool:
    """Whether what stands beside a mean is constant."""
    return all(
        isinstance(part, Constant) or "aggregate" in formula(part, 10_000) for part in node.operands
    )


def scales_mean(node: Map) -> bool:
    """Whether a node is (indices + 1) * aggregate(mask, ..)."""
    return any(isinstance(part, Aggregate) and is_mask(part.selector) for part in node.operands)


def is_count(node: Map) -> bool:
    """Whether a node is round((indices + 1) * aggregate(..)): a count of earlier positions."""
    if node.function != "round":
        return False
    inner = node.operands[0]
    return isinstance(inner, Map) and inner.function == "*" and scales_mean(inner)


def is_mask(selector: Selector) -> bool:
    """Whether a selector is select(indices, indices, <=) or <."""
    indices = input_named("indices")
    return (
        isinstance(selector, Select)
        and selector.keys is indices
        and selector.queries is indices
        and selector.relation in ("<=", "<")
    )


# -- B-RASP ----------------------------------------------------------------------------------------


def against_boolean(root: SOp) -> Iterator[str]:
    """Why a program is not hard attention over booleans, by masks."""
    nodes = ordered([root])
    asked = {part.number for node in nodes if is_extreme(node) for part in node.parts}
    for node in nodes:
        if isinstance(node, Input) and node.name == "indices" and not only_in_masks(node, nodes):
            yield "indices are used as numbers"
            return
        if isinstance(node, Select) and not is_order(node):
            yield f"{formula(node)} is no order of positions"
            return
        if isinstance(node, At):
            yield f"{formula(node)} looks at a numbered place"
            return
        if isinstance(node, Aggregate) and not (
            node.number in asked and is_zero_or_one(node.values)
        ):
            yield f"{formula(node)} is a mean, not only asked whether it is 0 or 1"
            return
        if isinstance(node, Aggregate) and only_asked_elsewhere(node, nodes):
            yield f"{formula(node)} is also used as a number"
            return


def is_order(node: Select) -> bool:
    """Whether a selector compares indices, or selects everything."""
    indices = input_named("indices")
    constant = isinstance(node.keys, Constant) and isinstance(node.queries, Constant)
    return constant or (
        node.keys is indices and node.queries is indices and node.relation not in ("==", "!=")
    )


def only_in_masks(indices: Node, nodes: list[Node]) -> bool:
    """Whether indices occur in selectors alone."""
    return all(isinstance(node, Select) for node in nodes if indices in node.parts)


def is_extreme(node: Node) -> bool:
    """Whether a node compares with 0 or 1 so that only "none" or "all" is asked."""
    if not (isinstance(node, Map) and node.function in COMPARISONS):
        return False
    value = node.operands[1]
    if not isinstance(value, Constant):
        return False
    return (node.function, value.value) in {
        (">", 0), ("==", 0), ("<=", 0), ("<", 1), ("==", 1), (">=", 1),
    }  # fmt: skip


def is_zero_or_one(node: SOp) -> bool:
    """Whether a value is the indicator of a boolean, or the constant 1."""
    if isinstance(node, Constant):
        return node.value in (0, 1) and not isinstance(node.value, bool)
    return isinstance(node, Map) and node.function == "indicator"


def only_asked_elsewhere(aggregate: Aggregate, nodes: list[Node]) -> bool:
    """Whether something other than such a comparison uses an aggregate."""
    return any(aggregate in node.parts and not is_extreme(node) for node in nodes)


# -- RASP-L ----------------------------------------------------------------------------------------


def against_learnable(root: SOp) -> Iterator[str]:
    """Why a program is not in RASP-L."""
    nodes = ordered([root])
    tainted = indexed(nodes)
    for node in nodes:
        if isinstance(node, Aggregate) and not looks_back(node.selector):
            yield f"{formula(node.selector)} looks ahead"
            return
        if isinstance(node, At):
            yield f"{formula(node)} looks ahead"
            return
        if isinstance(node, Map) and node.function in ("%", "^"):
            yield f"{formula(node)}: '{node.function}' of a number"
            return
        if isinstance(node, Map) and node.function in ("*", "/") and varying(node) > 1:
            yield f"{formula(node)}: a product of two s-ops"
            return
        if isinstance(node, Map) and node.number in tainted and not is_neighbour(node):
            yield f"{formula(node)}: arithmetic on indices"
            return


def indexed(nodes: list[Node]) -> set[int]:
    """The numbers of nodes that do arithmetic on indices."""
    found: set[int] = set()
    indices = input_named("indices")
    for node in nodes:
        arithmetic = isinstance(node, Map) and node.function in ("+", "-", "*", "/", "%", "neg")
        if arithmetic and any(part is indices or part.number in found for part in node.parts):
            found.add(node.number)
    return found


def is_neighbour(node: Map) -> bool:
    """Whether a node is indices + 1 or indices - 1."""
    return node.function in ("+", "-") and any(
        isinstance(part, Constant) and part.value == 1 for part in node.operands
    )


def looks_back(selector: Selector) -> bool:
    """Whether every selected key is at or before its query."""
    indices = input_named("indices")
    if isinstance(selector, Combine):
        each = [looks_back(part) for part in selector.operands]
        return {"and": any(each), "or": all(each), "not": False}[selector.how]
    if not (isinstance(selector, Select) and selector.keys is indices):
        return False
    queries = selector.queries
    if queries is indices:
        return selector.relation in ("<", "<=", "==")
    if not (isinstance(queries, Map) and queries.function == "-"):
        return False
    from_here, steps = queries.operands
    return from_here is indices and isinstance(steps, Constant) and selector.relation != ">"


def varying(node: Map) -> int:
    """How many operands are not constant."""
    return sum(not isinstance(part, Constant) for part in node.operands)
