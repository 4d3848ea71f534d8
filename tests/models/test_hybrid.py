"""Patterns are read, or refused with a reason; experts are what the papers' sums say."""

from __future__ import annotations

import copy
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from flann.errors import UserError
from flann.models import build_model, model_of_width, model_registry
from flann.models.attention.attention import Attention
from flann.models.core.experts import Experts
from flann.models.core.feedforward import Activation
from flann.models.core.layer import Residual
from flann.models.hybrid import read_pattern
from flann.models.ssm.mamba import SelectiveSSM


def parts(name: str) -> list[object]:
    model = model_of_width(name, symbols=2, labels=2, depth=1, width=8)
    return [layer.layer for layer in model.layers if isinstance(layer, Residual)]


def test_jamba_has_one_attention_in_eight_and_experts_in_every_second_layer() -> None:
    found = parts("hybrid:pattern=7mamba+attention,experts=16")
    mixers, feedforwards = found[::2], found[1::2]
    assert [type(mixer) for mixer in mixers] == [SelectiveSSM] * 7 + [Attention]
    counts = [part.experts for part in feedforwards if isinstance(part, Experts)]
    assert counts == [1, 16] * 4


def test_options_in_brackets_reach_the_mixers() -> None:
    pattern = "mamba(eigenvalues=negative,state=3)+attention(heads=2)"
    mamba, _, attention, _ = parts(f"hybrid:pattern={pattern}")
    assert isinstance(mamba, SelectiveSSM)
    assert isinstance(attention, Attention)
    assert (mamba.eigenvalues, mamba.state, attention.heads) == ("negative", 3, 2)


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["mamba", "s4d", "rwkv-7"]))))
def test_patterns_repeat_what_they_count(elements: list[tuple[int, str]]) -> None:
    pattern = "+".join(f"{count}{name}" for count, name in elements)
    if elements:
        assert read_pattern(pattern) == [name for count, name in elements for _ in range(count)]
    else:
        with pytest.raises(UserError, match="expected elements"):
            read_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("mamab+attention", "did you mean 'mamba'"),
        ("mamba+", "joined by"),
        ("0mamba", "joined by"),
        ("1000mamba", "joined by"),
        ("mamba)state=3(", "joined by"),
        ("os.path:join", "joined by"),
        ("mamba(states=3)", "did you mean 'state'"),
        ("mamba+hybrid", "cannot stand in one"),
        ("attention(causal=false)", "cannot stand in one"),
        ("attention(position=learned)", "cannot stand in one"),
        ("attention(position=sinusoidal)", "cannot stand in one"),
        ("attention(bos=true)", "cannot stand in one"),
        ("attention(loops=2)", "cannot stand in one"),
        ("attention(position=rope,randomised=true)", "cannot stand in one"),
        ("mamba,experts=2", "expected 1 to 1"),
        ("2mamba,experts=1", "2 experts or more"),
        ("2mamba,experts=3,top_k=4", "2 experts or more"),
        ("2mamba,experts=3,balance=-1", "0 or more"),
        ("2mamba,every=1", "expected experts too"),
        ("2mamba,top_k=1", "are for a mixture"),
    ],
)
def test_what_is_no_pattern_is_refused_in_one_line(pattern: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as caught:
        build_model(f"hybrid:pattern={pattern}", symbols=2, labels=2, depth=1, parameters=100_000)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "family"),
    [
        ("mamba+attention", "hybrid"),
        ("mamba+s4d", "hybrid"),
        ("mamba+mamba-2", "nonnegative-ssm"),
        ("mamba+mamba(eigenvalues=negative)", "hybrid"),
        ("3deltanet", "delta-rule-nonnegative"),
    ],
)
def test_a_pattern_of_one_family_is_of_that_family(pattern: str, family: str) -> None:
    assert model_registry.create(f"hybrid:pattern={pattern}").family == family


# -- experts ---------------------------------------------------------------------------------------


def mixture(activation: Activation = "swiglu") -> Experts:
    torch.manual_seed(0)
    return Experts(6, 5, experts=4, top_k=2, balance=0.1, activation=activation).double()


def by_the_sum(
    part: Experts, x: Tensor, activation: Activation = "swiglu"
) -> tuple[Tensor, Tensor]:
    """One symbol: its output, and the shares of all experts."""
    assert part.router is not None
    p = torch.softmax(part.router.weight @ x, dim=0)
    y = torch.zeros_like(x)
    for e in p.argsort(descending=True)[: part.top_k].tolist():
        rows = slice(e * part.inner, (e + 1) * part.inner)
        hidden = part.into.weight[rows] @ x
        if activation == "swiglu":
            assert part.gate is not None
            hidden = functional.silu(part.gate.weight[rows] @ x) * hidden
        else:
            hidden = {"relu": functional.relu, "gelu": functional.gelu}[activation](hidden)
        y = y + p[e] * (part.out.weight[:, rows] @ hidden)
    return y, p


@pytest.mark.parametrize("activation", get_args(Activation))
@torch.no_grad()
def test_experts_are_the_sum_over_the_chosen(activation: Activation) -> None:
    part, x = mixture(activation), torch.randn(2, 7, 6, dtype=torch.float64)
    outputs = part(x)
    for row in range(2):
        for t in range(7):
            expected, _ = by_the_sum(part, x[row, t], activation)
            torch.testing.assert_close(outputs[row, t], expected)


@torch.no_grad()
def test_balance_loss_is_least_when_all_work_alike() -> None:
    part, x = mixture(), torch.randn(2, 7, 6, dtype=torch.float64)
    part(x)
    shares = torch.stack([by_the_sum(part, symbol)[1] for symbol in x.flatten(0, 1)])
    used = torch.zeros(4, dtype=torch.float64)
    for p in shares:
        used[p.argsort(descending=True)[:2]] += 1 / (2 * len(shares))
    expected = 0.1 * 4 * (used * shares.mean(0)).sum()
    torch.testing.assert_close(part.auxiliary_loss(), expected)
    assert part.auxiliary_loss() == 0  # handed over once
    assert part.router is not None
    part.router.weight.zero_()  # shares alike: the least
    part(x)
    assert float(part.auxiliary_loss()) == pytest.approx(0.1)
    part.router.weight[0] = 50 * x[0, 0]  # one expert takes (nearly) all
    part(x[:1, :1])
    assert float(part.auxiliary_loss()) == pytest.approx(0.1 * 4 / 2)


@pytest.mark.parametrize("base", ["hybrid", "transformer", "transformer:loops=2"])
def test_balance_reaches_the_models_own_loss_in_training_alone(base: str) -> None:
    name = f"{base}{',' if ':' in base else ':'}experts=4,balance=0.5"
    model = model_of_width(name, symbols=3, labels=2, depth=2, width=8)
    tokens = torch.randint(3, (4, 9))
    model(tokens)
    loss = model.auxiliary_loss()
    assert isinstance(loss, Tensor)
    loss.backward()
    routers = [m.router for m in model.modules() if isinstance(m, Experts) and m.router]
    assert len(routers) == 2
    assert all(r.weight.grad is not None and r.weight.grad.any() for r in routers)
    model(tokens)
    copy.deepcopy(model)  # a pending loss does not stand in the way
    model.auxiliary_loss()
    model.eval()(tokens)
    assert model.auxiliary_loss() == 0


def test_loops_add_their_balance_up_as_layers_do() -> None:
    """Looping twice costs what two layers with the same weights cost."""
    name, sizes = "transformer:experts=4,balance=0.5", {"symbols": 3, "labels": 2, "width": 8}
    looped = model_of_width(f"{name},loops=2", depth=1, **sizes)  # type: ignore[arg-type]
    deep = model_of_width(name, depth=2, **sizes)  # type: ignore[arg-type]
    with torch.no_grad():
        weights = dict(looped.named_parameters())
        for key, parameter in deep.named_parameters():
            start, _, rest = key.partition(".")
            place, _, inner = rest.partition(".")
            own = f"layers.0.layers.{int(place) % 2}.{inner}" if start == "layers" else key
            parameter.copy_(weights[own])
    tokens = torch.randint(3, (4, 9))
    torch.testing.assert_close(looped(tokens), deep(tokens))
    once, again = looped.auxiliary_loss(), deep.auxiliary_loss()
    torch.testing.assert_close(once, again)
    assert isinstance(once, Tensor)
    assert once.item() >= 2 * 0.5
