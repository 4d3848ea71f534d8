"""Readers of a word's symbols as strings, numbers or booleans.

A reader returns None for a symbol that it cannot read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flann.rasp.language.syntax import LARGEST_EXACT, Atom


def read_integer(symbol: Atom) -> Atom:
    """Return the symbol as a whole number."""
    try:
        number = int(cast(Any, symbol))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST_EXACT else None


def read_float(symbol: Atom) -> Atom:
    """Return the symbol as a number."""
    try:
        number = float(cast(Any, symbol))
    except (TypeError, ValueError):
        return None
    return number if abs(number) <= LARGEST_EXACT else None


def read_boolean(symbol: Atom) -> Atom:
    """Return the symbol as a boolean; of strings, only True and False are booleans."""
    if isinstance(symbol, str):
        return {"True": True, "False": False}.get(symbol)
    return bool(symbol)


READERS: dict[str, Callable[[Atom], Atom]] = {
    "tokens_asis": lambda symbol: symbol,
    "tokens_str": str,
    "tokens_int": read_integer,
    "tokens_float": read_float,
    "tokens_bool": read_boolean,
}
EXPECTED_SYMBOLS = {
    "tokens_int": "a whole number",
    "tokens_float": "a number",
    "tokens_bool": "True or False",
    "tokens_asis": "a symbol",
}
"""What the reader of each input accepts, as an error message names it."""
