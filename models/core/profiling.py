"""What a model costs: operations, memory and time, in training and in generating.

Operations are counted as torch runs (`operations`): two for every multiply-and-add of a matrix
product, of a recurrence or of attention, and 5 n log₂ n for a Fourier transform of n points; what
goes number by number (gates, norms, activations) is left out. Memory in training is what the
forward keeps for the backward (`kept_bytes`), each storage once and parameters not counted. Both
are exact and the same on every machine, for the scan backend in use. Times are medians of the
processor's own time, on one thread what a quiet machine would take.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from math import log2
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from flann.models.scans.dispatch import BACKENDS
from flann.models.scans.operation import NAMESPACE

from .sequence import SequenceModel

STEPS = 16
"""How many generated symbols are timed at each length."""


@dataclass(frozen=True)
class TrainingCost:
    """One forward and backward on one word.

    Attributes
    ----------
    seconds : float
        processor time.
    kept_bytes : int
        held from the forward to the backward.
    """

    seconds: float
    kept_bytes: int


@dataclass(frozen=True)
class StepCost:
    """One generated symbol, after so many others.

    Attributes
    ----------
    length : int
        how many symbols came before it.
    seconds : float
        processor time.
    state_bytes : int
        carried from step to step.
    """

    length: int
    seconds: float
    state_bytes: int


# -- counted ---------------------------------------------------------------------------------------


def operations(model: SequenceModel, length: int) -> float:
    """Operations of the forward pass for each symbol of a word of this length.

    Examples
    --------
    >>> from flann.models import build_model
    >>> model = build_model("lstm", symbols=2, labels=2, depth=1, parameters=10_000)
    >>> 15_000 < operations(model, 64) < 25_000      # two for every weight of a matrix
    True
    """
    counter = FlopCounterMode(display=False, custom_mapping=_formulas())
    with counter, torch.enable_grad():  # as in training, where torch fuses less
        model(_word(model, length))
    return counter.get_total_flops() / length


def kept_bytes(model: SequenceModel, length: int) -> int:
    """What one word's forward pass keeps for its backward pass.

    Examples
    --------
    >>> from flann.models import build_model
    >>> model = build_model("lstm", symbols=2, labels=2, depth=1, parameters=10_000)
    >>> kept_bytes(model, 128) > 1.5 * kept_bytes(model, 64)
    True
    """
    parameters = {p.untyped_storage().data_ptr() for p in model.parameters()}
    seen: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        logits = model(_word(model, length))  # held, so that no storage is used twice
    del logits
    return sum(seen.values())


# -- timed -----------------------------------------------------------------------------------------


def training_cost(model: SequenceModel, length: int, *, repeats: int = 3) -> TrainingCost:
    """Forward and backward on one word of this length."""
    tokens = _word(model, length)

    def once() -> None:
        model.zero_grad(set_to_none=True)
        model(tokens).square().mean().backward()

    once()
    seconds = median(_seconds(once) for _ in range(repeats))
    model.zero_grad(set_to_none=True)
    return TrainingCost(seconds, kept_bytes(model, length))


def step_costs(model: SequenceModel, lengths: list[int]) -> Iterator[StepCost]:
    """Generating on and on: the cost of the symbols just before each of the lengths, in order."""
    if not model.has_step:
        return
    tokens, place = torch.zeros(1, dtype=torch.long), 0
    with torch.no_grad():
        state = model.initial_state(1)
        for length in sorted(lengths):
            taken: list[float] = []
            while place < length:
                began = time.process_time()
                _, state = model.step(tokens, state)
                taken.append(time.process_time() - began)
                place += 1
            yield StepCost(length, median(taken[-STEPS:]), _state_bytes(state))


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def _state_bytes(state: Any) -> int:
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    if isinstance(state, (tuple, list)):
        return sum(map(_state_bytes, state))
    return 0


def _word(model: SequenceModel, length: int) -> Tensor:
    return (torch.arange(length) % model.symbols)[None]


# -- the scans' own counts -------------------------------------------------------------------------


def _formulas() -> dict[Any, Callable[..., int]]:
    """Operations of the scans' operators and of Fourier transforms, by their inputs' shapes."""
    of_scan: dict[str, Callable[..., int]] = {
        "cauchy": lambda a, b, centre, height, z, *_: (
            (10 + 8 * a.shape[1]) * centre.numel() * z.shape[2]
        ),
        "convolution": lambda x, w, *_: 2 * x.numel() * w.shape[2],
        "diagonal": lambda a, *_: (8 if a.is_complex() else 2) * a.numel(),
        "selective": lambda x, dt, A, B, *_: 7 * x.numel() * B.shape[2],  # exp counted as one
        "matrix": lambda A, *_: 2 * A.numel(),
        "product": lambda A, *_: 2 * A.numel() * A.shape[3],
        "delta": _delta_operations,
        "slstm": lambda g, R, *_: 2 * g.numel() * R.shape[2],
        "rnn": lambda g, R, *_: 2 * g.numel() * R.shape[1],
        "lstm": lambda g, R, *_: 2 * g.numel() * R.shape[1],
        "gru": lambda g, R, *_: 2 * g.numel() * R.shape[1],
        "memory": _memory_operations,
    }
    operators = getattr(torch.ops, NAMESPACE)
    found: dict[Any, Callable[..., int]] = {}
    for backend, module in BACKENDS.items():
        import_module(f"flann.models.scans.{module}")  # operators are registered when loaded
        for name, formula in of_scan.items():
            operator = getattr(operators, f"{backend}_{name}", None)
            if operator is not None:
                found[operator] = _on_tensors(formula)
    for name in ("_fft_r2c", "_fft_c2r", "_fft_c2c"):
        found[getattr(torch.ops.aten, name)] = _on_tensors(_fourier_operations)
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    found[attention] = _on_tensors(lambda q, k, v, *_: 4 * q.numel() * k.shape[2])  # all pairs
    found[torch.ops.aten.mkldnn_rnn_layer] = _on_tensors(_lstm_operations)
    return found


def _on_tensors(formula: Callable[..., int]) -> Callable[..., int]:
    """Marks a formula as one that takes the tensors themselves, not their shapes."""

    def counted(*arguments: Any, out_val: Any = None, **_: Any) -> int:
        return formula(*arguments)

    counted._get_raw = True  # type: ignore[attr-defined]  # torch's own mark
    return counted


def _delta_operations(q: Tensor, k: Tensor, v: Tensor, decay: Tensor, look: Tensor, *_: Any) -> int:
    written = 4 + (decay.shape[1] > 0) + 4 * (look.shape[1] > 0)
    return int(written * q.numel() * v.shape[2])


def _memory_operations(
    g: Tensor, R: Tensor, E: Tensor, bias: Tensor, lstm: bool, tape: bool
) -> int:
    """Three products for each number of the memory, which grows from step to step."""
    batch, length = g.shape[:2]
    cells = length * (length + 1) // 2 * (2 if tape else 1)
    steps = batch * length * 2 * (R[0].numel() + E[0].numel())
    return int(steps + batch * 6 * cells * (E.shape[2] - 3))


def _fourier_operations(x: Tensor, dim: list[int], *_: Any) -> int:
    points = x.shape[dim[0]]
    return int(5 * x.numel() * log2(max(2, points)))


def _lstm_operations(x: Tensor, from_x: Tensor, from_h: Tensor, *_: Any) -> int:
    """torch's fused LSTM layer on (length, batch, width)."""
    return 2 * x.shape[0] * x.shape[1] * (from_x.numel() + from_h.numel())
