"""Tables of the architectures' sizes and costs at one parameter budget, and against length."""

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
from flann.models.core.profiling import (
    count_kept_bytes,
    count_operations,
    measure_steps,
    measure_training,
)

SYMBOLS = 60
"""Number of symbols and labels of the measured models, as in the task A5."""
LENGTHS = (64, 256, 1024)
COUNTED_AT = 256
"""Length of the word on which operations and memory are counted."""

Row = dict[str, Any]


def tabulate_sizes(names: list[str], parameters: int, depth: int) -> list[Row]:
    """Tabulate the architectures at one budget; one that cannot meet it has only `refused`.

    Returns
    -------
    list of dict
        name, family, width, second (name and value of the second size), parameters, state (its
        size after T symbols, as a formula), operations and kept_bytes per symbol; or name and
        refused (the reason).
    """
    configure_torch(torch.device("cpu"))
    rows: list[Row] = []
    for name in names or model_names():
        model_registry.create(name, imports=True)  # an unknown name is an error, not a row
        try:
            model = build_at_budget(name, parameters, depth)
        except UserError as error:
            rows.append({"name": name, "refused": str(error)})
            continue
        length = min(COUNTED_AT, model.longest or COUNTED_AT)
        width, second_size = list(model.sizes.items())[:2]
        rows.append(
            {
                "name": model.name,
                "family": model.family,
                "width": width[1],
                "second": f"{second_size[0]} {second_size[1]}",
                "parameters": model.sizes["parameters"],
                "state": format_state_size(model),
                "operations": round(count_operations(model, length)),
                "kept_bytes": round(count_kept_bytes(model, length) / length),
            }
        )
    return rows


def format_state_size(model: SequenceModel) -> str:
    """Return the size of the state after T symbols as a formula in T.

    >>> format_state_size(build_at_budget("gru", 10_000, 1))
    '30'
    >>> format_state_size(build_at_budget("transformer", 10_000, 1))
    '48 T'
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


def measure_costs(
    names: list[str],
    parameters: int,
    depth: int,
    lengths: tuple[int, ...] = LENGTHS,
    watch: Callable[[str, int, str], None] = lambda name, length, what: None,
) -> list[Row]:
    """Measure time and memory of training on one word and of generating, for each length.

    Returns
    -------
    list of dict
        model, length, parameters, training_seconds and training_bytes (for one word), step_seconds
        and state_bytes (for one generated symbol; None if the model has no step form).
    """
    if not lengths or min(lengths) < 1:
        raise UserError(f"lengths {lengths}: expected whole numbers from 1, like 64,256,1024")
    configure_torch(torch.device("cpu"))
    rows: list[Row] = []
    for name in names or model_names():
        model = build_at_budget(name, parameters, depth)
        tested = [n for n in sorted(set(lengths)) if n <= (model.longest or n)]
        training = {}
        for length in tested:
            watch(model.name, length, "training")
            training[length] = measure_training(model, length)
        watch(model.name, tested[-1] if tested else 0, "generating")
        generating = {cost.length: cost for cost in measure_steps(model, tested)}
        for length in tested:
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


def build_at_budget(name: str, parameters: int, depth: int) -> SequenceModel:
    """Build an architecture at a budget, for 60 symbols and 60 labels."""
    return build_model(
        name, symbols=SYMBOLS, labels=SYMBOLS, depth=depth, parameters=parameters, imports=True
    )


def write_costs(rows: list[Row], path: Path) -> None:
    """Write the measured rows as CSV; without rows, only check that the file can be written.

    Raises
    ------
    UserError
        For a suffix other than .csv, or a file that cannot be written.
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
