"""An interactive session: statements executed one after the other, each with its value printed.

A session needs no example. Where one is set (``set example "abc"``), an s-op is printed with its
values on the example and a selector with its pairs; otherwise with the layers and heads that it
requires.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flann.rasp.graph.evaluation import run_on_words, run_selector
from flann.rasp.graph.selector_drawing import format_pairs
from flann.rasp.graph.sops import Selector, SOp
from flann.rasp.graph.word_batch import InputWord
from flann.rasp.language import syntax
from flann.rasp.language.lexer import tokenize
from flann.rasp.language.parser import parse
from flann.rasp.language.source_span import RaspError

from .expression_interpreter import is_atom
from .formatting import describe_node, format_value
from .program_files import create_interpreter
from .scope import Value

MAX_REPEATED = 40  # a longer list of equal atoms is abbreviated
COMMANDS = ("set", "show", "examples", "full", "s", "selector", "quit", "exit")
"""The first tokens of the commands of a session."""


class Session:
    """Statements executed one after the other, with their values as lines of text.

    Parameters
    ----------
    folder : Path, optional
        where ``load`` looks for files.

    Attributes
    ----------
    interpreter : Interpreter
    finished : bool
        whether ``quit`` has been executed.

    Examples
    --------
    >>> session = Session()
    >>> for line in session.feed('a = indices + 1; a("xyz"); a;'): print(line)
    = [1, 2, 3]
    = s-op (indices + 1): 0 layers, 0 heads
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.interpreter = create_interpreter(folder)
        self.examples: dict[str, InputWord | None] = {"s": None, "selector": None}
        self.uses_example = {"s": True, "selector": True}
        self.full_display = False  # write every list in full
        self.finished = False

    def feed(self, source: str) -> Iterator[str]:
        """Execute the statements of a text, and yield one or more lines for each value."""
        for statement in parse(source, session=True):
            self.interpreter.steps = 0
            try:
                yield from self.execute(statement)
            finally:
                self.interpreter.reset()
            if self.finished:
                return

    def execute(self, statement: syntax.Statement) -> Iterator[str]:
        """Execute one statement or command, and yield what it prints."""
        if isinstance(statement, syntax.Command):
            yield from self.execute_command(statement)
            return
        value = self.interpreter.execute(statement, self.interpreter.scope)
        if isinstance(statement, syntax.ExpressionStatement) and value is not None:
            yield self.format_result(value)
        if isinstance(statement, syntax.DrawStatement):
            yield self.draw(statement, value)

    def format_result(self, value: Value) -> str:
        """Return a value as the session prints it, on the example if there is one."""
        if isinstance(value, SOp):
            example = self.examples["s"] if self.uses_example["s"] else None
            if example is None:
                return f"= s-op {describe_node(value)}"
            return self.format_list(run_on_words(value, [example], self.interpreter.spans)[0])
        if isinstance(value, Selector):
            example = self.examples["selector"] if self.uses_example["selector"] else None
            if example is None:
                return f"= selector {describe_node(value)}"
            return self.format_selector(value, example)
        if is_pair_matrix(value):
            return "= selector\n" + format_pairs(value)
        return self.format_list(value) if isinstance(value, list) else f"= {format_value(value)}"

    def format_list(self, values: list[Value]) -> str:
        """Return a list as the session prints it: abbreviated if all of its items are equal."""
        abbreviates = not self.full_display and len(values) > MAX_REPEATED
        if abbreviates and all(map(is_atom, values)):
            distinct = {(type(value), value) for value in values}
            if len(distinct) == 1:
                return f"= [{format_value(values[0])}] * {len(values)}"
        return f"= {format_value(values)}"

    def format_selector(self, selector: Selector, word: InputWord) -> str:
        """Return the pairs of a selector on a word as the session prints them."""
        pairs = run_selector(selector, word, self.interpreter.spans)
        return "= selector\n" + format_pairs(pairs, word)

    def draw(self, statement: syntax.DrawStatement, value: SOp | Selector) -> str:
        """Return a selector's pairs, or an s-op's values, on the word of ``draw``."""
        word: Value = self.examples["selector"]
        if statement.word is not None:
            word = self.interpreter.evaluate(statement.word, self.interpreter.scope)
        if word is None or not is_word(word):
            raise RaspError("draw: expected a word, or an example that is set", statement.span)
        if isinstance(value, Selector):
            return self.format_selector(value, word)
        return self.format_list(run_on_words(value, [word], self.interpreter.spans)[0])

    # -- commands ----------------------------------------------------------------------------------

    def execute_command(self, command: syntax.Command) -> Iterator[str]:
        """Execute ``set example e``, ``show example``, ``examples off`` or ``quit``."""
        arguments = command.arguments
        if arguments == ("quit",):
            self.finished = True
        elif arguments[0] == "set" and command.value is not None:
            self.set_example(command)
        elif arguments[0] == "show" and arguments[-1] == "example":
            example = self.examples["selector" if "selector" in arguments else "s"]
            yield "no example is set" if example is None else f"= {format_value(example)}"
        elif arguments[-1] in ("on", "off") and "examples" in arguments:
            targets = [target for target in ("s", "selector") if target in arguments]
            for target in targets or ["s", "selector"]:
                self.uses_example[target] = arguments[-1] == "on"
        elif arguments[:3] == ("full", "seq", "display") and arguments[-1] in ("on", "off"):
            self.full_display = arguments[-1] == "on"
        else:
            raise RaspError(
                f"unknown command {' '.join(arguments)!r}: expected set example, show example,"
                " examples on, full seq display on, or quit",
                command.span,
            )

    def set_example(self, command: syntax.Command) -> None:
        """Execute ``set [s-op | selector] example e``."""
        assert command.value is not None
        word = self.interpreter.evaluate(command.value, self.interpreter.scope)
        if word is None or not is_word(word):
            raise RaspError("an example: expected a string or a list of atoms", command.value.span)
        for target in ("s", "selector"):
            if command.arguments[1] in ("both", target):
                self.examples[target] = word


def is_word(value: Value) -> bool:
    """Return whether a value is a word to run on: a string or a list of atoms, not empty."""
    return isinstance(value, str | list) and bool(value) and all(map(is_atom, value))


def is_pair_matrix(value: Any) -> bool:
    """Return whether a value is the square matrix of booleans that a selector gives on a word."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(row, list) and len(row) == len(value) for row in value)
        and all(isinstance(x, bool) for row in value for x in row)
    )


def is_incomplete(source: str) -> bool:
    """Return whether a statement needs more lines: brackets are open, or no ``;`` ends it.

    >>> is_incomplete("def f(x) {"), is_incomplete("a = 1;")
    (True, False)
    """
    try:
        tokens = [token for token in tokenize(source) if token.kind != "end"]
    except RaspError:
        return False
    signs = [token.text for token in tokens if token.kind == "punctuation"]
    level = sum((sign in "([{") - (sign in ")]}") for sign in signs)
    if level > 0 or not tokens:
        return level > 0
    if tokens[0].text in COMMANDS:
        return False
    return tokens[-1].text not in (";", "}")
