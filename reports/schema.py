"""What the JSON files of a run folder must hold for a report to be drawn.

Only what a report reads is listed; other fields pass through unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flann.errors import UserError

STATUSES = ("done", "stopped", "diverged")


@dataclass(frozen=True)
class Shape:
    """What a field's value may be: in words, and as a test."""

    words: str
    holds: Callable[[Any], bool]

    def or_nothing(self) -> Shape:
        """The same, or null, or the field left out."""
        return Shape(f"{self.words} or null", lambda value: value is None or self.holds(value))


def is_whole(value: Any) -> bool:
    """A whole number that fits a table; True and False are no numbers here."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def is_number(value: Any) -> bool:
    """A number, infinite ones and NaN among them."""
    return is_whole(value) or isinstance(value, float)


def is_range(value: Any) -> bool:
    """Two lengths, the shorter first."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(is_whole(bound) for bound in value)
        and 1 <= value[0] <= value[1]
    )


TEXT = Shape("text", lambda value: isinstance(value, str))
WHOLE = Shape("a whole number", is_whole)
NUMBER = Shape("a number", is_number)
STATUS = Shape(f"one of {', '.join(STATUSES)}", lambda value: value in STATUSES)
RANGE = Shape("two lengths, the shorter first", is_range)
LENGTHS = Shape(
    "a list of lengths", lambda value: isinstance(value, list) and all(map(is_whole, value))
)
TEXTS = Shape(
    "a list of texts",
    lambda value: isinstance(value, list) and all(isinstance(text, str) for text in value),
)
OBJECT = Shape("an object", lambda value: isinstance(value, dict))
OBJECTS = Shape(
    "a list of objects",
    lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
)

FIELDS: Mapping[str, Mapping[str, Shape]] = {
    "experiment.json": {
        "task": TEXT,
        "model": TEXT,
        "seed": WHOLE,
        "train_lengths": RANGE,
        "test_lengths": LENGTHS.or_nothing(),
    },
    "result.json": {
        "status": STATUS,
        "reach": WHOLE.or_nothing(),
        "parameters": WHOLE.or_nothing(),
        "state_size": WHOLE.or_nothing(),
        "state_size_at": WHOLE.or_nothing(),
        "seconds": NUMBER.or_nothing(),
        "step": WHOLE.or_nothing(),
        "steps": WHOLE.or_nothing(),
        "message": TEXT.or_nothing(),
        "rows": WHOLE.or_nothing(),
        "refused": OBJECT.or_nothing(),
        "overlap": OBJECT.or_nothing(),
    },
    "environment.json": {
        "command": TEXT.or_nothing(),
        "versions": OBJECT.or_nothing(),
        "commit": TEXT.or_nothing(),
        "device": TEXT.or_nothing(),
        "backend": TEXT.or_nothing(),
    },
    "task.json": {"name": TEXT, "summary": TEXT.or_nothing()},
    "theory.json": {
        "family": TEXT.or_nothing(),
        "circuit_class": TEXT.or_nothing(),
        "why": TEXT.or_nothing(),
        "statements": OBJECTS,
    },
}
STATEMENT = {
    "verdict": TEXT,
    "regime": TEXT.or_nothing(),
    "why": TEXT.or_nothing(),
    "citation": TEXT.or_nothing(),
}


def check_fields(content: Mapping[str, Any], fields: Mapping[str, Shape], file: Path) -> None:
    """Refuse content in which a field is missing or of another shape.

    >>> check_fields({"seed": "zero"}, {"seed": WHOLE}, Path("experiment.json"))
    Traceback (most recent call last):
    ...
    flann.errors.UserError: experiment.json: expected a whole number for 'seed', got 'zero'
    """
    for field, shape in fields.items():
        value = content.get(field)
        if field not in content and not shape.holds(None):
            raise UserError(f"{file} has no {field!r}: expected {shape.words}")
        if not shape.holds(value):
            shown = repr(value)[:60]
            raise UserError(f"{file}: expected {shape.words} for {field!r}, got {shown}")
    if fields is FIELDS["theory.json"]:
        for statement in content["statements"]:
            check_fields(statement, STATEMENT, file)
