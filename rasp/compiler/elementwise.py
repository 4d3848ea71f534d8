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

from .leaves import Case, Leaf
from .plan import COARSE, Plan, TooCoarse
from .polynomials import at_most_one
from .refusal import Refused
from .signals import Affine

MOST_VALUES = 512  # of an s-op that has few
MOST_PLACES = 16  # values of a function of the position that has few
MOST_CASES = 20_000
MANY_CASES = 400  # from here on parts of several leaves are made leaves
MERGED = 400  # cases that are looked through for what can be joined

APPLIED: dict[str, Callable[..., Any]] = {
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
        self.carried = carried(root)
        self._bases: dict[int, str] = {}
        self._few: dict[int, bool] = {}
        self._cases: dict[int, list[Case]] = {}
        self._made: dict[int, Leaf] = {}

    # -- what a node depends on --------------------------------------------------------------------

    def base(self, root: Node) -> str:
        """``constant``, ``symbol``, ``place`` or, if on more than one of these, ``word``."""
        for node in sort_topologically([root]):
            if node.number not in self._bases:
                self._bases[node.number] = self._base(node)
        return self._bases[root.number]

    def _base(self, node: Node) -> str:
        if isinstance(node, Input):
            return "place" if node.name == "indices" else "symbol"
        if isinstance(node, Aggregate | At):
            return "word"
        inner = {self._bases[part.number] for part in node.parts} - {"constant"}
        if not inner:
            return "constant"
        return inner.pop() if len(inner) == 1 else "word"

    def table(self, node: SOp) -> list[Atom]:
        """The value for each symbol, or at each position, of a node that depends on these alone."""
        if self.base(node) == "place":
            words = WordBatch.from_ids(np.zeros((1, self.plan.length), int), self.symbols)
        else:
            words = WordBatch.from_ids(np.arange(len(self.symbols))[None, :], self.symbols)
        try:
            run = Evaluator(words)
            return run.convert_to_atoms(run.evaluate(node))[0]
        except RaspError as error:
            raise Refused(node, error.reason) from error

    def few(self, root: SOp) -> bool:
        """Whether a node has few values, however long the word."""
        for node in sort_topologically([root]):
            if isinstance(node, SOp) and node.number not in self._few:
                self._few[node.number] = self._is_few(node)
        return self._few[root.number]

    def _is_few(self, node: SOp) -> bool:
        base = self.base(node)
        if base in ("constant", "symbol") or node.type in ("bool", "text"):
            return True
        if base == "place":
            return len(set(self.table(node))) <= MOST_PLACES
        if isinstance(node, Lookup | Member):
            return True
        if isinstance(node, Aggregate):
            return at_most_one(node.selector) and self._few[node.values.number]
        if isinstance(node, At):
            return self._few[node.values.number]
        if not isinstance(node, Map):
            return False
        if node.function == "indicator":
            return True
        if node.function == "%":
            return self.few_remainders(node)
        operands = node.operands[1:] if node.function == "if" else node.operands
        return all(self._few[part.number] for part in operands)

    def few_remainders(self, node: Map) -> bool:
        """Whether a remainder is by a constant whole number that is not too large."""
        modulus = node.operands[1]
        if all(self._few[part.number] for part in node.operands):
            return True
        value = modulus.value if isinstance(modulus, Constant) else None
        return isinstance(value, int | float) and value == int(value) and 1 <= value <= MOST_VALUES

    # -- cases -------------------------------------------------------------------------------------

    def cases(self, node: SOp) -> list[Case]:
        """Where the leaves lie, and the value then; the cases exclude each other."""
        listed = self.inner_cases(node)
        if node.number in self.carried and len(leaves_in(listed)) > 1:
            return of_leaf(self.material(node))
        return listed

    def inner_cases(self, node: SOp) -> list[Case]:
        """The same, the node itself being no leaf."""
        if node.number not in self._cases:
            try:
                self._cases[node.number] = self._make_cases(node)
            except TooCoarse as error:
                raise Refused(node, str(error), COARSE) from error
        return self._cases[node.number]

    def _make_cases(self, node: SOp) -> list[Case]:
        base = self.base(node)
        if base == "constant":
            return [Case({}, self.table(node)[0])]
        if base in ("symbol", "place"):
            return of_leaf(self.leaf_of_table(node, self.table(node), base))
        if isinstance(node, Aggregate | At):
            return of_leaf(self.attended_leaf(node))
        if isinstance(node, Map) and not all(self.few(part) for part in node.operands):
            if node.function == "if":
                return self.combined(node, node.operands)
            return self.cases_of_numbers(node)
        if isinstance(node, Lookup | Member) and not self.few(node.parts[0]):  # type: ignore[arg-type]
            return self.cases_of_numbers(node)
        return self.combined(node, node.parts)  # type: ignore[arg-type]

    def leaf_of_table(self, node: SOp, table: Sequence[Atom], base: str) -> Leaf:
        """A leaf that is a function of the symbol, or of the position."""
        values = list(dict.fromkeys(table))
        place = [values.index(value) for value in table]

        def scalar(row: list[float]) -> Affine:
            numbers = [row[i] for i in place]
            if base == "place":
                return self.plan.placed(numbers)
            return Affine({self.plan.embedded(numbers): 1.0})

        return Leaf(self.plan, values, scalar)

    def combined(self, node: SOp, parts: Sequence[SOp]) -> list[Case]:
        """The cases of a function of several s-ops of few values."""
        listed = self.listed(node, parts)
        made: list[Case] = []
        short = node.function if isinstance(node, Map) else ""
        for chosen in self.branches(short, listed):
            where: dict[Leaf, frozenset[int]] | None = {}
            for case in chosen:
                where = where if where is None else Case(where, None).joined(case)
            if where is None:
                continue
            value = self.applied(node, [case.value for case in chosen])
            if value is not None:
                made.append(Case(where, value))
            if len(made) > MOST_CASES:
                raise Refused(node, f"a table of more than {MOST_CASES} entries")
        return merged(made) if len(made) <= MERGED else made

    def listed(self, node: SOp, parts: Sequence[SOp]) -> list[list[Case]]:
        """The cases of every part; a part that is better made a leaf first is one."""
        listed = [self.cases(part) for part in parts]
        leaves = [leaves_in(cases) for cases in listed]
        choice = isinstance(node, Map) and node.function == "if"
        for i, part in enumerate(parts):
            beside = [0] if choice and i else [j for j in range(len(parts)) if j != i]
            others = set[Leaf]().union(*(leaves[j] for j in beside))
            values = len({case.value for case in listed[i]})
            several = len(leaves[i]) > 1 and len(listed[i]) > values
            if several and not (leaves[i] & others) and others:
                listed[i] = of_leaf(self.material(part))
        if prod(map(len, listed)) > MANY_CASES:
            for i, part in enumerate(parts):
                found = leaves_in(listed[i])
                if len(found) > 1 and len(listed[i]) > len({case.value for case in listed[i]}):
                    listed[i] = of_leaf(self.material(part))
        if prod(map(len, listed)) > 50 * MOST_CASES:
            raise Refused(node, f"a table of more than {MOST_CASES} entries")
        return listed

    def branches(self, function: str, listed: Sequence[list[Case]]) -> Iterable[tuple[Case, ...]]:
        """The combinations of the parts' cases; what decides alone is not combined further."""
        if function == "if":
            for case in listed[0]:
                for branch in listed[1] if case.value else listed[2]:
                    yield (case, branch)
        elif function in ("and", "or"):
            for case in listed[0]:
                if bool(case.value) == (function == "or"):
                    yield (case,)
                else:
                    yield from ((case, other) for other in listed[1])
        else:
            yield from product(*listed)

    def applied(self, node: SOp, values: list[Any]) -> Atom:
        """The node's value from its parts'; None where the program would stop with an error."""
        if isinstance(node, Lookup):
            return dict(node.table).get(values[0])
        if isinstance(node, Member):
            return values[0] in node.choices
        assert isinstance(node, Map)
        if node.function in ("and", "or", "if"):
            return values[-1]  # type: ignore[no-any-return]
        try:
            value = APPLIED[node.function](*values)
        except (ZeroDivisionError, OverflowError):
            return None
        if isinstance(value, complex) or (isinstance(value, float) and not isfinite(value)):
            return None
        return value  # type: ignore[no-any-return]

    def material(self, node: SOp) -> Leaf:
        """A node as a leaf of its own."""
        if node.number not in self._made:
            listed = self.inner_cases(node)
            values = list(dict.fromkeys(case.value for case in listed))
            self._made[node.number] = Leaf(
                self.plan,
                values,
                lambda row: self.function(listed, dict(zip(values, row, strict=True))),
            )
        return self._made[node.number]

    # -- functions of a node -----------------------------------------------------------------------

    def values_of(self, node: SOp) -> list[Atom]:
        """All values that a node of few may have."""
        return list(dict.fromkeys(case.value for case in self.cases(node)))

    def scalar(self, node: SOp, numbers: Mapping[Atom, float]) -> Affine:
        """The signal that is ``numbers[v]`` where the node has the value v."""
        return self.function(self.cases(node), numbers)

    def function(self, cases: Sequence[Case], numbers: Mapping[Atom, float]) -> Affine:
        """The signal of a function of what these cases tell."""
        leaves = leaves_in(cases)
        if not leaves:
            return Affine({}, numbers[cases[0].value])
        if len(leaves) == 1:
            leaf = leaves.pop()
            row = [0.0] * len(leaf.values)
            for case in cases:
                for i in case.where.get(leaf, range(len(leaf.values))):
                    row[i] = numbers[case.value]
            return leaf.scalar(row)
        renamed = [Case(case.where, numbers[case.value]) for case in cases]
        return self.conjunctions(merged(renamed) if len(renamed) <= MERGED else renamed)

    def conjunctions(self, cases: Sequence[Case]) -> Affine:
        """A sum of conjunctions: one for each case whose number is not the commonest."""
        tally: dict[Atom, int] = {}
        for case in cases:
            tally[case.value] = tally.get(case.value, 0) + 1
        usual = float(max(tally, key=lambda value: tally[value]) or 0.0)
        units: list[tuple[Affine, float]] = []
        error = 0.0
        numbers = [usual]
        for case in cases:
            weight = float(case.value or 0.0) - usual
            if not weight:
                continue
            indicators = [leaf.within(chosen) for leaf, chosen in case.where.items()]
            units += [(unit, weight * sign) for unit, sign in self.plan.both(indicators)]
            error = max(error, abs(weight) * self.plan.conjunction_error(indicators))
            numbers.append(float(case.value or 0.0))
        low, high = min(numbers) - usual, max(numbers) - usual
        return self.plan.made(units, low, high, error) + usual

    def truth(self, node: SOp) -> Affine:
        """Whether a boolean s-op is true."""
        return self.scalar(node, {False: 0.0, True: 1.0})

    # -- what others do ----------------------------------------------------------------------------

    def attended_leaf(self, node: Aggregate | At) -> Leaf:
        """The leaf of a value that attention fetches."""
        raise NotImplementedError

    def cases_of_numbers(self, node: SOp) -> list[Case]:
        """The cases of a function of numbers that may grow with the length."""
        raise NotImplementedError


def carried(root: Node) -> set[int]:
    """The numbers of the s-ops that attention reads: values, keys and queries."""
    found: set[int] = set()
    for node in sort_topologically([root]):
        if isinstance(node, Aggregate | At | Select):
            found |= {part.number for part in node.parts if isinstance(part, SOp)}
    return found


def of_leaf(leaf: Leaf) -> list[Case]:
    """The cases of a leaf itself."""
    return [Case({leaf: frozenset({i})}, value) for i, value in enumerate(leaf.values)]


def leaves_in(cases: Iterable[Case]) -> set[Leaf]:
    """All leaves that decide between these cases."""
    return {
        leaf
        for case in cases
        for leaf, chosen in case.where.items()
        if len(chosen) < len(leaf.values)
    }


def merged(cases: Sequence[Case]) -> list[Case]:
    """Fewer cases: those of one value that differ in one leaf are one."""
    rest = list(cases)
    again = True
    while again:
        again = False
        found: dict[Any, Case] = {}
        for leaf in leaves_in(rest):
            found = {}
            for case in rest:
                others = frozenset((o, chosen) for o, chosen in case.where.items() if o is not leaf)
                key = (type(case.value), case.value, others)
                if key in found:
                    again = True
                    every = frozenset(range(len(leaf.values)))
                    both = found[key].where.get(leaf, every) | case.where.get(leaf, every)
                    where = {**dict(others), leaf: both}
                    if both == every:
                        del where[leaf]
                    found[key] = Case(where, case.value)
                else:
                    found[key] = case
            rest = list(found.values())
    return rest


def compare_levels(function: str) -> tuple[list[float], list[Atom]]:
    """A comparison with 0 as steps: bounds and values, for numbers of grain 1.

    >>> compare_levels("==")
    ([0.0, 1.0], [False, True, False])
    """
    compare = COMPARISONS[function]
    bounds = [0.0, 1.0]
    levels: list[Atom] = [bool(compare(value, 0)) for value in (-1, 0, 1)]
    kept = [i for i in range(2) if levels[i] != levels[i + 1]]
    return [bounds[i] for i in kept], [levels[0], *(levels[i + 1] for i in kept)]
