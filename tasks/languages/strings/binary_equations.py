"""Equations in binary: is the sum, the product or the square root right?

======================= ================== =================================================
name                    word               member when
======================= ================== =================================================
binary-addition         ``a + b = c``      c is the sum of a and b
binary-multiplication   ``a * b = c``      c is the product
compute-sqrt            ``a = c``          c is the floor of the square root of a
======================= ================== =================================================

with ``mode=recognise`` (Butoi et al. 2024, arXiv 2411.07107, appendix A); `flann.tasks.languages.strings.binary_arithmetic`
has the transductions, which are the default. Every number has one bit or more, its lowest bit
first, and may have zeros at its high end.

Members: the lengths of the numbers are uniform over all that add up to the length of the word.
Then a is uniform over the numbers of its length for which some result fits into c, and b, where
there is one, uniform over those of its length for which the result does. Words that are no
members: `flann.tasks.core.recognition`; the format is numbers and signs in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Int
from typing_extensions import override

from flann.tasks.core.recognition import Negatives, Recognition, Verdicts, Word, refuse_negatives
from flann.tasks.core.task import Task, Tokens, register
from flann.tasks.core.transduction import Transduction
from flann.tasks.sampling import draw_uniform, draw_whole_below
from flann.tasks.theory.properties import TaskProperties

from .binary_arithmetic import BinaryAddition, BinaryMultiplication, ComputeSqrt

Ask = Literal["transduce", "recognise"]


class Equation(Recognition):
    """Is the number behind the = the result of what stands before it?

    A subclass says what the result is, and how great the numbers before it may be.

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

    # -- what a subclass writes ------------------------------------------------------------------

    def result(self, a: int, b: int = 0) -> int:
        """What should stand behind the =."""
        raise NotImplementedError

    def first_below(self, i: int, k: int) -> int:
        """The bound of an a of i bits: below it, some result has at most k bits."""
        return 1 << i

    def second_below(self, a: int, j: int, k: int) -> int:
        """The bound of a b of j bits: below it, its result with a has at most k bits."""
        return 1 << j

    # -- what follows ----------------------------------------------------------------------------

    @property
    @override
    def properties(self) -> TaskProperties:
        """Those of the transduction: one tells the other."""
        return type(self).transduction().properties

    @property
    @override
    def summary(self) -> str:
        return (type(self).__doc__ or "").partition("\n")[0]

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """All that have room for the numbers and signs."""
        return list(range(max(low, 2 * len(self.signs) + 1), high + 1))

    @override
    def count_words(self, length: int) -> int | None:
        return int(len(self.symbols) ** length) if self.negatives == "mixed" else None

    # -- drawing ---------------------------------------------------------------------------------

    @override
    def members(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """Lengths that are uniform, and then numbers whose result fits."""
        lengths = cut_lengths(rng, size, length - len(self.signs), len(self.signs) + 1)
        rooms = lengths.T.tolist()
        first = draw_whole_below(rng, [self.first_below(i, k) for i, *_, k in rooms])
        numbers = [first]
        if len(self.signs) == 2:
            pairs = zip(first, rooms, strict=True)
            bounds = [self.second_below(a, j, k) for a, (_, j, k) in pairs]
            numbers.append(draw_whole_below(rng, bounds))
        numbers.append([self.result(*given) for given in zip(*numbers, strict=True)])
        return self.write_equation(numbers, rooms, length)

    def write_equation(self, numbers: list[list[int]], rooms: list[list[int]], length: int) -> Word:
        """The numbers as bits, lowest first, signs between them."""
        ends = [str(2 + n) for n in range(len(self.signs))] + [""]
        text = "".join(
            f"{number:0{room}b}"[::-1] + end
            for row, room_row in zip(zip(*numbers, strict=True), rooms, strict=True)
            for number, room, end in zip(row, room_row, ends, strict=True)
        )
        digits = np.frombuffer(text.encode(), np.uint8) - np.uint8(ord("0"))
        return digits.reshape(-1, length).T

    # -- telling members -------------------------------------------------------------------------

    @override
    def in_format(self, tokens: Tokens) -> Verdicts:
        size, length = tokens.shape
        right = np.full(size, True)
        before = np.full(size, -1)
        for sign in range(2, 2 + len(self.signs)):
            here = tokens == sign
            place = here.argmax(axis=1)
            right &= (here.sum(axis=1) == 1) & (place > before + 1)
            before = place
        verdicts: Verdicts = right & (before < length - 1)
        return verdicts

    @override
    def contains(self, tokens: Tokens) -> Verdicts:
        right = self.in_format(tokens)
        backwards = (tokens[right, ::-1] + ord("0")).astype(np.uint8)  # highest bit first
        verdicts = []
        for row in backwards:
            result, *given = find_numbers(row.tobytes())
            verdicts.append(result == self.result(*given[::-1]))
        right[right] = verdicts
        return right


class Sum(Equation):
    """Is the number behind the = the sum of the two before it, in binary?"""

    signs, transduction = ("+", "="), BinaryAddition

    @override
    def result(self, a: int, b: int = 0) -> int:
        """The sum."""
        return a + b

    @override
    def first_below(self, i: int, k: int) -> int:
        """The sum is no smaller."""
        return 1 << min(i, k)

    @override
    def second_below(self, a: int, j: int, k: int) -> int:
        """What a leaves of k bits."""
        return min(1 << j, (1 << k) - a)


class Product(Equation):
    """Is the number behind the = the product of the two before it, in binary?"""

    signs, transduction = ("*", "="), BinaryMultiplication

    @override
    def result(self, a: int, b: int = 0) -> int:
        """The product."""
        return a * b

    @override
    def second_below(self, a: int, j: int, k: int) -> int:
        """What fits into k bits a times; anything zero times."""
        return min(1 << j, ((1 << k) - 1) // a + 1) if a else 1 << j


class Root(Equation):
    """Is the number behind the = the floor of the square root of the one before it, in binary?"""

    signs, transduction = ("=",), ComputeSqrt

    @override
    def result(self, a: int, b: int = 0) -> int:
        """The floor of the root."""
        return isqrt(a)

    @override
    def first_below(self, i: int, k: int) -> int:
        """Roots have half as many bits."""
        return 1 << min(i, 2 * k)


def find_numbers(text: bytes) -> list[int]:
    """The numbers between the signs, 2 and 3.

    >>> find_numbers(b"1003112")
    [4, 3, 0]
    """
    return [int(part or b"0", 2) for part in text.replace(b"3", b"2").split(b"2")]


def cut_lengths(
    rng: np.random.Generator, size: int, total: int, parts: int
) -> Int[np.ndarray, "parts n"]:
    """Uniform ways to write `total` as a sum of two or three parts of 1 or more, in order.

    Three parts are two different cuts at ``1 .. total - 1``, drawn as an ordered pair.
    """
    first = draw_uniform(rng, total - 1, (size,)).astype(np.int64)
    if parts == 2:
        return np.stack([1 + first, total - 1 - first])
    second = draw_uniform(rng, total - 2, (size,)).astype(np.int64)
    second += second >= first
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.stack([1 + low, high - low, total - 1 - high])


def choose_task(name: str, mode: Ask, negatives: Negatives, equation: type[Equation]) -> Task:
    """The transduction, or the language of its right equations."""
    if mode == "recognise":
        return equation(name, negatives)
    if negatives != "mixed":
        raise refuse_negatives(name)
    return equation.transduction()


@register("binary-addition")
def binary_addition(*, mode: Ask = "transduce", negatives: Negatives = "mixed") -> Task:
    """The sum of two binary numbers, lowest bit first."""
    return choose_task("binary-addition", mode, negatives, Sum)


@register("binary-multiplication")
def binary_multiplication(*, mode: Ask = "transduce", negatives: Negatives = "mixed") -> Task:
    """The product of two binary numbers, lowest bit first."""
    return choose_task("binary-multiplication", mode, negatives, Product)


@register("compute-sqrt")
def compute_sqrt(*, mode: Ask = "transduce", negatives: Negatives = "mixed") -> Task:
    """The floor of the square root of a binary number, highest bit first; lowest to recognise."""
    return choose_task("compute-sqrt", mode, negatives, Root)
