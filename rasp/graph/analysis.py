"""What a program needs of a transformer: layers, heads, and what is hard about it.

::

    depth(select)    = max(depth of keys, of queries) + 1
    depth(aggregate) = max(depth(values) + 1, depth(selector))
    elsewhere        = the greatest depth among the parts

An aggregate of depth l is computed in layer l. The heads of a layer are the distinct selectors of
its aggregates, told apart by structure (Weiss, Goldberg and Yahav 2021, arXiv:2106.06981, section
4): two equal selectors are one head.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .sops import (
    Aggregate,
    At,
    Combine,
    Constant,
    Map,
    Node,
    Select,
    Selector,
    SOp,
    input_named,
    ordered,
    select,
)


@dataclass(frozen=True)
class Need:
    """What a program needs.

    Attributes
    ----------
    selectors : tuple of tuples of Selector
        the heads of each layer.
    remarks : tuple of str
        what makes it harder to run on a transformer: composite selectors, products of numbers,
        defaults.
    """

    selectors: tuple[tuple[Selector, ...], ...]
    remarks: tuple[str, ...]

    @property
    def layers(self) -> int:
        """How many attention layers."""
        return len(self.selectors)

    @property
    def heads(self) -> int:
        """The most heads of any layer."""
        return max(map(len, self.selectors), default=0)


def depths(roots: Iterable[Node]) -> dict[int, int]:
    """The depth of every node, by its number."""
    found: dict[int, int] = {}
    for node in ordered(roots):
        inner = [found[part.number] for part in node.parts]
        deepest = max(inner, default=0)
        if isinstance(node, Select | At):
            deepest += 1
        elif isinstance(node, Aggregate):
            selector, values = inner
            deepest = max(values + 1, selector)
        found[node.number] = deepest
    return found


def selector_of(node: Aggregate | At) -> Selector:
    """The selector that a node attends by."""
    if isinstance(node, Aggregate):
        return node.selector
    return select(input_named("indices"), node.index, "==")


def analyse(roots: Iterable[SOp | Selector]) -> Need:
    """The layers and heads of a program.

    Examples
    --------
    >>> from .face import aggregate, indices, select, tokens
    >>> seen = aggregate(select(tokens, tokens, "==") & select(indices, indices, "<"), 1)
    >>> need = analyse([seen.node])
    >>> need.layers, need.heads, need.remarks
    (1, 1, ('composite selectors: 1',))
    """
    roots = list(roots)
    depth = depths(roots)
    layers: dict[int, dict[int, Selector]] = {}
    for node in ordered(roots):
        if isinstance(node, Aggregate | At):
            chosen = selector_of(node)
            layers.setdefault(depth[node.number], {})[chosen.number] = chosen
    for root in roots:
        if isinstance(root, Selector):
            layers.setdefault(depth[root.number], {})[root.number] = root
    top = max(layers, default=0)
    heads = tuple(tuple(layers.get(layer, {}).values()) for layer in range(1, top + 1))
    return Need(heads, tuple(remarks(roots)))


def remarks(roots: Iterable[Node]) -> list[str]:
    """What is not plain attention and elementwise functions of few values, counted."""
    nodes = ordered(roots)
    counts = {
        "composite selectors": sum(
            isinstance(n, Aggregate) and isinstance(n.selector, Combine) for n in nodes
        ),
        "products or quotients of two s-ops": sum(is_product(n) for n in nodes),
        "defaults": sum(isinstance(n, Aggregate) and n.default is not None for n in nodes),
    }
    return [f"{what}: {count}" for what, count in counts.items() if count]


def is_product(node: Node) -> bool:
    """Whether a node multiplies or divides two s-ops that are not constants."""
    if not (isinstance(node, Map) and node.function in ("*", "/", "^")):
        return False
    return not any(isinstance(part, Constant) for part in node.operands)
