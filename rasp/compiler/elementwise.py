"""Elementwise functions of few values, as cases over leaves; and any function of such an s-op.

`few` says whether an s-op has few values. If so, `cases` lists in which sets of values its leaves
lie and its value then, and `scalar` is the signal of a function of it: with one leaf the leaf's
own, with several a sum of conjunctions. What attention reads anyway, and a part with more cases
than values and leaves of its own, is made into a leaf first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import isfinite, prod
from typing import Any

import numpy as np

from flann.rasp.graph.arithmetic import FUNCTIONS
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
    ordered,
)
from flann.rasp.graph.values import COMPARE, Run, Words
from flann.rasp.language.source_span import RaspError
from flann.rasp.language.syntax import Atom

from .categorical import Case, Categorical
from .plan import MORE_PRECISION, Plan, PrecisionError
from .polynomials import selects_at_most_one
from .refusal import RefusalError
from .signals import Affine

MOST_VALUES = 512  # of an s-op that has few
MOST_POSITION_VALUES = 16  # values of a function of the position that has few
MOST_CASES = 20_000
MANY_CASES = 400  # from here on parts of several leaves are made leaves
MOST_MERGED = 400  # cases that are looked through for what can be joined

SCALAR_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **FUNCTIONS,
    "!=": lambda a, b: a != b,
    "if": lambda c, a, b: a if c else b,
}


class Elementwise:
    """Functions of few values.

    Parameters
    ----------
    plan : Plan
        where signals are made.
    symbols : sequence of atoms
        what the word is made of.
    """

    def __init__(self, plan: Plan, symbols: Sequence[Atom], root: SOp) -> None:
        self.plan, self.symbols = plan, list(symbols)
        self.attended = find_attended(root)
        self._dependences: dict[int, str] = {}
        self._categorical: dict[int, bool] = {}
        self._cases: dict[int, list[Case]] = {}
        self._materialised: dict[int, Categorical] = {}

    # -- what a node depends on --------------------------------------------------------------------

    def find_dependence(self, root: Node) -> str:
        """``constant``, ``symbol``, ``place`` or, if on more than one of these, ``word``."""
        for node in ordered([root]):
            if node.number not in self._dependences:
                self._dependences[node.number] = self._find_dependence(node)
        return self._dependences[root.number]

    def _find_dependence(self, node: Node) -> str:
        if isinstance(node, Input):
            return "place" if node.name == "indices" else "symbol"
        if isinstance(node, Aggregate | At):
            return "word"
        inner = {self._dependences[part.number] for part in node.parts} - {"constant"}
        if not inner:
            return "constant"
        return inner.pop() if len(inner) == 1 else "word"

    def tabulate(self, node: SOp) -> list[Atom]:
        """The value for each symbol, or at each position, of a node that depends on these alone."""
        if self.find_dependence(node) == "place":
            words = Words.of_ids(np.zeros((1, self.plan.length), int), self.symbols)
        else:
            words = Words.of_ids(np.arange(len(self.symbols))[None, :], self.symbols)
        try:
            run = Run(words)
            return run.atoms(run.sequence(node))[0]
        except RaspError as error:
            raise RefusalError(node, error.reason) from error

    def is_categorical(self, root: SOp) -> bool:
        """Whether a node has few values, however long the word."""
        for node in ordered([root]):
            if isinstance(node, SOp) and node.number not in self._categorical:
                self._categorical[node.number] = self._decide_categorical(node)
        return self._categorical[root.number]

    def _decide_categorical(self, node: SOp) -> bool:
        dependence = self.find_dependence(node)
        if dependence in ("constant", "symbol") or node.type in ("bool", "text"):
            return True
        if dependence == "place":
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
        """Whether a remainder is by a constant whole number that is not too large."""
        modulus = node.operands[1]
        if all(self._categorical[part.number] for part in node.operands):
            return True
        value = modulus.value if isinstance(modulus, Constant) else None
        return isinstance(value, int | float) and value == int(value) and 1 <= value <= MOST_VALUES

    # -- cases -------------------------------------------------------------------------------------

    def list_cases(self, node: SOp) -> list[Case]:
        """Where the leaves lie, and the value then; the cases exclude each other."""
        operand_cases = self.list_own_cases(node)
        if node.number in self.attended and len(find_variables(operand_cases)) > 1:
            return enumerate_cases(self.materialise(node))
        return operand_cases

    def list_own_cases(self, node: SOp) -> list[Case]:
        """The same, the node itself being no leaf."""
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
        if dependence in ("symbol", "place"):
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
        """A leaf that is a function of the symbol, or of the position."""
        values = list(dict.fromkeys(table))
        value_index = [values.index(value) for value in table]

        def encode_row(row: list[float]) -> Affine:
            numbers = [row[i] for i in value_index]
            if dependence == "place":
                return self.plan.encode_positions(numbers)
            return Affine({self.plan.encode_symbols(numbers): 1.0})

        return Categorical(self.plan, values, encode_row)

    def combine_cases(self, node: SOp, parts: Sequence[SOp]) -> list[Case]:
        """The cases of a function of several s-ops of few values."""
        operand_cases = self.list_operand_cases(node, parts)
        result: list[Case] = []
        short = node.function if isinstance(node, Map) else ""
        for combination in self.iterate_combinations(short, operand_cases):
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
        """The cases of every part; a part that is better made a leaf first is one."""
        operand_cases = [self.list_cases(part) for part in parts]
        variables = [find_variables(cases) for cases in operand_cases]
        choice = isinstance(node, Map) and node.function == "if"
        for i, part in enumerate(parts):
            beside = [0] if choice and i else [j for j in range(len(parts)) if j != i]
            others = set[Categorical]().union(*(variables[j] for j in beside))
            values = len({case.value for case in operand_cases[i]})
            several = len(variables[i]) > 1 and len(operand_cases[i]) > values
            if several and others and others.isdisjoint(variables[i]):
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
        """The combinations of the parts' cases; what decides alone is not combined further."""
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
        """The node's value from its parts'; None where the program would stop with an error."""
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
        """A node as a leaf of its own."""
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
        """All values that a node of few may have."""
        return list(dict.fromkeys(case.value for case in self.list_cases(node)))

    def encode(self, node: SOp, numbers: Mapping[Atom, float]) -> Affine:
        """The signal that is ``numbers[v]`` where the node has the value v."""
        return self.encode_cases(self.list_cases(node), numbers)

    def encode_cases(self, cases: Sequence[Case], numbers: Mapping[Atom, float]) -> Affine:
        """The signal of a function of what these cases tell."""
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
        """A sum of conjunctions: one for each case whose number is not the commonest."""
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
        """Whether a boolean s-op is true."""
        return self.encode(node, {False: 0.0, True: 1.0})

    # -- what others do ----------------------------------------------------------------------------

    def fetch_categorical(self, node: Aggregate | At) -> Categorical:
        """The leaf of a value that attention fetches."""
        raise NotImplementedError

    def list_cases_of_number(self, node: SOp) -> list[Case]:
        """The cases of a function of numbers that may grow with the length."""
        raise NotImplementedError


def find_attended(root: Node) -> set[int]:
    """The numbers of the s-ops that attention reads: values, keys and queries."""
    found: set[int] = set()
    for node in ordered([root]):
        if isinstance(node, Aggregate | At | Select):
            found |= {part.number for part in node.parts if isinstance(part, SOp)}
    return found


def enumerate_cases(variable: Categorical) -> list[Case]:
    """The cases of a leaf itself."""
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
    """Fewer cases: those of one value that differ in one leaf are one."""
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
    """A comparison with 0 as steps: bounds and values, for numbers of grain 1.

    >>> compare_levels("==")
    ([0.0, 1.0], [False, True, False])
    """
    compare = COMPARE[function]
    bounds = [0.0, 1.0]
    levels: list[Atom] = [bool(compare(value, 0)) for value in (-1, 0, 1)]
    kept = [i for i in range(2) if levels[i] != levels[i + 1]]
    return [bounds[i] for i in kept], [levels[0], *(levels[i + 1] for i in kept)]
