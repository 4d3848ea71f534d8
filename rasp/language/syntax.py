"""The syntax tree of RASP (Weiss, Goldberg and Yahav 2021, arXiv:2106.06981).

::

    program   := statement+
    statement := expr ';' | names '=' exprs ';' | 'draw' '(' expr [',' expr] ')' ';'
               | 'load' string ';' | 'for' names 'in' expr '{' statement* '}'
               | 'def' name '(' [names] ')' '{' statement* 'return' exprs ';' '}'

Precedence, from the tightest binding to the loosest: parentheses, ``e[e]`` and ``e(args)``; the
prefix operators ``not - +``; ``^``; ``* /``; ``%``; ``+ -``; ``== <= >= > <``; ``and or`` (one
level); ``e if e else e``; ``e in e``. So ``-2^2`` is 4. ``!=`` occurs only in
``select(k, q, !=)``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .source_span import SourceSpan

Atom = bool | int | float | str | None
LARGEST_EXACT = 2**53
"""The largest magnitude of a number: float64 represents every whole number up to it exactly."""


@dataclass(frozen=True)
class Expression:
    """A piece of syntax that has a value."""

    span: SourceSpan


@dataclass(frozen=True)
class Literal(Expression):
    """A number, a string, True, False or None."""

    value: Atom


@dataclass(frozen=True)
class Name(Expression):
    """A reference to a name."""

    text: str


@dataclass(frozen=True)
class ListDisplay(Expression):
    """``[e, e, ...]``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class DictDisplay(Expression):
    """``{k: v, ...}``."""

    items: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True)
class Comprehension(Expression):
    """``[e for names in e]``, or with a key ``{k: v for names in e}``."""

    key: Expression | None
    value: Expression
    names: tuple[str, ...]
    source: Expression


@dataclass(frozen=True)
class Subscript(Expression):
    """``e[e]``."""

    base: Expression
    index: Expression


@dataclass(frozen=True)
class Call(Expression):
    """``e(args)``."""

    function: Expression
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class UnaryOperation(Expression):
    """``not e``, ``-e``, ``+e``, ``round(e)`` or ``indicator(e)``."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class BinaryOperation(Expression):
    """Two operands with an infix operator, whose span it has."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Conditional(Expression):
    """``e if e else e``; its span is that of ``if``."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True)
class SelectExpression(Expression):
    """``select(keys, queries, relation)``."""

    keys: Expression
    queries: Expression
    relation: str


@dataclass(frozen=True)
class AggregateExpression(Expression):
    """``aggregate(selector, values [, default])``."""

    selector: Expression
    values: Expression
    default: Expression | None


@dataclass(frozen=True)
class ListFunction(Expression):
    """``range(..)``, ``zip(..)`` or ``len(..)``."""

    function: str
    arguments: tuple[Expression, ...]


# -- statements ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """A statement of a program."""

    span: SourceSpan


@dataclass(frozen=True)
class ExpressionStatement(Statement):
    """``e;``: a session prints its value."""

    value: Expression


@dataclass(frozen=True)
class Assignment(Statement):
    """``names = exprs;``."""

    names: tuple[str, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True)
class DrawStatement(Statement):
    """``draw(e [, word]);``."""

    value: Expression
    word: Expression | None


@dataclass(frozen=True)
class LoadStatement(Statement):
    """``load "file";``."""

    path: str


@dataclass(frozen=True)
class FunctionDefinition(Statement):
    """``def name(names) { .. return exprs; }``."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[Statement, ...]
    results: tuple[Expression, ...]


@dataclass(frozen=True)
class ForLoop(Statement):
    """``for names in e { .. }``."""

    names: tuple[str, ...]
    source: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Command(Statement):
    """A command that only a session accepts: ``set example e``, ``examples off``, ``quit``, ...

    Attributes
    ----------
    arguments : tuple of str
        the tokens of the command, its name first, without punctuation.
    value : Expression, optional
        the example that ``set example`` sets.
    """

    arguments: tuple[str, ...]
    value: Expression | None = None
