"""Arithmetic as transduction: binary sums, products and square roots, and values modulo 5.

======================= ============================================ =============================
name                    word                                         answer
======================= ============================================ =============================
binary-addition         a + b, lowest bit first                      the sum, lowest bit first, END
binary-multiplication   a * b, lowest bit first                      the product, likewise, END
compute-sqrt            n, highest bit first                         the floor of its square root
modular-arithmetic      d op d op .. d                               the value modulo 5
======================= ============================================ =============================

(Delétang et al. 2022, arXiv 2207.02098, appendix A.) Sums and products have no leading zeros, the
number 0 is written as one bit, and positions after END are not scored. A root has half as many
bits as its word, rounded up, with leading zeros.

In the words of sums and products, the position of the operator is uniform over those that leave a
bit on both sides, and all bits are uniform. In ``modular-arithmetic`` digits and operators are
uniform, ``*`` binds tighter than ``+`` and ``-``, and lengths are odd.

`flann.tasks.languages.strings.binary_equations` registers the first three names and defines the
languages of correct results.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from operator import add, mul

import numpy as np
from typing_extensions import override

from flann.tasks.core.task import NOT_SCORED, Targets, register
from flann.tasks.core.transduction import Transduction, Words
from flann.tasks.sampling import draw_uniform
from flann.tasks.theory.properties import TaskProperties

MODULUS = 5
END = 2
OPERATOR = 2


class BinaryOperation(Transduction):
    """A binary operation on two numbers that are written in binary, lowest bit first."""

    operate: Callable[[int, int], int]

    def __init__(self, name: str, operator: str) -> None:
        super().__init__(name, ("0", "1", operator), ("0", "1", "END"))

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the lengths of at least 3."""
        return list(range(max(low, 3), high + 1))

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        words = draw_uniform(rng, 2, (length, size))
        words[1 + draw_uniform(rng, length - 2, (size,)).astype(np.intp), np.arange(size)] = (
            OPERATOR
        )
        return words.T

    @override
    def count_words(self, length: int) -> int:
        return (length - 2) << (length - 1)

    @override
    def answers(self, words: Words) -> Targets:
        size, length = words.shape
        answers = np.full((size, length), NOT_SCORED, np.int8)
        inner = (words[:, 1:-1] == OPERATOR).sum(axis=1) == 1
        self.require(
            bool(inner.all() and (words == OPERATOR).sum() == size),
            "one operator between two numbers",
        )
        for row, word in zip(answers, words, strict=True):
            backwards = (word[::-1] + ord("0")).astype(np.uint8).tobytes()  # highest bit first
            second, _, first = backwards.partition(b"2")
            result = f"{type(self).operate(int(first, 2), int(second, 2)):b}2"  # END is 2
            bits = np.frombuffer(result.encode(), np.uint8) - ord("0")
            row[: len(bits)] = [*bits[-2::-1], END]
        return answers


class BinaryAddition(BinaryOperation):
    """The sum of two binary numbers, lowest bit first.

    Examples
    --------
    >>> BinaryAddition().answers(np.array([[1, 1, 2, 1, 0]])).tolist()  # 3 + 1
    [[0, 0, 1, 2, -100]]
    """

    operate = staticmethod(add)
    known_properties = TaskProperties(
        "AC0",
        "carry lookahead, after the operator has been located",
        remembers=True,
    )

    def __init__(self) -> None:
        super().__init__("binary-addition", "+")


class BinaryMultiplication(BinaryOperation):
    """The product of two binary numbers, lowest bit first.

    Examples
    --------
    >>> BinaryMultiplication().answers(np.array([[1, 1, 2, 1, 1]])).tolist()  # 3 * 3
    [[1, 0, 0, 1, 2]]
    """

    operate = staticmethod(mul)
    known_properties = TaskProperties(
        "TC0", "a sum of shifted numbers; parity reduces to a product", remembers=True
    )

    def __init__(self) -> None:
        super().__init__("binary-multiplication", "*")


class ComputeSqrt(Transduction):
    """The floor of the square root of a binary number, highest bit first.

    Examples
    --------
    >>> ComputeSqrt().answers(np.array([[0, 1, 0, 1, 0]])).tolist()  # 10
    [[0, 1, 1]]
    """

    known_properties = TaskProperties(
        "TC0", "roots are in TC0, and squaring reduces to roots", remembers=True
    )

    def __init__(self) -> None:
        super().__init__("compute-sqrt", ("0", "1"), ("0", "1"))

    @override
    def queries(self, length: int) -> int:
        return (length + 1) // 2

    @override
    def count_words(self, length: int) -> int:
        return 1 << length

    @override
    def answers(self, words: Words) -> Targets:
        bits = self.queries(words.shape[1])
        digits = (words + ord("0")).astype(np.uint8)
        roots = [f"{isqrt(int(word.tobytes(), 2)):0{bits}b}" for word in digits]
        flat = np.frombuffer("".join(roots).encode(), np.uint8) - ord("0")
        return flat.reshape(len(words), bits).astype(np.int8)


@register("modular-arithmetic")
class ModularArithmetic(Transduction):
    """The value modulo 5 of an expression in which * binds tighter than + and -.

    Examples
    --------
    >>> task = ModularArithmetic()
    >>> task.answers(np.array([[task.symbols.index(s) for s in "1-2*3"]])).tolist()
    [[0]]
    """

    known_properties = TaskProperties(
        "ACC0",
        "it sums products modulo 5; every group is solvable",
        regular=True,
        star_free=False,
        r_trivial=False,
        periods=frozenset({5}),  # from 1+1+1+..
    )

    def __init__(self) -> None:
        digits = tuple(map(str, range(MODULUS)))
        super().__init__("modular-arithmetic", (*digits, "+", "-", "*"), digits)

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the odd lengths."""
        return [t for t in range(max(low, 1), high + 1) if t % 2]

    @override
    def queries(self, length: int) -> int:
        return 1

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        words = np.empty((length, size), np.uint8)
        words[::2] = draw_uniform(rng, MODULUS, words[::2].shape)
        words[1::2] = MODULUS + draw_uniform(rng, 3, words[1::2].shape)
        return words.T

    @override
    def count_words(self, length: int) -> int:
        return int(MODULUS ** ((length + 1) // 2) * 3 ** (length // 2))

    @override
    def answers(self, words: Words) -> Targets:
        digits, operators = words[:, ::2].astype(np.int64), words[:, 1::2]
        self.require(
            bool((digits < MODULUS).all() and (operators >= MODULUS).all()),
            "alternating digits and operators",
        )
        total, product = np.zeros(len(words), np.int64), digits[:, 0]
        for operator, digit in zip(operators.T, digits[:, 1:].T, strict=True):
            times = operator == MODULUS + 2
            total = np.where(times, total, total + product)
            signed = np.where(operator == MODULUS + 1, -digit, digit)
            product = np.where(times, product * digit, signed) % MODULUS
        value: Targets = ((total + product) % MODULUS).astype(np.int8)[:, None]
        return value
