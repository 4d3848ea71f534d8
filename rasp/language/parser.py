"""A parser by recursive descent: every error says where it is and what was expected.

Nesting is bounded, so that no text can exhaust the stack of the parser, nor of the interpreter
that walks the tree after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .lexer import KEYWORDS, Kind, Word, words_of
from .source_span import Place, RaspError
from .syntax import (
    AggregateOf,
    Assign,
    Atom,
    Binary,
    Call,
    Choice,
    Command,
    Comprehension,
    Define,
    DictOf,
    Draw,
    Expression,
    For,
    Index,
    Listing,
    ListOf,
    Literal,
    Load,
    Name,
    SelectOf,
    Show,
    Statement,
    Unary,
)

DEEPEST = 48
"""How deeply brackets, blocks and chains of operators may be nested."""

ORDER = ("in", "if", "and or", "== <= >= > <", "+ -", "%", "* /", "^")
LEVELS = {sign: level for level, signs in enumerate(ORDER) for sign in signs.split()}
"""How tightly a sign between two operands binds; all but ``if`` associate to the left."""

CHOICE = LEVELS["if"]
RELATIONS = ("==", "!=", "<=", ">=", "<", ">")
CONSTANTS: dict[str, Atom] = {"True": True, "False": False, "None": None}
SWITCHES = ("s", "selector", "examples", "full")
T = TypeVar("T")


def parse(source: str, *, session: bool = False) -> list[Statement]:
    """The statements of a program.

    Parameters
    ----------
    source : str
    session : bool
        whether commands (``set example "abc"``, ``quit``) are understood.

    Examples
    --------
    >>> parse("a = ;")
    Traceback (most recent call last):
    ...
    flann.rasp.RaspError: line 1, column 5: expected an expression, got ';'
    """
    parser = Parser(words_of(source))
    statements = []
    while not parser.at_end():
        command = parser.command() if session else None
        statements.append(command or parser.statement())
    return statements


class Parser:
    """The words of a program and how far they are read."""

    def __init__(self, words: list[Word]) -> None:
        self.words, self.next, self.depth = words, 0, 0

    # -- statements ------------------------------------------------------------------------------

    def statement(self) -> Statement:
        """One statement, its semicolon or closing brace included."""
        word = self.here
        if word.kind == "name" and word.text in ("def", "for"):
            return self.nested(self.define if word.text == "def" else self.loop)
        read = {"draw": self.draw, "load": self.load}.get(word.text if word.kind == "name" else "")
        made = read() if read else self.assignment() if self.assigns() else self.show()
        self.expect(";")
        return made

    def show(self) -> Show:
        """``e``."""
        place = self.here.place
        return Show(place, self.expression())

    def assigns(self) -> bool:
        """Whether ``name, name =`` comes next."""
        at = self.next
        while self.words[at].kind == "name" and self.words[at].text not in KEYWORDS:
            if self.words[at + 1].text != "," or self.words[at + 1].kind != "sign":
                return self.words[at + 1].text == "=" and self.words[at + 1].kind == "sign"
            at += 2
        return False

    def assignment(self) -> Assign:
        """``names = exprs``."""
        place, names = self.here.place, self.several_names()
        self.expect("=")
        return Assign(place, names, self.several())

    def draw(self) -> Draw:
        """``draw(e, e)``."""
        place = self.take().place
        self.expect("(")
        value = self.expression()
        word = self.expression() if self.taken(",") else None
        self.expect(")")
        return Draw(place, value, word)

    def load(self) -> Load:
        """``load "file"``."""
        place = self.take().place
        return Load(place, self.of_kind("string", "the name of a file in quotes").text)

    def define(self) -> Define:
        """``def name(names) { .. return exprs; }``."""
        place, name = self.take().place, self.new_name()
        self.expect("(")
        parameters = () if self.sees(")") else self.several_names()
        self.expect(")")
        self.expect("{")
        body = []
        while not self.sees("return"):
            if self.sees("}") or self.at_end():
                raise self.wrong("'return' at the end of the function")
            body.append(self.statement())
        self.take()
        results = self.several()
        self.expect(";")
        self.expect("}")
        return Define(place, name, parameters, tuple(body), results)

    def loop(self) -> For:
        """``for names in e { .. }``."""
        place, names = self.take().place, self.several_names()
        self.expect("in")
        source = self.expression()
        self.expect("{")
        body = []
        while not self.taken("}"):
            if self.at_end():
                raise self.wrong("'}' at the end of the loop")
            body.append(self.statement())
        return For(place, names, source, tuple(body))

    # -- what only a session knows -----------------------------------------------------------------

    def command(self) -> Command | None:
        """A command, which ends with its line; None if a statement comes next."""
        word, follower = self.here, self.words[min(self.next + 1, len(self.words) - 1)]
        if word.kind != "name" or (follower.kind == "sign" and follower.text not in ("-", ";")):
            return None
        if word.text in ("exit", "quit"):
            self.take()
            self.taken(";")
            return Command(word.place, ("quit",))
        if word.text not in ("set", "show", *SWITCHES) or follower.text == ";":
            return None
        line = [word.text for word in self.rest_of_line()]
        if word.text == "set" and "example" in line:
            return self.setting(word.place)
        while self.here.place.line == word.place.line and not self.at_end():
            self.take()
        return Command(word.place, tuple(piece for piece in line if piece not in (";", "-", "op")))

    def setting(self, place: Place) -> Command:
        """``set [s-op | selector] example e``."""
        self.take()
        which = "both"
        if not self.sees("example"):
            which = self.take().text
            if which == "s":
                self.expect("-")
                self.take()
        self.expect("example")
        value = self.expression()
        self.taken(";")
        return Command(place, ("set", which), value)

    def rest_of_line(self) -> list[Word]:
        """The words up to the end of this line."""
        line = self.here.place.line
        return [w for w in self.words[self.next :] if w.place.line == line and w.kind != "end"]

    # -- expressions -------------------------------------------------------------------------------

    def expression(self) -> Expression:
        """One expression."""
        return self.nested(lambda: self.climb(0))

    def climb(self, loosest: int) -> Expression:
        """Operands joined by signs that bind at least as tightly as this level (see `LEVELS`)."""
        left, chained = self.unary(), 0
        while (level := self.level_here()) >= loosest:
            chained += 1
            if chained > DEEPEST:
                raise RaspError(f"more than {DEEPEST} operators in a row", self.here.place)
            sign = self.take()
            if level == CHOICE:
                condition = self.climb(CHOICE + 1)
                self.expect("else")
                left = Choice(sign.place, condition, left, self.nested(lambda: self.climb(CHOICE)))
            else:
                left = Binary(sign.place, sign.text, left, self.climb(level + 1))
        return left

    def level_here(self) -> int:
        """How tightly the next word binds as a sign between two operands; -1 if it is none."""
        if self.here.kind not in ("sign", "name"):
            return -1
        return LEVELS.get(self.here.text, -1)

    def unary(self) -> Expression:
        """``not``, ``-`` and ``+`` before an operand."""
        if self.here.kind in ("sign", "name") and self.here.text in ("not", "-", "+"):
            sign = self.take()
            return Unary(sign.place, sign.text, self.nested(self.unary))
        return self.postfix()

    def postfix(self) -> Expression:
        """Something, and any number of ``[e]`` and ``(args)`` after it."""
        made, chained = self.primary(), 0
        while self.sees("[") or self.sees("("):
            chained += 1
            if chained > DEEPEST:
                raise RaspError(f"more than {DEEPEST} brackets in a row", self.here.place)
            if self.taken("["):
                made = Index(made.place, made, self.expression())
                self.expect("]")
            else:
                self.expect("(")
                arguments = () if self.sees(")") else self.several()
                self.expect(")")
                made = Call(made.place, made, arguments)
        return made

    def primary(self) -> Expression:
        """Brackets, an atom, a list, a dict, or one of the built-in forms."""
        word = self.here
        if word.kind == "number":
            self.take()
            return Literal(word.place, float(word.text) if "." in word.text else int(word.text))
        if word.kind == "string":
            return Literal(word.place, self.take().text)
        if word.kind == "sign" and word.text in OPENING:
            return OPENING[word.text](self)
        if word.kind == "name" and word.text in FORMS:
            return FORMS[word.text](self)
        if word.kind == "name" and word.text in CONSTANTS:
            return Literal(word.place, CONSTANTS[self.take().text])
        if word.kind == "name" and word.text not in KEYWORDS:
            return Name(word.place, self.take().text)
        raise self.wrong("an expression")

    def brackets(self) -> Expression:
        """``( e )``."""
        self.expect("(")
        made = self.expression()
        self.expect(")")
        return made

    def list_of(self) -> Expression:
        """``[e, e]`` or ``[e for names in e]``."""
        place = self.take().place
        if self.taken("]"):
            return ListOf(place, ())
        first = self.expression()
        if self.sees("for"):
            return self.comprehension(place, None, first, "]")
        items = [first]
        while self.taken(","):
            items.append(self.expression())
        self.expect("]")
        return ListOf(place, tuple(items))

    def dict_of(self) -> Expression:
        """``{k: v, k: v}`` or ``{k: v for names in e}``."""
        place = self.take().place
        if self.taken("}"):
            return DictOf(place, ())
        pairs = [self.pair()]
        if self.sees("for"):
            return self.comprehension(place, *pairs[0], "}")
        while self.taken(","):
            pairs.append(self.pair())
        self.expect("}")
        return DictOf(place, tuple(pairs))

    def pair(self) -> tuple[Expression, Expression]:
        """``e : e``."""
        key = self.expression()
        self.expect(":")
        return key, self.expression()

    def comprehension(
        self, place: Place, key: Expression | None, value: Expression, closing: str
    ) -> Comprehension:
        """``for names in e`` after what it makes."""
        self.take()
        names = self.several_names()
        self.expect("in")
        source = self.expression()
        self.expect(closing)
        return Comprehension(place, key, value, names, source)

    def selection(self) -> Expression:
        """``select(keys, queries, relation)``."""
        place = self.take().place
        self.expect("(")
        keys = self.expression()
        self.expect(",")
        queries = self.expression()
        self.expect(",")
        if self.here.kind != "sign" or self.here.text not in RELATIONS:
            raise self.wrong(f"one of {' '.join(RELATIONS)}")
        relation = self.take().text
        self.expect(")")
        return SelectOf(place, keys, queries, relation)

    def aggregation(self) -> Expression:
        """``aggregate(selector, values [, default])``."""
        place = self.take().place
        self.expect("(")
        selector = self.expression()
        self.expect(",")
        values = self.expression()
        default = self.expression() if self.taken(",") else None
        self.expect(")")
        return AggregateOf(place, selector, values, default)

    def function(self) -> Expression:
        """``round(e)``, ``indicator(e)``, ``range(..)``, ``zip(..)``, ``len(..)``."""
        word = self.take()
        self.expect("(")
        arguments = self.several()
        self.expect(")")
        if word.text in ("round", "indicator"):
            if len(arguments) != 1:
                raise RaspError(
                    f"{word.text}: expected 1 argument, got {len(arguments)}", word.place
                )
            return Unary(word.place, word.text, arguments[0])
        return Listing(word.place, word.text, arguments)

    # -- words -------------------------------------------------------------------------------------

    @property
    def here(self) -> Word:
        """The next word."""
        return self.words[self.next]

    def at_end(self) -> bool:
        """Whether all words are read."""
        return self.here.kind == "end"

    def take(self) -> Word:
        """Read the next word."""
        word = self.here
        self.next += word.kind != "end"
        return word

    def sees(self, text: str) -> bool:
        """Whether the next word is this sign or name."""
        return self.here.kind in ("sign", "name") and self.here.text == text

    def taken(self, text: str) -> bool:
        """Take the next word if it is this one."""
        seen = self.sees(text)
        if seen:
            self.take()
        return seen

    def expect(self, text: str) -> None:
        """Read this word, or say that it was expected."""
        if not self.taken(text):
            raise self.wrong(f"'{text}'")

    def of_kind(self, kind: Kind, called: str) -> Word:
        """Read a word of one kind."""
        if self.here.kind != kind:
            raise self.wrong(called)
        return self.take()

    def new_name(self) -> str:
        """Read a name that may be given a value."""
        if self.here.kind == "name" and self.here.text in KEYWORDS:
            raise RaspError(
                f"{self.here} is a word of the language: expected a name", self.here.place
            )
        return self.of_kind("name", "a name").text

    def several_names(self) -> tuple[str, ...]:
        """Names with commas between."""
        names = [self.new_name()]
        while self.taken(","):
            names.append(self.new_name())
        return tuple(names)

    def several(self) -> tuple[Expression, ...]:
        """Expressions with commas between."""
        values = [self.expression()]
        while self.taken(","):
            values.append(self.expression())
        return tuple(values)

    def wrong(self, expected: str) -> RaspError:
        """The error that something else was expected here."""
        return RaspError(f"expected {expected}, got {self.here}", self.here.place)

    def nested(self, read: Callable[[], T]) -> T:
        """Read something one level further in."""
        if self.depth >= DEEPEST:
            raise RaspError(f"nested more than {DEEPEST} deep", self.here.place)
        self.depth += 1
        made = read()
        self.depth -= 1
        return made


OPENING: dict[str, Callable[[Parser], Expression]] = {
    "(": Parser.brackets,
    "[": Parser.list_of,
    "{": Parser.dict_of,
}
FORMS: dict[str, Callable[[Parser], Expression]] = {
    "select": Parser.selection,
    "aggregate": Parser.aggregation,
    **dict.fromkeys(("round", "indicator", "range", "zip", "len"), Parser.function),
}
