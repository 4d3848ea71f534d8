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

from flann.tasks.core.recognition import Negatives, Recognition, Verdicts, Word, no_negatives
from flann.tasks.core.task import Task, Tokens, register
from flann.tasks.core.transduction import Transduction
from flann.tasks.sampling import uniform, whole_below
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
    def properties(self) -> TaskProperties:
        """Those of the transduction: one tells the other."""
        return type(self).transduction().properties

    @property
    def summary(self) -> str:
        """One line on what the language is: the first of its docstring."""
        return (type(self).__doc__ or "").partition("\n")[0]

    def valid_lengths(self, low: int, high: int) -> list[int]:
        """All that have room for the numbers and signs."""
        return list(range(max(low, 2 * len(self.signs) + 1), high + 1))

    def count_words(self, length: int) -> int | None:
        """All words, for the published mix."""
        return int(len(self.symbols) ** length) if self.negatives == "mixed" else None

    # -- drawing ---------------------------------------------------------------------------------

    def members(self, rng: np.random.Generator, size: int, length: int) -> Word:
        """Lengths that are uniform, and then numbers whose result fits."""
        lengths = cut(rng, size, length - len(self.signs), len(self.signs) + 1)
        rooms = lengths.T.tolist()
        first = whole_below(rng, [self.first_below(i, k) for i, *_, k in rooms])
        numbers = [first]
        if len(self.signs) == 2:
            pairs = zip(first, rooms, strict=True)
            bounds = [self.second_below(a, j, k) for a, (_, j, k) in pairs]
            numbers.append(whole_below(rng, bounds))
        numbers.append([self.result(*given) for given in zip(*numbers, strict=True)])
        return self.written(numbers, rooms, length)

    def written(self, numbers: list[list[int]], rooms: list[list[int]], length: int) -> Word:
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

    def in_format(self, tokens: Tokens) -> Verdicts:
        """Whether every sign is there once, in order, and each number has a bit."""
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

    def contains(self, tokens: Tokens) -> Verdicts:
        """Each word of the right format by itself, as whole numbers of any size."""
        right = self.in_format(tokens)
        backwards = (tokens[right, ::-1] + ord("0")).astype(np.uint8)  # highest bit first
        verdicts = []
        for row in backwards:
            result, *given = numbers_in(row.tobytes())
            verdicts.append(result == self.result(*given[::-1]))
        right[right] = verdicts
        return right


class Sum(Equation):
    """Is the number behind the = the sum of the two before it, in binary?"""

    signs, transduction = ("+", "="), BinaryAddition

    def result(self, a: int, b: int = 0) -> int:
        """The sum."""
        return a + b

    def first_below(self, i: int, k: int) -> int:
        """The sum is no smaller."""
        return 1 << min(i, k)

    def second_below(self, a: int, j: int, k: int) -> int:
        """What a leaves of k bits."""
        return min(1 << j, (1 << k) - a)


class Product(Equation):
    """Is the number behind the = the product of the two before it, in binary?"""

    signs, transduction = ("*", "="), BinaryMultiplication

    def result(self, a: int, b: int = 0) -> int:
        """The product."""
        return a * b

    def second_below(self, a: int, j: int, k: int) -> int:
        """What fits into k bits a times; anything zero times."""
        return min(1 << j, ((1 << k) - 1) // a + 1) if a else 1 << j


class Root(Equation):
    """Is the number behind the = the floor of the square root of the one before it, in binary?"""

    signs, transduction = ("=",), ComputeSqrt

    def result(self, a: int, b: int = 0) -> int:
        """The floor of the root."""
        return isqrt(a)

    def first_below(self, i: int, k: int) -> int:
        """Roots have half as many bits."""
        return 1 << min(i, 2 * k)


def numbers_in(text: bytes) -> list[int]:
    """The numbers between the signs, 2 and 3.

    >>> numbers_in(b"1003112")
    [4, 3, 0]
    """
    return [int(part or b"0", 2) for part in text.replace(b"3", b"2").split(b"2")]


def cut(rng: np.random.Generator, size: int, total: int, parts: int) -> Int[np.ndarray, "parts n"]:
    """Uniform ways to write `total` as a sum of two or three parts of 1 or more, in order.

    Three parts are two different cuts at ``1 .. total - 1``, drawn as an ordered pair.
    """
    first = uniform(rng, total - 1, (size,)).astype(np.int64)
    if parts == 2:
        return np.stack([1 + first, total - 1 - first])
    second = uniform(rng, total - 2, (size,)).astype(np.int64)
    second += second >= first
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.stack([1 + low, high - low, total - 1 - high])


def choose(name: str, mode: Ask, negatives: Negatives, equation: type[Equation]) -> Task:
    """The transduction, or the language of its right equations."""
    if mode == "recognise":
        return equation(name, negatives)
    if negatives != "mixed":
        raise no_negatives(name)
    return equation.transduction()


@register("binary-addition")
def binary_addition(*, mode: Ask = "transduce", negatives: Negatives = "mixed") -> Task:
    """The sum of two binary numbers, lowest bit first."""
    return choose("binary-addition", mode, negatives, Sum)


@register("binary-multiplication")
def binary_multiplication(*, mode: Ask = "transduce", negatives: Negatives = "mixed") -> Task:
    """The product of two binary numbers, lowest bit first."""
    return choose("binary-multiplication", mode, negatives, Product)


@register("compute-sqrt")
def compute_sqrt(*, mode: Ask = "transduce", negatives: Negatives = "mixed") -> Task:
    """The floor of the square root of a binary number, highest bit first; lowest to recognise."""
    return choose("compute-sqrt", mode, negatives, Root)
