"""What all models share: names without torch, groups for the optimiser, the symbol of its own."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from flann.errors import UserError
from flann.models import build_model, model_names, model_of_width
from flann.models.recurrent.recurrent_layer import RecurrentLayer
from flann.models.scans import recurrent_scan

LISTED = """
import sys
import flann.models
names = flann.models.model_names()
summaries = [entry.summary for entry in flann.models.model_registry.index.values()]
assert "lstm" in names and all(summaries), (names, summaries)
{more}
assert "torch" not in sys.modules
"""


def run(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)


def test_names_and_summaries_load_no_torch() -> None:
    assert run(LISTED.format(more="")).returncode == 0
    assert run(LISTED.format(more="import torch")).returncode == 1  # and the test can fail


def test_exports() -> None:
    import flann.models

    for name in flann.models.__all__:
        assert getattr(flann.models, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'bulid_model'"):
        _ = flann.models.bulid_model


@pytest.mark.parametrize("name", model_names())
def test_models_can_be_copied_and_pickled(name: str) -> None:
    model = model_of_width(name, symbols=3, labels=2, depth=1, width=8)
    tokens = torch.tensor([[0, 1, 2]])
    model(tokens)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(tokens), model(tokens))
        assert twin.name == model.name


@pytest.mark.parametrize(("cell", "name"), [(nn.RNN, "rnn"), (nn.GRU, "gru"), (nn.LSTM, "lstm")])
def test_recurrent_layers_are_torchs_own(cell: type[nn.RNNBase], name: str) -> None:
    model = model_of_width(name, symbols=3, labels=2, depth=1, width=6, second_size=9)
    inner = model.layers[0].layer
    assert isinstance(inner, RecurrentLayer)
    own = cell(6, 9, batch_first=True)
    own.load_state_dict(inner.cell.state_dict())
    x = torch.randn(2, 7, 6)
    torch.testing.assert_close(inner(x), inner.project(own(x)[0]))


@pytest.mark.parametrize("kind", [nn.RNN, partial(nn.RNN, nonlinearity="relu"), nn.GRU, nn.LSTM])
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_scans_of_torchs_networks_equal_them(
    kind: Callable[..., nn.RNNBase], precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outputs, and the gradients of both biases too; the kernel even where torch's is preferred."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    network = kind(6, 9, batch_first=True).to(precision)
    x = torch.randn(3, 7, 6, dtype=precision)
    found = []
    for states in (recurrent_scan(network, x), network(x)[0]):
        if states is None:
            pytest.skip("no compiled kernels here")
        network.zero_grad()
        states.square().sum().backward()
        found.append([states, *(p.grad.clone() for p in network.parameters())])
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)


def test_weight_decay_spares_what_it_should() -> None:
    model = build_model("mamba", symbols=5, labels=5, depth=1, parameters=20_000)
    groups = model.parameter_groups(1e-2, 0.1)
    named = {id(p): name for name, p in model.named_parameters()}
    decayed = {named[id(p)] for g in groups if g["weight_decay"] > 0 for p in g["params"]}
    layer = "layers.0.layer."
    assert decayed == {
        "head.weight",
        *(layer + part + ".weight" for part in ("into", "select", "time_step", "out")),
        layer + "convolution.weight",
    }
    assert all(group["lr"] == 1e-2 for group in groups)


def test_symbol_of_its_own_is_dropped_from_the_output() -> None:
    """With it, the first position already has something before it to attend to."""
    name = "transformer:bos=true,position=none"
    model = model_of_width(name, symbols=2, labels=3, depth=1, width=8).double()
    tokens = torch.tensor([[0, 1, 1]])
    logits = model(tokens)
    assert logits.shape == (1, 3, 3)
    with torch.no_grad():
        model.embedding.weight[2] += 1  # the row of that symbol
    assert not torch.allclose(model(tokens), logits)


def test_what_is_not_a_model_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean 'mamba'"):
        build_model("mmaba", symbols=2, labels=2, depth=1, parameters=10_000)
    with pytest.raises(UserError, match="only when typed"):
        build_model("flann.names:slug", symbols=2, labels=2, depth=1, parameters=10_000)
    for other in ("flann.names:CLOSING", "concurrent.futures:Future"):
        with pytest.raises(UserError, match="expected a constructor"):
            build_model(other, symbols=2, labels=2, depth=1, parameters=10_000, imports=True)


def test_an_architecture_of_ones_own_is_imported_when_typed() -> None:
    model = build_model(
        "flann.models.recurrent.gru:GRU",
        symbols=2,
        labels=2,
        depth=1,
        parameters=10_000,
        imports=True,
    )
    assert model.family == "gru"
