"""Expressions with brackets modulo 5: their value, and the digit that solves an equation.

An expression of T symbols is, with d a uniform digit,

- T = 1: ``d``          T = 2: ``-d``
- T = 3: ``(d)``        T = 4: ``(-d)``
- from 5 on: ``(left op right)``, op uniform of ``+ - *``, the length of left uniform from 1 to
  T - 4, and both drawn in the same way.

So every operation has brackets of its own. ``modular-arithmetic-brackets`` asks for the value.
``solve-equation`` is an expression of T - 2 symbols with one digit, at a uniform place among its
digits, replaced by ``x``, and then ``= v``; it asks for x. Words are drawn again until exactly one
digit solves them.

After Delétang et al. 2022, arXiv 2207.02098, appendix A.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, UInt
from typing_extensions import override

from flann.tasks.core.task import Targets, register
from flann.tasks.core.transduction import Transduction, Words
from flann.tasks.sampling import draw_below, draw_uniform
from flann.tasks.theory.properties import TaskProperties

MODULUS = 5
DIGITS = tuple(map(str, range(MODULUS)))
PLUS, MINUS, TIMES, OPEN, CLOSE = range(MODULUS, MODULUS + 5)
SYMBOLS = (*DIGITS, "+", "-", "*", "(", ")")
X, EQUALS = len(SYMBOLS), len(SYMBOLS) + 1
BLOCK = 1 << 12  # words evaluated at a time
FORMULAS = TaskProperties(
    "NC1-complete",
    "values of formulas over a finite field, brackets of any depth (Buss 1987)",
    stack=True,
    remembers=True,
)


def draw_expressions(rng: np.random.Generator, size: int, length: int) -> Words:
    """Expressions of this length, of shape (size, length).

    All words are made together, level by level: a *span* is a stretch of a word that is still to
    be filled. Each round writes what its spans settle, and splits the long ones in two.
    """
    words = np.empty((size, length), np.uint8)
    flat = words.reshape(-1)
    start = np.arange(size, dtype=np.int64) * length
    span = np.full(size, length, np.int64)
    while start.size:
        write_short(rng, flat, start[span < 5], span[span < 5])
        start, span = start[span >= 5], span[span >= 5]
        left = 1 + draw_below(rng, span - 4).astype(np.int64)
        flat[start] = OPEN
        flat[start + span - 1] = CLOSE
        flat[start + 1 + left] = PLUS + draw_uniform(rng, 3, (start.size,))
        start = np.concatenate([start + 1, start + left + 2])
        span = np.concatenate([left, span - 3 - left])
    return words


def write_short(
    rng: np.random.Generator,
    flat: UInt[np.ndarray, " symbols"],
    start: Int[np.ndarray, " spans"],
    span: Int[np.ndarray, " spans"],
) -> None:
    """Spans of at most four symbols: a digit, perhaps a minus, perhaps brackets."""
    bracketed = span > 2
    flat[start[bracketed]] = OPEN
    flat[(start + span - 1)[bracketed]] = CLOSE
    digit = start + span - 1 - bracketed
    flat[digit] = draw_uniform(rng, MODULUS, (start.size,))
    flat[(digit - 1)[span % 2 == 0]] = MINUS


def build_ring_tables() -> tuple[UInt[np.ndarray, " entries"], UInt[np.ndarray, " elements"]]:
    """Results of + - * on values that may have an x in them, and what a minus makes of one.

    A value is ``slope * x + constant`` modulo 5, numbered ``5 * slope + constant``. As x occurs at
    most once, no product has two slopes.
    """
    slope, constant = np.divmod(np.arange(MODULUS**2), MODULUS)
    s, c = slope[:, None], constant[:, None]
    sums = [(s + slope, c + constant), (s - slope, c - constant)]
    product = (s * constant + slope * c, c * constant)
    results = [MODULUS * (high % MODULUS) + low % MODULUS for high, low in [*sums, product]]
    return np.array(results, np.uint8).ravel(), results[1][0].astype(np.uint8)


RESULTS, NEGATED = build_ring_tables()
ELEMENTS = MODULUS**2
INVERSES = np.array([0, 1, 3, 2, 4])  # modulo 5
OPERANDS = np.array([*range(MODULUS), *[0] * (X - MODULUS), MODULUS], np.uint8)  # x is 1 x + 0


def evaluate(words: Words) -> tuple[UInt[np.ndarray, " size"], bool]:
    """Values of expressions, numbered as `build_ring_tables` does, and whether all are well formed."""
    values, right = np.empty(len(words), np.uint8), True
    for start in range(0, len(words), BLOCK):
        block = slice(start, start + BLOCK)
        values[block], formed = evaluate_block(np.ascontiguousarray(words[block].T))
        right = right and formed
    return values, right


def evaluate_block(
    words: UInt[np.ndarray, "length size"],
) -> tuple[UInt[np.ndarray, " size"], bool]:
    """One symbol of all words at a time.

    Every open bracket has a value so far, an operation that waits for its right side, and a sign
    for what comes next. An operand, a digit or a closed bracket, is taken up by the innermost open
    one. `met` counts the operands and the operators between them, so that a bracket is complete
    when it is odd, and holds at most one operation when it is at most 3; outside of all brackets
    it must be 1 in the end. Level 0 lies below the expression and catches brackets too many.
    """
    length, size = words.shape
    value = np.zeros((length + 3) * size, np.uint8)
    waiting, met = np.zeros_like(value), np.zeros_like(value)
    negative = np.zeros(len(value), bool)
    column = np.arange(size)
    top = size + column
    right = np.ones(size, bool)
    for symbol in words:
        closed = np.flatnonzero(symbol == CLOSE)
        leaf = np.flatnonzero((symbol < MODULUS) | (symbol == X))
        inner = top[closed]
        right[closed] &= (met[inner] & 1).astype(bool) & (inner >= 2 * size)
        top[closed] = np.maximum(inner - size, column[closed])
        taking = np.concatenate([leaf, closed])
        operand = np.concatenate([OPERANDS[symbol[leaf]], value[inner]])
        here = top[taking]
        operand = np.where(negative[here], NEGATED[operand], operand)
        entry = waiting[here].astype(np.intp) * ELEMENTS**2 + value[here].astype(np.intp) * ELEMENTS
        right[taking] &= met[here] & 1 == 0
        value[here] = RESULTS[entry + operand]
        met[here] += 1
        negative[here] = False
        opened = np.flatnonzero(symbol == OPEN)
        right[opened] &= met[top[opened]] & 1 == 0
        top[opened] += size
        here = top[opened]
        value[here], waiting[here], negative[here], met[here] = 0, 0, False, 0
        between = np.flatnonzero((symbol >= PLUS) & (symbol <= TIMES))
        here, kind = top[between], symbol[between] - PLUS
        signs = met[here] & 1 == 0  # a minus before its operand
        right[between] &= np.where(signs, (kind == MINUS - PLUS) & ~negative[here], met[here] == 1)
        negative[here] |= signs
        waiting[here] = np.where(signs, waiting[here], kind)
        met[here] += ~signs
    right &= (top == size + column) & (met[top] == 1) & (words <= X).all(axis=0)
    return value[top], bool(right.all())


@register("modular-arithmetic-brackets")
class ModularArithmeticBrackets(Transduction):
    """The value modulo 5 of an expression with brackets.

    Examples
    --------
    >>> task = ModularArithmeticBrackets()
    >>> task.answers(np.array([[task.symbols.index(s) for s in "((1+2)*-2)"]])).tolist()
    [[4]]
    """

    known_properties = FORMULAS

    def __init__(self) -> None:
        super().__init__("modular-arithmetic-brackets", SYMBOLS, DIGITS)

    @override
    def queries(self, length: int) -> int:
        return 1

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        return draw_expressions(rng, size, length)

    @override
    def answers(self, words: Words) -> Targets:
        value, right = evaluate(words)
        self.require(right, "an expression with brackets round every operation")
        return value.astype(np.int8)[:, None]


@register("solve-equation")
class SolveEquation(Transduction):
    """The digit x that solves an equation modulo 5.

    Examples
    --------
    >>> task = SolveEquation()
    >>> task.answers(np.array([[task.symbols.index(s) for s in "(x+2)=1"]])).tolist()
    [[4]]
    """

    known_properties = FORMULAS

    def __init__(self) -> None:
        super().__init__("solve-equation", (*SYMBOLS, "x", "="), DIGITS)

    @override
    def valid_lengths(self, low: int, high: int) -> list[int]:
        """3 or more."""
        return list(range(max(low, 3), high + 1))

    @override
    def queries(self, length: int) -> int:
        return 1

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        words = np.empty((size, length), np.uint8)
        left = np.arange(size)
        while left.size:
            words[left] = self.draw_once(rng, left.size, length)
            left = left[evaluate(words[left, :-2])[0] < MODULUS]  # where x has no slope
        return words

    def draw_once(self, rng: np.random.Generator, size: int, length: int) -> Words:
        """Expressions with a digit hidden, and their values."""
        words = np.empty((size, length), np.uint8)
        words[:, :-2] = draw_expressions(rng, size, length - 2)
        words[:, -2] = EQUALS
        words[:, -1] = evaluate(words[:, :-2])[0]
        is_digit = words[:, :-2] < MODULUS
        chosen = draw_below(rng, is_digit.sum(axis=1)).astype(np.int64)
        place = (is_digit.cumsum(axis=1) > chosen[:, None]).argmax(axis=1)
        words[np.arange(size), place] = X
        return words

    @override
    def answers(self, words: Words) -> Targets:
        self.require(
            bool(
                ((words == X).sum(axis=1) == 1).all()
                and (words[:, -2] == EQUALS).all()
                and (words[:, -1] < MODULUS).all()
            ),
            "an expression with one x, =, and a digit",
        )
        value, right = evaluate(words[:, :-2])
        self.require(right, "an expression with brackets round every operation")
        slope, constant = np.divmod(value.astype(np.int8), np.int8(MODULUS))
        self.require(bool(slope.all()), "exactly one digit that solves it")
        inverse = INVERSES[slope]
        solution: Targets = ((words[:, -1] - constant) * inverse % MODULUS).astype(np.int8)
        return solution[:, None]
