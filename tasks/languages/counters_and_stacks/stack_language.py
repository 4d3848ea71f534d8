"""Stack manipulation as a language: is the final stack the one that the word ends with?

A word is an initial stack of any number of 0 and 1 from the bottom up, then actions, each ``POP``
or ``PUSH`` followed by the bit that is pushed, then ``#`` and the final stack from the top down. It
is a member if the final stack is correct and no ``POP`` is applied to an empty stack (Butoi et al.
2024, arXiv 2411.07107, appendix A). The format is stack, actions, ``#`` and bits in this order.

**Members** are uniform over all members of their length. A member with n initial bits and u pushes
has ``2n + 3u + 1`` symbols however often it pops, since a pop adds one symbol and removes one. Let
W(u, h) be the number of action sequences with u pushes that start from h bits on the stack,
regardless of the values of the bits:

    W(u, h) = W(u - 1, h + 1) + W(u, h - 1)    and    W(0, h) = h + 1,

where the terms are a push and, on a nonempty stack, a pop; without pushes the sequence is any
number of pops up to h. Then n and u are drawn in proportion to ``2^(n + u) W(u, n)``, each action
in proportion to the number of sequences that continue it, and the bits uniformly. W is computed in
integers of any size, and every probability is rounded to 63 bits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int, UInt
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.automata.semiautomaton import Semiautomaton
from flann.tasks.core.recognition import (
    Negatives,
    Recognition,
    TokenColumns,
    Verdicts,
    refuse_negatives,
)
from flann.tasks.core.task import Task, Tokens, register
from flann.tasks.sampling import draw_bits, draw_uniform
from flann.tasks.theory.properties import TaskProperties

from .stack_manipulation import StackManipulation

POP, PUSH, MARK = 2, 3, 4
LONGEST = 2000  # symbols; the table of W grows with the square of the length

# the states of the format, and their transitions on each symbol (0 1 POP PUSH #)
START, ACTIONS, PUSHED_BIT, FINAL_STACK, BROKEN = range(5)
FORM = np.array(
    [
        [START, START, ACTIONS, PUSHED_BIT, FINAL_STACK],
        [BROKEN, BROKEN, ACTIONS, PUSHED_BIT, FINAL_STACK],
        [ACTIONS, ACTIONS, BROKEN, BROKEN, BROKEN],  # after PUSH comes its bit
        [FINAL_STACK, FINAL_STACK, BROKEN, BROKEN, BROKEN],
        [BROKEN] * 5,
    ]
)


class StackLanguage(Recognition):
    """Is what follows # the final stack, from the top?

    Examples
    --------
    >>> task = StackLanguage("mixed")
    >>> words = ["0 1 POP PUSH 1 # 1 0", "0 1 POP PUSH 1 # 0 0", "POP PUSH 1 # 1"]
    >>> for word in words:
    ...     print(task.contains(np.array([[task.symbols.index(s) for s in word.split()]])))
    [ True]
    [False]
    [False]
    """

    symbols: tuple[str, ...] = ("0", "1", "POP", "PUSH", "#")

    def __init__(self, negatives: Negatives) -> None:
        self.name, self.negatives = "stack-manipulation", negatives
        self.form = Semiautomaton(FORM, START)

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of the transduction, to which membership reduces."""
        return StackManipulation.known_properties

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return all lengths but 2; a near miss needs a bit after the mark."""
        least = 3 if self.negatives == "near" else 1
        return [t for t in range(max(low, least), min(high, LONGEST) + 1) if t != 2]

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.symbols) ** length) if self.negatives == "mixed" else None

    # -- drawing ---------------------------------------------------------------------------------

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw uniformly over all members of this length."""
        distribution = MemberDistribution(length)
        height, pushes = distribution.draw_initial_sizes(rng, size)
        words = np.empty((length, size), np.uint8)
        position, column = np.arange(length)[:, None], np.arange(size)
        stack = draw_uniform(
            rng, 2, (length, size)
        )  # the initial stack, until a push overwrites it
        words[...] = np.where(position < height, stack, MARK)
        at = height.copy()  # the position of the next symbol
        active = np.arange(size)
        while active.size:
            ends, pops = distribution.draw_actions(rng, pushes[active], height[active])
            active, pops = active[~ends], pops[~ends]
            popping, pushing = active[pops], active[~pops]
            words[at[popping], popping] = POP
            height[popping] -= 1
            at[popping] += 1
            bits = draw_uniform(rng, 2, (pushing.size,))
            words[at[pushing], pushing], words[at[pushing] + 1, pushing] = PUSH, bits
            stack[height[pushing], pushing] = bits
            height[pushing] += 1
            at[pushing] += 2
            pushes[pushing] -= 1
        below = height - (position - at)  # from the top down, after the mark
        source = np.take_along_axis(stack, np.clip(below, 0, length - 1), axis=0)
        after = position > at
        words[after] = source[after]
        assert (at + height + 1 == length).all()
        assert (words[at, column] == MARK).all()
        return words

    # -- membership ------------------------------------------------------------------------------

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        ends: Verdicts = self.run_format(tokens)[:, -1] == FINAL_STACK
        return ends

    def run_format(self, tokens: Tokens) -> Int[np.ndarray, "size positions"]:
        """Return the state of the format after each prefix."""
        phases = np.empty(tokens.shape[::-1], np.int8).T
        self.form.run(tokens, phases)
        return phases

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        size, length = tokens.shape
        phases = self.run_format(tokens)
        right: Verdicts = phases[:, -1] == FINAL_STACK
        stack, column = np.zeros((length + 1, size), np.uint8), np.arange(size)
        height, before = np.zeros(size, np.int64), np.full(size, START)
        for symbol, phase in zip(tokens.T, phases.T, strict=True):
            bit = symbol < POP
            reads = (before == FINAL_STACK) & bit
            pushes = bit & ~reads
            right &= ~reads | ((height > 0) & (stack[height - 1, column] == symbol))
            takes = reads | (symbol == POP)
            right &= ~takes | (height > 0)
            stack[height[pushes], column[pushes]] = symbol[pushes]
            height += pushes
            height -= takes & (height > 0)
            before = phase
        complete: Verdicts = right & (height == 0)
        return complete


class MemberDistribution:
    """The distribution of the initial size and of each action in uniform members of one length."""

    def __init__(self, length: int) -> None:
        self.thresholds, self.sizes = compute_size_thresholds(length)
        self.action_thresholds = compute_action_thresholds(length)

    def draw_initial_sizes(
        self, rng: np.random.Generator, size: int
    ) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """Draw the height of the initial stack and the number of pushes of each word."""
        raw = draw_bits(rng, size, np.uint64) >> np.uint64(1)
        drawn = self.sizes[np.searchsorted(self.thresholds, raw, side="right")]
        return drawn[:, 0].copy(), drawn[:, 1].copy()

    def draw_actions(
        self,
        rng: np.random.Generator,
        pushes: Int[np.ndarray, " words"],
        height: Int[np.ndarray, " words"],
    ) -> tuple[Bool[np.ndarray, " words"], Bool[np.ndarray, " words"]]:
        """Draw for each word whether its actions end here, and whether the next one is a pop."""
        raw = draw_bits(rng, len(pushes), np.uint64) >> np.uint64(1)
        below = raw < self.action_thresholds[pushes, height]  # a push, or the end if none remains
        return below & (pushes == 0), ~below


def list_sizes(length: int) -> list[tuple[int, int]]:
    """List the initial heights n and numbers of pushes u with ``2n + 3u + 1 = length``.

    >>> list_sizes(7)
    [(3, 0), (0, 2)]
    """
    pushes = range((length - 1) % 2, (length - 1) // 3 + 1, 2)
    return [((length - 1 - 3 * u) // 2, u) for u in pushes]


@lru_cache(maxsize=8)
def count_ways(most_pushes: int, highest: int) -> list[list[int]]:
    """Return W(u, h) at [u][h], for heights that leave room for the remaining pushes.

    >>> count_ways(1, 2)
    [[1, 2, 3, 4], [2, 5, 9]]
    """
    table = [list(range(1, highest + most_pushes + 2))]
    for u in range(1, most_pushes + 1):
        above, row = table[-1], [table[-1][1]]
        for h in range(1, highest + most_pushes - u + 1):
            row.append(above[h + 1] + row[-1])
        table.append(row)
    return table


@lru_cache(maxsize=8)
def compute_size_thresholds(
    length: int,
) -> tuple[UInt[np.ndarray, " pairs"], Int[np.ndarray, "pairs both"]]:
    """Return 2^63 times the cumulative probabilities of the pairs of `list_sizes`, and the pairs.

    The last probability, which is 1, is omitted.

    Raises
    ------
    UserError
        if the language has no member of this length.
    """
    pairs = list_sizes(length)
    if not pairs:
        raise UserError(f"stack-manipulation has no member of length {length}")
    table = count_ways(pairs[-1][1], pairs[0][0])
    weights = [table[u][n] << (n + u) for n, u in pairs]
    sums = np.cumsum(np.array(weights, dtype=object))
    thresholds = [(int(s) << 63) // int(sums[-1]) for s in sums[:-1]]
    return np.array(thresholds, np.uint64), np.array(pairs)


@lru_cache(maxsize=8)
def compute_action_thresholds(length: int) -> UInt[np.ndarray, "pushes heights"]:
    """Return 2^63 times the probability of a push, or of the end if no push remains."""
    most_pushes, highest = list_sizes(length)[-1][1], list_sizes(length)[0][0]
    table = count_ways(most_pushes, highest)
    thresholds = np.zeros((most_pushes + 1, highest + most_pushes + 1), np.uint64)
    thresholds[0] = [(1 << 63) // (h + 1) for h in range(thresholds.shape[1])]
    for u in range(1, most_pushes + 1):
        row = [(table[u - 1][h + 1] << 63) // total for h, total in enumerate(table[u])]
        thresholds[u, : len(row)] = row
    return thresholds


@register("stack-manipulation")
def stack_manipulation(
    *, mode: Literal["transduce", "recognise"] = "transduce", negatives: Negatives = "mixed"
) -> Task:
    """The final stack, from the top, after pushes and pops."""
    if mode == "recognise":
        return StackLanguage(negatives)
    if negatives != "mixed":
        raise refuse_negatives("stack-manipulation")
    return StackManipulation()
