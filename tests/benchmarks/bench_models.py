"""How fast the models train on this machine, beside its own rates and beside simpler ways.

Run as ``python tests/benchmarks/bench_models.py``; it takes about two minutes on one core. Times
are the best of several, in milliseconds, forward and backward (scans) or whole steps of AdamW
(models).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from flann.models import build_model, model_names
from flann.models.scans import loop, ref

BATCH, LENGTH = 64, 32
EXTRA = ["ids4:state_norm=true", "mamba:eigenvalues=negative"]


def milliseconds(run: Callable[[], object], repeats: int = 5) -> float:
    """The best of several runs, after one that does not count."""
    run()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times) * 1e3


def machine() -> None:
    """The rates of a matrix product, of exp and of a copy."""
    a, b = torch.randn(1024, 1024), torch.randn(1 << 24)
    c = torch.empty_like(b)
    print(f"  matrix product {2 * 1024**3 / milliseconds(lambda: a @ a) / 1e6:8.1f} GFLOP/s")
    print(f"  exp            {len(b) / milliseconds(lambda: torch.exp(b, out=c)) / 1e6:8.2f} G/s")
    print(f"  copy           {8 * len(b) / milliseconds(lambda: c.copy_(b)) / 1e6:8.1f} GB/s")


def forward_and_backward(scan: Callable[..., Tensor], inputs: list[Tensor]) -> float:
    """Milliseconds of one pass there and back."""
    leaves = [t.detach().requires_grad_() for t in inputs]
    weights = torch.randn_like(scan(*leaves))
    return milliseconds(lambda: scan(*leaves).backward(weights), repeats=3)


def selective(length: int, inner: int = 128, state: int = 16) -> list[Tensor]:
    """Inputs of a selective scan."""
    x, dt = torch.randn(BATCH, length, inner), torch.rand(BATCH, length, inner)
    B, C = torch.randn(2, BATCH, length, state)
    return [x, dt, -torch.rand(inner, state), B, C]


def matrices(length: int, state: int) -> list[Tensor]:
    """Inputs of a matrix scan."""
    A = torch.eye(state) + 0.1 * torch.randn(BATCH, length, state, state)
    return [A, torch.randn(BATCH, length, state), torch.randn(BATCH, state)]


def diagonals(length: int, state: int = 256) -> list[Tensor]:
    """Inputs of a diagonal scan."""
    return [torch.rand(BATCH, length, state), torch.randn(BATCH, length, state)]


def scans() -> None:
    """Each scan beside autograd through a plain loop."""
    cases: list[tuple[str, str, list[Tensor], tuple[object, ...]]] = [
        (
            "selective, 16 states, 128 channels, length 32",
            "selective",
            selective(32),
            ("positive",),
        ),
        (
            "selective, 16 states, 128 channels, length 256",
            "selective",
            selective(256),
            ("positive",),
        ),
        ("matrix 40 x 40, normalised, length 32", "matrix", matrices(32, 40), (True,)),
        ("matrix 16 x 16, length 256", "matrix", matrices(256, 16), (False,)),
        ("diagonal, 256 states, length 32", "diagonal", diagonals(32), ()),
        ("diagonal, 256 states, length 256", "diagonal", diagonals(256), ()),
    ]
    for title, name, inputs, more in cases:
        times = [
            forward_and_backward(lambda *t, m=module: getattr(m, name)(*t, *more), inputs)  # noqa: B023
            for module in (loop, ref)
        ]
        print(f"  {title:48} {times[0]:8.1f} ms   plain loop {times[1]:8.1f} ms")


def training_steps() -> None:
    """A whole training step of every model at 100,000 parameters and depth 2."""
    for name in [*model_names(), *EXTRA]:
        model = build_model(name, symbols=60, labels=60, depth=2, parameters=100_000)
        optimiser = torch.optim.AdamW(model.parameter_groups(1e-3), fused=True)
        tokens = torch.randint(60, (BATCH, LENGTH))

        def step(model: nn.Module = model, optimiser: torch.optim.Optimizer = optimiser) -> None:
            optimiser.zero_grad()
            logits = model(tokens)  # noqa: B023
            nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()  # noqa: B023
            optimiser.step()

        took = milliseconds(step)
        rate = BATCH * LENGTH / took
        print(f"  {name:28} {took:8.1f} ms   {rate:8.1f}k symbols/s")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("machine, one thread")
    machine()
    print(f"scans, batch {BATCH}, forward and backward")
    scans()
    print(f"training steps, batch {BATCH}, length {LENGTH}, 100,000 parameters, depth 2")
    training_steps()
