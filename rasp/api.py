"""RASP from Python: the operators of Python build the same graph that a program builds.

>>> reverse = aggregate(select(indices, length - indices - 1, "=="), tokens)
>>> reverse("abc")
['c', 'b', 'a']
>>> before = select(indices, indices, "<") & select(tokens, tokens, "==")
>>> aggregate(before, 1)("abab")
[0, 0, 1, 1]

and `compile` makes a network of it::

    reverse.compile("abc", max_length=64)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .graph import sops
from .graph.evaluation import on_words, pairs_on
from .graph.values import Word
from .language.syntax import Atom

if TYPE_CHECKING:
    from .compiler import ProgramNetwork


class Expr:
    """An s-op; operators make others, and calling it on a word runs it.

    Parameters
    ----------
    node : SOp
    """

    __hash__ = object.__hash__

    def __init__(self, node: sops.SOp) -> None:
        self.node = node

    def __call__(self, word: Word) -> list[Atom]:
        """The values on a word."""
        return on_words(self.node, [word])[0]

    def __repr__(self) -> str:
        return f"s-op {sops.formula(self.node)}"

    def __bool__(self) -> bool:
        raise TypeError("an s-op has no truth while it is built: use where(condition, a, b)")

    def __getitem__(self, index: int) -> Expr:
        """The value at one position, everywhere."""
        return Expr(sops.at(self.node, index))

    def compile(self, symbols: Sequence[str], max_length: int) -> ProgramNetwork:
        """The network that computes it, over an alphabet, for words of up to `max_length`."""
        from .compiler import compile_sop

        return compile_sop(self.node, symbols, max_length)

    def isin(self, choices: Sequence[Atom]) -> Expr:
        """Whether each value is one of these."""
        return Expr(sops.member(self.node, choices))

    def lookup(self, table: Sequence[Atom] | Mapping[Atom, Atom]) -> Expr:
        """Each value replaced by what stands there in a table."""
        pairs: Mapping[Atom, Atom] = dict(
            table.items() if isinstance(table, Mapping) else enumerate(table)
        )
        return Expr(sops.looked_up(self.node, pairs))

    def _with(self, sign: str, other: Expr | Atom) -> Expr:
        return Expr(sops.mapped(sign, [self.node, _node(other)]))

    def _after(self, sign: str, other: Atom) -> Expr:
        return Expr(sops.mapped(sign, [_node(other), self.node]))

    def __add__(self, other: Expr | Atom) -> Expr:
        return self._with("+", other)

    def __radd__(self, other: Atom) -> Expr:
        return self._after("+", other)

    def __sub__(self, other: Expr | Atom) -> Expr:
        return self._with("-", other)

    def __rsub__(self, other: Atom) -> Expr:
        return self._after("-", other)

    def __mul__(self, other: Expr | Atom) -> Expr:
        return self._with("*", other)

    def __rmul__(self, other: Atom) -> Expr:
        return self._after("*", other)

    def __truediv__(self, other: Expr | Atom) -> Expr:
        return self._with("/", other)

    def __rtruediv__(self, other: Atom) -> Expr:
        return self._after("/", other)

    def __mod__(self, other: Expr | Atom) -> Expr:
        return self._with("%", other)

    def __rmod__(self, other: Atom) -> Expr:
        return self._after("%", other)

    def __pow__(self, other: Expr | Atom) -> Expr:
        return self._with("^", other)

    def __and__(self, other: Expr | Atom) -> Expr:
        return self._with("and", other)

    def __or__(self, other: Expr | Atom) -> Expr:
        return self._with("or", other)

    def __eq__(self, other: Expr | Atom) -> Expr:  # type: ignore[override]
        return self._with("==", other)

    def __lt__(self, other: Expr | Atom) -> Expr:
        return self._with("<", other)

    def __le__(self, other: Expr | Atom) -> Expr:
        return self._with("<=", other)

    def __gt__(self, other: Expr | Atom) -> Expr:
        return self._with(">", other)

    def __ge__(self, other: Expr | Atom) -> Expr:
        return self._with(">=", other)

    def __neg__(self) -> Expr:
        return Expr(sops.mapped("neg", [self.node]))

    def __invert__(self) -> Expr:
        return Expr(sops.mapped("not", [self.node]))


class Choose:
    """A selector; ``&``, ``|`` and ``~`` combine them, and calling it on a word shows its pairs."""

    def __init__(self, node: sops.Selector) -> None:
        self.node = node

    def __call__(self, word: Word) -> list[list[bool]]:
        """A row for each query, a column for each key."""
        return pairs_on(self.node, word)

    def __repr__(self) -> str:
        return f"selector {sops.formula(self.node)}"

    def __and__(self, other: Choose) -> Choose:
        return Choose(sops.combine("and", [self.node, other.node]))

    def __or__(self, other: Choose) -> Choose:
        return Choose(sops.combine("or", [self.node, other.node]))

    def __invert__(self) -> Choose:
        return Choose(sops.combine("not", [self.node]))


def _node(value: Expr | Atom) -> sops.SOp | Atom:
    return value.node if isinstance(value, Expr) else value


def select(keys: Expr | Atom, queries: Expr | Atom, relation: str) -> Choose:
    """The selector ``keys_k relation queries_q``."""
    return Choose(sops.select(_node(keys), _node(queries), relation))


def aggregate(selector: Choose, values: Expr | Atom, default: Atom = None) -> Expr:
    """The mean of the selected values; the default, or 0, where nothing is selected."""
    return Expr(sops.aggregate(selector.node, _node(values), default))


def where(condition: Expr, then: Expr | Atom, otherwise: Expr | Atom) -> Expr:
    """``then if condition else otherwise``, at each position."""
    return Expr(sops.mapped("if", [condition.node, _node(then), _node(otherwise)]))


def indicator(condition: Expr) -> Expr:
    """1 where the condition holds, else 0."""
    return Expr(sops.mapped("indicator", [condition.node]))


def rounded(value: Expr) -> Expr:
    """The nearest whole number, halves to the even one."""
    return Expr(sops.mapped("round", [value.node]))


tokens = Expr(sops.input_named("tokens_str"))
indices = Expr(sops.input_named("indices"))
length = rounded(1 / aggregate(select(1, 1, "=="), indicator(indices == 0)))
