"""Every scan, forward and backward, beside the same scan done in other ways.

    python tests/benchmarks/bench_scans.py [-o FOLDER] [LENGTH ...]   32 and 1024 if none is given

One thread, batch 64. Columns: the compiled kernel in milliseconds, then how many times as long
torch's hand-written loop, autograd through a plain loop, and (for the selective scan) mambapy's
parallel scan take, timed in turn in one run; and for the selective scan the peak memory of each.
``-o`` appends the rows to FOLDER/scans.csv.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from measure import append, in_turn, machine, peak_of, print_peak
from torch import Tensor

from flann.devices import configure_torch
from flann.models.scans import cpu_backend as cpu
from flann.models.scans import reference as ref
from flann.models.scans import torch_backend as loop

BATCH, CHANNELS, STATES = 64, 128, 16
SLOWEST = 256
"""The length beyond which autograd through a plain loop is left out."""


def selective(length: int) -> list[Tensor]:
    """x, Δ, A, B and C; no skip and no gate."""
    x, dt = torch.randn(BATCH, length, CHANNELS), torch.rand(BATCH, length, CHANNELS)
    B, C = torch.randn(2, BATCH, length, STATES).unbind(0)
    return [x, dt, -torch.rand(1, CHANNELS, STATES), B, C, x[:1, 0, :0], x[:, :0]]


def matrices(length: int, state: int = STATES) -> list[Tensor]:
    """A, b and h_0."""
    A = torch.eye(state) + 0.1 * torch.randn(BATCH, length, state, state)
    return [A, torch.randn(BATCH, length, state), torch.randn(BATCH, state)]


def diagonals(length: int, kind: torch.dtype = torch.float32) -> list[Tensor]:
    """a and b."""
    a = 0.5 * torch.randn(BATCH, length, 2 * CHANNELS, dtype=kind)
    return [a, torch.randn(BATCH, length, 2 * CHANNELS, dtype=kind)]


def memories(length: int, heads: int = 4) -> list[Tensor]:
    """q, k, v, decay, look and put."""
    q, k, v = torch.randn(3, BATCH * heads, length, STATES).unbind(0)
    k = k / k.norm(dim=-1, keepdim=True)
    return [q, k, v, torch.rand_like(q), k, 0.5 * k]


def recurrences(length: int, sums: int, state: int = CHANNELS) -> list[Tensor]:
    """g and R."""
    R = torch.randn(1, state, sums * state) / state**0.5
    return [torch.randn(BATCH, length, sums * state), R]


def controllers(length: int, sums: int, cell: int = 8) -> list[Tensor]:
    """g, R, E and bias."""
    R = torch.randn(1, CHANNELS + cell, sums * CHANNELS) / CHANNELS**0.5
    E, bias = torch.randn(1, CHANNELS, cell + 3) / CHANNELS**0.5, torch.randn(1, cell + 3)
    return [torch.randn(BATCH, length, sums * CHANNELS), R, E, bias]


def gates(length: int) -> list[Tensor]:
    """g and R."""
    R = torch.randn(1, 4, CHANNELS // 4, 4, CHANNELS // 4) / CHANNELS**0.5
    return [torch.randn(BATCH, length, 4, CHANNELS), R]


CASES: dict[str, tuple[str, Callable[[int], list[Tensor]], tuple[bool, ...]]] = {
    f"selective, {CHANNELS} channels, {STATES} states": ("selective", selective, (False,)),
    f"diagonal, {2 * CHANNELS} states": ("diagonal", diagonals, ()),
    f"complex diagonal, {2 * CHANNELS} states": (
        "diagonal", partial(diagonals, kind=torch.complex64), ()
    ),
    f"matrix, {STATES} x {STATES}": ("matrix", matrices, (False,)),
    "matrix, 40 x 40, normalised": ("matrix", partial(matrices, state=40), (True,)),
    f"product, {STATES} x {STATES}": ("product", lambda n: matrices(n)[:1], ()),
    f"delta rule, 4 heads of {STATES} x {STATES}": ("delta", memories, ()),
    f"simple recurrence, {CHANNELS} states": ("rnn", partial(recurrences, sums=1), (False,)),
    f"LSTM, {CHANNELS} states": ("lstm", partial(recurrences, sums=4), ()),
    f"GRU, {CHANNELS} states": (
        "gru", lambda n: [*recurrences(n, 3), torch.randn(1, CHANNELS)], ()
    ),
    f"stack, {CHANNELS} states, cells of 8": (
        "memory", partial(controllers, sums=1), (False, False)
    ),
    f"tape, {CHANNELS} states, cells of 8": ("memory", partial(controllers, sums=1), (False, True)),
    f"RMSNorm, {CHANNELS} channels": (
        "rms", lambda n: [torch.randn(BATCH, n, CHANNELS), torch.rand(1, CHANNELS)], ()
    ),
    f"sLSTM, 4 heads, {CHANNELS} channels": ("slstm", gates, (False,)),
}  # fmt: skip


def mambapy_scan(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, *_: Tensor
) -> Tensor:  # fmt: skip
    """The selective scan as mambapy writes it."""
    from mambapy.pscan import pscan

    decay, into = torch.exp(dt.unsqueeze(-1) * A), dt.unsqueeze(-1) * B.unsqueeze(2)
    states = pscan(decay, into * x.unsqueeze(-1))
    found: Tensor = (states @ C.unsqueeze(-1)).squeeze(3)
    return found


def there_and_back(scan: Callable[..., Tensor], inputs: list[Tensor]) -> Callable[[], object]:
    """One pass forward and backward."""
    leaves = [t.detach().requires_grad_() for t in inputs]
    with torch.no_grad():
        weights = torch.randn_like(scan(*leaves))
    return lambda: scan(*leaves).backward(weights)


def rivals(title: str, length: int) -> dict[str, Callable[..., Tensor]]:
    """Each way of doing a scan at this length."""
    kernel, _, flags = CASES[title]
    modules = {"cpu": cpu, "torch": loop} | ({"plain": ref} if length <= SLOWEST else {})
    found: dict[str, Callable[..., Tensor]] = {
        name: lambda *t, m=module: getattr(m, kernel)(*t, *flags)
        for name, module in modules.items()
    }
    if kernel == "selective" and find_spec("mambapy"):
        found["mambapy"] = mambapy_scan
    return found


def main(lengths: list[int], folder: Path | None) -> None:
    """Print the tables."""
    machine()
    for length in lengths:
        print(f"\nforward and backward, batch {BATCH}, length {length}")
        for title, (kernel, make, _) in CASES.items():
            inputs = make(length)
            took = in_turn({n: there_and_back(r, inputs) for n, r in rivals(title, length).items()})
            beside = "".join(
                f"   {name} {ms / took['cpu']:5.1f}x" for name, ms in took.items() if name != "cpu"
            )
            print(f"  {title:40} {took['cpu']:8.1f} ms{beside}", flush=True)
            peaks: dict[str, float] = {}
            if kernel == "selective":
                peaks = {n: peak_of(__file__, title, str(length), n) for n in took}
                listed = "   ".join(f"{n} {mb:,.0f} MB" for n, mb in peaks.items())
                print(f"  {'':40} peak memory: {listed}")
            header = ["scan", "length", "batch", "by", "ms", "times_as_long", "peak_megabytes"]
            rows = [
                [title, length, BATCH, n, f"{ms:.2f}", f"{ms / took['cpu']:.2f}", peak_in(peaks, n)]
                for n, ms in took.items()
            ]
            append(folder, "scans.csv", header, rows)


def peak_in(peaks: dict[str, float], name: str) -> str:
    """Whole megabytes, or nothing."""
    return f"{peaks[name]:.0f}" if name in peaks else ""


if __name__ == "__main__":
    configure_torch(torch.device("cpu"))
    torch.manual_seed(0)
    if sys.argv[1:2] == ["--peak"]:
        what, at, who = sys.argv[2:]
        data = CASES[what][1](int(at))
        small = CASES[what][1](2)
        there_and_back(rivals(what, int(at))[who], small)()  # what is loaded and cached once
        print_peak(there_and_back(rivals(what, int(at))[who], data))
    else:
        sys.path.insert(0, str(Path(__file__).parent))
        parser = argparse.ArgumentParser(description="Every scan, done in several ways.")
        parser.add_argument("lengths", nargs="*", type=int, metavar="LENGTH", default=[32, 1024])
        parser.add_argument("-o", dest="folder", metavar="FOLDER", type=Path)
        wanted = parser.parse_args()
        main(wanted.lengths, wanted.folder)
