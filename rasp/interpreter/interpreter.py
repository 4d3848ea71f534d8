"""The interpreter: from the syntax tree to the graph of s-ops that a program builds.

Functions are expanded where they are called and loops are run while the program is built, so the
result is a finite graph that needs no word (`flann.rasp.graph.sops`). Assigning a name again does
not change what was built from its earlier value.

A program cannot reach Python: its values are atoms, lists, dicts, s-ops, selectors and its own
functions. All that could grow without limit is bounded, with an error at the bound: steps, the
depth of calls, the length of lists and strings, and the size of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from typing_extensions import override

from flann.errors import UserError
from flann.rasp.graph import sops
from flann.rasp.graph.sops import INPUTS, Selector, SOp
from flann.rasp.language import syntax
from flann.rasp.language.parser import parse
from flann.rasp.language.source_span import RaspError, SourceSpan
from flann.rasp.language.syntax import Statement

from .expression_interpreter import ExpressionInterpreter, describe_kind
from .scope import Function, Scope, Value

MAX_LOADING = 8  # files that load each other


class Interpreter(ExpressionInterpreter):
    """Builds programs, statement by statement.

    Parameters
    ----------
    load : callable, optional
        maps the name in ``load "name";`` to the text of that program.

    Attributes
    ----------
    scope : Scope
        the names that the program has defined.
    library : Scope
        the names that every program sees and none can assign.
    """

    def __init__(self, load: Callable[[str], str] | None = None) -> None:
        super().__init__()
        self.library = Scope({name: sops.create_input(name) for name in INPUTS})
        self.scope = Scope({"tokens": self.library.names["tokens_str"]}, self.library)
        self._load, self._loading = load, ["the program"]

    def run(self, statements: Sequence[Statement]) -> Value:
        """Execute these statements, and return the value of the last one."""
        result: Value = None
        for statement in statements:
            result = self.execute(statement, self.scope)
        return result

    def reset(self) -> None:
        """Make the interpreter ready for the next statement after an error in the last."""
        self.depth, self._call_span = 0, None

    def add_library(self, statements: Sequence[Statement]) -> None:
        """Define library names; those that begin with ``_`` stay hidden from programs."""
        inside = Scope(dict(self.library.names))
        for statement in statements:
            self.execute(statement, inside)
        for name, value in inside.names.items():
            if not name.startswith("_"):
                if isinstance(value, Function):
                    value = Function(value.definition, inside, True)
                self.library.names[name] = value

    # -- statements --------------------------------------------------------------------------------

    @override
    def execute(self, statement: Statement, scope: Scope) -> Value:
        self.count_step(statement.span)
        value: Value = None
        if isinstance(statement, syntax.ExpressionStatement):
            value = self.evaluate(statement.value, scope)
            if scope is self.scope:
                scope.names["out"] = value
        elif isinstance(statement, syntax.Assignment):
            value = self.assign(statement, scope)
        elif isinstance(statement, syntax.FunctionDefinition):
            self.bind(statement.name, Function(statement, scope, False), scope, statement.span)
        elif isinstance(statement, syntax.ForLoop):
            self.execute_loop(statement, scope)
        elif isinstance(statement, syntax.LoadStatement):
            self.load_file(statement)
        elif isinstance(statement, syntax.DrawStatement):
            value = self.evaluate_drawing(statement, scope)
        else:
            raise RaspError("a command of a session: not known in a program", statement.span)
        return value

    def assign(self, statement: syntax.Assignment, scope: Scope) -> Value:
        """Execute ``names = exprs;``."""
        values = [self.evaluate(part, scope) for part in statement.values]
        count = len(statement.names)
        if len(values) == 1 and isinstance(values[0], tuple | list) and count > 1:
            values = list(values[0])
        given = len(values[0]) if count == 1 and isinstance(values[0], tuple) else len(values)
        if given != count:
            raise RaspError(
                f"{count} names for {given} values: expected as many of one as of the other",
                statement.span,
            )
        for name, value in zip(statement.names, values, strict=True):
            self.bind(name, value, scope, statement.span)
        return values[0] if count == 1 else tuple(values)

    def bind(self, name: str, value: Value, scope: Scope, span: SourceSpan) -> None:
        """Bind a name to a value, unless the name is reserved by the library."""
        if scope.outer is not None and name in self.library.names:
            raise RaspError(f"{name!r} is a name of the library: expected another", span)
        scope.names[name] = value

    def execute_loop(self, statement: syntax.ForLoop, scope: Scope) -> None:
        """Execute ``for names in e { .. }``."""
        source = self.evaluate(statement.source, scope)
        for item in self.list_items(source, statement.source.span):
            self.bind_item(statement.names, item, scope, statement.span)
            for inner in statement.body:
                self.execute(inner, scope)

    @override
    def bind_item(
        self, names: tuple[str, ...], item: Value, scope: Scope, span: SourceSpan
    ) -> None:
        values = [item] if len(names) == 1 else item
        if not isinstance(values, list | tuple) or len(values) != len(names):
            raise RaspError(f"{len(names)} names: expected items of {len(names)} parts", span)
        for name, value in zip(names, values, strict=True):
            self.bind(name, value, scope, span)

    @override
    def list_items(self, value: Value, span: SourceSpan) -> list[Value]:
        """Return the items of a list, the keys of a dict, or the letters of a string."""
        if isinstance(value, list | dict | str):
            return list(value)
        raise RaspError(f"expected a list, a dict or a string, got {describe_kind(value)}", span)

    def load_file(self, statement: syntax.LoadStatement) -> None:
        """Execute ``load "file";``: define the file's names, except those that begin with ``_``."""
        if self._load is None:
            raise RaspError("a program given as text cannot load others", statement.span)
        if statement.path in self._loading:
            raise RaspError(f"{statement.path!r} loads itself", statement.span)
        if len(self._loading) > MAX_LOADING:
            raise RaspError(f"more than {MAX_LOADING} files load each other", statement.span)
        self._loading.append(statement.path)
        inner = Scope({"tokens": self.library.names["tokens_str"]}, self.library)
        outer, self._call_span = self._call_span, self._call_span or statement.span
        try:
            for part in parse(self._load(statement.path)):
                self.execute(part, inner)
        except RaspError as error:
            raise UserError(f"{statement.path}: {error}") from error
        finally:
            self._call_span = outer
            self._loading.pop()
        for name, value in inner.names.items():
            if not name.startswith("_") and name not in ("tokens", "out"):
                self.scope.names[name] = value

    def evaluate_drawing(self, statement: syntax.DrawStatement, scope: Scope) -> Value:
        """Return the s-op or selector that ``draw(e, word);`` draws; a session draws it."""
        value = self.evaluate(statement.value, scope)
        if not isinstance(value, SOp | Selector):
            raise RaspError(
                f"draw: expected an s-op or a selector, got {describe_kind(value)}", statement.span
            )
        return value
