"""Tests that flann's models agree with other implementations of the same weights.

The packages are in the extra ``outside``; tests of missing ones are skipped. The operators of
flash-linear-attention require triton, so its reference functions are loaded from their files.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from flann.models.core.experts import Experts
from flann.models.core.fast_weights import FastWeights, Terms, scan
from flann.models.linear.channel_mixing import ChannelMixing
from flann.models.linear.delta_rule import DeltaRule
from flann.models.linear.linear_attention import LinearAttention
from flann.models.linear.rwkv4 import TimeMixing
from flann.models.linear.rwkv7 import TimeMixing7
from flann.models.recurrent.recurrent_layer import RecurrentLayer
from flann.models.ssm.mamba import SelectiveSSM
from flann.models.ssm.mamba2 import ScalarDecaySSM

WIDTH, BATCH, LENGTH = 16, 3, 40


def check_close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def randomise(module: nn.Module) -> Any:
    """Draw every parameter of the module, so that none is left at 0 or 1."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.3 * torch.randn_like(parameter))
    return module.eval()


def draw_stream(length: int = LENGTH) -> Tensor:
    return torch.randn(BATCH, length, WIDTH, generator=torch.Generator().manual_seed(1))


def copy_weights(ours: nn.Module, theirs: nn.Module, names: dict[str, str], **more: Tensor) -> None:
    """Copy parameters from `theirs` by name; every parameter of `ours` has to be given."""
    state = theirs.state_dict()
    values = {mine: state[other] for mine, other in names.items()} | more
    shapes = {name: p.shape for name, p in ours.named_parameters()}
    ours.load_state_dict({name: value.reshape(shapes[name]) for name, value in values.items()})


# -- torch -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@torch.no_grad()
def test_recurrent_networks_equal_torchs_cells(kind: type[nn.RNNBase]) -> None:
    network = randomise(kind(WIDTH, 12, batch_first=True))
    layer = randomise(RecurrentLayer(WIDTH, kind(WIDTH, 12, batch_first=True)))
    layer.cell.load_state_dict(network.state_dict())
    cell = {nn.RNN: nn.RNNCell, nn.GRU: nn.GRUCell, nn.LSTM: nn.LSTMCell}[kind](WIDTH, 12)
    cell.load_state_dict({name[:-3]: value for name, value in network.state_dict().items()})
    state: Any = None
    for t, x in enumerate(draw_stream().unbind(1)):
        state = cell(x, state)
        h = state[0] if isinstance(state, tuple) else state
        check_close(layer(draw_stream())[:, t], layer.project(h))


# -- Hugging Face's transformers -------------------------------------------------------------------


def load_transformers(model: str) -> Any:
    pytest.importorskip("transformers", reason="transformers is in the extra 'outside'")
    return importlib.import_module(f"transformers.models.{model}.modeling_{model}")


MAMBA = {
    "into.weight": "in_proj.weight",
    "convolution.weight": "conv1d.weight",
    "convolution.bias": "conv1d.bias",
    "select.weight": "x_proj.weight",
    "time_step.weight": "dt_proj.weight",
    "time_step.bias": "dt_proj.bias",
    "log_rates": "A_log",
    "skip": "D",
    "out.weight": "out_proj.weight",
}
"""The names of Mamba's parameters in transformers and mambapy, by flann's names."""


@pytest.mark.slow
@torch.no_grad()
def test_mamba_equals_transformers() -> None:
    theirs = load_transformers("mamba")
    config = theirs.MambaConfig(hidden_size=WIDTH, state_size=8, expand=2, conv_kernel=4)
    mixer = randomise(theirs.MambaMixer(config, layer_idx=0))
    layer = SelectiveSSM(WIDTH, 2 * WIDTH, state=8, taps=4, eigenvalues="positive")
    copy_weights(layer, mixer, MAMBA)
    check_close(layer(draw_stream()), mixer(draw_stream()))


@pytest.mark.slow
@torch.no_grad()
def test_mamba_equals_mambapy() -> None:
    theirs: Any = pytest.importorskip("mambapy.mamba", reason="mambapy is in 'outside'")
    block = randomise(theirs.MambaBlock(theirs.MambaConfig(d_model=WIDTH, n_layers=1, d_state=8)))
    layer = SelectiveSSM(WIDTH, 2 * WIDTH, state=8, taps=4, eigenvalues="positive")
    copy_weights(layer, block, MAMBA)
    check_close(layer(draw_stream()), block(draw_stream()))


@pytest.mark.slow
@torch.no_grad()
def test_mamba2_equals_transformers() -> None:
    theirs = load_transformers("mamba2")
    config = theirs.Mamba2Config(
        hidden_size=WIDTH, num_heads=4, head_dim=8, state_size=8, expand=2, n_groups=1,
        conv_kernel=4, chunk_size=16, num_hidden_layers=1, layer_norm_epsilon=1e-5,
    )  # fmt: skip
    mixer = randomise(theirs.Mamba2Mixer(config, layer_idx=0))
    layer = ScalarDecaySSM(WIDTH, 2 * WIDTH, state=8, heads=4, taps=4, eigenvalues="positive")
    names = {
        "into.weight": "in_proj.weight",
        "convolution.weight": "conv1d.weight",
        "convolution.bias": "conv1d.bias",
        "step_bias": "dt_bias",
        "log_rates": "A_log",
        "skip": "D",
        "norm.weight": "norm.weight",
        "out.weight": "out_proj.weight",
    }
    copy_weights(layer, mixer, names)
    check_close(layer(draw_stream()), mixer(draw_stream()))


@pytest.mark.slow
@torch.no_grad()
def test_rwkv4_equals_transformers() -> None:
    theirs = load_transformers("rwkv")
    config = theirs.RwkvConfig(hidden_size=WIDTH, intermediate_size=24, num_hidden_layers=1)
    mixing = randomise(theirs.RwkvSelfAttention(config))
    layer = TimeMixing(WIDTH, 0, 1)
    uses = ("key", "value", "receptance")
    share = torch.cat([getattr(mixing, f"time_mix_{use}")[0] for use in uses])
    names = {
        "keys.weight": "key.weight",
        "values.weight": "value.weight",
        "receptance.weight": "receptance.weight",
        "out.weight": "output.weight",
        "log_rates": "time_decay",
        "bonus": "time_first",
    }
    copy_weights(layer, mixing, names, **{"shift.share": share})
    check_close(layer(draw_stream()), mixing(draw_stream())[0])
    channel = randomise(theirs.RwkvFeedForward(config))
    part = ChannelMixing(WIDTH, 24, 0, 1, gated=True)
    share = torch.cat([channel.time_mix_key[0], channel.time_mix_receptance[0]])
    names = {
        "into.weight": "key.weight",
        "out.weight": "value.weight",
        "receptance.weight": "receptance.weight",
    }
    copy_weights(part, channel, names, **{"shift.share": share})
    check_close(part(draw_stream()), channel(draw_stream())[0])


@pytest.mark.slow
@torch.no_grad()
def test_experts_equal_those_of_jamba() -> None:
    theirs = load_transformers("jamba")
    config = theirs.JambaConfig(
        hidden_size=WIDTH, intermediate_size=12, num_experts=4, num_experts_per_tok=2,
        num_hidden_layers=1,
    )  # fmt: skip
    block = randomise(theirs.JambaSparseMoeBlock(config))
    layer = Experts(WIDTH, 12, experts=4, top_k=2)
    gate, into = block.experts.gate_up_proj.chunk(2, dim=1)
    (router,) = block.router.parameters()
    layer.gate.weight.copy_(gate.flatten(0, 1))
    layer.into.weight.copy_(into.flatten(0, 1))
    layer.out.weight.copy_(block.experts.down_proj.transpose(0, 1).flatten(1))
    assert layer.router is not None
    layer.router.weight.copy_(router)
    check_close(layer(draw_stream()), block(draw_stream()))


# -- flash-linear-attention ------------------------------------------------------------------------


def load_reference(path: str) -> ModuleType:
    """Load a file of reference functions of the package `fla` without importing the package."""
    pytest.importorskip("einops", reason="einops is in the extra 'outside'")
    package = importlib.util.find_spec("fla")
    if package is None or not package.submodule_search_locations:
        pytest.skip("fla-core is in the extra 'outside'")
    file = Path(package.submodule_search_locations[0], "ops", path)
    spec = importlib.util.spec_from_file_location(f"reference_{file.parent.name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compute_terms(layer: FastWeights) -> Terms:
    terms: Terms = layer.compute_terms(draw_stream(), None)[0]
    return terms


def build_delta_rule(**options: Any) -> DeltaRule:
    settings = {"factors": 1, "gated": False, "eigenvalues": "negative"} | options
    layer: DeltaRule = randomise(DeltaRule(WIDTH, 2, taps=4, **settings))
    return layer


def split_strengths(terms: Terms) -> tuple[Tensor, Tensor]:
    """Return the unit keys k and the strengths β, given β k."""
    beta = terms.k.norm(dim=-1)
    return terms.k / beta[..., None], beta


@torch.no_grad()
def test_delta_rule_equals_flash_linear_attention() -> None:
    theirs, terms = load_reference("delta_rule/naive.py"), compute_terms(build_delta_rule())
    k, beta = split_strengths(terms)
    heads_first = [t.transpose(1, 2) for t in (terms.q * terms.q.shape[-1] ** 0.5, k, terms.v)]
    y, _ = theirs.delta_rule_recurrence(*heads_first, beta.transpose(1, 2))
    check_close(scan(terms), y.transpose(1, 2))


@torch.no_grad()
def test_gated_delta_rule_equals_flash_linear_attention() -> None:
    theirs, terms = (
        load_reference("gated_delta_rule/naive.py"),
        compute_terms(build_delta_rule(gated=True)),
    )
    k, beta = split_strengths(terms)
    assert terms.decay is not None
    g = terms.decay[..., 0].log()
    y = theirs.naive_recurrent_gated_delta_rule(terms.q, k, terms.v, beta, g, scale=1.0)
    check_close(scan(terms), y[0] if isinstance(y, tuple) else y)


@pytest.mark.parametrize("gated", [False, True])
@torch.no_grad()
def test_delta_product_equals_flash_linear_attention(gated: bool) -> None:
    theirs = load_reference("gated_delta_product/naive.py")
    terms = compute_terms(build_delta_rule(factors=3, gated=gated))
    k, beta = split_strengths(terms)
    g = None if terms.decay is None else terms.decay[:, ::3, :, 0].log()
    y, _ = theirs.naive_recurrent_gated_delta_product(
        terms.q[:, ::3], k, terms.v, g, beta, scale=1.0, num_householder=3
    )
    check_close(scan(terms)[:, 2::3], y)


@torch.no_grad()
def test_rwkv7s_memory_equals_flash_linear_attention() -> None:
    theirs = load_reference("generalized_delta_rule/dplr/naive.py")
    terms = compute_terms(randomise(TimeMixing7(WIDTH, 2, 0, 1)))
    assert terms.lookup_key is not None
    assert terms.erase_key is not None
    assert terms.decay is not None
    parts = (
        terms.q * terms.q.shape[-1] ** 0.5, terms.k, terms.v, -terms.lookup_key, terms.erase_key,
        terms.decay.log(),
    )  # fmt: skip
    y, _ = theirs.dplr_recurrence(*(part.transpose(1, 2) for part in parts))
    check_close(scan(terms), y.transpose(1, 2))


@torch.no_grad()
def test_linear_attention_equals_flash_linear_attention() -> None:
    theirs = load_reference("linear_attn/naive.py")
    layer = randomise(LinearAttention(WIDTH, 2))
    q, k, v = (layer.split_heads(m(draw_stream())) for m in (layer.query, layer.keys, layer.values))
    q, k = functional.elu(q) + 1, functional.elu(k) + 1
    y, _ = theirs.naive_recurrent_linear_attn(q, k, v, normalize=True)
    check_close(layer(draw_stream()), layer.out(y.flatten(2)))


def test_the_comparison_can_fail() -> None:
    with pytest.raises(AssertionError):
        check_close(draw_stream() + 1e-3, draw_stream())
    with pytest.raises(RuntimeError, match="Missing key"):
        copy_weights(nn.Linear(2, 2), nn.Linear(2, 2), {"weight": "weight"})
