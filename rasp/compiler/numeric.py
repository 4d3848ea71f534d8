"""The second pass: numbers that may grow with the length, as affine combinations of signals.

The mean over a selector is a `Ratio` of two sums, S over the width W. It is never divided::

    S / W  compared with a constant c      is      S - c W  compared with 0
    W (S / W)                              is      S
    c / (S / W), where S is constant       is      (c / S) W

Running sums, counts and the length of the word are therefore linear readouts of attention. Anything
that would need a true division or a product of two growing numbers is refused.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import cast

from typing_extensions import override

from flann.rasp.graph.evaluator import COMPARISONS
from flann.rasp.graph.sops import Aggregate, At, Constant, Input, Lookup, Map, SOp
from flann.rasp.language.syntax import Atom

from .categorical import Case, Categorical, build_remainder_categorical, build_step_categorical
from .elementwise import Elementwise, enumerate_cases, find_comparison_steps
from .plan import MORE_PRECISION, Plan, PrecisionError
from .refusal import RefusalError
from .signals import Affine

MOST_STEPS = 1 << 14  # of a piecewise constant function
MOST_GATED_VALUES = 4  # of the categorical factor of a product
FEW_CASES = 64  # of an 'if' that is encoded from its cases rather than gated


@dataclass(frozen=True)
class Ratio:
    """The mean of several values, as a pair of sums.

    Attributes
    ----------
    total, width : Affine
        The sum of the selected values, and the number of selected keys.
    default : float
        The value where no key is selected.
    never_empty : bool
        Whether every query is known to select a key.
    """

    total: Affine
    width: Affine
    default: float
    never_empty: bool


Number = Affine | Ratio


class Numeric(Elementwise):
    """Numeric s-ops as affine combinations of signals, or as ratios of two."""

    def __init__(self, plan: Plan, symbols: Sequence[Atom], root: SOp) -> None:
        super().__init__(plan, symbols, root)
        self._numbers: dict[int, Number] = {}
        self._remainders: dict[int, tuple[Categorical, Affine]] = {}

    def lower_number(self, node: SOp) -> Number:
        """Lower a numeric s-op."""
        if node.number not in self._numbers:
            try:
                self._numbers[node.number] = self._lower_number(node)
            except PrecisionError as error:
                raise RefusalError(node, str(error), MORE_PRECISION) from error
        return self._numbers[node.number]

    def lower_affine(self, node: SOp) -> Affine:
        """Lower a numeric s-op that is not a mean of several values.

        Raises
        ------
        RefusalError
            If it is such a mean.
        """
        result = self.lower_number(node)
        if isinstance(result, Ratio):
            raise RefusalError(
                node,
                "a mean of several values, used as a number",
                "multiply it by the number of selected keys, or compare it with a constant",
            )
        return result

    def _lower_number(self, node: SOp) -> Number:
        if isinstance(node, Constant):
            return Affine({}, float(cast(float, node.value)))
        if isinstance(node, Input) and node.name == "indices":
            return self.plan.position
        if node.type not in ("number", None):
            raise RefusalError(node, "not a number")
        if isinstance(node, Map) and node.function in ("+", "-", "neg"):
            return self.lower_sum(node)
        dependence = self.find_dependence(node)
        if dependence == "position":
            return self.plan.encode_positions(cast("list[float]", self.tabulate(node)))
        if dependence == "symbol":
            return self.encode_values(node)
        if isinstance(node, Aggregate | At):
            return self.lower_aggregate(node)
        if isinstance(node, Lookup):
            return self.encode_values(node)
        return self.lower_map(cast(Map, node))

    def encode_values(self, node: SOp) -> Affine:
        """Lower a categorical number from its cases."""
        return self.encode(
            node, {value: float(cast(float, value)) for value in self.list_values(node)}
        )

    def lower_map(self, node: Map) -> Number:
        """Lower a product, quotient, remainder, rounding or choice."""
        if node.function == "*":
            return self.lower_product(node)
        if node.function == "/":
            return self.lower_quotient(node)
        if (
            node.function == "%"
            and self.is_categorical(node)
            and not self.is_categorical(node.operands[0])
        ):
            return self.lower_remainder(node)[1]
        if node.function == "round":
            return self.lower_round(node)
        if node.function == "if" and not (
            self.is_categorical(node) and len(self.list_cases(node)) <= FEW_CASES
        ):
            condition = self.encode_truth(node.operands[0])
            then, otherwise = (self.lower_affine(part) for part in node.operands[1:])
            return self.plan.gate(then, condition) + self.plan.gate(otherwise, -condition + 1.0)
        if not self.is_categorical(node):
            raise RefusalError(node, f"'{node.function}' of numbers that may grow with the length")
        return self.encode_values(node)

    def lower_sum(self, node: Map) -> Number:
        """Lower ``a + b``, ``a - b`` or ``-a``; sums of means over one width remain means."""
        parts = [self.lower_number(part) for part in node.operands]
        if node.function == "neg":
            return scale(parts[0], -1.0)
        right = parts[1] if node.function == "+" else scale(parts[1], -1.0)
        result = add(parts[0], right)
        if result is None:
            raise RefusalError(node, "a mean of several values, added to something else")
        return result

    def lower_product(self, node: Map) -> Number:
        """Lower a product by a constant, of a mean by its width, or by a factor of very few
        values.
        """
        parts = [self.lower_number(part) for part in node.operands]
        for first, second in ((0, 1), (1, 0)):
            factor, rest = parts[first], parts[second]
            if isinstance(factor, Affine) and not factor.terms:
                return scale(rest, factor.constant)
            if isinstance(rest, Ratio) and equals_width(factor, rest.width):
                return rest.total
        for first, second in ((0, 1), (1, 0)):
            small, rest = node.operands[first], parts[second]
            if (
                isinstance(rest, Affine)
                and self.is_categorical(small)
                and len(self.list_values(small)) <= MOST_GATED_VALUES
            ):
                result = Affine()
                for value in self.list_values(small):
                    here = self.encode(
                        small, {v: float(v == value) for v in self.list_values(small)}
                    )
                    result = result + self.plan.gate(rest, here) * float(cast(float, value))
                return result
        if self.is_categorical(node):
            return self.encode_values(node)
        raise RefusalError(
            node,
            "a product of two numbers that may grow with the length",
            "a mean times the number of selected keys is compiled as a sum",
        )

    def lower_quotient(self, node: Map) -> Number:
        """Lower a quotient by a constant, or of a constant by a mean whose total is constant."""
        top, bottom = (self.lower_number(part) for part in node.operands)
        if isinstance(bottom, Affine) and not bottom.terms and bottom.constant:
            return scale(top, 1.0 / bottom.constant)
        if isinstance(top, Affine) and not top.terms and isinstance(bottom, Ratio):
            total = bottom.total
            if not total.terms and total.constant and (bottom.never_empty or bottom.default == 0):
                return bottom.width * (top.constant / total.constant)
        if self.is_categorical(node):
            return self.encode_values(node)
        raise RefusalError(node, "a quotient by a number that varies", "compare products instead")

    def lower_round(self, node: Map) -> Affine:
        """Lower a rounding to the nearest integer, which leaves integers as they are."""
        inner = self.lower_number(node.operands[0])
        if isinstance(inner, Ratio):
            raise RefusalError(
                node,
                "a mean of several values, rounded",
                "multiply it by the number of selected keys first",
            )
        if inner.grain.denominator == 1:
            return inner
        bounds, levels = self.find_steps(node, inner, lambda x: float(round(x)))
        return self.plan.build_steps(inner, bounds, cast("list[float]", levels))

    def lower_remainder(self, node: Map) -> tuple[Categorical, Affine]:
        """Lower ``a % n``, both as a categorical variable and as a number."""
        if node.number not in self._remainders:
            modulus = int(cast(float, cast(Constant, node.operands[1]).value))
            x = self.reduce_modulo(node.operands[0], modulus)
            if x.grain.denominator != 1:
                raise RefusalError(node, "a remainder of numbers that are not whole")
            self._remainders[node.number] = build_remainder_categorical(self.plan, x, modulus)
        return self._remainders[node.number]

    def reduce_modulo(self, node: SOp, modulus: int) -> Affine:
        """Return a number that is congruent modulo n, and smaller where that costs nothing."""
        if isinstance(node, Map) and node.function in ("+", "-", "neg"):
            parts = [self.reduce_modulo(part, modulus) for part in node.operands]
            return parts[0] * -1.0 if len(parts) == 1 else (
                parts[0] + parts[1] if node.function == "+" else parts[0] - parts[1]
            )  # fmt: skip
        smaller = self.sum_modulo(node, modulus)
        return self.lower_affine(node) if smaller is None else smaller

    # -- categorical functions of numbers ----------------------------------------------------------

    @override
    def list_cases_of_number(self, node: SOp) -> list[Case]:
        if isinstance(node, Map) and node.function in ("==", "<", "<=", ">", ">="):
            return self.list_comparison_cases(node)
        if isinstance(node, Map) and node.function == "%":
            return enumerate_cases(self.lower_remainder(node)[0])
        if isinstance(node, Map):
            raise RefusalError(node, f"'{node.function}' of numbers that may grow with the length")
        x = self.lower_affine(cast(SOp, node.parts[0]))
        bounds, levels = self.find_steps(node, x, lambda value: self.apply(node, [value]))
        return enumerate_cases(build_step_categorical(self.plan, x, bounds, levels))

    def find_steps(
        self, node: SOp, x: Affine, function: Callable[[float], Atom]
    ) -> tuple[list[float], list[Atom]]:
        """Return a function of a number as steps: the bounds and the levels.

        Where the function has no value, it keeps the last one.
        """
        grain = float(x.grain)
        first, last = ceil(x.low / grain - 1e-9), floor(x.high / grain + 1e-9)
        if last - first > MOST_STEPS:
            raise RefusalError(
                node,
                f"a function of numbers from {x.low:g} to {x.high:g}: over {MOST_STEPS} steps",
            )
        bounds: list[float] = []
        levels: list[Atom] = []
        for i in range(first, last + 1):
            value = function(i * grain)
            if value is not None and not levels:
                levels.append(value)
            elif value is not None and value != levels[-1]:
                bounds.append(i * grain)
                levels.append(value)
        if not levels:
            raise RefusalError(node, "it has no value anywhere")
        return bounds, levels

    def list_comparison_cases(self, node: Map) -> list[Case]:
        """Return the cases of a comparison of two numbers, from the sign of their difference."""
        left, right = (self.lower_number(part) for part in node.operands)
        difference = add(left, scale(right, -1.0))
        if difference is None:
            raise RefusalError(
                node,
                "a mean of several values, compared with a value that is not constant",
                "multiply both by the number of selected keys",
            )
        x = difference.total if isinstance(difference, Ratio) else difference
        grain = float(x.grain)
        bounds, levels = find_comparison_steps(node.function)
        variable = build_step_categorical(self.plan, x, [b * grain for b in bounds], levels)
        cases = enumerate_cases(variable)
        if not isinstance(difference, Ratio) or difference.never_empty:
            return cases
        empty = compare_with_zero(difference.default, node.function)
        if empty == compare_with_zero(0.0, node.function):
            return cases  # where no key is selected the total is 0, which compares alike
        selected = build_step_categorical(self.plan, difference.width, [1.0], [False, True])
        filled = {selected: frozenset({1})}
        return [
            Case({selected: frozenset({0})}, empty),
            *(Case({**filled, **case.where}, case.value) for case in cases),
        ]

    # -- what the next pass provides ---------------------------------------------------------------

    @abstractmethod
    def lower_aggregate(self, node: Aggregate | At) -> Number:
        """Lower an aggregate of numbers."""

    @abstractmethod
    def sum_modulo(self, node: SOp, modulus: int) -> Affine | None:
        """Return a sum of smaller values that is congruent modulo n, or None if the node is no
        such sum.
        """


def compare_with_zero(value: float, function: str) -> bool:
    """Return whether a value compares with 0 in a given way."""
    return bool(COMPARISONS[function](value, 0))


def equals_width(x: Number, width: Affine) -> bool:
    """Return whether a number is a given width."""
    return isinstance(x, Affine) and x.key == width.key


def scale(x: Number, factor: float) -> Number:
    """Return factor * x."""
    if isinstance(x, Ratio):
        return Ratio(x.total * factor, x.width, x.default * factor, x.never_empty)
    return x * factor


def add(left: Number, right: Number) -> Number | None:
    """Return left + right, or None if that is neither an affine number nor a mean over one
    width.
    """
    if isinstance(left, Affine) and isinstance(right, Affine):
        return left + right
    if isinstance(left, Affine):
        left, right = right, left
    assert isinstance(left, Ratio)
    if isinstance(right, Affine):
        if right.terms:
            return None
        c = right.constant
        return Ratio(left.total + left.width * c, left.width, left.default + c, left.never_empty)
    if left.width.key != right.width.key:
        return None
    default = left.default + right.default
    return Ratio(
        left.total + right.total, left.width, default, left.never_empty and right.never_empty
    )
