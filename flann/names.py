"""The grammar of names: ``name[:option=value,option=value]``.

Tasks and models are named on the command line, in an experiment's JSON and from
Python, and the same text means the same thing in each place::

    mamba:eigenvalues=negative      an option and its value
    dyck-2:mode=recognise,depth=3   several, at commas outside brackets
    regex:(aa|b)*                   after a raw name everything is one argument

Values have no spaces. This module only takes names apart and puts them together; what they stand
for is the business of the registries (`flann.registry`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import UserError

OPENING, CLOSING = "([{", ")]}"


def split_at_commas(text: str) -> list[str]:
    """Split at commas outside brackets.

    >>> split_at_commas("a=1,b=(2,3)")
    ['a=1', 'b=(2,3)']
    """
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in OPENING) - (letter in CLOSING)
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def parse_name(text: str) -> tuple[str, dict[str, str]]:
    """Split a name into its base and its options, all still text.

    >>> parse_name("transformer:position=alibi,norm=post")
    ('transformer', {'position': 'alibi', 'norm': 'post'})
    >>> parse_name("A5")
    ('A5', {})

    Raises
    ------
    UserError
        for an empty name, a space, an option without ``=``, or an option given twice.
    """
    base, colon, rest = text.partition(":")
    if not base or re.search(r"\s", text):
        raise UserError(f"not a name: {text!r}: expected name or name:option=value, no spaces")
    options: dict[str, str] = {}
    for part in split_at_commas(rest) if colon else []:
        option, equals, value = part.partition("=")
        if not (option and equals and value):
            raise UserError(f"in {text!r}: expected option=value after the colon, got {part!r}")
        if option in options:
            raise UserError(f"in {text!r}: the option {option!r} is given twice")
        options[option] = value
    return base, options


def format_name(base: str, options: Mapping[str, object]) -> str:
    """Join a base and options into a name; the inverse of :func:`parse_name`.

    >>> format_name("ids4", {"state_norm": True})
    'ids4:state_norm=true'
    """
    if not options:
        return base
    return base + ":" + ",".join(f"{key}={format_value(value)}" for key, value in options.items())


def format_value(value: object) -> str:
    """Return an option's value as it is typed: ``true``, ``false``, or its text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def make_slug(text: str) -> str:
    """Return a folder name for a name: letters, digits, dots and hyphens only.

    >>> make_slug("mamba:eigenvalues=negative")
    'mamba-eigenvalues-negative'
    """
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.") or "unnamed"
