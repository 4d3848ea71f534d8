"""RASP in Python: Python's operators build the same graph that a program builds.

>>> reverse = aggregate(select(indices, length - indices - 1, "=="), tokens)
>>> reverse("abc")
['c', 'b', 'a']
>>> before = select(indices, indices, "<") & select(tokens, tokens, "==")
>>> aggregate(before, 1)("abab")
[0, 0, 1, 1]

An s-op compiles to a network::

    reverse.compile("abc", max_length=64)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from .graph import sops
from .graph.evaluation import run_on_words, run_selector
from .graph.formula import format_formula
from .graph.word_batch import InputWord
from .language.syntax import Atom

if TYPE_CHECKING:
    from .compiler import ProgramNetwork


class SOpExpr:
    """An s-op, which operators combine with others, and which runs on a word when it is called.

    Parameters
    ----------
    node : SOp
    """

    __hash__ = object.__hash__

    def __init__(self, node: sops.SOp) -> None:
        self.node = node

    def __call__(self, word: InputWord) -> list[Atom]:
        """Return the values on a word."""
        return run_on_words(self.node, [word])[0]

    @override
    def __repr__(self) -> str:
        return f"s-op {format_formula(self.node)}"

    def __bool__(self) -> bool:
        raise TypeError("an s-op has no truth value before it is run: use where(condition, a, b)")

    def __getitem__(self, index: int) -> SOpExpr:
        """Return the s-op that has the value at one position at every position."""
        return SOpExpr(sops.take_at(self.node, index))

    def compile(self, symbols: Sequence[str], max_length: int) -> ProgramNetwork:
        """Return the network that computes the s-op on words of up to `max_length` symbols."""
        from .compiler import compile_sop  # loads torch

        return compile_sop(self.node, symbols, max_length)

    def isin(self, choices: Sequence[Atom]) -> SOpExpr:
        """Return the s-op that tells whether each value is one of the choices."""
        return SOpExpr(sops.check_membership(self.node, choices))

    def lookup(self, table: Sequence[Atom] | Mapping[Atom, Atom]) -> SOpExpr:
        """Return the s-op that replaces each value by its entry in a table."""
        pairs: Mapping[Atom, Atom] = dict(
            table.items() if isinstance(table, Mapping) else enumerate(table)
        )
        return SOpExpr(sops.look_up(self.node, pairs))

    def _apply(self, sign: str, other: SOpExpr | Atom) -> SOpExpr:
        return SOpExpr(sops.map_elementwise(sign, [self.node, _unwrap(other)]))

    def _apply_reversed(self, sign: str, other: Atom) -> SOpExpr:
        return SOpExpr(sops.map_elementwise(sign, [_unwrap(other), self.node]))

    def __add__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("+", other)

    def __radd__(self, other: Atom) -> SOpExpr:
        return self._apply_reversed("+", other)

    def __sub__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("-", other)

    def __rsub__(self, other: Atom) -> SOpExpr:
        return self._apply_reversed("-", other)

    def __mul__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("*", other)

    def __rmul__(self, other: Atom) -> SOpExpr:
        return self._apply_reversed("*", other)

    def __truediv__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("/", other)

    def __rtruediv__(self, other: Atom) -> SOpExpr:
        return self._apply_reversed("/", other)

    def __mod__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("%", other)

    def __rmod__(self, other: Atom) -> SOpExpr:
        return self._apply_reversed("%", other)

    def __pow__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("^", other)

    def __and__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("and", other)

    def __or__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("or", other)

    def __eq__(self, other: SOpExpr | Atom) -> SOpExpr:  # type: ignore[override]
        return self._apply("==", other)

    def __lt__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("<", other)

    def __le__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply("<=", other)

    def __gt__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply(">", other)

    def __ge__(self, other: SOpExpr | Atom) -> SOpExpr:
        return self._apply(">=", other)

    def __neg__(self) -> SOpExpr:
        return SOpExpr(sops.map_elementwise("neg", [self.node]))

    def __invert__(self) -> SOpExpr:
        return SOpExpr(sops.map_elementwise("not", [self.node]))


class SelectorExpr:
    """A selector, which ``&``, ``|`` and ``~`` combine, and which runs on a word when called.

    Parameters
    ----------
    node : Selector
    """

    def __init__(self, node: sops.Selector) -> None:
        self.node = node

    def __call__(self, word: InputWord) -> list[list[bool]]:
        """Return the pairs on a word: a row for each query, a column for each key."""
        return run_selector(self.node, word)

    @override
    def __repr__(self) -> str:
        return f"selector {format_formula(self.node)}"

    def __and__(self, other: SelectorExpr) -> SelectorExpr:
        return SelectorExpr(sops.combine("and", [self.node, other.node]))

    def __or__(self, other: SelectorExpr) -> SelectorExpr:
        return SelectorExpr(sops.combine("or", [self.node, other.node]))

    def __invert__(self) -> SelectorExpr:
        return SelectorExpr(sops.combine("not", [self.node]))


def _unwrap(value: SOpExpr | Atom) -> sops.SOp | Atom:
    return value.node if isinstance(value, SOpExpr) else value


def select(keys: SOpExpr | Atom, queries: SOpExpr | Atom, relation: str) -> SelectorExpr:
    """Return the selector ``keys_k relation queries_q``."""
    return SelectorExpr(sops.select(_unwrap(keys), _unwrap(queries), relation))


def aggregate(selector: SelectorExpr, values: SOpExpr | Atom, default: Atom = None) -> SOpExpr:
    """Return the mean of the selected values; where nothing is selected, the default or 0."""
    return SOpExpr(sops.aggregate(selector.node, _unwrap(values), default))


def where(condition: SOpExpr, then: SOpExpr | Atom, otherwise: SOpExpr | Atom) -> SOpExpr:
    """Return ``then if condition else otherwise``, elementwise."""
    operands = [condition.node, _unwrap(then), _unwrap(otherwise)]
    return SOpExpr(sops.map_elementwise("if", operands))


def indicator(condition: SOpExpr) -> SOpExpr:
    """Return 1 where the condition holds and 0 elsewhere."""
    return SOpExpr(sops.map_elementwise("indicator", [condition.node]))


def round_values(value: SOpExpr) -> SOpExpr:
    """Return the nearest whole number to each value; a half is rounded to the even one."""
    return SOpExpr(sops.map_elementwise("round", [value.node]))


tokens = SOpExpr(sops.create_input("tokens_str"))
indices = SOpExpr(sops.create_input("indices"))
length = round_values(1 / aggregate(select(1, 1, "=="), indicator(indices == 0)))
