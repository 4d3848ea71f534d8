"""Models of the user's own: measured as they stand, trained if they can be made, or refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import flann
from flann.errors import UserError
from flann.experiments.experiment import Experiment
from flann.models import build_model
from flann.training.loop import Training

from .conftest import TINY_OPTIONS, Here

CPU = torch.device("cpu")
MINE = '''
import torch
from torch import nn


class Net(nn.Module):
    """Embedding, a running mean, and a head; its output weights are its embedding's."""

    def __init__(self, *, symbols, labels, depth=1, seen={}):
        super().__init__()
        seen.update(symbols=symbols, labels=labels, depth=depth)
        self.seen = seen
        self.embed = nn.Embedding(max(symbols, labels), 16)
        self.mix = nn.GRU(16, 16, num_layers=depth, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(16, max(symbols, labels), bias=False)
        self.head.weight = self.embed.weight
        self.labels = labels

    def forward(self, tokens):
        return self.head(self.drop(self.mix(self.embed(tokens))[0]))[..., : self.labels]


class Ahead(Net):
    causal = False


class Short(Net):
    longest = 6


class Flat(Net):
    def forward(self, tokens):
        return super().forward(tokens)[:, -1]


class Config(nn.Module):
    def __init__(self, config):
        super().__init__()


def truth(tokens):
    return tokens.cumsum(1) % 2


def make(symbols, labels):
    return lambda tokens: tokens


ready = Net(symbols=2, labels=2)
number = 3
'''


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("")
    (tmp_path / "mine" / "nets.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("mine", "mine.nets"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_constructor_is_given_what_it_takes() -> None:
    model = build_model(
        "mine.nets:Net", symbols=3, labels=2, depth=4, parameters=9, seed=1, imports=True
    )
    assert model.inner.seen == {"symbols": 3, "labels": 2, "depth": 4}
    assert model.sizes["parameters"] == sum(p.numel() for p in model.inner.parameters())
    assert (model.family, model.causal, model.has_step) == ("outside", True, False)
    again = build_model(
        "mine.nets:Net", symbols=3, labels=2, depth=4, parameters=9, seed=1, imports=True
    )
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True)
    )


def test_a_model_of_ones_own_is_trained_from_the_command_line(here: Here, tmp_path: Path) -> None:
    words = [w if w != "lstm" else "mine.nets:Net" for w in TINY_OPTIONS]
    code, out, err = here("run", *words, "--lr", "0.01")
    assert code == 0, err
    assert "mine.nets:Net" in out
    (folder,) = (tmp_path / "runs").glob("parity-*")
    assert (folder / "model.safetensors").exists()
    assert '"statements": []' in (folder / "theory.json").read_text()


@pytest.mark.parametrize("name", ["mine.nets:Net", "mine.nets:Short"])
def test_it_goes_on_where_it_was_stopped(tiny: Experiment, tmp_path: Path, name: str) -> None:
    """Even what dropout drops: torch's generator is set at every step."""
    experiment = replace(tiny, model=name, test_lengths=(2, 6, 12)).resolve()
    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
    whole = Training(experiment, tmp_path / "whole", CPU)
    whole.run()
    first = Training(experiment, tmp_path / "parts", CPU)
    first.run(stop=lambda: first.step == 5)
    torch.manual_seed(99)
    second = Training(experiment, tmp_path / "parts", CPU)
    assert second.step == 5
    second.run()
    pairs = zip(whole.model.parameters(), second.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert sum(g["params"] != [] for g in whole.optimiser.param_groups) > 0


def test_a_model_as_it_stands_is_measured(tiny: Experiment, tmp_path: Path) -> None:
    experiment = Experiment(task="parity", model="mine.nets:truth", test_lengths=(4, 64))
    assert experiment.resolve().steps == 0
    result = flann.run(experiment, runs=tmp_path, progress=False)
    assert result.curve.per_word.tolist() == [1.0, 1.0]
    assert result.summary["reach"] == 64
    assert result.summary["state_size"] is None
    ready = flann.run(replace(experiment, model="mine.nets:ready"), runs=tmp_path, progress=False)
    assert ready.summary["parameters"] > 0


def test_lengths_that_it_cannot_read_are_refused(tiny: Experiment, tmp_path: Path) -> None:
    result = flann.run(replace(tiny, model="mine.nets:Short"), runs=tmp_path, progress=False)
    assert result.curve.length.tolist() == [2, 6]
    assert "at most 6" in result.summary["refused"]["12"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine.nets:Config", "class made of (config): expected a constructor (*, symbols: int"),
        ("mine.nets:number", "is a int: expected a constructor"),
        ("mine.nets:make", "made a function: expected a torch.nn.Module"),
        ("mine.nets:Flat", "returned (8, 2): expected logits of shape (8, "),
        ("mine.nets:Ahead", "expected a causal model"),
        ("mine.nets:truth", "expected --steps 0"),
        ("mine.nets:Nett", "cannot import"),
        ("mine.nots:Net", "cannot import"),
    ],
)
def test_what_is_no_model_is_one_line(here: Here, name: str, said: str) -> None:
    words = [w if w != "lstm" else name for w in TINY_OPTIONS]
    code, _, err = here("run", *words, *(["--format", "cot"] if name.endswith("Ahead") else []))
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) <= 2  # and the line that says which scans run
    assert "Traceback" not in err


def test_evaluate_takes_a_model_and_no_class() -> None:
    from mine.nets import Net, ready  # type: ignore[import-not-found]

    with pytest.raises(UserError, match="is a class"):
        flann.evaluate(Net, "parity", [4])
    ready.train()
    ready.drop.p = 1.0  # all is dropped, were it measured as in training
    first, second = (flann.evaluate(ready, "parity", [4]).positions for _ in range(2))
    assert first.equals(second)
    assert ready.training
    with torch.no_grad():
        assert ready(torch.zeros(1, 3, dtype=torch.long)).abs().max() == 0


# -- other people's, as they are -------------------------------------------------------------------

THEIRS = """
from torch import nn
from transformers import GPT2Config, GPT2Model, MambaConfig, MambaModel


class GPT2(nn.Module):
    longest = 40

    def __init__(self, *, symbols, labels, depth):
        super().__init__()
        config = GPT2Config(
            vocab_size=symbols, n_positions=self.longest, n_embd=32, n_layer=depth, n_head=2
        )
        self.body, self.head = GPT2Model(config), nn.Linear(32, labels)

    def forward(self, tokens):
        return self.head(self.body(input_ids=tokens).last_hidden_state)


class Mamba(GPT2):
    longest = None

    def __init__(self, *, symbols, labels, depth):
        nn.Module.__init__(self)
        config = MambaConfig(
            vocab_size=symbols, hidden_size=16, num_hidden_layers=depth, state_size=4
        )
        self.body, self.head = MambaModel(config), nn.Linear(16, labels)
"""


@pytest.mark.parametrize("name", ["GPT2", "Mamba"])
@pytest.mark.parametrize("put", ["direct", "cot"])
def test_hugging_face_models_are_trained_and_measured(
    tiny: Experiment, tmp_path: Path, name: str, put: str
) -> None:
    pytest.importorskip("transformers")
    (tmp_path / "mine" / "theirs.py").write_text(THEIRS)
    experiment = replace(tiny, model=f"mine.theirs:{name}", format=put, test_lengths=(2, 6, 24))
    result = flann.run(experiment, runs=tmp_path, progress=False)
    assert result.summary["status"] == "done"
    long_enough = name == "Mamba" or put == "direct"
    assert result.curve.length.tolist() == ([2, 6, 24] if long_enough else [2, 6])


def test_a_hugging_face_model_is_measured_as_it_is() -> None:
    """Its output is an object with `logits`."""
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(
        vocab_size=2, n_positions=64, n_embd=32, n_layer=1, n_head=2, resid_pdrop=0.5
    )
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(config)
    measured = flann.evaluate(model, "parity", [4, 32])
    assert measured.curve.length.tolist() == [4, 32]
    model.eval()
    direct = flann.evaluate(lambda tokens: model(tokens).logits.argmax(-1), "parity", [4, 32])
    assert measured.curve.equals(direct.curve)
