"""The attention layers and heads that a program requires, and what makes it hard to run.

::

    depth(select)    = max(depth of keys, depth of queries) + 1
    depth(aggregate) = max(depth(values) + 1, depth(selector))
    depth(other)     = the greatest depth among its parts

An aggregate of depth l is computed in layer l. The heads of a layer are the selectors of its
aggregates, distinct in structure (Weiss, Goldberg and Yahav 2021, arXiv:2106.06981, section 4): two
equal selectors are one head.
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
    create_input,
    select,
    sort_topologically,
)


@dataclass(frozen=True)
class Requirements:
    """The layers and heads that a program requires.

    Attributes
    ----------
    selectors : tuple of tuples of Selector
        the heads of each layer.
    remarks : tuple of str
        what makes the program harder to run on a transformer (composite selectors, products of
        s-ops, defaults), each with its count.
    """

    selectors: tuple[tuple[Selector, ...], ...]
    remarks: tuple[str, ...]

    @property
    def layers(self) -> int:
        """The number of attention layers."""
        return len(self.selectors)

    @property
    def heads(self) -> int:
        """The number of heads in the layer that has most."""
        return max(map(len, self.selectors), default=0)


def compute_depths(roots: Iterable[Node]) -> dict[int, int]:
    """Return the depth of every node that the roots depend on, by the node's number."""
    depths: dict[int, int] = {}
    for node in sort_topologically(roots):
        inner = [depths[part.number] for part in node.parts]
        deepest = max(inner, default=0)
        if isinstance(node, Select | At):
            deepest += 1
        elif isinstance(node, Aggregate):
            selector, values = inner
            deepest = max(values + 1, selector)
        depths[node.number] = deepest
    return depths


def get_selector(node: Aggregate | At) -> Selector:
    """Return the selector by which a node attends."""
    if isinstance(node, Aggregate):
        return node.selector
    return select(create_input("indices"), node.index, "==")


def analyse(roots: Iterable[SOp | Selector]) -> Requirements:
    """Return the layers and heads that a program requires.

    Examples
    --------
    >>> from flann.rasp import aggregate, indices, select, tokens
    >>> earlier = aggregate(select(tokens, tokens, "==") & select(indices, indices, "<"), 1)
    >>> requirements = analyse([earlier.node])
    >>> requirements.layers, requirements.heads, requirements.remarks
    (1, 1, ('composite selectors: 1',))
    """
    roots = list(roots)
    depths = compute_depths(roots)
    layers: dict[int, dict[int, Selector]] = {}
    for node in sort_topologically(roots):
        if isinstance(node, Aggregate | At):
            selector = get_selector(node)
            layers.setdefault(depths[node.number], {})[selector.number] = selector
    for root in roots:
        if isinstance(root, Selector):
            layers.setdefault(depths[root.number], {})[root.number] = root
    last = max(layers, default=0)
    heads = tuple(tuple(layers.get(layer, {}).values()) for layer in range(1, last + 1))
    return Requirements(heads, tuple(collect_remarks(roots)))


def collect_remarks(roots: Iterable[Node]) -> list[str]:
    """Count what goes beyond plain attention and elementwise functions of a few values."""
    nodes = sort_topologically(roots)
    counts = {
        "composite selectors": sum(
            isinstance(n, Aggregate) and isinstance(n.selector, Combine) for n in nodes
        ),
        "products or quotients of two s-ops": sum(is_product(n) for n in nodes),
        "defaults": sum(isinstance(n, Aggregate) and n.default is not None for n in nodes),
    }
    return [f"{remark}: {count}" for remark, count in counts.items() if count]


def is_product(node: Node) -> bool:
    """Return whether a node multiplies or divides two s-ops, neither of them constant."""
    if not (isinstance(node, Map) and node.function in ("*", "/", "^")):
        return False
    return not any(isinstance(part, Constant) for part in node.operands)
