"""The README's example runs as it stands, and so do a task and a model of the user's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from . import readme_table
from .conftest import ROOT, Here

README = (ROOT / "README.md").read_text(encoding="utf-8")
TASK = """
import numpy as np
from flann.tasks import Task
from flann.tasks.sampling import uniform

"""
MODEL = """
import torch
from flann.models import Architecture, Layer
from flann.models.core.sequence import Residual

class MyLayer(Layer):
    def __init__(self, width, state):
        super().__init__()
        self.into = torch.nn.Linear(width, state)
        self.out = torch.nn.Linear(state, width)
    def forward(self, x):
        return self.out(self.into(x).cumsum(1))
    def initial_state(self, batch_size):
        return torch.zeros(batch_size, self.into.out_features)
    def step(self, x, state):
        state = state + self.into(x)
        return self.out(state), state
    def state_size(self, length):
        return self.into.out_features

"""


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_table_of_architectures_is_the_registrys() -> None:
    assert readme_table.replaced(README) == README, "run python tests/flann/readme_table.py"
    stale = README.replace("| `gru` |", "| `grus` |", 1)
    assert readme_table.replaced(stale) == README  # a row that is wrong would be seen


def test_the_library_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(blocks()[0], "README.md", "exec"), names)
    assert next(iter(names["result"].summary)) == "id"  # type: ignore[attr-defined]


def test_a_task_and_a_model_of_ones_own(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "research_of_mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    undecorated = [re.sub(r"@register.*\n", "", block) for block in blocks()]
    (package / "tasks.py").write_text(TASK + undecorated[1])
    (package / "models.py").write_text(MODEL + undecorated[2])
    words = (
        "run --task research_of_mine.tasks:First --model research_of_mine.models:MyModel"
        " --steps 3 --batch 4 --parameters 2000 --train-lengths 2:4 --json"
    )
    code, out, err = here(*words.split())
    assert code == 0, err
    result = json.loads(out)
    assert result["task"] == "research_of_mine.tasks:First"
    assert abs(result["parameters"] - 2000) <= 20
