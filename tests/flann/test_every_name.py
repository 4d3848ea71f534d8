"""Every registered task and every registered model goes through the main job, start to end."""

from __future__ import annotations

from pathlib import Path

import pytest

import flann
from flann.models import model_names
from flann.tasks import task_names

SMALL = {"steps": 2, "batch": 4, "train_lengths": (2, 8), "test_size": 8}


def measured(task: str, model: str, parameters: int, root: Path) -> flann.runs.run.Result:  # type: ignore[name-defined]
    experiment = flann.Experiment(task=task, model=model, parameters=parameters, **SMALL)  # type: ignore[arg-type]
    return flann.run(experiment, runs=root, progress=False)


@pytest.mark.parametrize("task", task_names())
def test_every_task_is_trained_on_and_measured(task: str, tmp_path: Path) -> None:
    result = measured(task, "lstm", 60_000, tmp_path)
    assert result.summary["status"] == "done"
    assert result.curve.length.tolist() == list(result.experiment.test_lengths)
    assert max(result.experiment.settings.train_lengths) < max(result.experiment.test_lengths)


@pytest.mark.parametrize("model", model_names())
def test_every_model_is_trained_and_measured(model: str, tmp_path: Path) -> None:
    result = measured("parity", model, 10_000, tmp_path)
    assert result.summary["status"] == "done"
    assert abs(result.summary["parameters"] - 10_000) <= 100
    assert result.summary["state_size"] > 0
