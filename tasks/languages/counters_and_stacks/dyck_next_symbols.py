"""Dyck words as next-symbol prediction: which brackets may come next, and may the word end here?

After a prefix of a member, any opening bracket may come unless as many are open as the depth
allows, and the closing one of the innermost kind; the word may end where none is open
(Bhattamishra et al. 2020, arXiv 2009.11264, section 4.1; of limited depth Hewitt et al. 2020, arXiv
2010.07515). So a label is: no bracket open, or the innermost kind, or the innermost kind at full
depth. Positions after a dead prefix are not scored.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int, Integer

from flann.tasks.core.task import NOT_SCORED

GROUND = 0  # the label where no bracket is open


def list_next_sets(
    symbols: tuple[str, ...], depth: int | None
) -> tuple[tuple[str, ...], Bool[np.ndarray, "labels symbols"]]:
    """Return the labels, and the set of symbols that each stands for.

    Parameters
    ----------
    symbols : tuple of str
        opening and closing brackets in turn.
    depth : int or None
        the most brackets open at once.

    Examples
    --------
    >>> list_next_sets(("(", ")", "[", "]"), None)[0]
    ('( [ end', '( ) [', '( [ ]')
    >>> list_next_sets(("(", ")"), 1)[0]
    ('( end', ')')
    """
    kinds = len(symbols) // 2
    opening = np.arange(2 * kinds) % 2 == 0
    closing = np.eye(2 * kinds, dtype=bool)[1::2]
    rows = [opening[None]]
    if depth is None or depth > 1:
        rows.append(opening | closing)
    if depth is not None:
        rows.append(closing)
    sets = np.concatenate(rows)
    spelled = [" ".join(s for s, may in zip(symbols, row, strict=True) if may) for row in sets]
    return (f"{spelled[0]} end", *spelled[1:]), sets


def label_next_symbols(
    tokens: Integer[np.ndarray, "length size"],
    labels: Int[np.ndarray, "length size"],
    kinds: int,
    depth: int | None,
) -> None:
    """Write the label after every prefix, one position of all words at a time."""
    length, size = tokens.shape
    stack = np.zeros((length + 1, size), np.int64)
    height, column = np.zeros(size, np.int64), np.arange(size)
    dead = np.zeros(size, bool)
    limit = length + 1 if depth is None else depth
    full_from = 1 if depth == 1 else 1 + kinds  # the first label of full depth
    for t in range(length):
        closes = (tokens[t] % 2).astype(bool)
        kind = tokens[t].astype(np.int64) // 2
        wrong = (height == 0) | (stack[height - 1, column] != kind)
        dead |= np.where(closes, wrong, height == limit)
        height = np.where(dead, 0, height + np.where(closes, -1, 1))
        opened = ~closes & ~dead
        stack[height[opened] - 1, column[opened]] = kind[opened]
        innermost = stack[height - 1, column]
        inside = np.where(height == limit, full_from, 1) + innermost
        labels[t] = np.where(dead, NOT_SCORED, np.where(height == 0, GROUND, inside))
