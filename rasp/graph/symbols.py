"""The symbols of a word, read as strings, numbers or booleans; None for what cannot be read so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flann.rasp.language.syntax import Atom

GREATEST = 2.0**53  # whole numbers to here are exact


def whole(symbol: Atom) -> Atom:
    """A whole number."""
    try:
        return int(cast(Any, symbol)) if abs(int(cast(Any, symbol))) <= GREATEST else None
    except (TypeError, ValueError, OverflowError):
        return None


def decimal(symbol: Atom) -> Atom:
    """A number."""
    try:
        value = float(cast(Any, symbol))
    except (TypeError, ValueError):
        return None
    return value if abs(value) <= GREATEST else None


def truth(symbol: Atom) -> Atom:
    """A boolean."""
    if isinstance(symbol, str):
        return {"True": True, "False": False}.get(symbol)
    return bool(symbol)


READERS: dict[str, Callable[[Atom], Atom]] = {
    "tokens_asis": lambda symbol: symbol,
    "tokens_str": str,
    "tokens_int": whole,
    "tokens_float": decimal,
    "tokens_bool": truth,
}
READ_AS = {
    "tokens_int": "a whole number",
    "tokens_float": "a number",
    "tokens_bool": "True or False",
    "tokens_asis": "a symbol",
}
