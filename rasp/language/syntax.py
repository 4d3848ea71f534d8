"""The syntax tree of RASP (Weiss, Goldberg and Yahav 2021, arXiv:2106.06981).

::

    program   := statement+
    statement := expr ';' | names '=' exprs ';' | 'draw' '(' expr [',' expr] ')' ';'
               | 'load' string ';' | 'for' names 'in' expr '{' statement* '}'
               | 'def' name '(' [names] ')' '{' statement* 'return' exprs ';' '}'

Precedence, tightest first: brackets, ``e[e]`` and ``e(args)``; ``not - +`` before one operand;
``^``; ``* /``; ``%``; ``+ -``; ``== <= >= > <``; ``and or`` (one level); ``e if e else e``;
``e in e``. So ``-2^2`` is 4. ``!=`` occurs in ``select(k, q, !=)`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from .source_span import Place

Atom = bool | int | float | str | None


@dataclass(frozen=True)
class Expression:
    """Anything that has a value."""

    place: Place


@dataclass(frozen=True)
class Literal(Expression):
    """A number, a string, True, False or None."""

    value: Atom


@dataclass(frozen=True)
class Name(Expression):
    """A name."""

    text: str


@dataclass(frozen=True)
class ListOf(Expression):
    """``[e, e, ...]``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class DictOf(Expression):
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
class Index(Expression):
    """``e[e]``."""

    base: Expression
    index: Expression


@dataclass(frozen=True)
class Call(Expression):
    """``e(args)``."""

    function: Expression
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Unary(Expression):
    """``not e``, ``-e``, ``+e``, ``round(e)``, ``indicator(e)``."""

    sign: str
    operand: Expression


@dataclass(frozen=True)
class Binary(Expression):
    """Two operands and the sign between them; its place is the sign's."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Choice(Expression):
    """``e if e else e``; its place is that of ``if``."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True)
class SelectOf(Expression):
    """``select(keys, queries, relation)``."""

    keys: Expression
    queries: Expression
    relation: str


@dataclass(frozen=True)
class AggregateOf(Expression):
    """``aggregate(selector, values [, default])``."""

    selector: Expression
    values: Expression
    default: Expression | None


@dataclass(frozen=True)
class Listing(Expression):
    """``range(..)``, ``zip(..)`` or ``len(..)``."""

    function: str
    arguments: tuple[Expression, ...]


# -- statements ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """One statement."""

    place: Place


@dataclass(frozen=True)
class Show(Statement):
    """``e;``: in a session its value is shown."""

    value: Expression


@dataclass(frozen=True)
class Assign(Statement):
    """``names = exprs;``."""

    names: tuple[str, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True)
class Draw(Statement):
    """``draw(e [, word]);``."""

    value: Expression
    word: Expression | None


@dataclass(frozen=True)
class Load(Statement):
    """``load "file";``."""

    path: str


@dataclass(frozen=True)
class Define(Statement):
    """``def name(names) { .. return exprs; }``."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[Statement, ...]
    results: tuple[Expression, ...]


@dataclass(frozen=True)
class For(Statement):
    """``for names in e { .. }``."""

    names: tuple[str, ...]
    source: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Command(Statement):
    """What only a session knows: ``set example e``, ``examples off``, ``quit``, ..."""

    words: tuple[str, ...]
    value: Expression | None = None
