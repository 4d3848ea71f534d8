"""A session: statements one after the other, each shown with its value; and programs as a whole.

A session needs no example. Where one is set (``set example "abc"``), an s-op is shown with its
values on it and a selector with its pairs; otherwise with the layers and heads that it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from flann.errors import UserError, unknown
from flann.rasp.graph.analysis import analyse
from flann.rasp.graph.drawing import as_text
from flann.rasp.graph.evaluation import on_words, pairs_on
from flann.rasp.graph.sops import Selector, SOp, formula
from flann.rasp.graph.values import Word
from flann.rasp.language import syntax
from flann.rasp.language.lexer import words_of
from flann.rasp.language.parser import parse
from flann.rasp.language.source_span import RaspError

from .expressions import is_atom
from .interpreter import Interpreter
from .report import counted
from .scope import Function, Value

PROGRAMS = Path(__file__).parents[1] / "programs"
LARGEST_FILE = 1 << 20
SHOWN = 40  # items of a value


@cache
def library() -> tuple[syntax.Statement, ...]:
    """The library's statements."""
    return tuple(parse((PROGRAMS / "library.rasp").read_text(encoding="utf-8")))


def new_interpreter(folder: Path | None = None) -> Interpreter:
    """An interpreter that knows the library, and loads files from a folder if one is given."""
    made = Interpreter(None if folder is None else lambda name: loaded(folder, name))
    made.add_library(library())
    made.steps = 0
    return made


def loaded(folder: Path, name: str) -> str:
    """The text of a program to load: from the folder, or of those that come with flann."""
    if not name or Path(name).name != name:
        raise UserError(f"load {name!r}: expected the name of a file in the same folder")
    file = name if name.endswith(".rasp") else f"{name}.rasp"
    for place in (folder, PROGRAMS):
        if (place / file).is_file():
            return read_program(place / file)
    known = sorted(path.stem for path in PROGRAMS.glob("*.rasp"))
    raise unknown("program to load", name, known)


def read_program(path: Path) -> str:
    """The text of a file."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path} is larger than {LARGEST_FILE} bytes: expected a program")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a program: expected text in UTF-8") from error


class Session:
    """Statements typed one after the other.

    Parameters
    ----------
    folder : Path, optional
        where ``load`` looks for files.

    Examples
    --------
    >>> session = Session()
    >>> for line in session.feed('a = indices + 1; a("xyz"); a;'): print(line)
    = [1, 2, 3]
    = s-op (indices + 1): 0 layers, 0 heads
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.interpreter = new_interpreter(folder)
        self.examples: dict[str, Word | None] = {"s": None, "selector": None}
        self.shows = {"s": True, "selector": True}
        self.whole = False  # full seq display
        self.over = False

    def feed(self, source: str) -> Iterator[str]:
        """Build the statements of a text; a line or more for each value."""
        for statement in parse(source, session=True):
            self.interpreter.steps = 0
            try:
                yield from self.one(statement)
            finally:
                self.interpreter.calm()
            if self.over:
                return

    def one(self, statement: syntax.Statement) -> Iterator[str]:
        """Build one statement and say what came of it."""
        if isinstance(statement, syntax.Command):
            yield from self.obey(statement)
            return
        value = self.interpreter.statement(statement, self.interpreter.scope)
        if isinstance(statement, syntax.Show) and value is not None:
            yield self.shown(value)
        if isinstance(statement, syntax.Draw):
            yield self.drawn(statement, value)

    def shown(self, value: Value) -> str:
        """A value on a line of its own."""
        if isinstance(value, SOp):
            example = self.examples["s"] if self.shows["s"] else None
            if example is not None:
                return self.sequence(on_words(value, [example], self.interpreter.places)[0])
            return f"= s-op {described(value)}"
        if isinstance(value, Selector):
            example = self.examples["selector"] if self.shows["selector"] else None
            if example is None:
                return f"= selector {described(value)}"
            pairs = pairs_on(value, example, self.interpreter.places)
            return "= selector\n" + as_text(pairs, example)
        if is_pairs(value):
            return "= selector\n" + as_text(value)
        return self.sequence(value) if isinstance(value, list) else f"= {spelled(value)}"

    def sequence(self, values: list[Value]) -> str:
        """A list; shortened where all of it is the same, unless all of it was asked for."""
        if not self.whole and len(values) > 1 and all(map(is_atom, values)):
            kinds = {(type(value), value) for value in values}
            if len(kinds) == 1 and len(values) > SHOWN:
                return f"= [{spelled(values[0])}] * {len(values)}"
        return f"= {spelled(values)}"

    def drawn(self, statement: syntax.Draw, value: SOp | Selector) -> str:
        """A selector's pairs, or an s-op's values, on a word."""
        word = self.examples["selector"]
        if statement.word is not None:
            word = self.interpreter.value(statement.word, self.interpreter.scope)
        if not isinstance(word, str | list) or not word or not all(map(is_atom, word)):
            raise RaspError("draw: expected a word, or an example that is set", statement.place)
        if isinstance(value, Selector):
            return "= selector\n" + as_text(pairs_on(value, word, self.interpreter.places), word)
        return self.sequence(on_words(value, [word], self.interpreter.places)[0])

    # -- commands ----------------------------------------------------------------------------------

    def obey(self, command: syntax.Command) -> Iterator[str]:
        """``set example e``, ``show example``, ``examples off``, ``quit``."""
        words = command.words
        if words == ("quit",):
            self.over = True
        elif words[0] == "set" and command.value is not None:
            self.set_example(command)
        elif words[0] == "show" and words[-1] == "example":
            which = "selector" if "selector" in words else "s"
            example = self.examples[which]
            yield "no example is set" if example is None else f"= {spelled(example)}"
        elif words[-1:] in (("on",), ("off",)) and "examples" in words:
            for which in [w for w in ("s", "selector") if w in words] or ["s", "selector"]:
                self.shows[which] = words[-1] == "on"
        elif words[:3] == ("full", "seq", "display") and words[-1] in ("on", "off"):
            self.whole = words[-1] == "on"
        else:
            raise RaspError(
                f"unknown command {' '.join(words)!r}: expected set example, show example,"
                " examples on, full seq display on, or quit",
                command.place,
            )

    def set_example(self, command: syntax.Command) -> None:
        """``set [s-op | selector] example e``."""
        assert command.value is not None
        word = self.interpreter.value(command.value, self.interpreter.scope)
        if not isinstance(word, str | list) or not word or not all(map(is_atom, word)):
            raise RaspError("an example: expected a string or a list of atoms", command.value.place)
        for which in ("s", "selector"):
            if command.words[1] in ("both", which):
                self.examples[which] = word


def described(node: SOp | Selector) -> str:
    """A node's formula and what it needs."""
    need = analyse([node])
    return f"{formula(node)}: {counted(need.layers, 'layer')}, {counted(need.heads, 'head')}"


def spelled(value: Value) -> str:
    """A value as RASP writes it, cut where it is long.

    >>> spelled(["a", 0.5, True])
    '["a", 0.5, True]'
    """
    return _spelled(value, 4)


def _spelled(value: Value, depth: int) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple | dict):
        if depth == 0:
            return ".."
        several = value.items() if isinstance(value, dict) else value
        parts = [
            ": ".join(_spelled(p, depth - 1) for p in item)
            if isinstance(value, dict)
            else _spelled(item, depth - 1)
            for _, item in zip(range(2000 if depth == 4 else SHOWN), several, strict=False)
        ]
        more = ", .." if len(value) > len(parts) else ""
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        return opening + ", ".join(parts) + more + closing
    if isinstance(value, float):
        return f"{value:.6g}" if value != int(value) else str(int(value))
    if isinstance(value, Function):
        return f"function {value.name}({', '.join(value.definition.parameters)})"
    if isinstance(value, SOp):
        return f"s-op {described(value)}"
    if isinstance(value, Selector):
        return f"selector {described(value)}"
    return str(value)


def is_pairs(value: Any) -> bool:
    """Whether a value is a selector's pairs on a word."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(row, list) and len(row) == len(value) for row in value)
        and all(isinstance(x, bool) for row in value for x in row)
    )


def unfinished(source: str) -> bool:
    """Whether more lines may make these a statement: brackets are open, or no ``;`` ends it.

    >>> unfinished("def f(x) {"), unfinished("a = 1;")
    (True, False)
    """
    try:
        words = [word for word in words_of(source) if word.kind != "end"]
    except RaspError:
        return False
    level = sum((w.text in tuple("([{")) - (w.text in tuple(")]}")) for w in words
                if w.kind == "sign")  # fmt: skip
    if level > 0 or not words:
        return level > 0
    if words[0].text in ("set", "show", "examples", "full", "s", "selector", "quit", "exit"):
        return False
    return words[-1].text not in (";", "}")
