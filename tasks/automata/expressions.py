"""Regular expressions: their parser, and the minimal automaton of an expression.

The syntax, from what binds least to what binds most:

- ``x|y``          union
- ``xy``           concatenation
- ``x* x+ x?``     any number, one or more, at most one
- ``x{3} x{2,} x{,4} x{2,4}``   exactly 3, at least 2, at most 4, between 2 and 4
- ``(x)``          a group; ``()`` is the empty word, and so is an empty alternative: ``(a|)``
- ``[abc] [a-z] [^ab]``   one of these letters, of a range, any symbol but these
- ``.``            any symbol of the alphabet
- a backslash before one of ``|()[]{}*+?.^-`` or a backslash makes it a letter

Every other character is a letter and stands for itself. The alphabet is the set of letters that
occur, in the order of their code points, unless it is given. There are no back references and no
assertions, and nothing is greedy: an expression says what language, not how to search.

The automaton is Glushkov's: every letter that is written, bounded repeats written out, is a
*position*; a state is the set of positions that the last symbol can have been read at; and which
positions come first, last and after one another follows from the expression (Glushkov 1961, "The
abstract theory of automata"). Then it is minimised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from flann.errors import UserError

from .automaton import Automaton, check_symbols, from_function

LONGEST_TEXT = 10_000
DEEPEST = 100  # groups inside one another
MOST_POSITIONS = 2_000

SPECIAL = "|()[]{}*+?.\\"
ESCAPED = SPECIAL + "^-"  # what a backslash may precede
BEFORE_FIRST = -1  # the state before the first symbol; the others are sets of positions


def from_expression(text: str, symbols: Sequence[str] | None = None) -> Automaton:
    """Return the minimal automaton of a regular expression.

    Parameters
    ----------
    text : str
        the expression, in the syntax above.
    symbols : sequence of str, optional
        the alphabet, one character each; the letters that occur where it is left out.

    Raises
    ------
    UserError
        for a wrong expression, one without letters, or one that needs too many states.

    Examples
    --------
    >>> even = from_expression("(aa|b)*")
    >>> even.symbols, even.size
    (('a', 'b'), 3)
    >>> from_expression("(a|b")
    Traceback (most recent call last):
    ...
    flann.errors.UserError: regular expression '(a|b', place 4: expected ')' ...
    """
    tree = Parser(text).parse()
    try:
        alphabet = tuple(sorted(set(list_letters(tree))) if symbols is None else symbols)
        check_symbols(alphabet)
        if missing := sorted(set(list_letters(tree)) - set(alphabet)):
            raise UserError(f"the letter {missing[0]!r} is not in the alphabet")
        return Glushkov(tree, alphabet).automaton().minimise()
    except UserError as error:
        raise UserError(f"regular expression {text!r}: {error}") from error


# -- the tree ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Letters:
    """One symbol: one of these letters, or (`negated`) any other letter of the alphabet."""

    these: frozenset[str]
    negated: bool = False


@dataclass(frozen=True)
class Concatenation:
    """One part after the other; without parts it is the empty word."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Union:
    """One of the parts."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Repeat:
    """The same part, `low` to `high` times; without an upper bound if `high` is None."""

    part: Tree
    low: int
    high: int | None


Tree = Letters | Concatenation | Union | Repeat
EMPTY_WORD = Concatenation(())


def list_letters(tree: Tree) -> Iterator[str]:
    """Yield the letters that are written in an expression."""
    if isinstance(tree, Letters):
        yield from tree.these
    for part in (tree.part,) if isinstance(tree, Repeat) else getattr(tree, "parts", ()):
        yield from list_letters(part)


class Parser:
    """A recursive-descent parser with one method for each level of precedence.

    What can only be the empty word is simplified to it, so the rest of a tree has a letter in
    every part, and counting positions bounds the work.
    """

    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0

    def parse(self) -> Tree:
        """Parse the whole text."""
        if len(self.text) > LONGEST_TEXT:
            raise UserError(
                f"a regular expression of {len(self.text)} characters: expected at most"
                f" {LONGEST_TEXT}"
            )
        tree = self.union()
        if self.next:
            raise self.error("this ')' closes no group: expected '(' before it")
        return tree

    @property
    def next(self) -> str:
        """The next character; empty at the end of the text."""
        return self.text[self.place : self.place + 1]

    def take(self, character: str) -> bool:
        """Consume a character if it comes next, and return whether it did."""
        here = self.next == character
        self.place += here
        return here

    def error(self, message: str) -> UserError:
        """Return the error that says where the expression is wrong."""
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return UserError(f"regular expression {shown!r}, place {self.place}: {message}")

    def union(self) -> Tree:
        """Parse alternatives between bars."""
        parts = [self.concatenation()]
        while self.take("|"):
            parts.append(self.concatenation())
        if all(part == EMPTY_WORD for part in parts):
            return EMPTY_WORD
        return parts[0] if len(parts) == 1 else Union(tuple(parts))

    def concatenation(self) -> Tree:
        """Parse repeated parts, one after the other."""
        parts = []
        while self.next and self.next not in "|)":
            parts.append(self.repeat())
        parts = [part for part in parts if part != EMPTY_WORD]
        return parts[0] if len(parts) == 1 else Concatenation(tuple(parts))

    def repeat(self) -> Tree:
        """Parse one part and how often it is repeated."""
        part = self.atom()
        while self.next and self.next in "*+?{":
            low, high = self.bounds()
            part = EMPTY_WORD if high == 0 or part == EMPTY_WORD else Repeat(part, low, high)
        return part

    def bounds(self) -> tuple[int, int | None]:
        """Parse a star, a plus, a question mark, or bounds in braces."""
        if not self.take("{"):
            self.place += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[self.text[self.place - 1]]
        low = self.number()
        if self.take(","):
            high = self.number()
        elif low is None:
            raise self.error("expected a whole number after '{'")
        else:
            high = low
        if not self.take("}"):
            raise self.error("expected bounds such as {3}, {2,}, {,4} or {2,4}")
        if high is not None and high < (low or 0):
            raise self.error(f"expected the lower bound first, got {low} and {high}")
        return low or 0, high

    def number(self) -> int | None:
        """Parse a whole number, or return None if none comes next."""
        start = self.place
        while self.next in set("0123456789"):
            self.place += 1
        digits = self.text[start : self.place]
        if len(digits) > 6 or (digits and int(digits) > MOST_POSITIONS):
            raise self.error(f"expected at most {MOST_POSITIONS} repeats, got {digits}")
        return int(digits) if digits else None

    def atom(self) -> Tree:
        """Parse a letter, a class of letters, any symbol, or a group."""
        if self.take("("):
            return self.group()
        if self.take("["):
            return self.letter_class()
        if self.take("."):
            return Letters(frozenset(), negated=True)
        if self.next in set(SPECIAL) - {"\\"}:
            raise self.error(f"expected a letter or a group before {self.next!r}")
        return Letters(frozenset(self.letter()))

    def group(self) -> Tree:
        """Parse what stands in parentheses."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"expected at most {DEEPEST} groups inside one another")
        tree = self.union()
        if not self.take(")"):
            raise self.error("expected ')' to close the group")
        self.depth -= 1
        return tree

    def letter_class(self) -> Tree:
        """Parse what stands in square brackets."""
        negated = self.take("^")
        these: set[str] = set()
        while not self.take("]"):
            first = self.letter()
            last = self.letter() if self.take("-") else first
            if last < first:
                raise self.error(f"expected a range such as a-z, got {first}-{last}")
            these |= {chr(code) for code in range(ord(first), ord(last) + 1)}
            if len(these) > MOST_POSITIONS:
                raise self.error(f"expected at most {MOST_POSITIONS} letters in a class")
        if not these and not negated:
            raise self.error("the class [] has no letters: expected one or more")
        return Letters(frozenset(these), negated)

    def letter(self) -> str:
        """Parse one letter, or a special character after a backslash."""
        if self.take("\\"):
            if not self.next or self.next not in ESCAPED:
                raise self.error(f"expected one of {ESCAPED} after the backslash")
        elif not self.next:
            raise self.error("expected ']' to close the class")
        elif self.next in SPECIAL:
            raise self.error(f"expected a letter, got {self.next!r}: a backslash makes it one")
        self.place += 1
        return self.text[self.place - 1]


# -- the automaton -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ends:
    """Whether a part can be empty, and the sets of its first and last positions.

    Sets of positions are whole numbers, position p being the bit ``1 << p``.
    """

    nullable: bool
    first: int
    last: int


class Glushkov:
    """Glushkov's construction: positions, their followers, and the automaton over position sets."""

    def __init__(self, tree: Tree, alphabet: tuple[str, ...]) -> None:
        self.alphabet = alphabet
        self.numbers = {symbol: a for a, symbol in enumerate(alphabet)}
        self.follow: list[int] = []  # of each position, the set of those that may come next
        self.reading = [0] * len(alphabet)  # of each symbol, the positions that read it
        self.ends = self.visit(tree)

    def visit(self, tree: Tree) -> Ends:
        """Assign positions to a part and connect them."""
        if isinstance(tree, Letters):
            return self.position(tree)
        if isinstance(tree, Concatenation):
            ends = Ends(True, 0, 0)
            for part in tree.parts:
                ends = self.chain(ends, self.visit(part))
            return ends
        if isinstance(tree, Union):
            every = [self.visit(part) for part in tree.parts]
            first = last = 0
            for ends in every:
                first, last = first | ends.first, last | ends.last
            return Ends(any(ends.nullable for ends in every), first, last)
        return self.repeat_fragment(tree)

    def position(self, tree: Letters) -> Ends:
        """Assign a new position to one occurrence of a letter."""
        if len(self.follow) == MOST_POSITIONS:
            raise UserError(f"too long, repeats written out: expected at most {MOST_POSITIONS}")
        here = 1 << len(self.follow)
        self.follow.append(0)
        chosen = set(self.alphabet) - tree.these if tree.negated else tree.these
        for symbol in chosen:
            self.reading[self.numbers[symbol]] |= here
        return Ends(False, here, here)

    def chain(self, one: Ends, other: Ends) -> Ends:
        """Connect one part to the part that follows it."""
        for p in list_bits(one.last):
            self.follow[p] |= other.first
        return Ends(
            one.nullable and other.nullable,
            one.first | (other.first if one.nullable else 0),
            other.last | (one.last if other.nullable else 0),
        )

    def repeat_fragment(self, tree: Repeat) -> Ends:
        """Expand a repetition: ``x{2,4}`` is ``xxx?x?``, and ``x{2,}`` is ``xxx*``."""
        ends = Ends(True, 0, 0)
        for _ in range(tree.low):
            ends = self.chain(ends, self.visit(tree.part))
        if tree.high is None:
            again = self.visit(tree.part)
            for p in list_bits(again.last):
                self.follow[p] |= again.first
            return self.chain(ends, Ends(True, again.first, again.last))
        for _ in range(tree.high - tree.low):
            once = self.visit(tree.part)
            ends = self.chain(ends, Ends(True, once.first, once.last))
        return ends

    def automaton(self) -> Automaton:
        """Return the automaton whose states are the sets of positions at which a word can end."""

        @cache
        def onward(here: int) -> int:
            if here == BEFORE_FIRST:
                return self.ends.first
            reached = 0
            for p in list_bits(here):
                reached |= self.follow[p]
            return reached

        def accepts(here: int) -> bool:
            return self.ends.nullable if here == BEFORE_FIRST else bool(here & self.ends.last)

        return from_function(
            self.alphabet, BEFORE_FIRST, lambda here, a: onward(here) & self.reading[a], accepts
        )


def list_bits(number: int) -> Iterator[int]:
    """Yield the positions in a set.

    >>> list(list_bits(0b1011))
    [0, 1, 3]
    """
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
