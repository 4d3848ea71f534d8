"""The ranges of an experiment's fields, checked without reading or building anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from flann.errors import UnknownNameError, UserError

Schedule = Literal["flat", "cosine"]
LOSSES = ("cross-entropy",)
PRECISIONS = ("float32",)

POSITIVE_WHOLE = ("depth", "parameters", "batch", "test_size", "train_words")
WHOLE = ("steps", "warmup", "seed")
SHARES = ("growth", "gate", "stop_at", "beta2")
POSITIVE = ("lr", "clip")


def check_fields(fields: Mapping[str, Any]) -> None:
    """Refuse a field whose value lies outside its range.

    Parameters
    ----------
    fields : mapping of str to object
        the fields of an experiment by name; a field that is None has its default.

    Raises
    ------
    UserError
        for the first field that is out of range.
    """
    for name in ("task", "model"):
        if not isinstance(fields[name], str):
            raise UserError(f"{name} {fields[name]!r}: expected a name")
    check_train_lengths(fields["train_lengths"])
    given = {name: value for name, value in fields.items() if value is not None}
    for name in POSITIVE_WHOLE:
        check_at_least(name, given.get(name, 1), 1)
    for name in WHOLE:
        check_at_least(name, given.get(name, 0), 0)
    for name in SHARES:
        if not 0 <= given.get(name, 0) <= 1:
            raise UserError(f"{spell_field(name)} {given[name]}: expected a number from 0 to 1")
    for name in POSITIVE:
        if not given.get(name, 1) > 0:
            raise UserError(f"{spell_field(name)} {given[name]}: expected a positive number")
    if not given["weight_decay"] >= 0:
        raise UserError(f"weight decay {given['weight_decay']}: expected 0 or more")
    for length in given.get("test_lengths", ()):
        check_at_least("test length", length, 1)
    check_choice("schedule", given["schedule"], get_args(Schedule))
    check_choice("loss", given["loss"], LOSSES)
    check_choice("precision", given["precision"], PRECISIONS)


def check_train_lengths(lengths: Sequence[int]) -> None:
    """Refuse a range of training lengths that is no range."""
    if len(lengths) != 2:
        raise UserError(f"train lengths {lengths}: expected shortest and longest")
    low, high = lengths
    if not 1 <= low <= high:
        raise UserError(f"train lengths {low}:{high}: expected 1 <= shortest <= longest")


def check_at_least(name: str, value: int, least: int) -> None:
    """Refuse a value below the least one."""
    if value < least:
        raise UserError(f"{spell_field(name)} {value}: expected {least} or more")


def check_choice(name: str, value: str, known: Sequence[str]) -> None:
    """Refuse a value that is none of the known ones, and name the nearest."""
    if value not in known:
        raise UnknownNameError(name, value, known)


def spell_field(name: str) -> str:
    """Return a field's name as messages write it.

    >>> spell_field("train_words")
    'train words'
    """
    return name.replace("_", " ")
