"""The interpreter of expressions: from the syntax tree to atoms, lists, functions and graph nodes.

An expression that contains an s-op becomes a node of the graph. Every other expression is evaluated
while the program is built, within bounds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from flann.errors import find_nearest
from flann.rasp.graph import sops
from flann.rasp.graph.atom_arithmetic import apply_operator
from flann.rasp.graph.evaluation import run_on_words, run_selector
from flann.rasp.graph.sops import Selector, SOp, get_type
from flann.rasp.language import syntax
from flann.rasp.language.source_span import RaspError, SourceSpan
from flann.rasp.language.syntax import Atom, Expression, Statement

from .scope import Function, Scope, Value

MAX_STEPS = 1_000_000
MAX_DEPTH = 120  # of expressions and calls together
LONGEST_LIST = 100_000  # items
N = TypeVar("N", bound=sops.Node)


class ExpressionInterpreter(ABC):
    """Evaluates expressions, and bounds the steps that a program takes to build.

    Attributes
    ----------
    spans : dict
        where each node, by its number, was last built.
    steps, depth : int
        the steps taken so far, and the present depth of expressions and calls.
    """

    def __init__(self) -> None:
        self.spans: dict[int, SourceSpan] = {}
        self.steps, self.depth = 0, 0
        self._call_span: SourceSpan | None = None  # of the user's call into the library

    def evaluate(self, node: Expression, scope: Scope) -> Value:
        """Return the value of an expression."""
        self.count_step(node.span)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.depth = 0
            raise RaspError(f"nested or called more than {MAX_DEPTH} deep", node.span)
        value = HANDLERS[type(node)](self, node, scope)
        self.depth -= 1
        return value

    # -- atoms, lists and dicts --------------------------------------------------------------------

    def evaluate_literal(self, node: syntax.Literal, scope: Scope) -> Value:
        """Return the atom."""
        return node.value

    def evaluate_name(self, node: syntax.Name, scope: Scope) -> Value:
        """Return the value of a name."""
        found = scope.find(node.text)
        if found is None:
            visible = [n for n in dict.fromkeys(scope.list_visible()) if not n.startswith("_")]
            guess = find_nearest(node.text, visible)
            hint = f": did you mean {guess!r}?" if guess else ""
            raise RaspError(f"unknown name {node.text!r}{hint}", node.span)
        return found.names[node.text]

    def evaluate_list(self, node: syntax.ListDisplay, scope: Scope) -> Value:
        """Evaluate ``[e, e]``."""
        return [self.evaluate(item, scope) for item in node.items]

    def evaluate_dict(self, node: syntax.DictDisplay, scope: Scope) -> Value:
        """Evaluate ``{k: v}``."""
        pairs = [(self.evaluate(k, scope), self.evaluate(v, scope)) for k, v in node.items]
        return {self.check_key(k, node.span): v for k, v in pairs}

    def check_key(self, value: Value, span: SourceSpan) -> Atom:
        """Return a value as the key of a dict, or refuse what is no atom."""
        if is_atom(value):
            return cast(Atom, value)
        raise RaspError(f"a dict's key: expected an atom, got {describe_kind(value)}", span)

    def evaluate_comprehension(self, node: syntax.Comprehension, scope: Scope) -> Value:
        """Evaluate ``[e for names in e]`` or ``{k: v for names in e}``."""
        inner = Scope(outer=scope)
        values: list[Value] = []
        keys: list[Atom] = []
        for item in self.list_items(self.evaluate(node.source, scope), node.source.span):
            self.bind_item(node.names, item, inner, node.span)
            if node.key is not None:
                keys.append(self.check_key(self.evaluate(node.key, inner), node.key.span))
            values.append(self.evaluate(node.value, inner))
        if node.key is None:
            return values
        return dict(zip(keys, values, strict=True))

    # -- operators ---------------------------------------------------------------------------------

    def evaluate_unary(self, node: syntax.UnaryOperation, scope: Scope) -> Value:
        """Evaluate an operator on one operand."""
        value = self.evaluate(node.operand, scope)
        if isinstance(value, Selector) and node.operator == "not":
            return self.record_span(sops.combine("not", [value]), node.span)
        span = self.locate(node.span)
        if isinstance(value, SOp):
            if node.operator == "+":
                return value
            function = {"-": "neg"}.get(node.operator, node.operator)
            return self.record_span(sops.map_elementwise(function, [value], span), node.span)
        self.check_atoms(node.operator, [value], node.span)
        return apply_operator(node.operator, [value], span)

    def evaluate_binary(self, node: syntax.BinaryOperation, scope: Scope) -> Value:
        """Evaluate an operator between two operands."""
        left, right = self.evaluate(node.left, scope), self.evaluate(node.right, scope)
        sign, span = node.operator, self.locate(node.span)
        if sign == "in":
            return self.evaluate_membership(left, right, node.span)
        if isinstance(left, Selector) and isinstance(right, Selector) and sign in ("and", "or"):
            return self.record_span(sops.combine(sign, [left, right]), node.span)
        if isinstance(left, SOp) or isinstance(right, SOp):
            for value in (left, right):
                if not isinstance(value, SOp):
                    self.check_atoms(sign, [value], node.span)
            return self.record_span(sops.map_elementwise(sign, [left, right], span), node.span)
        if isinstance(left, list) and isinstance(right, list) and sign == "+":
            return self.check_length(left + right, node.span)
        self.check_atoms(sign, [left, right], node.span)
        return apply_operator(sign, [left, right], span)

    def evaluate_membership(self, left: Value, right: Value, span: SourceSpan) -> Value:
        """Evaluate ``left in right``.

        An s-op in a list is an elementwise test; an atom in an s-op asks whether the atom occurs
        at any position; the rest is evaluated while the program is built.
        """
        if isinstance(left, SOp) and isinstance(right, list | dict | str):
            for choice in right:
                self.check_atoms("in", [choice], span)
            return self.record_span(sops.check_membership(left, list(right)), span)
        if is_atom(left) and isinstance(right, SOp):
            equal = sops.map_elementwise("==", [right, left], self.locate(span))
            indicator = sops.map_elementwise("indicator", [equal])
            everywhere = sops.select(1, 1, "==")
            share = self.record_span(sops.aggregate(everywhere, indicator), span)
            return self.record_span(sops.map_elementwise(">", [share, 0]), span)
        if is_atom(left) and isinstance(right, list | dict):
            return any(is_atom(x) and get_type(x) == get_type(left) and x == left for x in right)
        if isinstance(left, str) and isinstance(right, str):
            return left in right
        raise RaspError(
            f"{describe_kind(left)} in {describe_kind(right)}: makes no sense", self.locate(span)
        )

    def evaluate_conditional(self, node: syntax.Conditional, scope: Scope) -> Value:
        """Evaluate ``e if e else e``: elementwise, or one branch if the condition is a boolean."""
        condition = self.evaluate(node.condition, scope)
        if isinstance(condition, bool):
            return self.evaluate(node.then if condition else node.otherwise, scope)
        if not isinstance(condition, SOp):
            raise RaspError(
                f"the condition of 'if': expected booleans, got {describe_kind(condition)}",
                node.span,
            )
        branches = [self.evaluate(part, scope) for part in (node.then, node.otherwise)]
        for branch in branches:
            if not (isinstance(branch, SOp) or is_atom(branch)):
                raise RaspError(f"'if' of {describe_kind(branch)}: expected an s-op", node.span)
        conditional = sops.map_elementwise("if", [condition, *branches], self.locate(node.span))
        return self.record_span(conditional, node.span)

    # -- attention ---------------------------------------------------------------------------------

    def evaluate_select(self, node: syntax.SelectExpression, scope: Scope) -> Value:
        """Evaluate ``select(keys, queries, relation)``."""
        pair = [self.evaluate(part, scope) for part in (node.keys, node.queries)]
        for value in pair:
            if not (isinstance(value, SOp) or is_atom(value)):
                raise RaspError(f"select of {describe_kind(value)}: expected an s-op", node.span)
        selector = sops.select(pair[0], pair[1], node.relation, self.locate(node.span))
        return self.record_span(selector, node.span)

    def evaluate_aggregate(self, node: syntax.AggregateExpression, scope: Scope) -> Value:
        """Evaluate ``aggregate(selector, values, default)``."""
        selector = self.evaluate(node.selector, scope)
        values = self.evaluate(node.values, scope)
        if not isinstance(selector, Selector):
            raise RaspError(
                f"aggregate: expected a selector first, got {describe_kind(selector)}", node.span
            )
        if not (isinstance(values, SOp) or is_atom(values)):
            raise RaspError(f"aggregate of {describe_kind(values)}: expected an s-op", node.span)
        default = None if node.default is None else self.evaluate(node.default, scope)
        if not (default is None or is_atom(default)):
            raise RaspError(f"a default: expected an atom, got {describe_kind(default)}", node.span)
        mean = sops.aggregate(selector, values, default, self.locate(node.span))
        return self.record_span(mean, node.span)

    # -- subscripts and calls ----------------------------------------------------------------------

    def evaluate_subscript(self, node: syntax.Subscript, scope: Scope) -> Value:
        """Evaluate ``e[e]``: the value at a position, a lookup by an s-op, or an item."""
        base, index = self.evaluate(node.base, scope), self.evaluate(node.index, scope)
        span = node.index.span
        if isinstance(base, SOp) and is_integer(index):
            return self.record_span(sops.take_at(base, cast(int, index)), span)
        if isinstance(base, list | dict | str) and isinstance(index, SOp):
            table = dict(base.items() if isinstance(base, dict) else enumerate(base))
            self.check_atoms("a table", list(table.values()), span)
            return self.record_span(sops.look_up(index, table, self.locate(span)), span)
        if isinstance(base, dict) and is_atom(index):
            if index not in base:
                raise RaspError(f"the key {index!r} is not in the dict", self.locate(span))
            return base[index]
        if isinstance(base, list | str | tuple) and is_integer(index):
            if not -len(base) <= index < len(base):
                raise RaspError(
                    f"index {index} is past the end of {describe_kind(base)} of {len(base)}",
                    self.locate(span),
                )
            return base[cast(int, index)]
        raise RaspError(
            f"{describe_kind(base)} by {describe_kind(index)}: makes no sense", self.locate(span)
        )

    def evaluate_call(self, node: syntax.Call, scope: Scope) -> Value:
        """Evaluate ``e(args)``: expand a function, or run an s-op or selector on a word."""
        function = self.evaluate(node.function, scope)
        arguments = [self.evaluate(part, scope) for part in node.arguments]
        if isinstance(function, SOp | Selector):
            return self.run_on_word(function, arguments, node.span)
        if not isinstance(function, Function):
            raise RaspError(f"{describe_kind(function)} cannot be called", node.span)
        return self.expand_call(function, arguments, node.span)

    def run_on_word(self, node: SOp | Selector, arguments: list[Value], span: SourceSpan) -> Value:
        """Return the values of an s-op, or the pairs of a selector, on a word."""
        word = arguments[0] if len(arguments) == 1 else None
        if not isinstance(word, str | list) or not all(map(is_atom, word)) or not word:
            raise RaspError("expected one word to run on: a string or a list of atoms", span)
        try:
            if isinstance(node, SOp):
                return run_on_words(node, [word], self.spans)[0]
            return run_selector(node, word, self.spans)
        except RaspError as error:
            raise error if error.span.line else RaspError(error.reason, span) from error

    def expand_call(self, function: Function, arguments: list[Value], span: SourceSpan) -> Value:
        """Return the results of a function, whose body is built anew for every call."""
        parameters = function.definition.parameters
        if len(arguments) != len(parameters):
            raise RaspError(
                f"{function.name}: expected {len(parameters)} arguments, got {len(arguments)}",
                self.locate(span),
            )
        inner = Scope(dict(zip(parameters, arguments, strict=True)), function.scope)
        outer = self._call_span
        if function.is_builtin and outer is None:
            self._call_span = span
        for statement in function.definition.body:
            self.execute(statement, inner)
        results = tuple(self.evaluate(part, inner) for part in function.definition.results)
        self._call_span = outer
        return results[0] if len(results) == 1 else results

    def evaluate_list_function(self, node: syntax.ListFunction, scope: Scope) -> Value:
        """Evaluate ``range(..)``, ``zip(..)`` or ``len(..)``."""
        arguments = [self.evaluate(part, scope) for part in node.arguments]
        span = self.locate(node.span)
        if node.function == "range":
            if not 1 <= len(arguments) <= 3 or not all(map(is_integer, arguments)):
                raise RaspError("range: expected 1 to 3 whole numbers", span)
            if len(arguments) == 3 and arguments[2] == 0:
                raise RaspError("range: expected a step other than 0", span)
            return self.check_length(range(*arguments), node.span)
        for value in arguments:
            if not isinstance(value, list | dict | str):
                raise RaspError(
                    f"{node.function}: expected lists, got {describe_kind(value)}", span
                )
        if node.function == "len":
            if len(arguments) != 1:
                raise RaspError(f"len: expected 1 argument, got {len(arguments)}", span)
            return len(arguments[0])
        return [list(items) for items in zip(*arguments, strict=False)]

    # -- bounds and spans --------------------------------------------------------------------------

    def count_step(self, span: SourceSpan) -> None:
        """Count one step, and refuse a program that takes too many."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise RaspError(f"the program takes more than {MAX_STEPS:,} steps to build", span)

    def check_length(self, items: Sequence[Value], span: SourceSpan) -> list[Value]:
        """Return the items as a list, and refuse too many."""
        if len(items) > LONGEST_LIST:
            raise RaspError(
                f"a list of {len(items):,} items: expected at most {LONGEST_LIST:,}", span
            )
        self.steps += len(items)
        return list(items)

    def locate(self, span: SourceSpan) -> SourceSpan:
        """Return the span that an error reports: within the library, that of the user's call."""
        return self._call_span or span

    def record_span(self, node: N, span: SourceSpan) -> N:
        """Return the node, after recording where it was built."""
        self.spans[node.number] = self.locate(span)
        return node

    def check_atoms(self, subject: str, values: Sequence[Value], span: SourceSpan) -> None:
        """Refuse values that are no atoms."""
        for value in values:
            if not is_atom(value):
                raise RaspError(
                    f"'{subject}' of {describe_kind(value)}: makes no sense", self.locate(span)
                )

    # -- statements --------------------------------------------------------------------------------

    @abstractmethod
    def execute(self, statement: Statement, scope: Scope) -> Value:
        """Execute one statement, and return its value if it has one."""

    @abstractmethod
    def bind_item(
        self, names: tuple[str, ...], item: Value, scope: Scope, span: SourceSpan
    ) -> None:
        """Bind the names of a loop to one item, or to the parts of one."""

    @abstractmethod
    def list_items(self, value: Value, span: SourceSpan) -> list[Value]:
        """Return the items over which a loop iterates."""


def is_atom(value: Value) -> bool:
    """Return whether a value is a number, a string or a boolean."""
    return isinstance(value, bool | int | float | str)


def is_integer(value: Value) -> bool:
    """Return whether a value is an integer and no boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def describe_kind(value: Value) -> str:
    """Return the kind of a value as an error message names it."""
    for kind, description in KIND_DESCRIPTIONS:
        if isinstance(value, kind):
            return description
    return "nothing"


KIND_DESCRIPTIONS: tuple[tuple[Any, str], ...] = (
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

HANDLERS: dict[type[Expression], Callable[[ExpressionInterpreter, Any, Scope], Value]] = {
    syntax.Literal: ExpressionInterpreter.evaluate_literal,
    syntax.Name: ExpressionInterpreter.evaluate_name,
    syntax.ListDisplay: ExpressionInterpreter.evaluate_list,
    syntax.DictDisplay: ExpressionInterpreter.evaluate_dict,
    syntax.Comprehension: ExpressionInterpreter.evaluate_comprehension,
    syntax.UnaryOperation: ExpressionInterpreter.evaluate_unary,
    syntax.BinaryOperation: ExpressionInterpreter.evaluate_binary,
    syntax.Conditional: ExpressionInterpreter.evaluate_conditional,
    syntax.SelectExpression: ExpressionInterpreter.evaluate_select,
    syntax.AggregateExpression: ExpressionInterpreter.evaluate_aggregate,
    syntax.Subscript: ExpressionInterpreter.evaluate_subscript,
    syntax.Call: ExpressionInterpreter.evaluate_call,
    syntax.ListFunction: ExpressionInterpreter.evaluate_list_function,
}
