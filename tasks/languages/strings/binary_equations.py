"""Languages of correct binary equations: sums, products and square roots.

======================= ================== =================================================
name                    word               member when
======================= ================== =================================================
binary-addition         ``a + b = c``      c is the sum of a and b
binary-multiplication   ``a * b = c``      c is the product
compute-sqrt            ``a = c``          c is the floor of the square root of a
======================= ================== =================================================

These are the tasks with ``mode=recognise`` (Butoi et al. 2024, arXiv 2411.07107, appendix A). The
default, transduction, is in `flann.tasks.languages.strings.binary_arithmetic`. Every number has at
least one bit, is written lowest bit first and may have leading zeros.

In members, the lengths of the numbers are uniform over all that fit the length of the word. Then a
is uniform over the numbers of its length for which some result fits into c, and b, where there is
one, is uniform over the numbers of its length for which the result fits. Non-members are drawn as
`flann.tasks.core.recognition` describes; a word has the right format if its numbers and signs are
in the right order.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Int
from typing_extensions import override

from flann.tasks.core.recognition import (
    Negatives,
    Recognition,
    TokenColumns,
    Verdicts,
    refuse_negatives,
)
from flann.tasks.core.task import Task, Tokens, register
from flann.tasks.core.transduction import Transduction
from flann.tasks.sampling import draw_uniform, draw_whole_below
from flann.tasks.theory.properties import TaskProperties

from .binary_arithmetic import BinaryAddition, BinaryMultiplication, ComputeSqrt

EquationMode = Literal["transduce", "recognise"]


class Equation(Recognition):
    """The language of equations whose right-hand side is the result of the left-hand side.

    A subclass defines the result, and the bounds of the operands whose result fits.

    Examples
    --------
    >>> task = binary_addition(mode="recognise")
    >>> words = ["11+1=001", "11+1=000"]  # 3 + 1 = 4, lowest bit first
    >>> task.contains(np.array([[task.symbols.index(s) for s in w] for w in words])).tolist()
    [True, False]
    """

    signs: tuple[str, ...]
    transduction: ClassVar[Callable[[], Transduction]]

    def __init__(self, name: str, negatives: Negatives) -> None:
        self.name, self.negatives = name, negatives
        self.symbols = ("0", "1", *self.signs)

    # -- for subclasses to define ------------------------------------------------------------------

    def result(self, a: int, b: int = 0) -> int:
        """Return the correct right-hand side."""
        raise NotImplementedError

    def first_below(self, i: int, k: int) -> int:
        """Return the bound below which an i-bit a has some result of at most k bits."""
        return 1 << i

    def second_below(self, a: int, j: int, k: int) -> int:
        """Return the bound below which a j-bit b has a result with a of at most k bits."""
        return 1 << j

    # -- the task --------------------------------------------------------------------------------

    @property
    @override
    def properties(self) -> TaskProperties:
        """The properties of the transduction, to which membership reduces."""
        return type(self).transduction().properties

    @property
    @override
    def summary(self) -> str:
        return (type(self).__doc__ or "").partition("\n")[0]

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the lengths that have room for the numbers and signs."""
        return list(range(max(low, 2 * len(self.signs) + 1), high + 1))

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.symbols) ** length) if self.negatives == "mixed" else None

    # -- drawing ---------------------------------------------------------------------------------

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> TokenColumns:
        """Draw uniform lengths of the numbers, and then numbers whose result fits."""
        lengths = draw_composition(rng, size, length - len(self.signs), len(self.signs) + 1)
        widths = lengths.T.tolist()
        first = draw_whole_below(rng, [self.first_below(i, k) for i, *_, k in widths])
        numbers = [first]
        if len(self.signs) == 2:
            pairs = zip(first, widths, strict=True)
            bounds = [self.second_below(a, j, k) for a, (_, j, k) in pairs]
            numbers.append(draw_whole_below(rng, bounds))
        numbers.append([self.result(*operands) for operands in zip(*numbers, strict=True)])
        return self.write_equation(numbers, widths, length)

    def write_equation(
        self, numbers: list[list[int]], widths: list[list[int]], length: int
    ) -> TokenColumns:
        """Write the numbers in binary, lowest bit first, with the signs between them."""
        ends = [str(2 + n) for n in range(len(self.signs))] + [""]
        text = "".join(
            f"{number:0{width}b}"[::-1] + end
            for row, row_widths in zip(zip(*numbers, strict=True), widths, strict=True)
            for number, width, end in zip(row, row_widths, ends, strict=True)
        )
        digits = np.frombuffer(text.encode(), np.uint8) - np.uint8(ord("0"))
        return digits.reshape(-1, length).T

    # -- membership ------------------------------------------------------------------------------

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        size, length = tokens.shape
        right = np.full(size, True)
        before = np.full(size, -1)
        for sign in range(2, 2 + len(self.signs)):
            here = tokens == sign
            position = here.argmax(axis=1)
            right &= (here.sum(axis=1) == 1) & (position > before + 1)
            before = position
        verdicts: Verdicts = right & (before < length - 1)
        return verdicts

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        right = self.in_format(tokens)
        backwards = (tokens[right, ::-1] + ord("0")).astype(np.uint8)  # highest bit first
        verdicts = []
        for row in backwards:
            result, *operands = parse_numbers(row.tobytes())
            verdicts.append(result == self.result(*operands[::-1]))
        right[right] = verdicts
        return right


class Sum(Equation):
    """Is the number after = the sum of the two numbers before it, in binary?"""

    signs, transduction = ("+", "="), BinaryAddition

    @override
    def result(self, a: int, b: int = 0) -> int:
        return a + b

    @override
    def first_below(self, i: int, k: int) -> int:
        """Bound a by k bits, since the sum is no smaller than a."""
        return 1 << min(i, k)

    @override
    def second_below(self, a: int, j: int, k: int) -> int:
        """Bound b by what a leaves of k bits."""
        return min(1 << j, (1 << k) - a)


class Product(Equation):
    """Is the number after = the product of the two numbers before it, in binary?"""

    signs, transduction = ("*", "="), BinaryMultiplication

    @override
    def result(self, a: int, b: int = 0) -> int:
        return a * b

    @override
    def second_below(self, a: int, j: int, k: int) -> int:
        """Bound b by the largest multiple of a in k bits; any b fits if a is 0."""
        return min(1 << j, ((1 << k) - 1) // a + 1) if a else 1 << j


class Root(Equation):
    """Is the number after = the floor of the square root of the one before it, in binary?"""

    signs, transduction = ("=",), ComputeSqrt

    @override
    def result(self, a: int, b: int = 0) -> int:
        return isqrt(a)

    @override
    def first_below(self, i: int, k: int) -> int:
        """Bound a by 2k bits, since a root has half as many bits."""
        return 1 << min(i, 2 * k)


def parse_numbers(text: bytes) -> list[int]:
    """Return the binary numbers that are separated by the signs, 2 and 3.

    >>> parse_numbers(b"1003112")
    [4, 3, 0]
    """
    return [int(part or b"0", 2) for part in text.replace(b"3", b"2").split(b"2")]


def draw_composition(
    rng: np.random.Generator, size: int, total: int, parts: int
) -> Int[np.ndarray, "parts n"]:
    """Draw uniform compositions of `total` into two or three positive parts.

    Three parts correspond to two different cuts in ``1 .. total - 1``, drawn as an ordered pair.
    """
    first = draw_uniform(rng, total - 1, (size,)).astype(np.int64)
    if parts == 2:
        return np.stack([1 + first, total - 1 - first])
    second = draw_uniform(rng, total - 2, (size,)).astype(np.int64)
    second += second >= first
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.stack([1 + low, high - low, total - 1 - high])


def choose_task(
    name: str, mode: EquationMode, negatives: Negatives, equation: type[Equation]
) -> Task:
    """Return the transduction, or the language of its correct equations."""
    if mode == "recognise":
        return equation(name, negatives)
    if negatives != "mixed":
        raise refuse_negatives(name)
    return equation.transduction()


@register("binary-addition")
def binary_addition(*, mode: EquationMode = "transduce", negatives: Negatives = "mixed") -> Task:
    """The sum of two binary numbers, lowest bit first."""
    return choose_task("binary-addition", mode, negatives, Sum)


@register("binary-multiplication")
def binary_multiplication(
    *, mode: EquationMode = "transduce", negatives: Negatives = "mixed"
) -> Task:
    """The product of two binary numbers, lowest bit first."""
    return choose_task("binary-multiplication", mode, negatives, Product)


@register("compute-sqrt")
def compute_sqrt(*, mode: EquationMode = "transduce", negatives: Negatives = "mixed") -> Task:
    """The floor of the square root of a binary number, highest bit first (lowest to recognise)."""
    return choose_task("compute-sqrt", mode, negatives, Root)
