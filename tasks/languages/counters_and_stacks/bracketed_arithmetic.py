"""Bracketed expressions modulo 5: their value, and the digit that solves an equation.

An expression of T symbols has one of these forms, where d is a uniform digit:

- T = 1: ``d``          T = 2: ``-d``
- T = 3: ``(d)``        T = 4: ``(-d)``
- T >= 5: ``(left op right)``, where op is uniform over ``+ - *``, the length of left is uniform
  from 1 to T - 4, and both sides are drawn recursively.

Every operation thus has its own brackets. The answer of ``modular-arithmetic-brackets`` is the
value. A word of ``solve-equation`` is an expression of T - 2 symbols in which a uniformly chosen
digit is replaced by ``x``, followed by ``= v``; the answer is x. Words are redrawn until exactly
one digit solves the equation.

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
BLOCK = 1 << 12  # words that are evaluated together
FORMULAS = TaskProperties(
    "NC1-complete",
    "values of formulas of unbounded depth over a finite field (Buss 1987)",
    stack=True,
    remembers=True,
)


def draw_expressions(rng: np.random.Generator, size: int, length: int) -> Words:
    """Draw expressions of one length, of shape (size, length).

    All words are drawn together, level by level. A *span* is a factor of a word that is not yet
    written. Each round writes the short spans and splits every long one in two.
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
    """Write spans of at most four symbols: a digit, with a minus or brackets where they fit."""
    bracketed = span > 2
    flat[start[bracketed]] = OPEN
    flat[(start + span - 1)[bracketed]] = CLOSE
    digit = start + span - 1 - bracketed
    flat[digit] = draw_uniform(rng, MODULUS, (start.size,))
    flat[(digit - 1)[span % 2 == 0]] = MINUS


def build_ring_tables() -> tuple[UInt[np.ndarray, " entries"], UInt[np.ndarray, " elements"]]:
    """Return the tables of + - * and of negation on values that are linear in x.

    A value is ``slope * x + constant`` modulo 5, numbered ``5 * slope + constant``. Since x occurs
    at most once, no product has two factors with a nonzero slope.
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
OPERANDS = np.array([*range(MODULUS), *[0] * (X - MODULUS), MODULUS], np.uint8)  # x: slope 1


def evaluate(words: Words) -> tuple[UInt[np.ndarray, " size"], bool]:
    """Return the values of expressions, and whether all of them are well formed.

    Values are numbered as in `build_ring_tables`.
    """
    values, right = np.empty(len(words), np.uint8), True
    for start in range(0, len(words), BLOCK):
        block = slice(start, start + BLOCK)
        values[block], formed = evaluate_block(np.ascontiguousarray(words[block].T))
        right = right and formed
    return values, right


def evaluate_block(
    words: UInt[np.ndarray, "length size"],
) -> tuple[UInt[np.ndarray, " size"], bool]:
    """Evaluate a block of words, reading one symbol of all words at a time.

    Every open bracket holds its value so far, the pending operation, and the sign of the next
    operand. An operand, that is a digit or a closed bracket, is combined with the value of the
    innermost open bracket. `met` counts the operands and the operators between them: a bracket is
    complete if the count is odd and holds at most one operation if it is at most 3, and outside of
    all brackets the count must be 1 in the end. Level 0 lies below the expression and absorbs
    surplus closing brackets.
    """
    length, size = words.shape
    value = np.zeros((length + 3) * size, np.uint8)
    pending, met = np.zeros_like(value), np.zeros_like(value)
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
        entry = pending[here].astype(np.intp) * ELEMENTS**2 + value[here].astype(np.intp) * ELEMENTS
        right[taking] &= met[here] & 1 == 0
        value[here] = RESULTS[entry + operand]
        met[here] += 1
        negative[here] = False
        opened = np.flatnonzero(symbol == OPEN)
        right[opened] &= met[top[opened]] & 1 == 0
        top[opened] += size
        here = top[opened]
        value[here], pending[here], negative[here], met[here] = 0, 0, False, 0
        between = np.flatnonzero((symbol >= PLUS) & (symbol <= TIMES))
        here, kind = top[between], symbol[between] - PLUS
        signs = met[here] & 1 == 0  # a minus before its operand
        right[between] &= np.where(signs, (kind == MINUS - PLUS) & ~negative[here], met[here] == 1)
        negative[here] |= signs
        pending[here] = np.where(signs, pending[here], kind)
        met[here] += ~signs
    right &= (top == size + column) & (met[top] == 1) & (words <= X).all(axis=0)
    return value[top], bool(right.all())


@register("modular-arithmetic-brackets")
class ModularArithmeticBrackets(Transduction):
    """The value modulo 5 of a bracketed expression.

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
        self.require(right, "an expression with brackets around every operation")
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
        """Return the lengths of at least 3."""
        return list(range(max(low, 3), high + 1))

    @override
    def queries(self, length: int) -> int:
        return 1

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        words = np.empty((size, length), np.uint8)
        left = np.arange(size)
        while left.size:
            words[left] = self.draw_candidates(rng, left.size, length)
            left = left[evaluate(words[left, :-2])[0] < MODULUS]  # no slope: x cancels
        return words

    def draw_candidates(self, rng: np.random.Generator, size: int, length: int) -> Words:
        """Draw equations whose solution need not be unique."""
        words = np.empty((size, length), np.uint8)
        words[:, :-2] = draw_expressions(rng, size, length - 2)
        words[:, -2] = EQUALS
        words[:, -1] = evaluate(words[:, :-2])[0]
        is_digit = words[:, :-2] < MODULUS
        rank = draw_below(rng, is_digit.sum(axis=1)).astype(np.int64)
        position = (is_digit.cumsum(axis=1) > rank[:, None]).argmax(axis=1)
        words[np.arange(size), position] = X
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
        self.require(right, "an expression with brackets around every operation")
        slope, constant = np.divmod(value.astype(np.int8), np.int8(MODULUS))
        self.require(bool(slope.all()), "exactly one digit that solves it")
        inverse = INVERSES[slope]
        solution: Targets = ((words[:, -1] - constant) * inverse % MODULUS).astype(np.int8)
        return solution[:, None]
