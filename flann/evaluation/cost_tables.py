"""What the architectures cost at matched size: as a table of sizes, and measured against length."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from flann.devices import configure_torch
from flann.errors import UserError
from flann.files import write_aside
from flann.models import SequenceModel, build_model, model_names, model_registry
from flann.models.core.profiling import kept_bytes, operations, step_costs, training_cost

SYMBOLS = 60
"""Symbols and labels of the models measured: those of A5."""
LENGTHS = (64, 256, 1024)
COUNTED_AT = 256
"""The length of word at which operations and memory are counted."""
NUMBER = 4  # bytes

Row = dict[str, Any]


def matched(names: list[str], parameters: int, depth: int) -> list[Row]:
    """Every architecture at one budget; one that cannot meet it has only `refused`, the reason.

    Returns
    -------
    list of dict
        name, family, width, second (the knob's name and its size), parameters, state (numbers
        carried after T symbols, as a formula), operations and kept_bytes for each symbol.
    """
    configure_torch(torch.device("cpu"))
    rows: list[Row] = []
    for name in names or model_names():
        model_registry.create(name, imports=True)  # a mistyped name is no matter of budgets
        try:
            model = sized(name, parameters, depth)
        except UserError as error:
            rows.append({"name": name, "refused": str(error)})
            continue
        length = min(COUNTED_AT, model.longest or COUNTED_AT)
        width, second = list(model.sizes.items())[:2]
        rows.append(
            {
                "name": model.name,
                "family": model.family,
                "width": width[1],
                "second": f"{second[0]} {second[1]}",
                "parameters": model.sizes["parameters"],
                "state": state_formula(model),
                "operations": round(operations(model, length)),
                "kept_bytes": round(kept_bytes(model, length) / length),
            }
        )
    return rows


def state_formula(model: SequenceModel) -> str:
    """How many numbers are carried after T symbols: a constant, or so many for each symbol.

    >>> state_formula(sized("gru", 10_000, 1)), state_formula(sized("transformer", 10_000, 1))
    ('30', '48 T')
    """
    if not model.has_step:
        return "none"
    one, two, three = (model.state_size(length) or 0 for length in (1, 2, 3))
    slope = two - one
    if three - two != slope:
        return f"{model.state_size(COUNTED_AT):,} at {COUNTED_AT}"
    parts = [f"{slope:,} T"] if slope else []
    parts += [f"{one - slope:,}"] if one - slope or not slope else []
    return " + ".join(parts)


def measured(
    names: list[str],
    parameters: int,
    depth: int,
    lengths: tuple[int, ...] = LENGTHS,
    watch: Callable[[str, int, str], None] = lambda name, length, what: None,
) -> list[Row]:
    """Time and memory of training on one word, and of generating, against length.

    Returns
    -------
    list of dict
        model, length, training_seconds and training_bytes (a word), step_seconds and state_bytes
        (a generated symbol; None without a step form), parameters.
    """
    if not lengths or min(lengths) < 1:
        raise UserError(f"lengths {lengths}: expected whole numbers from 1, like 64,256,1024")
    configure_torch(torch.device("cpu"))
    rows: list[Row] = []
    for name in names or model_names():
        model = sized(name, parameters, depth)
        within = [n for n in sorted(set(lengths)) if n <= (model.longest or n)]
        training = {}
        for length in within:
            watch(model.name, length, "training")
            training[length] = training_cost(model, length)
        watch(model.name, within[-1] if within else 0, "generating")
        generating = {cost.length: cost for cost in step_costs(model, within)}
        for length in within:
            step = generating.get(length)
            rows.append(
                {
                    "model": model.name,
                    "length": length,
                    "parameters": model.sizes["parameters"],
                    "training_seconds": training[length].seconds,
                    "training_bytes": training[length].kept_bytes,
                    "step_seconds": step.seconds if step else None,
                    "state_bytes": step.state_bytes if step else None,
                }
            )
    return rows


def sized(name: str, parameters: int, depth: int) -> SequenceModel:
    """An architecture at a budget, for words of 60 symbols."""
    return build_model(
        name, symbols=SYMBOLS, labels=SYMBOLS, depth=depth, parameters=parameters, imports=True
    )


def write_costs(rows: list[Row], path: Path) -> None:
    """The measured rows as CSV; with no rows yet, only see that they could be written.

    Raises
    ------
    UserError
        for another suffix, or a file that cannot be written.
    """
    if path.suffix != ".csv":
        raise UserError(f"cannot write {path.name!r}: expected .csv at its end")
    text = io.StringIO()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if rows:
            writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            write_aside(path, text.getvalue())
        elif not os.access(path.parent, os.W_OK):
            raise UserError(f"cannot write {path}: the folder is not open to you")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
