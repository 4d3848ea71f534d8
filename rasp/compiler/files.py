"""Compiled programs in files: weights as safetensors, the rest as JSON beside them.

Neither runs any code when it is read.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from flann.errors import UserError
from flann.models.attention.transformer import build_transformer
from flann.models.attention.transformer_config import Block, TransformerConfig
from flann.models.core.sequence import Description

from .compiled import DTYPES, MOST_PARAMETERS, Compiled

FORMAT = 1
SET = ("width", "causal", "position", "norm", "activation", "bos", "longest")


def save_compiled(compiled: Compiled, path: Path | str) -> Path:
    """Write a compiled program as ``NAME.safetensors`` with ``NAME.json`` beside it."""
    path = Path(path)
    if path.suffix != ".safetensors":
        raise UserError(f"cannot write {path.name!r}: expected a name that ends in .safetensors")
    weights = {n: t.detach().cpu().contiguous() for n, t in compiled.network.state_dict().items()}
    description = {
        "format": FORMAT,
        "name": compiled.name,
        "symbols": list(compiled.symbols),
        "labels": list(compiled.labels),
        "values": list(compiled.values),
        "max_length": compiled.max_length,
        "notes": dict(compiled.notes),
        "family": compiled.network.family,
        "config": described(cast(TransformerConfig, compiled.network.config)),
    }
    try:
        write(path, save(weights))
        write(path.with_suffix(".json"), (json.dumps(description, indent=2) + "\n").encode())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    return path


def described(config: TransformerConfig) -> dict[str, Any]:
    """The parts of a design that a compiled network sets; the others stand at their defaults."""
    parts = {name: getattr(config, name) for name in SET}
    return {**parts, "blocks": [asdict(block) for block in config.blocks]}


def write(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old one or the whole new one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def load_compiled(path: Path | str) -> Compiled:
    """Read what `save_compiled` wrote.

    Raises
    ------
    UserError
        for files that are missing, damaged, or do not belong together.
    """
    path = Path(path)
    beside = path.with_suffix(".json")
    try:
        told = json.loads(beside.read_text(encoding="utf-8"))
        weights = load(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {error.filename or path}: {error.strerror}") from error
    except (ValueError, SafetensorError) as error:
        raise UserError(f"{path} or {beside.name} is damaged: {str(error)[:80]}") from error
    try:
        return assembled(told, weights)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, IndexError) as error:
        first = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise UserError(f"{beside} does not describe {path.name}: {first}") from error


def assembled(described: dict[str, Any], weights: dict[str, torch.Tensor]) -> Compiled:
    """The compiled program from its description and weights."""
    if described["format"] != FORMAT:
        raise ValueError(f"format {described['format']}: expected {FORMAT}")
    given = described["config"]
    if sum(t.numel() for t in weights.values()) > MOST_PARAMETERS:
        raise ValueError("too many parameters")
    shape = weights["embedding.weight"].shape
    symbols, labels = tuple(described["symbols"]), tuple(described["labels"])
    if shape != (len(symbols) + 1, given["width"]) or len(given["blocks"]) > len(weights):
        raise ValueError(f"an embedding of shape {tuple(shape)} for {len(symbols)} symbols")
    if (given["longest"] or 0) > len(weights.get("layers.0.table", ())):
        raise ValueError("fewer positions than it says")
    blocks = tuple(Block(**block) for block in given["blocks"])
    if any(
        max(b.heads * b.head_width, b.feedforward) > MOST_PARAMETERS // shape[1] for b in blocks
    ):
        raise ValueError("a block is larger than its weights")
    config = TransformerConfig(**{name: given[name] for name in SET}, blocks=blocks)
    notes, length = dict(described["notes"]), int(described["max_length"])
    network = build_transformer(
        config, symbols=len(symbols), labels=len(labels),
        description=Description(
            str(described["name"]), str(described["family"]), config.causal, length,
            {"lr": 1e-4, "steps": 0}, {"width": config.width, "depth": len(blocks)},
        ),
    ).to(DTYPES[notes["precision"]])  # fmt: skip
    network.config = config  # type: ignore[assignment]
    network.load_state_dict(weights)
    values = tuple(described["values"])
    return Compiled(str(described["name"]), network, symbols, labels, values, length, notes)
