"""Outer-product memories against their papers' equations in plain loops, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from flann.errors import UserError
from flann.models import build_model
from flann.models.core.registry import model_registry
from flann.models.linear.delta_rule import DeltaRule
from flann.models.linear.linear_attention import LinearAttention
from flann.models.linear.rwkv7 import TimeMixing7
from flann.models.recurrent.mlstm import MatrixLSTM
from flann.models.scans.state_space import Eigenvalues
from flann.models.ssm.mamba2 import ScalarDecaySSM

from ..by_hand import HEADS, WIDTH, build_random, convolve_at, make_word

SIZE = WIDTH // HEADS


def heads(x: Tensor) -> Tensor:
    return x.view(HEADS, -1)


def unit(x: Tensor) -> Tensor:
    return x / x.norm()


def rms(x: Tensor) -> Tensor:
    return x / (x.square().mean() + 1e-5).sqrt()


@torch.no_grad()
def test_linear_attention_is_attention_with_a_kernel() -> None:
    layer, x = build_random(LinearAttention, WIDTH, HEADS), make_word()
    q, k, v = (m(x) for m in (layer.query, layer.keys, layer.values))
    for t in range(len(x)):
        y = torch.zeros(HEADS, SIZE).double()
        for h in range(HEADS):
            features = [functional.elu(heads(k[s])[h]) + 1 for s in range(t + 1)]
            weights = [(functional.elu(heads(q[t])[h]) + 1) @ feature for feature in features]
            y[h] = sum(weights[s] * heads(v[s])[h] for s in range(t + 1)) / sum(weights)
        torch.testing.assert_close(layer(x[None])[0, t], layer.out(y.flatten()))


@pytest.mark.parametrize("eigenvalues", ["positive", "negative"])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("factors", [1, 3])
@torch.no_grad()
def test_delta_rule_is_a_product_of_householders(
    eigenvalues: Eigenvalues, gated: bool, factors: int
) -> None:
    layer = build_random(
        DeltaRule, WIDTH, HEADS, factors=factors, gated=gated, eigenvalues=eigenvalues, taps=3
    )
    x, outputs = make_word(), []
    S = torch.zeros(HEADS, SIZE, SIZE).double()
    joined = torch.cat([layer.query(x), layer.keys(x), layer.values(x)], dim=-1)
    for t in range(len(x)):
        parts = convolve_at(layer.convolution, joined, t).split(WIDTH)
        q, k, v = heads(parts[0]), parts[1 : 1 + factors], parts[1 + factors :]
        beta = torch.sigmoid(layer.strength(x[t])).view(factors, HEADS)
        for h in range(HEADS):
            if gated:
                alpha = torch.log1p(torch.exp(layer.forget(x[t])[h]))
                S[h] *= torch.exp(-torch.exp(layer.log_rates[h]) * alpha)
            for j in range(factors):
                b = beta[j, h] * (2 if eigenvalues == "negative" else 1)
                key = unit(heads(k[j])[h])
                S[h] = (torch.eye(SIZE).double() - b * torch.outer(key, key)) @ S[h]
                S[h] += b * torch.outer(key, heads(v[j])[h])
        y = torch.cat([layer.norm.weight * rms(S[h].T @ unit(q[h])) for h in range(HEADS)])
        if gated:
            y = y * functional.silu(layer.gate(x[t]))
        outputs.append(layer.out(y))
    torch.testing.assert_close(layer(x[None])[0], torch.stack(outputs))


def test_eigenvalues_reach_where_they_say() -> None:
    for eigenvalues, most in (("positive", 1), ("negative", 2)):
        layer = build_random(
            DeltaRule, 8, 2, factors=1, gated=False, eigenvalues=eigenvalues, taps=1
        )
        with torch.no_grad():
            layer.strength.weight.mul_(1000)
            terms, _, _ = layer.compute_terms(make_word()[None], None)
        strengths = terms.erase_key.norm(dim=-1)
        assert strengths.max().item() == pytest.approx(most)
        assert strengths.min().item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("eigenvalues", ["positive", "negative"])
@torch.no_grad()
def test_mamba2_is_a_state_space_with_one_decay_a_head(eigenvalues: Eigenvalues) -> None:
    E, N = 12, 5
    layer = build_random(
        ScalarDecaySSM, WIDTH, E, state=N, heads=HEADS, taps=3, eigenvalues=eigenvalues
    )
    x, outputs = make_word(), []
    S = torch.zeros(HEADS, N, E // HEADS).double()
    z, joined, low = layer.into(x).split([E, E + 2 * N, HEADS], dim=-1)
    for t in range(len(x)):
        u, B, C = convolve_at(layer.convolution, joined, t).split([E, N, N])
        v = torch.zeros(HEADS, E // HEADS).double()
        for h in range(HEADS):
            dt = torch.log1p(torch.exp(low[t, h] + layer.step_bias[h]))
            decay = torch.exp(-dt * torch.exp(layer.log_rates[h]))
            if eigenvalues == "negative":
                decay = 2 * decay - 1
            S[h] = decay * S[h] + dt * torch.outer(B, heads(u)[h])
            v[h] = C @ S[h] + layer.skip[h] * heads(u)[h]
        gated = v.flatten() * z[t] * torch.sigmoid(z[t])
        outputs.append(layer.out(layer.norm.weight * rms(gated)))
    torch.testing.assert_close(layer(x[None])[0], torch.stack(outputs))


@pytest.mark.parametrize("forget", ["sigmoid", "exponential"])
@torch.no_grad()
def test_mlstm_is_its_equations_without_the_stabiliser(forget: Any) -> None:
    inner = 12
    layer = build_random(MatrixLSTM, WIDTH, inner, HEADS, taps=3, forget=forget)
    x, outputs, size = make_word(), [], inner // HEADS
    C, n = torch.zeros(HEADS, size, size).double(), torch.zeros(HEADS, size).double()
    u, z = layer.into(x).split(inner, dim=-1)
    for t in range(len(x)):
        c = convolve_at(layer.convolution, u, t)
        q, k, v = (
            torch.stack([heads(source)[h] @ m.weight[h] for h in range(HEADS)])
            for source, m in ((c, layer.query), (c, layer.keys), (u[t], layer.values))
        )
        k = k / size**0.5
        gates = layer.gates(torch.cat([q, k, v]).flatten())
        h_t = torch.zeros(HEADS, size).double()
        for h in range(HEADS):
            i, f = torch.exp(gates[h]), gates[HEADS + h]
            f = torch.sigmoid(f) if forget == "sigmoid" else torch.exp(f)
            C[h], n[h] = f * C[h] + i * torch.outer(k[h], v[h]), f * n[h] + i * k[h]
            h_t[h] = C[h].T @ q[h] / max((n[h] @ q[h]).abs(), torch.tensor(1.0))
        normed = torch.stack([(a - a.mean()) / (a.var(correction=0) + 1e-5).sqrt() for a in h_t])
        y = layer.norm.weight * normed.flatten() + layer.norm.bias + layer.skip * c
        outputs.append(layer.out(y * functional.silu(z[t])))
    torch.testing.assert_close(layer(x[None])[0], torch.stack(outputs))


@torch.no_grad()
def test_rwkv7_is_its_equations() -> None:
    layer, x, outputs = build_random(TimeMixing7, WIDTH, HEADS, 0, 2), make_word(), []
    S = torch.zeros(HEADS, SIZE, SIZE).double()  # value x key, as the paper has it
    for t in range(len(x)):
        before = x[t - 1] if t else torch.zeros_like(x[0])
        at = [share * x[t] + (1 - share) * before for share in layer.shift.share]
        r, k, v = layer.receptance(at[0]), layer.keys(at[2]), layer.values(at[3])
        narrow = layer.decay
        d = narrow.up.weight @ torch.tanh(narrow.down.weight @ at[1]) + narrow.up.bias
        w = torch.exp(-torch.exp(torch.tensor(-0.5).double()) * torch.sigmoid(d))
        narrow = layer.rate
        a = torch.sigmoid(narrow.up.weight @ (narrow.down.weight @ at[4]) + narrow.up.bias)
        g = layer.gate.up.weight @ torch.sigmoid(layer.gate.down.weight @ at[5])
        removed = heads(k * layer.removal)
        k = k * (1 + (a - 1) * layer.replacement)
        read = []
        for h in range(HEADS):
            along = unit(removed[h])
            change = torch.diag(heads(w)[h]) - torch.outer(along, heads(a)[h] * along)
            S[h] = S[h] @ change + torch.outer(heads(v)[h], heads(k)[h])
            y = S[h] @ heads(r)[h]
            read.append((y - y.mean()) / (y.var(correction=0) + SIZE * 1e-5).sqrt())
        y = layer.norm.weight * torch.cat(read) + layer.norm.bias
        own = (heads(r) * layer.bonus * heads(k)).sum(-1, keepdim=True) * heads(v)
        outputs.append(layer.out((y + own.flatten()) * g))
    torch.testing.assert_close(layer(x[None])[0], torch.stack(outputs))


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("deltanet", "delta-rule-nonnegative"),
        ("deltanet:eigenvalues=negative", "delta-rule"),
        ("gated-deltanet:eigenvalues=negative", "delta-rule"),
        ("deltaproduct", "delta-rule-nonnegative"),  # products of these keep the eigenvalues there
        ("deltaproduct:eigenvalues=negative", "householder-products"),
        ("deltaproduct:eigenvalues=negative,factors=1", "delta-rule"),
        ("mamba-2", "nonnegative-ssm"),
        ("mamba-2:eigenvalues=negative", "real-ssm"),
    ],
)
def test_families(name: str, family: str) -> None:
    assert model_registry.create(name).family == family


@pytest.mark.parametrize(
    "wrong",
    ["deltanet:heads=0", "deltaproduct:factors=0", "mamba-2:state=0", "deltanet:taps=0",
     "rwkv-7:heads=-1", "mlstm:heads=0", "linear-attention:heads=0"],
)  # fmt: skip
def test_senseless_options_are_refused_in_one_line(wrong: str) -> None:
    with pytest.raises(UserError, match="expected 1 or more, got") as caught:
        build_model(wrong, symbols=2, labels=2, depth=1, parameters=10_000)
    assert "\n" not in str(caught.value)
