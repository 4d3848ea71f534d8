"""Tests of Mamba against its equations in a plain loop, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from flann.models.scans.state_space import Eigenvalues
from flann.models.ssm.mamba import SelectiveSSM


def evaluate_equations(mamba: SelectiveSSM, x: Tensor) -> Tensor:
    """Evaluate the module docstring's equations symbol by symbol and channel by channel."""
    E, N, K = mamba.inner, mamba.state, mamba.taps
    outputs = torch.zeros_like(x)
    for b in range(len(x)):
        u, z = (x[b] @ mamba.into.weight.T).split(E, dim=-1)
        h = torch.zeros(E, N, dtype=x.dtype)
        for t in range(x.shape[1]):
            window = [u[t - k] if t >= k else torch.zeros_like(u[0]) for k in range(K)]
            taps = mamba.convolution.weight[:, 0]
            c = functional.silu(
                sum(taps[:, K - 1 - k] * window[k] for k in range(K)) + mamba.convolution.bias
            )
            low, B, C = (mamba.select.weight @ c).split([mamba.rank, N, N])
            dt = torch.log1p(torch.exp(mamba.time_step.weight @ low + mamba.time_step.bias))
            v = torch.zeros(E, dtype=x.dtype)
            for e in range(E):
                decay = torch.exp(dt[e] * -torch.exp(mamba.log_rates[e]))
                if mamba.eigenvalues == "negative":
                    decay = 2 * decay - 1
                h[e] = decay * h[e] + dt[e] * B * c[e]
                v[e] = C @ h[e] + mamba.skip[e] * c[e]
            outputs[b, t] = mamba.out.weight @ (v * z[t] * torch.sigmoid(z[t]))
    return outputs


@pytest.mark.parametrize("eigenvalues", ["positive", "negative"])
@pytest.mark.parametrize("length", [1, 3, 20])
@torch.no_grad()
def test_equals_the_equations(eigenvalues: Eigenvalues, length: int) -> None:
    torch.manual_seed(0)
    mamba = SelectiveSSM(6, 10, state=4, taps=4, eigenvalues=eigenvalues).double()
    x = torch.randn(2, length, 6, dtype=torch.float64)
    torch.testing.assert_close(mamba(x), evaluate_equations(mamba, x))


def test_initial_time_steps_are_log_uniform_as_in_the_paper() -> None:
    torch.manual_seed(0)
    mamba = SelectiveSSM(64, 400, state=4, taps=4, eigenvalues="positive")
    dt = functional.softplus(mamba.time_step.bias)
    assert 0.99e-3 < dt.min() < 1.5e-3
    assert 0.08 < dt.max() < 0.101
    assert dt.median().item() == pytest.approx(1e-2, rel=0.3)  # of a log-uniform distribution


def test_parameter_count_is_the_formula() -> None:
    d, N, K = 48, 16, 4
    E, R = 2 * d, 3
    formula = 2 * d * E + E * K + E + E * (R + 2 * N) + R * E + E + E * N + E + E * d
    mamba = SelectiveSSM(d, E, state=N, taps=K, eigenvalues="positive")
    assert sum(p.numel() for p in mamba.parameters()) == formula
