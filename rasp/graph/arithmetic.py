"""Arithmetic on atoms, while a program is built: Python's, within bounds.

Numbers stay within 2^53, where float64 still tells whole numbers apart, and strings within
`LONGEST_TEXT`; so no program can take much memory or time by a sign alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from math import isfinite, log2
from typing import Any, cast

from flann.rasp.language.source_span import Place, RaspError
from flann.rasp.language.syntax import Atom

from .sops import SIGNATURES, TYPE_WORDS, type_of

GREATEST = 2**53
LONGEST_TEXT = 10_000

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


def applied(sign: str, atoms: Sequence[Atom], place: Place) -> Atom:
    """A sign applied to atoms.

    Examples
    --------
    >>> applied("%", [7, 3], Place(1, 1))
    1
    >>> applied("^", [9, 99], Place(1, 3))
    Traceback (most recent call last):
    ...
    flann.rasp.RaspError: line 1, column 3: '^' gives more than 2^53: no longer exact
    """
    if len(atoms) == 1:
        sign = {"-": "neg", "+": "+"}.get(sign, sign)
    types = [type_of(atom) for atom in atoms]
    if len(set(types)) > 1:
        got = " and ".join(TYPE_WORDS[kind] for kind in dict.fromkeys(types))
        raise RaspError(f"'{sign}' of {got}: expected one type", place)
    if sign == "+" and types[0] == "text" and len(atoms) == 2:
        return joined(cast(str, atoms[0]), cast(str, atoms[1]), place)
    wanted = SIGNATURES[sign][0]
    if wanted is not None and types[0] != wanted:
        raise RaspError(
            f"'{sign}': expected {TYPE_WORDS[wanted]}, got {TYPE_WORDS[types[0]]}", place
        )
    if len(atoms) == 1 and sign == "+":
        return atoms[0]
    return checked(sign, cast(Sequence[Any], atoms), place)


def joined(left: str, right: str, place: Place) -> str:
    """Two strings one after the other."""
    if len(left) + len(right) > LONGEST_TEXT:
        raise RaspError(f"a string of more than {LONGEST_TEXT} letters", place)
    return left + right


def checked(sign: str, atoms: Sequence[Any], place: Place) -> Atom:
    """The value, if it is a finite number within bounds."""
    if sign in ("/", "%") and atoms[1] == 0:
        raise RaspError(f"'{sign}' by zero", place)
    if sign == "^" and too_large(*atoms):
        raise RaspError("'^' gives more than 2^53: no longer exact", place)
    try:
        value = FUNCTIONS[sign](*atoms)
    except (ZeroDivisionError, OverflowError) as error:
        raise RaspError(f"'{sign}' has no finite value here", place) from error
    if isinstance(value, complex) or (isinstance(value, float) and not isfinite(value)):
        raise RaspError(f"'{sign}' has no finite value here", place)
    if isinstance(value, int | float) and abs(value) > GREATEST:
        raise RaspError(f"'{sign}' gives more than 2^53: no longer exact", place)
    if isinstance(value, float) and value == int(value) and sign in ("/", "^", "round"):
        return int(value)
    return cast(Atom, value)


def too_large(base: float, exponent: float) -> bool:
    """Whether a power is too large even to compute."""
    return abs(base) > 1 and exponent * log2(abs(base)) > 53.1
