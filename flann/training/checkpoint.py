"""A checkpoint: one safetensors file from which a run resumes bit for bit.

Weights and the optimiser's moments are tensors. The step, the seconds and the curriculum's state
are JSON in the file's header. Training words and lengths need no saving: they are functions of
the step (`flann.streams`). Reading a checkpoint runs no code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from flann.errors import UserError
from flann.files import write_aside

MODEL, OPTIMISER = "model.", "optimiser."


def save_checkpoint(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, notes: dict[str, Any]
) -> None:
    """Write a checkpoint atomically; `notes` may hold anything that JSON can."""
    tensors = {MODEL + name: tensor for name, tensor in model.state_dict().items()}
    for number, moments in optimiser.state_dict()["state"].items():
        for name, tensor in moments.items():
            tensors[f"{OPTIMISER}{number}.{name}"] = tensor
    write_aside(path, save(copy_tensors(tensors), metadata={"notes": json.dumps(notes)}))


def copy_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return copies that share no memory, as safetensors requires; models may tie weights."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def load_checkpoint(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """Load a checkpoint's tensors into the model and the optimiser, and return its notes.

    Raises
    ------
    UserError
        if the file is damaged or belongs to another model.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads((file.metadata() or {})["notes"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model.load_state_dict(strip_prefix(tensors, MODEL))
        moments = strip_prefix(tensors, OPTIMISER)
        optimiser.load_state_dict({**optimiser.state_dict(), "state": group_by_number(moments)})
    except (SafetensorError, KeyError, ValueError, RuntimeError, OSError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"{path} is damaged ({first}): start over with --again") from error
    return dict(notes)


def strip_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names have a prefix, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def group_by_number(moments: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Turn ``{"3.exp_avg": tensor}`` into the optimiser's ``{3: {"exp_avg": tensor}}``."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in moments.items():
        number, _, moment = name.partition(".")
        state.setdefault(int(number), {})[moment] = tensor
    return state
