"""Expressions: from the syntax tree to atoms, lists, dicts, functions, s-ops and selectors.

What has an s-op in it becomes a node of the graph; the rest is worked out while the program is
built, within bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from flann.rasp.graph import sops
from flann.rasp.graph.arithmetic import applied
from flann.rasp.graph.evaluation import on_words, pairs_on
from flann.rasp.graph.sops import Selector, SOp, type_of
from flann.rasp.language import syntax
from flann.rasp.language.source_span import Place, RaspError
from flann.rasp.language.syntax import Atom, Expression, Statement

from .scope import Function, Scope, Value

MOST_STEPS = 1_000_000
DEEPEST = 120  # of expressions and calls together
LONGEST_LIST = 100_000
N = TypeVar("N", bound=sops.Node)


class Expressions:
    """The values of expressions, and the bounds on what a program may take to build."""

    def __init__(self) -> None:
        self.places: dict[int, Place] = {}
        self.steps, self.depth = 0, 0
        self._call_place: Place | None = None  # of the call from the user's text into the library

    def value(self, node: Expression, scope: Scope) -> Value:
        """The value of an expression."""
        self.step(node.place)
        self.depth += 1
        if self.depth > DEEPEST:
            self.depth = 0
            raise RaspError(f"nested or called more than {DEEPEST} deep", node.place)
        value = HANDLERS[type(node)](self, node, scope)
        self.depth -= 1
        return value

    def literal(self, node: syntax.Literal, scope: Scope) -> Value:
        """An atom."""
        return node.value

    def name(self, node: syntax.Name, scope: Scope) -> Value:
        """An atom."""
        found = scope.find(node.text)
        if found is None:
            known = [name for name in dict.fromkeys(scope.visible()) if not name.startswith("_")]
            guess = get_close_matches(node.text, known, n=1, cutoff=0.5)
            hint = f": did you mean {guess[0]!r}?" if guess else ""
            raise RaspError(f"unknown name {node.text!r}{hint}", node.place)
        return found.names[node.text]

    def list_of(self, node: syntax.ListOf, scope: Scope) -> Value:
        """``[e, e]``."""
        return [self.value(item, scope) for item in node.items]

    def dict_of(self, node: syntax.DictOf, scope: Scope) -> Value:
        """``{k: v}``."""
        pairs = [(self.value(k, scope), self.value(v, scope)) for k, v in node.items]
        return {self.key(k, node.place): v for k, v in pairs}

    def key(self, value: Value, place: Place) -> Atom:
        """A value as the key of a dict."""
        if is_atom(value):
            return cast(Atom, value)
        raise RaspError(f"a dict's key: expected an atom, got {kind_of(value)}", place)

    def comprehension(self, node: syntax.Comprehension, scope: Scope) -> Value:
        """``[e for names in e]`` or ``{k: v for names in e}``."""
        inner = Scope(outer=scope)
        values: list[Value] = []
        keys: list[Atom] = []
        for item in self.items(self.value(node.source, scope), node.source.place):
            self.bind_item(node.names, item, inner, node.place)
            if node.key is not None:
                keys.append(self.key(self.value(node.key, inner), node.key.place))
            values.append(self.value(node.value, inner))
        if node.key is None:
            return values
        return dict(zip(keys, values, strict=True))

    def unary(self, node: syntax.Unary, scope: Scope) -> Value:
        """One operand."""
        value = self.value(node.operand, scope)
        if isinstance(value, Selector) and node.sign == "not":
            return self.noted(sops.combine("not", [value]), node.place)
        if isinstance(value, SOp):
            if node.sign == "+":
                return value
            name = {"-": "neg"}.get(node.sign, node.sign)
            return self.noted(sops.mapped(name, [value], self.at(node.place)), node.place)
        self.atoms(node.sign, [value], node.place)
        return applied(node.sign, [value], self.at(node.place))

    def binary(self, node: syntax.Binary, scope: Scope) -> Value:
        """Two operands and a sign."""
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        place = self.at(node.place)
        if node.sign == "in":
            return self.contained(left, right, node.place)
        if (
            isinstance(left, Selector)
            and isinstance(right, Selector)
            and node.sign in ("and", "or")
        ):
            return self.noted(sops.combine(node.sign, [left, right]), node.place)
        if isinstance(left, SOp) or isinstance(right, SOp):
            for value in (left, right):
                if not isinstance(value, SOp):
                    self.atoms(node.sign, [value], node.place)
            return self.noted(sops.mapped(node.sign, [left, right], place), node.place)
        if isinstance(left, list) and isinstance(right, list) and node.sign == "+":
            return self.bounded(left + right, node.place)
        self.atoms(node.sign, [left, right], node.place)
        return applied(node.sign, [left, right], place)

    def contained(self, left: Value, right: Value, place: Place) -> Value:
        """``e in e``: elementwise, anywhere in an s-op, or while the program is built."""
        if isinstance(left, SOp) and isinstance(right, list | dict | str):
            for choice in right:
                self.atoms("in", [choice], place)
            return self.noted(sops.member(left, list(right)), place)
        if is_atom(left) and isinstance(right, SOp):
            same = sops.mapped("==", [right, left], self.at(place))
            everywhere = sops.select(1, 1, "==")
            share = self.noted(sops.aggregate(everywhere, sops.mapped("indicator", [same])), place)
            return self.noted(sops.mapped(">", [share, 0]), place)
        if is_atom(left) and isinstance(right, list | dict):
            return any(is_atom(x) and type_of(x) == type_of(left) and x == left for x in right)
        if isinstance(left, str) and isinstance(right, str):
            return left in right
        raise RaspError(f"{kind_of(left)} in {kind_of(right)}: makes no sense", self.at(place))

    def choice(self, node: syntax.Choice, scope: Scope) -> Value:
        """``e if e else e``: elementwise, or a branch taken while the program is built."""
        condition = self.value(node.condition, scope)
        if isinstance(condition, bool):  # a branch taken while the program is built
            return self.value(node.then if condition else node.otherwise, scope)
        if not isinstance(condition, SOp):
            raise RaspError(
                f"the condition of 'if': expected booleans, got {kind_of(condition)}", node.place
            )
        branches = [self.value(part, scope) for part in (node.then, node.otherwise)]
        for branch in branches:
            if not (isinstance(branch, SOp) or is_atom(branch)):
                raise RaspError(f"'if' of {kind_of(branch)}: expected an s-op", node.place)
        made = sops.mapped("if", [condition, *branches], self.at(node.place))
        return self.noted(made, node.place)

    def select(self, node: syntax.SelectOf, scope: Scope) -> Value:
        """``select(keys, queries, relation)``."""
        pair = [self.value(part, scope) for part in (node.keys, node.queries)]
        for value in pair:
            if not (isinstance(value, SOp) or is_atom(value)):
                raise RaspError(f"select of {kind_of(value)}: expected an s-op", node.place)
        made = sops.select(pair[0], pair[1], node.relation, self.at(node.place))
        return self.noted(made, node.place)

    def aggregate(self, node: syntax.AggregateOf, scope: Scope) -> Value:
        """``aggregate(selector, values, default)``."""
        selector, values = self.value(node.selector, scope), self.value(node.values, scope)
        if not isinstance(selector, Selector):
            raise RaspError(
                f"aggregate: expected a selector first, got {kind_of(selector)}", node.place
            )
        if not (isinstance(values, SOp) or is_atom(values)):
            raise RaspError(f"aggregate of {kind_of(values)}: expected an s-op", node.place)
        default = None if node.default is None else self.value(node.default, scope)
        if not (default is None or is_atom(default)):
            raise RaspError(f"a default: expected an atom, got {kind_of(default)}", node.place)
        made = sops.aggregate(selector, values, default, self.at(node.place))
        return self.noted(made, node.place)

    def index(self, node: syntax.Index, scope: Scope) -> Value:
        """``e[e]``: a position of an s-op, a lookup by an s-op, an item."""
        base, index = self.value(node.base, scope), self.value(node.index, scope)
        place = node.index.place
        if isinstance(base, SOp) and is_whole(index):
            return self.noted(sops.at(base, cast(int, index)), place)
        if isinstance(base, list | dict | str) and isinstance(index, SOp):
            pairs = base.items() if isinstance(base, dict) else enumerate(base)
            table = dict(pairs)
            self.atoms("a table", list(table.values()), place)
            return self.noted(sops.looked_up(index, table, self.at(place)), place)
        if isinstance(base, dict) and is_atom(index):
            if index not in base:
                raise RaspError(f"the key {index!r} is not in the dict", self.at(place))
            return base[index]
        if isinstance(base, list | str | tuple) and is_whole(index):
            if not -len(base) <= index < len(base):
                raise RaspError(
                    f"index {index} is past the end of {kind_of(base)} of {len(base)}",
                    self.at(place),
                )
            return base[cast(int, index)]
        raise RaspError(f"{kind_of(base)} by {kind_of(index)}: makes no sense", self.at(place))

    def call(self, node: syntax.Call, scope: Scope) -> Value:
        """``e(args)``: a function expanded, an s-op or selector run on a word."""
        function = self.value(node.function, scope)
        arguments = [self.value(part, scope) for part in node.arguments]
        if isinstance(function, SOp | Selector):
            return self.on_word(function, arguments, node.place)
        if not isinstance(function, Function):
            raise RaspError(f"{kind_of(function)} cannot be called", node.place)
        return self.expanded(function, arguments, node.place)

    def on_word(self, node: SOp | Selector, arguments: list[Value], place: Place) -> Value:
        """An s-op or selector run on a word."""
        word = arguments[0] if len(arguments) == 1 else None
        if not isinstance(word, str | list) or not all(map(is_atom, word)) or not word:
            raise RaspError("expected one word to run on: a string or a list of atoms", place)
        try:
            if isinstance(node, SOp):
                return on_words(node, [word], self.places)[0]
            return pairs_on(node, word, self.places)
        except RaspError as error:
            raise error if error.place.line else RaspError(error.reason, place) from error

    def expanded(self, function: Function, arguments: list[Value], place: Place) -> Value:
        """A function's results, its body built anew."""
        wanted = function.definition.parameters
        if len(arguments) != len(wanted):
            raise RaspError(
                f"{function.name}: expected {len(wanted)} arguments, got {len(arguments)}",
                self.at(place),
            )
        inner = Scope(dict(zip(wanted, arguments, strict=True)), function.scope)
        outer = self._call_place
        if function.builtin and outer is None:
            self._call_place = place
        for statement in function.definition.body:
            self.statement(statement, inner)
        results = tuple(self.value(part, inner) for part in function.definition.results)
        self._call_place = outer
        return results[0] if len(results) == 1 else results

    def listing(self, node: syntax.Listing, scope: Scope) -> Value:
        """``range(..)``, ``zip(..)``, ``len(..)``."""
        arguments = [self.value(part, scope) for part in node.arguments]
        place = self.at(node.place)
        if node.function == "range":
            if not 1 <= len(arguments) <= 3 or not all(map(is_whole, arguments)):
                raise RaspError("range: expected 1 to 3 whole numbers", place)
            if len(arguments) == 3 and arguments[2] == 0:
                raise RaspError("range: expected a step other than 0", place)
            return self.bounded(range(*arguments), node.place)
        for value in arguments:
            if not isinstance(value, list | dict | str):
                raise RaspError(f"{node.function}: expected lists, got {kind_of(value)}", place)
        if node.function == "len":
            if len(arguments) != 1:
                raise RaspError(f"len: expected 1 argument, got {len(arguments)}", place)
            return len(arguments[0])
        return [list(items) for items in zip(*arguments, strict=False)]

    # -- bounds and places -------------------------------------------------------------------------

    def step(self, place: Place) -> None:
        """Count one step, and stop a program that takes too many."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise RaspError(f"the program takes more than {MOST_STEPS:,} steps to build", place)

    def bounded(self, items: Sequence[Value], place: Place) -> list[Value]:
        """A list, unless it is too long."""
        if len(items) > LONGEST_LIST:
            raise RaspError(
                f"a list of {len(items):,} items: expected {LONGEST_LIST:,} at most", place
            )
        self.steps += len(items)
        return list(items)

    def at(self, place: Place) -> Place:
        """The place to blame: within the library, that of the call into it."""
        return self._call_place or place

    def noted(self, node: N, place: Place) -> N:
        """The node, and where it was written."""
        self.places[node.number] = self.at(place)
        return node

    def atoms(self, what: str, values: Sequence[Value], place: Place) -> None:
        """Refuse what is no atom."""
        for value in values:
            if not is_atom(value):
                raise RaspError(f"'{what}' of {kind_of(value)}: makes no sense", self.at(place))

    # -- what statements do ------------------------------------------------------------------------

    def statement(self, statement: Statement, scope: Scope) -> Value:
        """Build one statement; its value if it has one."""
        raise NotImplementedError

    def bind_item(self, names: tuple[str, ...], item: Value, scope: Scope, place: Place) -> None:
        """Give the names of a loop one item, or the parts of one."""
        raise NotImplementedError

    def items(self, value: Value, place: Place) -> list[Value]:
        """What a loop goes over."""
        raise NotImplementedError


def is_atom(value: Value) -> bool:
    """Whether a value is a number, a string or a boolean."""
    return isinstance(value, bool | int | float | str)


def is_whole(value: Value) -> bool:
    """Whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def kind_of(value: Value) -> str:
    """What a value is called in an error."""
    for kind, words in WORDS_FOR:
        if isinstance(value, kind):
            return words
    return "nothing"


WORDS_FOR: tuple[tuple[Any, str], ...] = (
    (bool, "a boolean"),
    (int | float, "a number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "a dict"),
    (tuple, "several values"),
    (SOp, "an s-op"),
    (Selector, "a selector"),
    (Function, "a function"),
)

HANDLERS: dict[type[Expression], Callable[[Expressions, Any, Scope], Value]] = {
    syntax.Literal: Expressions.literal,
    syntax.Name: Expressions.name,
    syntax.ListOf: Expressions.list_of,
    syntax.DictOf: Expressions.dict_of,
    syntax.Comprehension: Expressions.comprehension,
    syntax.Unary: Expressions.unary,
    syntax.Binary: Expressions.binary,
    syntax.Choice: Expressions.choice,
    syntax.SelectOf: Expressions.select,
    syntax.AggregateOf: Expressions.aggregate,
    syntax.Index: Expressions.index,
    syntax.Call: Expressions.call,
    syntax.Listing: Expressions.listing,
}
