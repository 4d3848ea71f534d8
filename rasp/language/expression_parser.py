"""The parser of expressions: precedence climbing over infix operators, recursive descent below."""

from __future__ import annotations

from collections.abc import Callable

from .lexer import KEYWORDS
from .source_span import RaspError, SourceSpan
from .syntax import (
    AggregateExpression,
    Atom,
    BinaryOperation,
    Call,
    Comprehension,
    Conditional,
    DictDisplay,
    Expression,
    ListDisplay,
    ListFunction,
    Literal,
    Name,
    SelectExpression,
    Subscript,
    UnaryOperation,
)
from .token_reader import MAX_NESTING, TokenReader

PRECEDENCE = ("in", "if", "and or", "== <= >= > <", "+ -", "%", "* /", "^")
LEVELS = {operator: level for level, group in enumerate(PRECEDENCE) for operator in group.split()}
"""How tightly each infix operator binds; all but ``if`` associate to the left."""

CONDITIONAL_LEVEL = LEVELS["if"]
RELATIONS = ("==", "!=", "<=", ">=", "<", ">")
CONSTANTS: dict[str, Atom] = {"True": True, "False": False, "None": None}


class ExpressionParser(TokenReader):
    """A parser of expressions.

    Each method reads what it returns and leaves the reader at the token after it.
    """

    def parse_expression(self) -> Expression:
        """Parse one expression."""
        return self.parse_nested(lambda: self.parse_infix(0))

    def parse_expressions(self) -> tuple[Expression, ...]:
        """Parse one or more expressions, separated by commas."""
        values = [self.parse_expression()]
        while self.take_if(","):
            values.append(self.parse_expression())
        return tuple(values)

    def parse_infix(self, lowest: int) -> Expression:
        """Parse operands joined by operators whose level is `lowest` or higher."""
        left, chained = self.parse_prefix(), 0
        while (level := self.get_infix_level()) >= lowest:
            chained += 1
            if chained > MAX_NESTING:
                raise RaspError(f"more than {MAX_NESTING} operators in a row", self.token.span)
            operator = self.take()
            if level == CONDITIONAL_LEVEL:
                condition = self.parse_infix(CONDITIONAL_LEVEL + 1)
                self.expect("else")
                otherwise = self.parse_nested(lambda: self.parse_infix(CONDITIONAL_LEVEL))
                left = Conditional(operator.span, condition, left, otherwise)
            else:
                right = self.parse_infix(level + 1)
                left = BinaryOperation(operator.span, operator.text, left, right)
        return left

    def get_infix_level(self) -> int:
        """Return the level of the next token as an infix operator; -1 if it is none."""
        if self.token.kind not in ("punctuation", "name"):
            return -1
        return LEVELS.get(self.token.text, -1)

    def parse_prefix(self) -> Expression:
        """Parse an operand with any number of ``not``, ``-`` and ``+`` before it."""
        if self.token.kind in ("punctuation", "name") and self.token.text in ("not", "-", "+"):
            operator = self.take()
            operand = self.parse_nested(self.parse_prefix)
            return UnaryOperation(operator.span, operator.text, operand)
        return self.parse_postfix()

    def parse_postfix(self) -> Expression:
        """Parse a primary expression with any number of ``[e]`` and ``(args)`` after it."""
        base, chained = self.parse_primary(), 0
        while self.has_next("[") or self.has_next("("):
            chained += 1
            if chained > MAX_NESTING:
                raise RaspError(f"more than {MAX_NESTING} brackets in a row", self.token.span)
            if self.take_if("["):
                base = Subscript(base.span, base, self.parse_expression())
                self.expect("]")
            else:
                self.expect("(")
                arguments = () if self.has_next(")") else self.parse_expressions()
                self.expect(")")
                base = Call(base.span, base, arguments)
        return base

    def parse_primary(self) -> Expression:
        """Parse an atom, a name, parentheses, a list, a dict, or a built-in form."""
        token = self.token
        if token.kind == "number":
            self.take()
            number = float(token.text) if "." in token.text else int(token.text)
            return Literal(token.span, number)
        if token.kind == "string":
            return Literal(token.span, self.take().text)
        if token.kind == "punctuation" and token.text in BRACKETED:
            return BRACKETED[token.text](self)
        if token.kind == "name" and token.text in BUILTIN_FORMS:
            return BUILTIN_FORMS[token.text](self)
        if token.kind == "name" and token.text in CONSTANTS:
            return Literal(token.span, CONSTANTS[self.take().text])
        if token.kind == "name" and token.text not in KEYWORDS:
            return Name(token.span, self.take().text)
        raise self.build_error("an expression")

    # -- brackets ----------------------------------------------------------------------------------

    def parse_parentheses(self) -> Expression:
        """Parse ``( e )``."""
        self.expect("(")
        inner = self.parse_expression()
        self.expect(")")
        return inner

    def parse_list(self) -> Expression:
        """Parse ``[e, e]`` or ``[e for names in e]``."""
        span = self.take().span
        if self.take_if("]"):
            return ListDisplay(span, ())
        first = self.parse_expression()
        if self.has_next("for"):
            return self.parse_comprehension(span, None, first, "]")
        items = [first]
        while self.take_if(","):
            items.append(self.parse_expression())
        self.expect("]")
        return ListDisplay(span, tuple(items))

    def parse_dict(self) -> Expression:
        """Parse ``{k: v, k: v}`` or ``{k: v for names in e}``."""
        span = self.take().span
        if self.take_if("}"):
            return DictDisplay(span, ())
        pairs = [self.parse_pair()]
        if self.has_next("for"):
            return self.parse_comprehension(span, *pairs[0], "}")
        while self.take_if(","):
            pairs.append(self.parse_pair())
        self.expect("}")
        return DictDisplay(span, tuple(pairs))

    def parse_pair(self) -> tuple[Expression, Expression]:
        """Parse ``e : e``."""
        key = self.parse_expression()
        self.expect(":")
        return key, self.parse_expression()

    def parse_comprehension(
        self, span: SourceSpan, key: Expression | None, value: Expression, closing: str
    ) -> Comprehension:
        """Parse ``for names in e`` and the closing bracket, after the item has been read."""
        self.take()
        names = self.expect_new_names()
        self.expect("in")
        source = self.parse_expression()
        self.expect(closing)
        return Comprehension(span, key, value, names, source)

    # -- built-in forms ----------------------------------------------------------------------------

    def parse_select(self) -> Expression:
        """Parse ``select(keys, queries, relation)``."""
        span = self.take().span
        self.expect("(")
        keys = self.parse_expression()
        self.expect(",")
        queries = self.parse_expression()
        self.expect(",")
        if self.token.kind != "punctuation" or self.token.text not in RELATIONS:
            raise self.build_error(f"one of {' '.join(RELATIONS)}")
        relation = self.take().text
        self.expect(")")
        return SelectExpression(span, keys, queries, relation)

    def parse_aggregate(self) -> Expression:
        """Parse ``aggregate(selector, values [, default])``."""
        span = self.take().span
        self.expect("(")
        selector = self.parse_expression()
        self.expect(",")
        values = self.parse_expression()
        default = self.parse_expression() if self.take_if(",") else None
        self.expect(")")
        return AggregateExpression(span, selector, values, default)

    def parse_builtin_function(self) -> Expression:
        """Parse ``round(e)``, ``indicator(e)``, ``range(..)``, ``zip(..)`` or ``len(..)``."""
        function = self.take()
        self.expect("(")
        arguments = self.parse_expressions()
        self.expect(")")
        if function.text in ("round", "indicator"):
            if len(arguments) != 1:
                raise RaspError(
                    f"{function.text}: expected 1 argument, got {len(arguments)}", function.span
                )
            return UnaryOperation(function.span, function.text, arguments[0])
        return ListFunction(function.span, function.text, arguments)


BRACKETED: dict[str, Callable[[ExpressionParser], Expression]] = {
    "(": ExpressionParser.parse_parentheses,
    "[": ExpressionParser.parse_list,
    "{": ExpressionParser.parse_dict,
}
BUILTIN_FORMS: dict[str, Callable[[ExpressionParser], Expression]] = {
    "select": ExpressionParser.parse_select,
    "aggregate": ExpressionParser.parse_aggregate,
    **dict.fromkeys(
        ("round", "indicator", "range", "zip", "len"), ExpressionParser.parse_builtin_function
    ),
}
