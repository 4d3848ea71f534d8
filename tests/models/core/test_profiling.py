"""Operations and memory are what counting by hand gives."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from flann.models import SequenceModel, model_names, model_of_width
from flann.models.core.profiling import (
    count_kept_bytes,
    count_operations,
    measure_steps,
    measure_training,
)


def model(name: str, width: int = 16) -> SequenceModel:
    return model_of_width(name, symbols=5, labels=3, depth=2, width=width)


@pytest.mark.parametrize("name", model_names())
def test_every_model_is_counted(name: str) -> None:
    """At least two operations for each weight of its linear maps, whatever runs its recurrence."""
    counted = model(name)
    weights = sum(m.weight.numel() for m in counted.modules() if isinstance(m, nn.Linear))
    weights += sum(
        p.numel() for m in counted.modules() if isinstance(m, nn.RNNBase)
        for p in m.parameters() if p.ndim == 2
    )  # fmt: skip
    assert count_operations(counted, 64) >= 2 * weights
    assert count_kept_bytes(counted, 64) > 0


@pytest.mark.parametrize("backend", ["cpu", "torch"])
def test_a_mamba_layer_by_hand(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from flann.models.scans import cpu_backend as cpu

    if backend == "cpu" and cpu.missing():
        pytest.skip(str(cpu.missing()))
    monkeypatch.setenv("FLANN_SCAN", backend)
    d, E, N, R, K = 16, 32, 16, 1, 4
    linear = d * 2 * E + E * (R + 2 * N) + R * E + E * d
    layer = 2 * linear + 2 * K * E + 7 * E * N
    assert count_operations(model("mamba"), 8) == 2 * layer + 2 * d * 3


def test_only_attention_costs_more_on_longer_words() -> None:
    for name in ("lstm", "mamba", "ids4"):
        assert count_operations(model(name), 64) == count_operations(model(name), 128)
    assert count_operations(model("transformer"), 128) > count_operations(model("transformer"), 64)


def test_kept_memory_grows_with_the_word_and_not_with_the_weights() -> None:
    for name in model_names():
        assert count_kept_bytes(model(name), 80) > count_kept_bytes(model(name), 40)
    wide = nn.Linear(16, 1000)

    class Wide(SequenceModel):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return wide(super().forward(tokens).new_zeros(1, tokens.shape[1], 16))

    plain = model("gru")
    plain.__class__ = Wide
    plain.wide = wide
    assert count_kept_bytes(plain, 4) < 16 * 1000  # its input, not its weight of 64 kB


def test_costs_are_measured_at_the_lengths_asked_for() -> None:
    assert [cost.length for cost in measure_steps(model("lstm"), [20, 5])] == [5, 20]
    grown = [cost.state_bytes for cost in measure_steps(model("transformer"), [5, 20])]
    assert grown[1] == 4 * grown[0]
    assert measure_training(model("lstm"), 10).seconds > 0
    bidirectional = model("transformer:causal=false")
    assert list(measure_steps(bidirectional, [5])) == []
