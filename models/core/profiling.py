"""The cost of a model: operations, memory and time, in training and in generating.

Operations are counted while torch runs (`count_operations`): two for every multiply-add of a matrix
product, of a recurrence or of attention, and 5 n log₂ n for a Fourier transform of n points.
Elementwise operations (gates, norms, activations) are not counted. Memory in training is what the
forward pass keeps for the backward pass (`count_kept_bytes`), counting every storage once and
parameters not at all. For a given scan backend, both are exact and the same on every machine. Times
are medians of the processor time, which on one thread is what an idle machine would take.
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
"""Number of generated symbols that are timed at each length."""


@dataclass(frozen=True)
class TrainingCost:
    """The cost of a forward and backward pass on one word.

    Attributes
    ----------
    seconds : float
        Processor time.
    kept_bytes : int
        Bytes kept from the forward pass for the backward pass.
    """

    seconds: float
    kept_bytes: int


@dataclass(frozen=True)
class StepCost:
    """The cost of generating one symbol.

    Attributes
    ----------
    length : int
        Number of symbols before it.
    seconds : float
        Processor time.
    state_bytes : int
        Size of the carried state.
    """

    length: int
    seconds: float
    state_bytes: int


# -- counts ----------------------------------------------------------------------------------------


def count_operations(model: SequenceModel, length: int) -> float:
    """Count the operations of the forward pass per symbol, on a word of this length.

    Examples
    --------
    >>> from flann.models import build_model
    >>> model = build_model("lstm", symbols=2, labels=2, depth=1, parameters=10_000)
    >>> 15_000 < count_operations(model, 64) < 25_000      # two for each weight of a matrix
    True
    """
    counter = FlopCounterMode(display=False, custom_mapping=_list_formulas())
    with counter, torch.enable_grad():  # as in training, where torch fuses fewer operations
        model(_make_word(model, length))
    return counter.get_total_flops() / length


def count_kept_bytes(model: SequenceModel, length: int) -> int:
    """Count the bytes that the forward pass on one word keeps for the backward pass.

    Examples
    --------
    >>> from flann.models import build_model
    >>> model = build_model("lstm", symbols=2, labels=2, depth=1, parameters=10_000)
    >>> count_kept_bytes(model, 128) > 1.5 * count_kept_bytes(model, 64)
    True
    """
    parameters = {p.untyped_storage().data_ptr() for p in model.parameters()}
    storages: dict[int, int] = {}

    def record(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor):
        logits = model(_make_word(model, length))  # kept alive, so that no storage is reused
    del logits
    return sum(storages.values())


# -- times -----------------------------------------------------------------------------------------


def measure_training(model: SequenceModel, length: int, *, repeats: int = 3) -> TrainingCost:
    """Measure a forward and backward pass on one word of this length."""
    tokens = _make_word(model, length)

    def train_once() -> None:
        model.zero_grad(set_to_none=True)
        model(tokens).square().mean().backward()

    train_once()
    seconds = median(_time(train_once) for _ in range(repeats))
    model.zero_grad(set_to_none=True)
    return TrainingCost(seconds, count_kept_bytes(model, length))


def measure_steps(model: SequenceModel, lengths: list[int]) -> Iterator[StepCost]:
    """Generate one long word and yield the cost per symbol just before each length, in order."""
    if not model.has_step:
        return
    tokens, position = torch.zeros(1, dtype=torch.long), 0
    with torch.no_grad():
        state = model.initial_state(1)
        for length in sorted(lengths):
            durations: list[float] = []
            while position < length:
                start = time.process_time()
                _, state = model.step(tokens, state)
                durations.append(time.process_time() - start)
                position += 1
            yield StepCost(length, median(durations[-STEPS:]), _count_state_bytes(state))


def _time(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _count_state_bytes(state: Any) -> int:
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    if isinstance(state, (tuple, list)):
        return sum(map(_count_state_bytes, state))
    return 0


def _make_word(model: SequenceModel, length: int) -> Tensor:
    return (torch.arange(length) % model.symbols)[None]


# -- formulas of operators -------------------------------------------------------------------------


def _list_formulas() -> dict[Any, Callable[..., int]]:
    """Return formulas for the operations of scans and Fourier transforms, by operator."""
    scan_formulas: dict[str, Callable[..., int]] = {
        "cauchy": lambda a, b, centre, height, z, *_: (
            (10 + 8 * a.shape[1]) * centre.numel() * z.shape[2]
        ),
        "convolution": lambda x, w, *_: 2 * x.numel() * w.shape[2],
        "diagonal": lambda a, *_: (8 if a.is_complex() else 2) * a.numel(),
        # The exponential counts as one operation.
        "selective": lambda x, dt, A, B, *_: 7 * x.numel() * B.shape[2],
        "matrix": lambda A, *_: 2 * A.numel(),
        "product": lambda A, *_: 2 * A.numel() * A.shape[3],
        "delta": _count_delta,
        "slstm": lambda g, R, *_: 2 * g.numel() * R.shape[2],
        "rnn": lambda g, R, *_: 2 * g.numel() * R.shape[1],
        "lstm": lambda g, R, *_: 2 * g.numel() * R.shape[1],
        "gru": lambda g, R, *_: 2 * g.numel() * R.shape[1],
        "memory": _count_memory,
    }
    operators = getattr(torch.ops, NAMESPACE)
    formulas: dict[Any, Callable[..., int]] = {}
    for backend, module in BACKENDS.items():
        import_module(f"flann.models.scans.{module}")  # loading it registers its operators
        for name, formula in scan_formulas.items():
            operator = getattr(operators, f"{backend}_{name}", None)
            if operator is not None:
                formulas[operator] = _take_tensors(formula)
    for name in ("_fft_r2c", "_fft_c2r", "_fft_c2c"):
        formulas[getattr(torch.ops.aten, name)] = _take_tensors(_count_fourier)
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    formulas[attention] = _take_tensors(
        lambda q, k, v, *_: 4 * q.numel() * k.shape[2]
    )  # over all pairs
    formulas[torch.ops.aten.mkldnn_rnn_layer] = _take_tensors(_count_lstm)
    return formulas


def _take_tensors(formula: Callable[..., int]) -> Callable[..., int]:
    """Mark a formula as one that takes the tensors themselves, not their shapes."""

    def count(*arguments: Any, out_val: Any = None, **_: Any) -> int:
        return formula(*arguments)

    count._get_raw = True  # type: ignore[attr-defined]  # the mark that torch looks for
    return count


def _count_delta(q: Tensor, k: Tensor, v: Tensor, decay: Tensor, lookup: Tensor, *_: Any) -> int:
    per_entry = 4 + (decay.shape[1] > 0) + 4 * (lookup.shape[1] > 0)
    return int(per_entry * q.numel() * v.shape[2])


def _count_memory(g: Tensor, R: Tensor, E: Tensor, bias: Tensor, lstm: bool, tape: bool) -> int:
    """Count three products for each entry of the memory, which grows from step to step."""
    batch, length = g.shape[:2]
    cells = length * (length + 1) // 2 * (2 if tape else 1)
    steps = batch * length * 2 * (R[0].numel() + E[0].numel())
    return int(steps + batch * 6 * cells * (E.shape[2] - 3))


def _count_fourier(x: Tensor, dim: list[int], *_: Any) -> int:
    points = x.shape[dim[0]]
    return int(5 * x.numel() * log2(max(2, points)))


def _count_lstm(x: Tensor, from_x: Tensor, from_h: Tensor, *_: Any) -> int:
    """Count torch's fused LSTM layer on (length, batch, width)."""
    return 2 * x.shape[0] * x.shape[1] * (from_x.numel() + from_h.numel())
