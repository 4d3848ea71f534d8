"""The fields that a report needs in the JSON files of a run folder, and their types.

Only the fields that a report reads are listed; others are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flann.errors import UserError

STATUSES = ("done", "stopped", "diverged")


@dataclass(frozen=True)
class FieldType:
    """The values that a field may have.

    Attributes
    ----------
    description : str
        What the field holds, for error messages.
    accepts : callable
        A predicate on values.
    """

    description: str
    accepts: Callable[[Any], bool]

    def or_null(self) -> FieldType:
        """Return a type that also accepts null, or that the field is missing."""
        return FieldType(
            f"{self.description} or null", lambda value: value is None or self.accepts(value)
        )


def is_whole(value: Any) -> bool:
    """Return whether a value is an integer that fits a table; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def is_number(value: Any) -> bool:
    """Return whether a value is a number, which may be infinite or NaN."""
    return is_whole(value) or isinstance(value, float)


def is_range(value: Any) -> bool:
    """Return whether a value is a pair of lengths, the shorter first."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(is_whole(bound) for bound in value)
        and 1 <= value[0] <= value[1]
    )


TEXT = FieldType("text", lambda value: isinstance(value, str))
WHOLE = FieldType("a whole number", is_whole)
NUMBER = FieldType("a number", is_number)
STATUS = FieldType(f"one of {', '.join(STATUSES)}", lambda value: value in STATUSES)
RANGE = FieldType("two lengths, the shorter first", is_range)
LENGTHS = FieldType(
    "a list of lengths", lambda value: isinstance(value, list) and all(map(is_whole, value))
)
TEXTS = FieldType(
    "a list of texts",
    lambda value: isinstance(value, list) and all(isinstance(text, str) for text in value),
)
OBJECT = FieldType("an object", lambda value: isinstance(value, dict))
OBJECTS = FieldType(
    "a list of objects",
    lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
)

FIELDS: Mapping[str, Mapping[str, FieldType]] = {
    "experiment.json": {
        "task": TEXT,
        "model": TEXT,
        "seed": WHOLE,
        "train_lengths": RANGE,
        "test_lengths": LENGTHS.or_null(),
    },
    "result.json": {
        "status": STATUS,
        "reach": WHOLE.or_null(),
        "parameters": WHOLE.or_null(),
        "state_size": WHOLE.or_null(),
        "state_size_at": WHOLE.or_null(),
        "seconds": NUMBER.or_null(),
        "step": WHOLE.or_null(),
        "steps": WHOLE.or_null(),
        "message": TEXT.or_null(),
        "rows": WHOLE.or_null(),
        "refused": OBJECT.or_null(),
        "overlap": OBJECT.or_null(),
    },
    "environment.json": {
        "command": TEXT.or_null(),
        "versions": OBJECT.or_null(),
        "commit": TEXT.or_null(),
        "device": TEXT.or_null(),
        "backend": TEXT.or_null(),
    },
    "task.json": {"name": TEXT, "summary": TEXT.or_null()},
    "theory.json": {
        "family": TEXT.or_null(),
        "circuit_class": TEXT.or_null(),
        "why": TEXT.or_null(),
        "statements": OBJECTS,
    },
}
STATEMENT = {
    "verdict": TEXT,
    "regime": TEXT.or_null(),
    "why": TEXT.or_null(),
    "citation": TEXT.or_null(),
}


def check_fields(content: Mapping[str, Any], fields: Mapping[str, FieldType], file: Path) -> None:
    """Check that content has every field, and that every field is of its type.

    Raises
    ------
    UserError
        For the first field that is missing or of another type.

    Examples
    --------
    >>> check_fields({"seed": "zero"}, {"seed": WHOLE}, Path("experiment.json"))
    Traceback (most recent call last):
    ...
    flann.errors.UserError: experiment.json: expected a whole number for 'seed', got 'zero'
    """
    for field, field_type in fields.items():
        value = content.get(field)
        if field not in content and not field_type.accepts(None):
            raise UserError(f"{file} has no {field!r}: expected {field_type.description}")
        if not field_type.accepts(value):
            shown = repr(value)[:60]
            raise UserError(f"{file}: expected {field_type.description} for {field!r}, got {shown}")
    if fields is FIELDS["theory.json"]:
        for statement in content["statements"]:
            check_fields(statement, STATEMENT, file)
