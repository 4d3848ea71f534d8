"""Operators on atoms, evaluated while a program is built: Python's, within bounds.

The magnitude of a number is at most `LARGEST_EXACT` and the length of a string at most
`LONGEST_STRING`, so that no single operator can exhaust memory or time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from math import isfinite, log2
from typing import Any, cast

from flann.rasp.language.source_span import RaspError, SourceSpan
from flann.rasp.language.syntax import LARGEST_EXACT, Atom

from .sops import SIGNATURES, TYPE_NAMES, get_type

LONGEST_STRING = 10_000  # characters

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "neg": operator.neg,
    "not": operator.not_,
    "round": round,
    "indicator": int,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "^": operator.pow,
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
}


def apply_operator(sign: str, atoms: Sequence[Atom], span: SourceSpan) -> Atom:
    """Return the value of an operator on one or two atoms.

    Raises
    ------
    RaspError
        for operands of the wrong types, and for a value that is not a finite number within bounds.

    Examples
    --------
    >>> apply_operator("%", [7, 3], SourceSpan(1, 1))
    1
    >>> apply_operator("^", [9, 99], SourceSpan(1, 3))
    Traceback (most recent call last):
    ...
    flann.rasp.RaspError: line 1, column 3: '^' gives more than 2^53: no longer exact
    """
    if len(atoms) == 1:
        sign = {"-": "neg", "+": "+"}.get(sign, sign)
    types = [get_type(atom) for atom in atoms]
    if len(set(types)) > 1:
        got = " and ".join(TYPE_NAMES[kind] for kind in dict.fromkeys(types))
        raise RaspError(f"'{sign}' of {got}: expected one type", span)
    if sign == "+" and types[0] == "text" and len(atoms) == 2:
        return concatenate(cast(str, atoms[0]), cast(str, atoms[1]), span)
    expected = SIGNATURES[sign][0]
    if expected is not None and types[0] != expected:
        raise RaspError(
            f"'{sign}': expected {TYPE_NAMES[expected]}, got {TYPE_NAMES[types[0]]}", span
        )
    if len(atoms) == 1 and sign == "+":
        return atoms[0]
    return compute(sign, cast(Sequence[Any], atoms), span)


def concatenate(left: str, right: str, span: SourceSpan) -> str:
    """Return the concatenation of two strings, or refuse one that is too long."""
    if len(left) + len(right) > LONGEST_STRING:
        raise RaspError(f"a string of more than {LONGEST_STRING} characters", span)
    return left + right


def compute(sign: str, atoms: Sequence[Any], span: SourceSpan) -> Atom:
    """Return the value of an operator, or refuse one that is not a finite number within bounds."""
    if sign in ("/", "%") and atoms[1] == 0:
        raise RaspError(f"'{sign}' by zero", span)
    if sign == "^" and is_power_too_large(*atoms):
        raise RaspError("'^' gives more than 2^53: no longer exact", span)
    try:
        value = FUNCTIONS[sign](*atoms)
    except (ZeroDivisionError, OverflowError) as error:
        raise RaspError(f"'{sign}' has no finite value here", span) from error
    if isinstance(value, complex) or (isinstance(value, float) and not isfinite(value)):
        raise RaspError(f"'{sign}' has no finite value here", span)
    if isinstance(value, int | float) and abs(value) > LARGEST_EXACT:
        raise RaspError(f"'{sign}' gives more than 2^53: no longer exact", span)
    if isinstance(value, float) and value == int(value) and sign in ("/", "^", "round"):
        return int(value)
    return cast(Atom, value)


def is_power_too_large(base: float, exponent: float) -> bool:
    """Return whether a power exceeds the bound by so much that it must not even be computed."""
    return abs(base) > 1 and exponent * log2(abs(base)) > 53.1
