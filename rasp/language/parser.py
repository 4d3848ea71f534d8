"""The parser of programs, by recursive descent.

Every error reports where in the text it is and what was expected there.
"""

from __future__ import annotations

from .expression_parser import ExpressionParser
from .lexer import KEYWORDS, Token, tokenize
from .source_span import SourceSpan
from .syntax import (
    Assignment,
    Command,
    DrawStatement,
    ExpressionStatement,
    ForLoop,
    FunctionDefinition,
    LoadStatement,
    Statement,
)

SWITCHES = ("s", "selector", "examples", "full")
"""The first tokens of the commands that switch something on or off."""


def parse(source: str, *, session: bool = False) -> list[Statement]:
    """Return the statements of a program.

    Parameters
    ----------
    source : str
    session : bool
        whether the commands of a session (``set example "abc"``, ``quit``) are accepted.

    Raises
    ------
    RaspError
        for a text that is no program.

    Examples
    --------
    >>> parse("a = ;")
    Traceback (most recent call last):
    ...
    flann.rasp.RaspError: line 1, column 5: expected an expression, got ';'
    """
    parser = Parser(tokenize(source))
    statements = []
    while not parser.is_finished:
        command = parser.parse_command() if session else None
        statements.append(command or parser.parse_statement())
    return statements


class Parser(ExpressionParser):
    """A parser of statements and of the commands of a session."""

    def parse_statement(self) -> Statement:
        """Parse one statement, its semicolon or closing brace included."""
        keyword = self.token.text if self.token.kind == "name" else ""
        if keyword == "def":
            return self.parse_nested(self.parse_definition)
        if keyword == "for":
            return self.parse_nested(self.parse_loop)
        statement: Statement
        if keyword == "draw":
            statement = self.parse_draw()
        elif keyword == "load":
            statement = self.parse_load()
        elif self.is_assignment():
            statement = self.parse_assignment()
        else:
            statement = ExpressionStatement(self.token.span, self.parse_expression())
        self.expect(";")
        return statement

    def is_assignment(self) -> bool:
        """Return whether ``name, name =`` comes next."""
        i = self.next
        while self.tokens[i].kind == "name" and self.tokens[i].text not in KEYWORDS:
            follower = self.tokens[i + 1]
            if follower.text != "," or follower.kind != "punctuation":
                return follower.text == "=" and follower.kind == "punctuation"
            i += 2
        return False

    def parse_assignment(self) -> Assignment:
        """Parse ``names = exprs``."""
        span, names = self.token.span, self.expect_new_names()
        self.expect("=")
        return Assignment(span, names, self.parse_expressions())

    def parse_draw(self) -> DrawStatement:
        """Parse ``draw(e, e)``."""
        span = self.take().span
        self.expect("(")
        value = self.parse_expression()
        word = self.parse_expression() if self.take_if(",") else None
        self.expect(")")
        return DrawStatement(span, value, word)

    def parse_load(self) -> LoadStatement:
        """Parse ``load "file"``."""
        span = self.take().span
        file = self.expect_kind("string", "the name of a file in quotes")
        return LoadStatement(span, file.text)

    def parse_definition(self) -> FunctionDefinition:
        """Parse ``def name(names) { .. return exprs; }``."""
        span, name = self.take().span, self.expect_new_name()
        self.expect("(")
        parameters = () if self.has_next(")") else self.expect_new_names()
        self.expect(")")
        self.expect("{")
        body = []
        while not self.has_next("return"):
            if self.has_next("}") or self.is_finished:
                raise self.build_error("'return' at the end of the function")
            body.append(self.parse_statement())
        self.take()
        results = self.parse_expressions()
        self.expect(";")
        self.expect("}")
        return FunctionDefinition(span, name, parameters, tuple(body), results)

    def parse_loop(self) -> ForLoop:
        """Parse ``for names in e { .. }``."""
        span, names = self.take().span, self.expect_new_names()
        self.expect("in")
        source = self.parse_expression()
        self.expect("{")
        body = []
        while not self.take_if("}"):
            if self.is_finished:
                raise self.build_error("'}' at the end of the loop")
            body.append(self.parse_statement())
        return ForLoop(span, names, source, tuple(body))

    # -- commands of a session ---------------------------------------------------------------------

    def parse_command(self) -> Command | None:
        """Parse a command, which extends to the end of its line; None if a statement comes next."""
        first, follower = self.token, self.tokens[min(self.next + 1, len(self.tokens) - 1)]
        if first.kind != "name":
            return None
        if follower.kind == "punctuation" and follower.text not in ("-", ";"):
            return None
        if first.text in ("exit", "quit"):
            self.take()
            self.take_if(";")
            return Command(first.span, ("quit",))
        if first.text not in ("set", "show", *SWITCHES) or follower.text == ";":
            return None
        line = [token.text for token in self.get_rest_of_line()]
        if first.text == "set" and "example" in line:
            return self.parse_set_example(first.span)
        while self.token.span.line == first.span.line and not self.is_finished:
            self.take()
        return Command(first.span, tuple(text for text in line if text not in (";", "-", "op")))

    def parse_set_example(self, span: SourceSpan) -> Command:
        """Parse ``set [s-op | selector] example e``."""
        self.take()
        target = "both"
        if not self.has_next("example"):
            target = self.take().text
            if target == "s":
                self.expect("-")
                self.take()
        self.expect("example")
        value = self.parse_expression()
        self.take_if(";")
        return Command(span, ("set", target), value)

    def get_rest_of_line(self) -> list[Token]:
        """Return the tokens from the next one to the end of its line."""
        line = self.token.span.line
        return [t for t in self.tokens[self.next :] if t.span.line == line and t.kind != "end"]
