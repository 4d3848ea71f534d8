"""Compiled programs in files: the weights as safetensors, everything else as JSON beside them.

Reading these files runs no code.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from flann.errors import UserError
from flann.files import write_aside, write_json
from flann.models.attention.transformer import build_transformer
from flann.models.attention.transformer_config import Block, TransformerConfig
from flann.models.core.sequence import Description

from .program_network import DTYPES, MOST_PARAMETERS, ProgramNetwork

FORMAT = 1
CONFIG_FIELDS = ("width", "causal", "position", "norm", "activation", "bos", "longest")


def save_network(compiled: ProgramNetwork, path: Path | str) -> Path:
    """Write a compiled program as ``NAME.safetensors``, with ``NAME.json`` beside it.

    Raises
    ------
    UserError
        If the name has another ending, or a file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise UserError(f"cannot write {path.name!r}: expected a name that ends in .safetensors")
    if not path.parent.is_dir():
        raise UserError(f"cannot write {path}: the folder {path.parent} does not exist")
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
        "config": describe_config(cast(TransformerConfig, compiled.network.config)),
    }
    write_aside(path, save(weights))
    write_json(path.with_suffix(".json"), description)
    return path


def describe_config(config: TransformerConfig) -> dict[str, Any]:
    """Return the fields of a configuration that a compiled network sets; the others keep their
    defaults.
    """
    parts = {name: getattr(config, name) for name in CONFIG_FIELDS}
    return {**parts, "blocks": [asdict(block) for block in config.blocks]}


def load_network(path: Path | str) -> ProgramNetwork:
    """Read what `save_network` wrote.

    Raises
    ------
    UserError
        If a file is missing or damaged, or the two do not belong together.
    """
    path = Path(path)
    json_path = path.with_suffix(".json")
    try:
        description = json.loads(json_path.read_text(encoding="utf-8"))
        weights = load(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {error.filename or path}: {error.strerror}") from error
    except (ValueError, SafetensorError) as error:
        raise UserError(f"{path} or {json_path.name} is damaged: {str(error)[:80]}") from error
    try:
        return assemble(description, weights)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, IndexError) as error:
        first = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise UserError(f"{json_path} does not describe {path.name}: {first}") from error


def assemble(description: dict[str, Any], weights: dict[str, torch.Tensor]) -> ProgramNetwork:
    """Return the compiled program with a given description and weights."""
    if description["format"] != FORMAT:
        raise ValueError(f"format {description['format']}: expected {FORMAT}")
    config_fields = description["config"]
    if sum(t.numel() for t in weights.values()) > MOST_PARAMETERS:
        raise ValueError("too many parameters")
    shape = weights["embedding.weight"].shape
    symbols, labels = tuple(description["symbols"]), tuple(description["labels"])
    if shape != (len(symbols) + 1, config_fields["width"]) or len(config_fields["blocks"]) > len(
        weights
    ):
        raise ValueError(f"an embedding of shape {tuple(shape)} for {len(symbols)} symbols")
    if (config_fields["longest"] or 0) > len(weights.get("layers.0.table", ())):
        raise ValueError("fewer positions than the configuration states")
    blocks = tuple(Block(**block) for block in config_fields["blocks"])
    if any(
        max(b.heads * b.head_width, b.feedforward) > MOST_PARAMETERS // shape[1] for b in blocks
    ):
        raise ValueError("a block is larger than its weights")
    config = TransformerConfig(
        **{name: config_fields[name] for name in CONFIG_FIELDS}, blocks=blocks
    )
    notes, length = dict(description["notes"]), int(description["max_length"])
    network = build_transformer(
        config, symbols=len(symbols), labels=len(labels),
        description=Description(
            str(description["name"]), str(description["family"]), config.causal, length,
            {"lr": 1e-4, "steps": 0}, {"width": config.width, "depth": len(blocks)},
        ),
    ).to(DTYPES[notes["precision"]])  # fmt: skip
    network.config = config  # type: ignore[assignment]
    network.load_state_dict(weights)
    values = tuple(description["values"])
    return ProgramNetwork(str(description["name"]), network, symbols, labels, values, length, notes)
