"""The interpreter: from the syntax tree to the graph of s-ops that a program builds.

Functions are expanded when they are called and loops run while the program is built, so what is
left in the end is a finite graph, with no word needed (`flann.rasp.graph.sops`). A name assigned again
does not change what was built with it before.

Nothing a program says reaches Python: values are atoms, lists, dicts, s-ops, selectors and
functions of the program's own. Everything that could grow without end has a bound and a clear
error at it: steps, depth of calls, length of lists and strings, size of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from typing_extensions import override

from flann.errors import UserError
from flann.rasp.graph import sops
from flann.rasp.graph.sops import INPUTS, Selector, SOp
from flann.rasp.language import syntax
from flann.rasp.language.source_span import Place, RaspError
from flann.rasp.language.syntax import Statement

from .expressions import Expressions, kind_of
from .scope import Function, Scope, Value


class Interpreter(Expressions):
    """Builds programs, statement by statement.

    Parameters
    ----------
    load : callable, optional
        from the name in ``load "name";`` to the text of that program.

    Attributes
    ----------
    scope : Scope
        the names defined so far.
    places : dict
        where each node, by its number, was written last.
    """

    def __init__(self, load: Callable[[str], str] | None = None) -> None:
        super().__init__()
        self.library = Scope({name: sops.input_named(name) for name in INPUTS})
        self.scope = Scope({"tokens": self.library.names["tokens_str"]}, self.library)
        self._load, self._loading = load, ["the program"]

    # -- what a user calls -------------------------------------------------------------------------

    def run(self, statements: Sequence[Statement]) -> Value:
        """Build these statements; the value of the last that has one."""
        result: Value = None
        for statement in statements:
            result = self.statement(statement, self.scope)
        return result

    def calm(self) -> None:
        """Be ready for the next statement, whatever became of the last."""
        self.depth, self._call_place = 0, None

    def add_library(self, statements: Sequence[Statement]) -> None:
        """Define names that a program cannot assign; it sees none that begins with ``_``."""
        inside = Scope(dict(self.library.names))
        for statement in statements:
            self.statement(statement, inside)
        for name, value in inside.names.items():
            if not name.startswith("_"):
                if isinstance(value, Function):
                    value = Function(value.definition, inside, True)
                self.library.names[name] = value

    # -- statements --------------------------------------------------------------------------------

    @override
    def statement(self, statement: Statement, scope: Scope) -> Value:
        self.step(statement.place)
        value: Value = None
        if isinstance(statement, syntax.Show):
            value = self.value(statement.value, scope)
            if scope is self.scope:
                scope.names["out"] = value
        elif isinstance(statement, syntax.Assign):
            value = self.assign(statement, scope)
        elif isinstance(statement, syntax.Define):
            self.bind(statement.name, Function(statement, scope, False), scope, statement.place)
        elif isinstance(statement, syntax.For):
            self.loop(statement, scope)
        elif isinstance(statement, syntax.Load):
            self.load(statement)
        elif isinstance(statement, syntax.Draw):
            value = self.drawn(statement, scope)
        else:
            raise RaspError("a command of a session: not known in a program", statement.place)
        return value

    def assign(self, statement: syntax.Assign, scope: Scope) -> Value:
        """``names = exprs;``."""
        values = [self.value(part, scope) for part in statement.values]
        count = len(statement.names)
        if len(values) == 1 and isinstance(values[0], tuple | list) and count > 1:
            values = list(values[0])
        given = len(values[0]) if count == 1 and isinstance(values[0], tuple) else len(values)
        if given != count:
            raise RaspError(
                f"{count} names for {given} values: expected as many of one as of the other",
                statement.place,
            )
        for name, value in zip(statement.names, values, strict=True):
            self.bind(name, value, scope, statement.place)
        return values[0] if count == 1 else tuple(values)

    def bind(self, name: str, value: Value, scope: Scope, place: Place) -> None:
        """Give a name a value; the library's are reserved."""
        if scope.outer is not None and name in self.library.names:
            raise RaspError(f"{name!r} is a name of the library: expected another", place)
        scope.names[name] = value

    def loop(self, statement: syntax.For, scope: Scope) -> None:
        """``for names in e { .. }``, over a list or dict."""
        for item in self.items(self.value(statement.source, scope), statement.source.place):
            self.bind_item(statement.names, item, scope, statement.place)
            for inner in statement.body:
                self.statement(inner, scope)

    @override
    def bind_item(self, names: tuple[str, ...], item: Value, scope: Scope, place: Place) -> None:
        values = [item] if len(names) == 1 else item
        if not isinstance(values, list | tuple) or len(values) != len(names):
            raise RaspError(f"{len(names)} names: expected items of {len(names)} parts", place)
        for name, value in zip(names, values, strict=True):
            self.bind(name, value, scope, place)

    @override
    def items(self, value: Value, place: Place) -> list[Value]:
        if isinstance(value, list | dict | str):
            return list(value)
        raise RaspError(f"expected a list, a dict or a string, got {kind_of(value)}", place)

    def load(self, statement: syntax.Load) -> None:
        """``load "file";``: its names, but for those that begin with ``_``."""
        from flann.rasp.language.parser import parse

        if self._load is None:
            raise RaspError("a program given as text loads no others", statement.place)
        if statement.path in self._loading:
            raise RaspError(f"{statement.path!r} loads itself", statement.place)
        if len(self._loading) > 8:
            raise RaspError("more than 8 files load each other", statement.place)
        self._loading.append(statement.path)
        inner = Scope({"tokens": self.library.names["tokens_str"]}, self.library)
        outer, self._call_place = self._call_place, self._call_place or statement.place
        try:
            for part in parse(self._load(statement.path)):
                self.statement(part, inner)
        except RaspError as error:
            raise UserError(f"{statement.path}: {error}") from error
        finally:
            self._call_place = outer
            self._loading.pop()
        for name, value in inner.names.items():
            if not name.startswith("_") and name not in ("tokens", "out"):
                self.scope.names[name] = value

    def drawn(self, statement: syntax.Draw, scope: Scope) -> Value:
        """``draw(e, word);``: the value on the word, to be drawn by who shows it."""
        value = self.value(statement.value, scope)
        if not isinstance(value, SOp | Selector):
            raise RaspError(
                f"draw: expected an s-op or a selector, got {kind_of(value)}", statement.place
            )
        return value
