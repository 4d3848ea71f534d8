"""Stack manipulation as a language: is the stack in the end the one that is written down?

A word is a stack, from the bottom up, of any number of 0 and 1, then actions, ``POP`` or ``PUSH``
and the bit that is pushed, then ``#`` and the final stack from the top. It is a member when that
is the right one and no ``POP`` met an empty stack (Butoi et al. 2024, arXiv 2411.07107,
appendix A). The format is stack, actions, ``#`` and bits in this order.

**Members** are uniform over all of their length. A member with n bits at first and u pushes has
``2n + 3u + 1`` symbols however often it pops, for a pop adds one symbol and takes one away. Let
W(u, h) be the number of ways to go on with u pushes to come and h bits on the stack, the bits left
aside:

    W(u, h) = W(u - 1, h + 1) + W(u, h - 1)    and    W(0, h) = h + 1,

a push, a pop where there is something to pop, and the end where no push is to come. Then n and u
are drawn in proportion to ``2^(n + u) W(u, n)``, each action in proportion to the ways that it
leaves, and the bits uniformly. W is counted in whole numbers of any size and every share kept to
63 bits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int, UInt
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.automata.semiautomaton import Semiautomaton
from flann.tasks.core.recognition import Negatives, Recognition, Verdicts, Word, refuse_negatives
from flann.tasks.core.task import Task, Tokens, register
from flann.tasks.sampling import draw_bits, draw_uniform
from flann.tasks.theory.properties import TaskProperties

from .stack_manipulation import StackManipulation

POP, PUSH, MARK = 2, 3, 4
LONGEST = 2000  # the table of W grows with the square of the length

# the states of the format, and what each symbol (0 1 POP PUSH #) makes of them
START, ACTIONS, AWAITED, READING, BROKEN = range(5)
FORM = np.array(
    [
        [START, START, ACTIONS, AWAITED, READING],
        [BROKEN, BROKEN, ACTIONS, AWAITED, READING],
        [ACTIONS, ACTIONS, BROKEN, BROKEN, BROKEN],  # the bit of a PUSH is awaited
        [READING, READING, BROKEN, BROKEN, BROKEN],
        [BROKEN] * 5,
    ]
)


class StackLanguage(Recognition):
    """Is what follows # the stack in the end, from the top?

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
        """Those of the transduction: one tells the other."""
        return StackManipulation.known_properties

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """All but 2; a near miss needs a bit behind the mark."""
        least = 3 if self.negatives == "near" else 1
        return [t for t in range(max(low, least), min(high, LONGEST) + 1) if t != 2]

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.symbols) ** length) if self.negatives == "mixed" else None

    # -- drawing ---------------------------------------------------------------------------------

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """Uniform over all members of this length."""
        law = Shares(length)
        height, pushes = law.count_beginnings(rng, size)
        words = np.empty((length, size), np.uint8)
        place, column = np.arange(length)[:, None], np.arange(size)
        stack = draw_uniform(rng, 2, (length, size))  # what no push writes over is the first stack
        words[...] = np.where(place < height, stack, MARK)
        at = height.copy()  # where the next symbol goes
        going = np.arange(size)
        while going.size:
            ends, pops = law.count_actions(rng, pushes[going], height[going])
            going, pops = going[~ends], pops[~ends]
            popping, pushing = going[pops], going[~pops]
            words[at[popping], popping] = POP
            height[popping] -= 1
            at[popping] += 1
            bits = draw_uniform(rng, 2, (pushing.size,))
            words[at[pushing], pushing], words[at[pushing] + 1, pushing] = PUSH, bits
            stack[height[pushing], pushing] = bits
            height[pushing] += 1
            at[pushing] += 2
            pushes[pushing] -= 1
        below = height - (place - at)  # from the top down, behind the mark
        source = np.take_along_axis(stack, np.clip(below, 0, length - 1), axis=0)
        behind = place > at
        words[behind] = source[behind]
        assert (at + height + 1 == length).all()
        assert (words[at, column] == MARK).all()
        return words

    # -- telling members -------------------------------------------------------------------------

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        ends: Verdicts = self.phases(tokens)[:, -1] == READING
        return ends

    def phases(self, tokens: Tokens) -> Int[np.ndarray, "size positions"]:
        """The part of the format that each symbol ends in."""
        phases = np.empty(tokens.shape[::-1], np.int8).T
        self.form.run(tokens, phases)
        return phases

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        size, length = tokens.shape
        phases = self.phases(tokens)
        right: Verdicts = phases[:, -1] == READING
        stack, column = np.zeros((length + 1, size), np.uint8), np.arange(size)
        height, before = np.zeros(size, np.int64), np.full(size, START)
        for symbol, phase in zip(tokens.T, phases.T, strict=True):
            bit = symbol < POP
            reads = (before == READING) & bit
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


class Shares:
    """How likely each beginning and each action of a uniform member of one length is."""

    def __init__(self, length: int) -> None:
        self.first, self.pairs = count_beginnings(length)
        self.table = count_actions(length)

    def count_beginnings(
        self, rng: np.random.Generator, size: int
    ) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """The height of the first stack, and the number of pushes."""
        raw = draw_bits(rng, size, np.uint64) >> np.uint64(1)
        drawn = self.pairs[np.searchsorted(self.first, raw, side="right")]
        return drawn[:, 0].copy(), drawn[:, 1].copy()

    def count_actions(
        self,
        rng: np.random.Generator,
        pushes: Int[np.ndarray, " words"],
        height: Int[np.ndarray, " words"],
    ) -> tuple[Bool[np.ndarray, " words"], Bool[np.ndarray, " words"]]:
        """Whether each word's actions end here, and whether the next is a pop."""
        raw = draw_bits(rng, len(pushes), np.uint64) >> np.uint64(1)
        below = raw < self.table[pushes, height]  # a push, or the end where none is to come
        return below & (pushes == 0), ~below


def list_sizes(length: int) -> list[tuple[int, int]]:
    """The heights n and numbers of pushes u with ``2n + 3u + 1 = length``.

    >>> list_sizes(7)
    [(3, 0), (0, 2)]
    """
    pushes = range((length - 1) % 2, (length - 1) // 3 + 1, 2)
    return [((length - 1 - 3 * u) // 2, u) for u in pushes]


@lru_cache(maxsize=8)
def count_ways(most_pushes: int, highest: int) -> list[list[int]]:
    """W(u, h) at [u][h], for heights that leave room for the pushes to come.

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
def count_beginnings(
    length: int,
) -> tuple[UInt[np.ndarray, " pairs"], Int[np.ndarray, "pairs both"]]:
    """2^63 times the chance of one of the first pairs of `list_sizes`, for all but the last; and these.

    Raises
    ------
    UserError
        for a length without members.
    """
    pairs = list_sizes(length)
    if not pairs:
        raise UserError(f"stack-manipulation has no member of length {length}")
    table = count_ways(pairs[-1][1], pairs[0][0])
    weights = [table[u][n] << (n + u) for n, u in pairs]
    sums = np.cumsum(np.array(weights, dtype=object))
    first = [(int(s) << 63) // int(sums[-1]) for s in sums[:-1]]
    return np.array(first, np.uint64), np.array(pairs)


@lru_cache(maxsize=8)
def count_actions(length: int) -> UInt[np.ndarray, "pushes heights"]:
    """2^63 times the chance of a push, or of the end where no push is to come."""
    most_pushes, highest = list_sizes(length)[-1][1], list_sizes(length)[0][0]
    table = count_ways(most_pushes, highest)
    found = np.zeros((most_pushes + 1, highest + most_pushes + 1), np.uint64)
    found[0] = [(1 << 63) // (h + 1) for h in range(found.shape[1])]
    for u in range(1, most_pushes + 1):
        row = [(table[u - 1][h + 1] << 63) // total for h, total in enumerate(table[u])]
        found[u, : len(row)] = row
    return found


@register("stack-manipulation")
def stack_manipulation(
    *, mode: Literal["transduce", "recognise"] = "transduce", negatives: Negatives = "mixed"
) -> Task:
    """The stack in the end, from the top, after pushes and pops."""
    if mode == "recognise":
        return StackLanguage(negatives)
    if negatives != "mixed":
        raise refuse_negatives("stack-manipulation")
    return StackManipulation()
