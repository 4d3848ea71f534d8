"""Numbers that may grow with the length, as affines; and functions of them.

A mean over a selector is a `Ratio` of two sums. It is never divided: a comparison of S / W with c
is one of S - c W with 0, and W times S / W is S. So a running sum, a count and the length are
linear readouts of attention.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import cast

from typing_extensions import override

from flann.rasp.graph.sops import Aggregate, At, Constant, Input, Lookup, Map, SOp
from flann.rasp.language.syntax import Atom

from .elementwise import Elementwise, compare_levels, of_leaf
from .leaves import Case, Leaf, remainder_leaf, steps_leaf
from .plan import COARSE, TooCoarse
from .refusal import Refused
from .signals import Affine

MOST_STEPS = 1 << 14  # of a function of a number
GATED = 4  # values of the smaller factor of a product
FEW_CASES = 64  # of a number that is made from its cases and not from its parts


@dataclass(frozen=True)
class Ratio:
    """A mean: a total over a width, or the default where the width is 0."""

    total: Affine
    width: Affine
    default: float
    sure: bool  # the width is never 0


Number = Affine | Ratio


class Numeric(Elementwise):
    """Numbers as affines."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._numbers: dict[int, Number] = {}
        self._remainders: dict[int, tuple[Leaf, Affine]] = {}

    def number(self, node: SOp) -> Number:
        """A numeric s-op."""
        if node.number not in self._numbers:
            try:
                self._numbers[node.number] = self._number(node)
            except TooCoarse as error:
                raise Refused(node, str(error), COARSE) from error
        return self._numbers[node.number]

    def affine(self, node: SOp) -> Affine:
        """A numeric s-op that is no mean of several values."""
        made = self.number(node)
        if isinstance(made, Ratio):
            raise Refused(
                node,
                "a mean of several values, used as a number",
                "multiply it by how many are selected, or compare it with a constant",
            )
        return made

    def _number(self, node: SOp) -> Number:
        if isinstance(node, Constant):
            return Affine({}, float(cast(float, node.value)))
        if isinstance(node, Input) and node.name == "indices":
            return self.plan.place
        if node.type not in ("number", None):
            raise Refused(node, "no number")
        if isinstance(node, Map) and node.function in ("+", "-", "neg"):
            return self.summed(node)
        base = self.base(node)
        if base == "place":
            return self.plan.placed(cast("list[float]", self.table(node)))
        if base == "symbol":
            return self.of_values(node)
        if isinstance(node, Aggregate | At):
            return self.mean(node)
        if isinstance(node, Lookup):
            return self.of_values(node)
        return self.of_map(cast(Map, node))

    def of_values(self, node: SOp) -> Affine:
        """A number of few values, from its cases."""
        return self.scalar(
            node, {value: float(cast(float, value)) for value in self.values_of(node)}
        )

    def of_map(self, node: Map) -> Number:
        """Products, quotients, remainders, choices."""
        if node.function == "*":
            return self.multiplied(node)
        if node.function == "/":
            return self.divided(node)
        if node.function == "%" and self.few(node) and not self.few(node.operands[0]):
            return self.remainder(node)[1]
        if node.function == "round":
            return self.rounded(node)
        if node.function == "if" and not (self.few(node) and len(self.cases(node)) <= FEW_CASES):
            condition = self.truth(node.operands[0])
            then, otherwise = (self.affine(part) for part in node.operands[1:])
            return self.plan.gated(then, condition) + self.plan.gated(otherwise, -condition + 1.0)
        if not self.few(node):
            raise Refused(node, f"'{node.function}' of numbers that may grow with the length")
        return self.of_values(node)

    def summed(self, node: Map) -> Number:
        """``a + b``, ``a - b``, ``-a``; means of one width stay means."""
        parts = [self.number(part) for part in node.operands]
        if node.function == "neg":
            return scaled(parts[0], -1.0)
        right = parts[1] if node.function == "+" else scaled(parts[1], -1.0)
        made = added(parts[0], right)
        if made is None:
            raise Refused(node, "a mean of several values, added to something else")
        return made

    def multiplied(self, node: Map) -> Number:
        """A product by a constant, of a mean by its width, or by something of very few values."""
        parts = [self.number(part) for part in node.operands]
        for one, other in ((0, 1), (1, 0)):
            factor, rest = parts[one], parts[other]
            if isinstance(factor, Affine) and not factor.terms:
                return scaled(rest, factor.constant)
            if isinstance(rest, Ratio) and has_key(factor, rest.width):
                return rest.total
        for one, other in ((0, 1), (1, 0)):
            small, rest = node.operands[one], parts[other]
            if isinstance(rest, Affine) and self.few(small) and len(self.values_of(small)) <= GATED:
                made = Affine()
                for value in self.values_of(small):
                    here = self.scalar(small, {v: float(v == value) for v in self.values_of(small)})
                    made = made + self.plan.gated(rest, here) * float(cast(float, value))
                return made
        if self.few(node):
            return self.of_values(node)
        raise Refused(
            node,
            "a product of two numbers that may grow with the length",
            "a mean times how many are selected is compiled as a sum",
        )

    def divided(self, node: Map) -> Number:
        """A quotient by a constant, or of a constant by a mean whose total is constant."""
        top, bottom = (self.number(part) for part in node.operands)
        if isinstance(bottom, Affine) and not bottom.terms and bottom.constant:
            return scaled(top, 1.0 / bottom.constant)
        if isinstance(top, Affine) and not top.terms and isinstance(bottom, Ratio):
            total = bottom.total
            if not total.terms and total.constant and (bottom.sure or bottom.default == 0):
                return bottom.width * (top.constant / total.constant)
        if self.few(node):
            return self.of_values(node)
        raise Refused(node, "a quotient by a number that varies", "compare products instead")

    def rounded(self, node: Map) -> Affine:
        """The nearest whole number: nothing to do for whole numbers."""
        inner = self.number(node.operands[0])
        if isinstance(inner, Ratio):
            raise Refused(
                node,
                "a mean of several values, rounded",
                "multiply it by how many are selected first",
            )
        if inner.grain.denominator == 1:
            return inner
        bounds, levels = self.levels(node, inner, lambda x: float(round(x)))
        return self.plan.steps(inner, bounds, cast("list[float]", levels))

    def remainder(self, node: Map) -> tuple[Leaf, Affine]:
        """``a % n`` as a leaf and as a number."""
        if node.number not in self._remainders:
            modulus = int(cast(float, cast(Constant, node.operands[1]).value))
            x = self.reduced(node.operands[0], modulus)
            if x.grain.denominator != 1:
                raise Refused(node, "a remainder of numbers that are not whole")
            self._remainders[node.number] = remainder_leaf(self.plan, x, modulus)
        return self._remainders[node.number]

    def reduced(self, node: SOp, modulus: int) -> Affine:
        """A number that is the same modulo n, and smaller where that is easily had."""
        if isinstance(node, Map) and node.function in ("+", "-", "neg"):
            parts = [self.reduced(part, modulus) for part in node.operands]
            return parts[0] * -1.0 if len(parts) == 1 else (
                parts[0] + parts[1] if node.function == "+" else parts[0] - parts[1]
            )  # fmt: skip
        smaller = self.sum_modulo(node, modulus)
        return self.affine(node) if smaller is None else smaller

    # -- functions of numbers, few values out ------------------------------------------------------

    @override
    def cases_of_numbers(self, node: SOp) -> list[Case]:
        if isinstance(node, Map) and node.function in ("==", "<", "<=", ">", ">="):
            return self.compared(node)
        if isinstance(node, Map) and node.function == "%":
            return of_leaf(self.remainder(node)[0])
        if isinstance(node, Map):
            raise Refused(node, f"'{node.function}' of numbers that may grow with the length")
        x = self.affine(cast(SOp, node.parts[0]))
        bounds, levels = self.levels(node, x, lambda value: self.applied(node, [value]))
        return of_leaf(steps_leaf(self.plan, x, bounds, levels))

    def levels(self, node: SOp, x: Affine, function: object) -> tuple[list[float], list[Atom]]:
        """A function of a number as steps; where it has no value it keeps the last."""
        grain = float(x.grain)
        first, last = ceil(x.low / grain - 1e-9), floor(x.high / grain + 1e-9)
        if last - first > MOST_STEPS:
            raise Refused(node, f"a function of numbers from {x.low:g} to {x.high:g}")
        bounds: list[float] = []
        levels: list[Atom] = []
        for i in range(first, last + 1):
            value = function(i * grain)  # type: ignore[operator]
            if value is not None and not levels:
                levels.append(value)
            elif value is not None and value != levels[-1]:
                bounds.append(i * grain)
                levels.append(value)
        if not levels:
            raise Refused(node, "it has no value at all")
        return bounds, levels

    def compared(self, node: Map) -> list[Case]:
        """A comparison of two numbers as one of their difference with 0."""
        left, right = (self.number(part) for part in node.operands)
        difference = added(left, scaled(right, -1.0))
        if difference is None:
            raise Refused(
                node,
                "a mean of several values compared with what is no constant",
                "multiply both by how many are selected",
            )
        x = difference.total if isinstance(difference, Ratio) else difference
        grain = float(x.grain)
        bounds, levels = compare_levels(node.function)
        leaf = steps_leaf(self.plan, x, [b * grain for b in bounds], levels)
        cases = of_leaf(leaf)
        if not isinstance(difference, Ratio) or difference.sure:
            return cases
        empty = steps_of(difference.default, node.function)
        if empty == steps_of(0.0, node.function):
            return cases  # where nothing is selected the total is 0, with the same answer
        selected = steps_leaf(self.plan, difference.width, [1.0], [False, True])
        filled = {selected: frozenset({1})}
        return [
            Case({selected: frozenset({0})}, empty),
            *(Case({**filled, **case.where}, case.value) for case in cases),
        ]

    # -- what attention does -----------------------------------------------------------------------

    def mean(self, node: Aggregate | At) -> Number:
        """What an aggregate of numbers is."""
        raise NotImplementedError

    def sum_modulo(self, node: SOp, modulus: int) -> Affine | None:
        """A running sum with smaller values of the same remainders."""
        raise NotImplementedError


def steps_of(value: float, function: str) -> bool:
    """Whether a value compares with 0 so."""
    from flann.rasp.graph.evaluator import COMPARISONS

    return bool(COMPARISONS[function](value, 0))


def has_key(x: Number, width: Affine) -> bool:
    """Whether a number is a width."""
    return isinstance(x, Affine) and x.key == width.key


def scaled(x: Number, factor: float) -> Number:
    """factor * x."""
    if isinstance(x, Ratio):
        return Ratio(x.total * factor, x.width, x.default * factor, x.sure)
    return x * factor


def added(left: Number, right: Number) -> Number | None:
    """left + right; None if it is neither a sum nor a mean over one width."""
    if isinstance(left, Affine) and isinstance(right, Affine):
        return left + right
    if isinstance(left, Affine):
        left, right = right, left
    assert isinstance(left, Ratio)
    if isinstance(right, Affine):
        if right.terms:
            return None
        c = right.constant
        return Ratio(left.total + left.width * c, left.width, left.default + c, left.sure)
    if left.width.key != right.width.key:
        return None
    default = left.default + right.default
    return Ratio(left.total + right.total, left.width, default, left.sure and right.sure)
