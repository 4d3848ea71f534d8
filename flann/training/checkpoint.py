"""A checkpoint: one safetensors file with all that a run needs to go on, bit for bit.

Weights and the optimiser's moments are tensors; the step, the seconds and the curriculum are
JSON in the file's header. Training words and lengths need no saving: they are functions of the
step (`flann.streams`). Reading one runs no code.
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
from flann.runs.store import write_aside

MODEL, OPTIMISER = "model.", "optimiser."


def save_checkpoint(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, notes: dict[str, Any]
) -> None:
    """Write a checkpoint atomically; `notes` is whatever JSON can hold."""
    tensors = {MODEL + name: tensor for name, tensor in model.state_dict().items()}
    for number, moments in optimiser.state_dict()["state"].items():
        for name, tensor in moments.items():
            tensors[f"{OPTIMISER}{number}.{name}"] = tensor
    write_aside(path, save(apart(tensors), metadata={"notes": json.dumps(notes)}))


def apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies that share no memory, as safetensors wants them; models may tie their weights."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def load_checkpoint(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    """Put a checkpoint's tensors into the model and the optimiser, and return its notes."""
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads((file.metadata() or {})["notes"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model.load_state_dict(strip(tensors, MODEL))
        moments = strip(tensors, OPTIMISER)
        optimiser.load_state_dict({**optimiser.state_dict(), "state": by_number(moments)})
    except (SafetensorError, KeyError, ValueError, RuntimeError, OSError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"{path} is damaged ({first}): start over with --again") from error
    return dict(notes)


def strip(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def by_number(moments: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """``{"3.exp_avg": tensor}`` as the optimiser keeps it: ``{3: {"exp_avg": tensor}}``."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in moments.items():
        number, _, moment = name.partition(".")
        state.setdefault(int(number), {})[moment] = tensor
    return state
