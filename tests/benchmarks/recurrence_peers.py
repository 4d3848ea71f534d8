"""Peers of the newer recurrences: Hugging Face's, flash-linear-attention's plain functions, a loop.

The latter are operators, not models: the peer is our own architecture with the plain function in
place of the scan, so that the difference is the recurrence alone. They are loaded from their files,
since the package's other files need triton.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import ModuleType

from torch import Tensor, nn

from flann.models import model_registry
from flann.models.core.architecture import Sizes
from flann.models.core.fast_weights import FastWeights, Terms
from flann.models.core.layer import Residual
from flann.models.core.sizing import compute_default_second_size


class Rwkv(nn.Module):
    """transformers' RWKV-4, which without its CUDA kernel is a loop in torch."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        from transformers import RwkvConfig, RwkvModel

        config = RwkvConfig(vocab_size=1, hidden_size=width, num_hidden_layers=depth)
        self.model = RwkvModel(config)

    def forward(self, x: Tensor) -> Tensor:
        """The stack's output."""
        found: Tensor = self.model(inputs_embeds=x, use_cache=False).last_hidden_state
        return found


class Mamba2(nn.Module):
    """transformers' Mamba-2, which without CUDA kernels goes by chunks in torch."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        from transformers import Mamba2Config, Mamba2Model

        config = Mamba2Config(
            vocab_size=1, hidden_size=width, num_hidden_layers=depth, num_heads=4,
            head_dim=width // 2, state_size=16, n_groups=1, chunk_size=32,
        )  # fmt: skip
        self.model = Mamba2Model(config)

    def forward(self, x: Tensor) -> Tensor:
        """The stack's output."""
        found: Tensor = self.model(inputs_embeds=x, use_cache=False).last_hidden_state
        return found


@cache
def reference(path: str) -> ModuleType:
    """A file of plain functions in the package `fla`, loaded without the package."""
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


def by_delta_rule(terms: Terms) -> Tensor:
    """y by the plain delta rule."""
    beta = terms.k.norm(dim=-1)
    parts = (terms.q, terms.k / beta[..., None], terms.v, beta)
    run = reference("delta_rule/naive.py").delta_rule_recurrence
    found: Tensor = run(*(part.transpose(1, 2) for part in parts))[0]
    return found.transpose(1, 2)


def by_gated_delta_rule(terms: Terms) -> Tensor:
    """y by the plain gated delta rule."""
    assert terms.decay is not None
    beta = terms.k.norm(dim=-1)
    parts = (terms.q, terms.k / beta[..., None], terms.v, beta, terms.decay[..., 0].log())
    found = reference("gated_delta_rule/naive.py").naive_recurrent_gated_delta_rule(*parts)
    y: Tensor = found[0] if isinstance(found, tuple) else found
    return y


def by_delta_products(terms: Terms) -> Tensor:
    """y by the plain delta rule, at the second of two steps a symbol."""
    return by_delta_rule(terms)[:, 1::2]


def by_diagonal_plus_rank_one(terms: Terms) -> Tensor:
    """y by the plain recurrence that RWKV-7 is a case of."""
    assert terms.lookup_key is not None
    assert terms.decay is not None
    parts = (terms.q, terms.k, terms.v, -terms.lookup_key, terms.erase_key, terms.decay.log())
    run = reference("generalized_delta_rule/dplr/naive.py").dplr_recurrence
    y: Tensor = run(*(part.transpose(1, 2) for part in parts if part is not None))[0]
    return y.transpose(1, 2)


def by_sums(terms: Terms) -> Tensor:
    """y by plain linear attention."""
    run = reference("linear_attn/naive.py").naive_recurrent_linear_attn
    y: Tensor = run(*terms[:3])[0]
    return y


def with_scan(name: str, scan: Callable[[Terms], Tensor]) -> Callable[[int, int], nn.Module]:
    """The registered architecture, its scan replaced; scales of q, which cost nothing, aside."""

    def make(width: int, depth: int) -> nn.Module:
        architecture = model_registry.create(name)
        width -= width % architecture.width_step
        sizes = Sizes(width, compute_default_second_size(architecture, width), depth)
        layers = architecture.build_layers(sizes)
        for layer in layers:
            if isinstance(layer, Residual) and isinstance(layer.layer, FastWeights):
                layer.layer.forward = plainly(layer.layer, scan)  # type: ignore[method-assign]
        return nn.Sequential(*layers)

    return make


def plainly(layer: FastWeights, scan: Callable[[Terms], Tensor]) -> Callable[[Tensor], Tensor]:
    """The layer's forward pass with another scan."""

    def forward(x: Tensor) -> Tensor:
        terms, beside, _ = layer.compute_terms(x, None)
        return layer.compute_output(scan(terms), beside)

    return forward


class ByLoop(nn.Module):
    """The registered architecture, its scans as plain loops that autograd differentiates."""

    def __init__(self, name: str, width: int, depth: int) -> None:
        super().__init__()
        architecture = model_registry.create(name)
        width -= width % architecture.width_step
        sizes = Sizes(width, compute_default_second_size(architecture, width), depth)
        self.layers = nn.Sequential(*architecture.build_layers(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """The layers' output."""
        before = os.environ.get("FLANN_SCAN")
        os.environ["FLANN_SCAN"] = "ref"
        try:
            found: Tensor = self.layers(x)
        finally:
            del os.environ["FLANN_SCAN"]
            if before is not None:
                os.environ["FLANN_SCAN"] = before
        return found


def by_loop(name: str) -> dict[str, Callable[[int, int], nn.Module]]:
    """The peer of an architecture that no library has."""
    return {"autograd's loop": partial(ByLoop, name)}


PLAIN = "fla's plain loop"
RECURRENCE_PEERS: dict[str, dict[str, Callable[[int, int], nn.Module]]] = {
    "rwkv-4": {"transformers": Rwkv},
    "mamba-2": {"transformers": Mamba2},
    "deltanet": {PLAIN: with_scan("deltanet", by_delta_rule)},
    "gated-deltanet": {PLAIN: with_scan("gated-deltanet", by_gated_delta_rule)},
    "deltaproduct": {PLAIN: with_scan("deltaproduct", by_delta_products)},
    "rwkv-7": {PLAIN: with_scan("rwkv-7", by_diagonal_plus_rank_one)},
    "linear-attention": {PLAIN: with_scan("linear-attention", by_sums)},
    **{name: by_loop(name) for name in ("stack-rnn", "tape-rnn", "slstm", "mlstm", "ids4-product")},
}
