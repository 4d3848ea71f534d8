"""Implementations with which the benchmarks compare the newer recurrences.

They are models of Hugging Face's transformers, reference functions of flash-linear-attention, and
loops differentiated by autograd. The reference functions are operators rather than models: the peer
is flann's architecture with the function in place of the scan, so that only the recurrence differs.
They are loaded from their files, since other files of that package require triton.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import ModuleType

from torch import Tensor, nn
from typing_extensions import override

from flann.models import model_registry
from flann.models.core.architecture import Sizes
from flann.models.core.fast_weights import FastWeights, Terms
from flann.models.core.layer import Residual
from flann.models.core.sizing import compute_default_second_size


class Rwkv(nn.Module):
    """RWKV-4 of transformers, which without its CUDA kernel is a loop in torch."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        from transformers import RwkvConfig, RwkvModel

        config = RwkvConfig(vocab_size=1, hidden_size=width, num_hidden_layers=depth)
        self.model = RwkvModel(config)

    @override
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(inputs_embeds=x, use_cache=False).last_hidden_state
        return y


class Mamba2(nn.Module):
    """Mamba-2 of transformers, which without CUDA kernels computes by chunks in torch."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        from transformers import Mamba2Config, Mamba2Model

        config = Mamba2Config(
            vocab_size=1, hidden_size=width, num_hidden_layers=depth, num_heads=4,
            head_dim=width // 2, state_size=16, n_groups=1, chunk_size=32,
        )  # fmt: skip
        self.model = Mamba2Model(config)

    @override
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(inputs_embeds=x, use_cache=False).last_hidden_state
        return y


@cache
def load_reference(path: str) -> ModuleType:
    """Load a file of reference functions of the package `fla` without importing the package."""
    package = importlib.util.find_spec("fla")
    assert package is not None
    assert package.submodule_search_locations
    file = Path(package.submodule_search_locations[0], "ops", path)
    spec = importlib.util.spec_from_file_location(f"reference_{file.parent.name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_delta_rule(terms: Terms) -> Tensor:
    """Return y, computed by the reference delta rule."""
    beta = terms.k.norm(dim=-1)
    parts = (terms.q, terms.k / beta[..., None], terms.v, beta)
    run = load_reference("delta_rule/naive.py").delta_rule_recurrence
    y: Tensor = run(*(part.transpose(1, 2) for part in parts))[0]
    return y.transpose(1, 2)


def run_gated_delta_rule(terms: Terms) -> Tensor:
    """Return y, computed by the reference gated delta rule."""
    assert terms.decay is not None
    beta = terms.k.norm(dim=-1)
    parts = (terms.q, terms.k / beta[..., None], terms.v, beta, terms.decay[..., 0].log())
    result = load_reference("gated_delta_rule/naive.py").naive_recurrent_gated_delta_rule(*parts)
    y: Tensor = result[0] if isinstance(result, tuple) else result
    return y


def run_delta_products(terms: Terms) -> Tensor:
    """Return y after the second of two steps a symbol, computed by the reference delta rule."""
    return run_delta_rule(terms)[:, 1::2]


def run_diagonal_plus_rank_one(terms: Terms) -> Tensor:
    """Return y, computed by the reference recurrence of which RWKV-7 is a case."""
    assert terms.lookup_key is not None
    assert terms.decay is not None
    parts = (terms.q, terms.k, terms.v, -terms.lookup_key, terms.erase_key, terms.decay.log())
    run = load_reference("generalized_delta_rule/dplr/naive.py").dplr_recurrence
    y: Tensor = run(*(part.transpose(1, 2) for part in parts if part is not None))[0]
    return y.transpose(1, 2)


def run_linear_attention(terms: Terms) -> Tensor:
    """Return y, computed by the reference linear attention."""
    run = load_reference("linear_attn/naive.py").naive_recurrent_linear_attn
    y: Tensor = run(*terms[:3])[0]
    return y


def replace_scan(name: str, scan: Callable[[Terms], Tensor]) -> Callable[[int, int], nn.Module]:
    """Return a builder of the registered architecture with another scan.

    Scales of q are ignored, as they cost nothing.
    """

    def build(width: int, depth: int) -> nn.Module:
        architecture = model_registry.create(name)
        width -= width % architecture.width_step
        sizes = Sizes(width, compute_default_second_size(architecture, width), depth)
        layers = architecture.build_layers(sizes)
        for layer in layers:
            if isinstance(layer, Residual) and isinstance(layer.layer, FastWeights):
                layer.layer.forward = build_forward(layer.layer, scan)  # type: ignore[method-assign]
        return nn.Sequential(*layers)

    return build


def build_forward(
    layer: FastWeights, scan: Callable[[Terms], Tensor]
) -> Callable[[Tensor], Tensor]:
    """Return the layer's forward pass with another scan."""

    def forward(x: Tensor) -> Tensor:
        terms, beside, _ = layer.compute_terms(x, None)
        return layer.compute_output(scan(terms), beside)

    return forward


class AutogradLoop(nn.Module):
    """The registered architecture, with loops that autograd differentiates as its scans."""

    def __init__(self, name: str, width: int, depth: int) -> None:
        super().__init__()
        architecture = model_registry.create(name)
        width -= width % architecture.width_step
        sizes = Sizes(width, compute_default_second_size(architecture, width), depth)
        self.layers = nn.Sequential(*architecture.build_layers(sizes))

    @override
    def forward(self, x: Tensor) -> Tensor:
        before = os.environ.get("FLANN_SCAN")
        os.environ["FLANN_SCAN"] = "ref"
        try:
            y: Tensor = self.layers(x)
        finally:
            del os.environ["FLANN_SCAN"]
            if before is not None:
                os.environ["FLANN_SCAN"] = before
        return y


def list_loop(name: str) -> dict[str, Callable[[int, int], nn.Module]]:
    """Return the peer of an architecture that no other library provides."""
    return {"autograd's loop": partial(AutogradLoop, name)}


PLAIN = "fla's plain loop"
RECURRENCE_PEERS: dict[str, dict[str, Callable[[int, int], nn.Module]]] = {
    "rwkv-4": {"transformers": Rwkv},
    "mamba-2": {"transformers": Mamba2},
    "deltanet": {PLAIN: replace_scan("deltanet", run_delta_rule)},
    "gated-deltanet": {PLAIN: replace_scan("gated-deltanet", run_gated_delta_rule)},
    "deltaproduct": {PLAIN: replace_scan("deltaproduct", run_delta_products)},
    "rwkv-7": {PLAIN: replace_scan("rwkv-7", run_diagonal_plus_rank_one)},
    "linear-attention": {PLAIN: replace_scan("linear-attention", run_linear_attention)},
    **{
        name: list_loop(name)
        for name in ("stack-rnn", "tape-rnn", "slstm", "mlstm", "ids4-product")
    },
}
