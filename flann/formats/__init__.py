"""How a task is presented to a model.

The formats are::

    direct     the word goes in as it is, and a label comes out at every position
    cot        after the word the model generates one symbol after another (chain of thought)
    padding=k  k symbols without meaning give the model room to compute
"""

from __future__ import annotations

from flann.errors import UnknownNameError, UserError
from flann.tasks import Task

from .chain_of_thought import ChainOfThought
from .direct import Direct
from .format import Format, Predictor
from .padding import Padding

__all__ = ["Format", "Predictor", "get_format"]

EXAMPLES = ("direct", "cot", "padding=2")


def get_format(name: str, task: Task) -> Format:
    """Return the format of this name for a task.

    Raises
    ------
    UserError
        for an unknown format, or one that the task cannot be presented in.

    Examples
    --------
    >>> from flann.tasks import get_task
    >>> get_format("padding=2", get_task("parity")).symbols
    3
    """
    base, equals, value = name.partition("=")
    if base == "padding":
        return Padding(task, parse_count(value) if equals else None)
    if name == "direct":
        return Direct(task)
    if name == "cot":
        return ChainOfThought(task)
    raise UnknownNameError("format", name, EXAMPLES)


def parse_count(text: str) -> int:
    """Return the number of padding symbols that a format's name gives."""
    try:
        return int(text)
    except ValueError as error:
        raise UserError(f"format padding={text}: expected a whole number") from error
