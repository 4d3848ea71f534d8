"""The first pass: elementwise functions of categorical s-ops, as cases over categorical variables.

An s-op is *categorical* if it has few values, however long the word is
(`Elementwise.is_categorical`). Its value is then described by cases: sets of values for some
categorical variables (`flann.rasp.compiler.categorical`), and the value if all variables lie in
their sets (`Elementwise.list_cases`). `Elementwise.encode` returns the signal of any function of
the value. With one variable, that is a signal of the variable itself; with several, it is a sum of
conjunctions::

    f  =  f_0 + Σ_cases (f(case) - f_0) ReLU(2 (Σ_variables [variable in its set] - n) + 1)

where f_0 is the most common number. An operand is *materialised*, that is, made a categorical
variable of its own, if attention reads it, or if it has more cases than values and shares no
variable with the other operands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import isfinite, prod
from typing import Any, Literal

import numpy as np

from flann.rasp.graph.atom_arithmetic import FUNCTIONS
from flann.rasp.graph.evaluator import COMPARISONS, Evaluator
from flann.rasp.graph.sops import (
    Aggregate,
    At,
    Constant,
    Input,
    Lookup,
    Map,
    Member,
    Node,
    Select,
    SOp,
    sort_topologically,
)
from flann.rasp.graph.word_batch import WordBatch
from flann.rasp.language.source_span import RaspError
from flann.rasp.language.syntax import Atom

from .categorical import Case, Categorical
from .plan import MORE_PRECISION, Plan, PrecisionError
from .polynomials import selects_at_most_one
from .refusal import RefusalError
from .signals import Affine

MOST_VALUES = 512  # of a categorical remainder
MOST_POSITION_VALUES = 16  # of a categorical function of the position
MOST_CASES = 20_000
MANY_CASES = 400  # beyond these, operands of several variables are materialised
MOST_MERGED = 400  # cases among which pairs to merge are searched

Dependence = Literal["constant", "symbol", "position", "word"]
"""What the values of a node depend on; ``word`` stands for anything more than one symbol or the
position."""

SCALAR_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **FUNCTIONS,
    "!=": lambda a, b: a != b,
    "if": lambda c, a, b: a if c else b,
}


class Elementwise(ABC):
    """Elementwise functions of categorical s-ops.

    Parameters
    ----------
    plan : Plan
        The plan to which signals are added.
    symbols : sequence of Atom
        The input alphabet.
    root : SOp
        The s-op that is compiled.
    """

    def __init__(self, plan: Plan, symbols: Sequence[Atom], root: SOp) -> None:
        self.plan, self.symbols = plan, list(symbols)
        self.attended = find_attended(root)
        self._dependences: dict[int, Dependence] = {}
        self._categorical: dict[int, bool] = {}
        self._cases: dict[int, list[Case]] = {}
        self._materialised: dict[int, Categorical] = {}

    # -- what a node depends on --------------------------------------------------------------------

    def find_dependence(self, root: Node) -> Dependence:
        """Return what the values of a node depend on."""
        for node in sort_topologically([root]):
            if node.number not in self._dependences:
                self._dependences[node.number] = self._find_dependence(node)
        return self._dependences[root.number]

    def _find_dependence(self, node: Node) -> Dependence:
        if isinstance(node, Input):
            return "position" if node.name == "indices" else "symbol"
        if isinstance(node, Aggregate | At):
            return "word"
        inner = {self._dependences[part.number] for part in node.parts}
        inner.discard("constant")
        if not inner:
            return "constant"
        return inner.pop() if len(inner) == 1 else "word"

    def tabulate(self, node: SOp) -> list[Atom]:
        """Return the values of a node that depends on the symbol or the position alone, one for
        each.
        """
        if self.find_dependence(node) == "position":
            words = WordBatch.from_ids(np.zeros((1, self.plan.length), int), self.symbols)
        else:
            words = WordBatch.from_ids(np.arange(len(self.symbols))[None, :], self.symbols)
        try:
            evaluator = Evaluator(words)
            return evaluator.convert_to_atoms(evaluator.evaluate(node))[0]
        except RaspError as error:
            raise RefusalError(node, error.reason) from error

    def is_categorical(self, root: SOp) -> bool:
        """Return whether an s-op has few values, however long the word is."""
        for node in sort_topologically([root]):
            if isinstance(node, SOp) and node.number not in self._categorical:
                self._categorical[node.number] = self._decide_categorical(node)
        return self._categorical[root.number]

    def _decide_categorical(self, node: SOp) -> bool:
        dependence = self.find_dependence(node)
        if dependence in ("constant", "symbol") or node.type in ("bool", "text"):
            return True
        if dependence == "position":
            return len(set(self.tabulate(node))) <= MOST_POSITION_VALUES
        if isinstance(node, Lookup | Member):
            return True
        if isinstance(node, Aggregate):
            return selects_at_most_one(node.selector) and self._categorical[node.values.number]
        if isinstance(node, At):
            return self._categorical[node.values.number]
        if not isinstance(node, Map):
            return False
        if node.function == "indicator":
            return True
        if node.function == "%":
            return self.has_small_modulus(node)
        operands = node.operands[1:] if node.function == "if" else node.operands
        return all(self._categorical[part.number] for part in operands)

    def has_small_modulus(self, node: Map) -> bool:
        """Return whether a remainder is categorical: its modulus is a constant integer that is
        not too large.
        """
        modulus = node.operands[1]
        if all(self._categorical[part.number] for part in node.operands):
            return True
        value = modulus.value if isinstance(modulus, Constant) else None
        return isinstance(value, int | float) and value == int(value) and 1 <= value <= MOST_VALUES

    # -- cases -------------------------------------------------------------------------------------

    def list_cases(self, node: SOp) -> list[Case]:
        """Return the cases of a categorical s-op, which exclude each other and cover every word."""
        operand_cases = self.list_own_cases(node)
        if node.number in self.attended and len(find_variables(operand_cases)) > 1:
            return enumerate_cases(self.materialise(node))
        return operand_cases

    def list_own_cases(self, node: SOp) -> list[Case]:
        """Return the cases of a categorical s-op that is not itself materialised."""
        if node.number not in self._cases:
            try:
                self._cases[node.number] = self._build_cases(node)
            except PrecisionError as error:
                raise RefusalError(node, str(error), MORE_PRECISION) from error
        return self._cases[node.number]

    def _build_cases(self, node: SOp) -> list[Case]:
        dependence = self.find_dependence(node)
        if dependence == "constant":
            return [Case({}, self.tabulate(node)[0])]
        if dependence in ("symbol", "position"):
            return enumerate_cases(
                self.build_table_categorical(node, self.tabulate(node), dependence)
            )
        if isinstance(node, Aggregate | At):
            return enumerate_cases(self.fetch_categorical(node))
        if isinstance(node, Map) and not all(self.is_categorical(part) for part in node.operands):
            if node.function == "if":
                return self.combine_cases(node, node.operands)
            return self.list_cases_of_number(node)
        if isinstance(node, Lookup | Member) and not self.is_categorical(node.parts[0]):  # type: ignore[arg-type]
            return self.list_cases_of_number(node)
        return self.combine_cases(node, node.parts)  # type: ignore[arg-type]

    def build_table_categorical(
        self, node: SOp, table: Sequence[Atom], dependence: str
    ) -> Categorical:
        """Return a function of the symbol, or of the position, as a categorical variable."""
        values = list(dict.fromkeys(table))
        value_index = [values.index(value) for value in table]

        def encode_row(row: list[float]) -> Affine:
            numbers = [row[i] for i in value_index]
            if dependence == "position":
                return self.plan.encode_positions(numbers)
            return Affine({self.plan.encode_symbols(numbers): 1.0})

        return Categorical(self.plan, values, encode_row)

    def combine_cases(self, node: SOp, parts: Sequence[SOp]) -> list[Case]:
        """Return the cases of a function of several categorical s-ops."""
        operand_cases = self.list_operand_cases(node, parts)
        result: list[Case] = []
        function = node.function if isinstance(node, Map) else ""
        for combination in self.iterate_combinations(function, operand_cases):
            where: dict[Categorical, frozenset[int]] | None = {}
            for case in combination:
                where = where if where is None else Case(where, None).intersect(case)
            if where is None:
                continue
            value = self.apply(node, [case.value for case in combination])
            if value is not None:
                result.append(Case(where, value))
            if len(result) > MOST_CASES:
                raise RefusalError(node, f"a table of more than {MOST_CASES} entries")
        return merge_cases(result) if len(result) <= MOST_MERGED else result

    def list_operand_cases(self, node: SOp, parts: Sequence[SOp]) -> list[list[Case]]:
        """Return the cases of every operand, materialising operands where that saves cases."""
        operand_cases = [self.list_cases(part) for part in parts]
        variables = [find_variables(cases) for cases in operand_cases]
        choice = isinstance(node, Map) and node.function == "if"
        for i, part in enumerate(parts):
            other_operands = [0] if choice and i else [j for j in range(len(parts)) if j != i]
            others = set[Categorical]().union(*(variables[j] for j in other_operands))
            values = len({case.value for case in operand_cases[i]})
            has_redundant_cases = len(variables[i]) > 1 and len(operand_cases[i]) > values
            if has_redundant_cases and others and others.isdisjoint(variables[i]):
                operand_cases[i] = enumerate_cases(self.materialise(part))
        if prod(map(len, operand_cases)) > MANY_CASES:
            for i, part in enumerate(parts):
                found = find_variables(operand_cases[i])
                if len(found) > 1 and len(operand_cases[i]) > len(
                    {case.value for case in operand_cases[i]}
                ):
                    operand_cases[i] = enumerate_cases(self.materialise(part))
        if prod(map(len, operand_cases)) > 50 * MOST_CASES:
            raise RefusalError(node, f"a table of more than {MOST_CASES} entries")
        return operand_cases

    def iterate_combinations(
        self, function: str, operand_cases: Sequence[list[Case]]
    ) -> Iterable[tuple[Case, ...]]:
        """Iterate over the combinations of the operands' cases.

        An operand that decides the value of ``if``, ``and`` or ``or`` is not combined with operands
        that no longer matter.
        """
        if function == "if":
            for case in operand_cases[0]:
                for branch in operand_cases[1] if case.value else operand_cases[2]:
                    yield (case, branch)
        elif function in ("and", "or"):
            for case in operand_cases[0]:
                if bool(case.value) == (function == "or"):
                    yield (case,)
                else:
                    yield from ((case, other) for other in operand_cases[1])
        else:
            yield from product(*operand_cases)

    def apply(self, node: SOp, values: list[Any]) -> Atom:
        """Return a node's value from those of its operands, or None where the program would
        raise an error.
        """
        if isinstance(node, Lookup):
            return dict(node.table).get(values[0])
        if isinstance(node, Member):
            return values[0] in node.choices
        assert isinstance(node, Map)
        if node.function in ("and", "or", "if"):
            return values[-1]  # type: ignore[no-any-return]
        try:
            value = SCALAR_FUNCTIONS[node.function](*values)
        except (ZeroDivisionError, OverflowError):
            return None
        if isinstance(value, complex) or (isinstance(value, float) and not isfinite(value)):
            return None
        return value  # type: ignore[no-any-return]

    def materialise(self, node: SOp) -> Categorical:
        """Return a categorical s-op as a categorical variable of its own."""
        if node.number not in self._materialised:
            operand_cases = self.list_own_cases(node)
            values = list(dict.fromkeys(case.value for case in operand_cases))
            self._materialised[node.number] = Categorical(
                self.plan,
                values,
                lambda row: self.encode_cases(operand_cases, dict(zip(values, row, strict=True))),
            )
        return self._materialised[node.number]

    # -- functions of a node -----------------------------------------------------------------------

    def list_values(self, node: SOp) -> list[Atom]:
        """Return all values that a categorical s-op may take."""
        return list(dict.fromkeys(case.value for case in self.list_cases(node)))

    def encode(self, node: SOp, numbers: Mapping[Atom, float]) -> Affine:
        """Return the signal that is ``numbers[v]`` where the s-op has the value v."""
        return self.encode_cases(self.list_cases(node), numbers)

    def encode_cases(self, cases: Sequence[Case], numbers: Mapping[Atom, float]) -> Affine:
        """Return the signal that is ``numbers[v]`` in the cases whose value is v."""
        variables = find_variables(cases)
        if not variables:
            return Affine({}, numbers[cases[0].value])
        if len(variables) == 1:
            variable = variables.pop()
            row = [0.0] * len(variable.values)
            for case in cases:
                for i in case.where.get(variable, range(len(variable.values))):
                    row[i] = numbers[case.value]
            return variable.encode(row)
        numbered = [Case(case.where, numbers[case.value]) for case in cases]
        return self.sum_conjunctions(
            merge_cases(numbered) if len(numbered) <= MOST_MERGED else numbered
        )

    def sum_conjunctions(self, cases: Sequence[Case]) -> Affine:
        """Return the signal of some cases as a sum of conjunctions.

        There is one conjunction for each case whose number differs from the most common one.
        """
        tally: dict[Atom, int] = {}
        for case in cases:
            tally[case.value] = tally.get(case.value, 0) + 1
        most_common = float(max(tally, key=lambda value: tally[value]) or 0.0)
        units: list[tuple[Affine, float]] = []
        error = 0.0
        numbers = [most_common]
        for case in cases:
            weight = float(case.value or 0.0) - most_common
            if not weight:
                continue
            indicators = [variable.indicate(allowed) for variable, allowed in case.where.items()]
            units += [(unit, weight * sign) for unit, sign in self.plan.conjoin(indicators)]
            error = max(error, abs(weight) * self.plan.bound_conjunction_error(indicators))
            numbers.append(float(case.value or 0.0))
        low, high = min(numbers) - most_common, max(numbers) - most_common
        return self.plan.sum_units(units, low, high, error) + most_common

    def encode_truth(self, node: SOp) -> Affine:
        """Return the indicator of a boolean s-op."""
        return self.encode(node, {False: 0.0, True: 1.0})

    # -- what the later passes provide -------------------------------------------------------------

    @abstractmethod
    def fetch_categorical(self, node: Aggregate | At) -> Categorical:
        """Return a categorical value that attention fetches, as a categorical variable."""

    @abstractmethod
    def list_cases_of_number(self, node: SOp) -> list[Case]:
        """Return the cases of a function of numbers that may grow with the length."""


def find_attended(root: Node) -> set[int]:
    """Return the node numbers of the s-ops that attention reads as values, keys or queries."""
    found: set[int] = set()
    for node in sort_topologically([root]):
        if isinstance(node, Aggregate | At | Select):
            found |= {part.number for part in node.parts if isinstance(part, SOp)}
    return found


def enumerate_cases(variable: Categorical) -> list[Case]:
    """Return the cases of a categorical variable itself, one for each of its values."""
    return [Case({variable: frozenset({i})}, value) for i, value in enumerate(variable.values)]


def find_variables(cases: Iterable[Case]) -> list[Categorical]:
    """Return the variables that decide between the cases, in the order of their first use."""
    return list(
        dict.fromkeys(
            variable
            for case in cases
            for variable, allowed in case.where.items()
            if len(allowed) < len(variable.values)
        )
    )


def merge_cases(cases: Sequence[Case]) -> list[Case]:
    """Return fewer cases, by merging cases of equal value that differ in one variable only."""
    rest = list(cases)
    again = True
    while again:
        again = False
        found: dict[Any, Case] = {}
        for variable in find_variables(rest):
            found = {}
            for case in rest:
                others = frozenset(
                    (o, allowed) for o, allowed in case.where.items() if o is not variable
                )
                key = (type(case.value), case.value, others)
                if key in found:
                    again = True
                    every = frozenset(range(len(variable.values)))
                    both = found[key].where.get(variable, every) | case.where.get(variable, every)
                    where = {**dict(others), variable: both}
                    if both == every:
                        del where[variable]
                    found[key] = Case(where, case.value)
                else:
                    found[key] = case
            rest = list(found.values())
    return rest


def find_comparison_steps(function: str) -> tuple[list[float], list[Atom]]:
    """Return a comparison with 0 as steps, for numbers of grain 1: the bounds and the levels.

    >>> find_comparison_steps("==")
    ([0.0, 1.0], [False, True, False])
    """
    compare = COMPARISONS[function]
    bounds = [0.0, 1.0]
    levels: list[Atom] = [bool(compare(value, 0)) for value in (-1, 0, 1)]
    kept = [i for i in range(2) if levels[i] != levels[i + 1]]
    return [bounds[i] for i in kept], [levels[0], *(levels[i + 1] for i in kept)]
