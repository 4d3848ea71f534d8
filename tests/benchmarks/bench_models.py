"""A training step of every model beside what a user would pick instead, at equal size.

    python tests/benchmarks/bench_models.py [--quick] [-o FOLDER] [MODEL ...]

One thread; a whole step of AdamW (forward, loss, backward, update), median milliseconds, and how
many times as long each peer's takes: above 1 the model is the faster. Each model and its peers are
timed in turn in one run. At 100,000 parameters (depth 2, batch 64) and 3.2 million (depth 4,
batch 8), lengths 32, 256 and 1,024 (batch 8); then the peak memory of a step at length 4,096 and
batch 8. ``--quick`` does 100,000 parameters at length 32 only; ``-o`` appends what was found to
FOLDER/steps.csv and FOLDER/peaks.csv. The peers: see `peers.py`; mambapy, transformers and
flash-linear-attention are timed where they are installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from measure import append, in_turn, machine, peak_of, print_peak
from peers import peers_of, sized
from torch import nn
from torch.nn.functional import cross_entropy

from flann.devices import configure_torch
from flann.models import build_model, model_names

SYMBOLS = 60
EXTRA = ["ids4:state_norm=true", "mamba:eigenvalues=negative"]
SETTINGS = [
    (parameters, depth, length, 64 if length <= most else 8)
    for parameters, depth, most in ((100_000, 2, 256), (3_200_000, 4, 0))
    for length in (32, 256, 1024)
]
LONG, FEW = 4096, 8
SIZE = ["model", "parameters", "depth", "length", "batch"]


def training_step(model: nn.Module, batch: int, length: int) -> Callable[[], object]:
    """One step on fixed words."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    tokens = torch.randint(SYMBOLS, (batch, length))

    def step() -> None:
        optimiser.zero_grad()
        logits = model(tokens)
        cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()
        optimiser.step()

    return step


def ours(name: str, depth: int, parameters: int) -> nn.Module:
    """The registered model."""
    return build_model(name, symbols=SYMBOLS, labels=SYMBOLS, depth=depth, parameters=parameters)


def compare(name: str, parameters: int, depth: int, length: int, batch: int) -> list[Any]:
    """Print one line: the model's time, and its peers' as multiples of it. Rows of the table."""
    models = {"": ours(name, depth, parameters)}
    for peer, make in peers_of(name, length).items():
        models[peer] = sized(make, SYMBOLS, depth, parameters)
    took = in_turn({n: training_step(model, batch, length) for n, model in models.items()})
    mine = took.pop("")
    beside = "".join(f"   {n} {ms / mine:5.2f}x" for n, ms in took.items())
    rate = batch * length / mine
    print(f"  {name:28} {mine:9.1f} ms {rate:8.1f}k symbols/s{beside}", flush=True)
    row = [name, parameters, depth, length, batch, f"{mine:.1f}"]
    beside_it = [[peer, f"{ms / mine:.2f}"] for peer, ms in took.items()] or [["", ""]]
    return [row + peer for peer in beside_it]


def main(names: list[str], quick: bool, folder: Path | None) -> None:
    """Print the tables."""
    machine()
    for parameters, depth, length, batch in SETTINGS[:1] if quick else SETTINGS:
        print(f"\n{parameters:,} parameters, depth {depth}, length {length}, batch {batch}")
        for name in names:
            rows = compare(name, parameters, depth, length, batch)
            append(folder, "steps.csv", [*SIZE, "ms", "peer", "times_as_long"], rows)
    if not quick:
        print(f"\npeak memory of a step: 100,000 parameters, depth 2, length {LONG}, batch {FEW}")
        for name in names:
            peak = peak_of(__file__, name)
            print(f"  {name:28} {peak:9,.0f} MB", flush=True)
            row = [name, 100_000, 2, LONG, FEW, f"{peak:.0f}"]
            append(folder, "peaks.csv", [*SIZE, "megabytes"], [row])


def read_arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="A training step of every model and its peers.")
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("-o", dest="folder", metavar="FOLDER", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    configure_torch(torch.device("cpu"))
    torch.manual_seed(0)
    if sys.argv[1:2] == ["--peak"]:
        model = ours(sys.argv[2], 2, 100_000)
        training_step(model, 2, 64)()
        print_peak(training_step(model, FEW, LONG))
    else:
        wanted = read_arguments()
        main(wanted.models or [*model_names(), *EXTRA], wanted.quick, wanted.folder)
