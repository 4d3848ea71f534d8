"""The README's example runs as it stands, and so do CONTRIBUTING's task and model."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from flann.cli.main import cli
from flann.experiments.experiment import canonicalise_model
from flann.tasks import get_task

from . import architecture_table
from .conftest import ROOT, Here

PAGE = architecture_table.PAGE.read_text(encoding="utf-8")
PAGES = sorted(
    str(page.relative_to(ROOT))
    for pattern in ("*.md", "docs/*.md", "reports/published/**/*.md")
    for page in ROOT.glob(pattern)
)
TASK = """
import numpy as np
from flann.tasks import Task
from flann.tasks.sampling import draw_uniform

"""
MODEL = """
import torch
from flann.models import Architecture, Layer
from flann.models.core.layer import Residual

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


def find_blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def test_the_table_of_architectures_is_the_registrys() -> None:
    replaced = architecture_table.replace_table(PAGE)
    assert replaced == PAGE, "run python tests/flann/architecture_table.py"
    stale = PAGE.replace("| `gru` |", "| `grus` |", 1)
    assert architecture_table.replace_table(stale) == PAGE  # a wrong row is found


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    folder = (ROOT / page).parent
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (folder / link).exists(), link


def test_every_command_of_the_pages_is_understood() -> None:
    """Each recorded command parses, and the names of its tasks and models are known."""
    found = 0
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for line in re.findall(r"flann ((?:run|theory|classify) [^#`;\n]*)", text):
            words = [word for word in shlex.split(line.rstrip("\\")) if not word.startswith("$")]
            command = cli.get_command(None, words[0])  # type: ignore[arg-type]
            assert command is not None
            context = command.make_context("flann", words[1:])
            for task in context.params.get("tasks", ()):
                assert task.startswith("mypackage") or get_task(task)
            for model in context.params.get("models", ()):
                assert canonicalise_model(model)
            found += 1
    assert found > 15


def test_the_library_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(find_blocks("README.md")[0], "README.md", "exec"), names)
    assert next(iter(names["result"].summary)) == "id"  # type: ignore[attr-defined]


def test_a_task_and_a_model_of_ones_own(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "research_of_mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    blocks = find_blocks("CONTRIBUTING.md")
    task, model = (re.sub(r"@register.*\n", "", block) for block in blocks)
    (package / "tasks.py").write_text(TASK + task)
    (package / "models.py").write_text(MODEL + model)
    words = (
        "run --task research_of_mine.tasks:First --model research_of_mine.models:MyModel"
        " --steps 3 --batch 4 --parameters 2000 --train-lengths 2:4 --json"
    )
    code, out, err = here(*words.split())
    assert code == 0, err
    result = json.loads(out)
    assert result["task"] == "research_of_mine.tasks:First"
    assert abs(result["parameters"] - 2000) <= 20
