"""Several runs as one tidy table: one row per run and tested length.

Runs that differ in their seed alone are one *setting*, and one curve. What a setting is called in a
legend depends on its company: the model in words, and of the rest of the experiment only what is
not the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from flann.errors import UserError
from flann.names import parse_name

from .runs import CURVE, Run

IDENTITY = [
    "task",
    "model",
    "label",
    "setting",
    "seed",
    "run",
    "status",
    "step",
    "steps",
    "reach",
    "train_low",
    "train_high",
]
UNITS = {"parameters": "{:,} parameters", "steps": "{:,} steps", "depth": "depth {}"}


def curve_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Every point of every curve, with what it belongs to.

    Parameters
    ----------
    runs : sequence of Run

    Returns
    -------
    DataFrame
        a row per run and tested length: ``task``, ``model``, ``label`` (the setting in words),
        ``setting`` (the experiment without its seed, as JSON), ``seed``, ``run``, ``status``,
        ``step``, ``steps``, ``reach``, ``train_low``, ``train_high``, and the columns of
        curve.csv. A run without a curve (diverged) has one row whose ``length`` is missing, so
        that nothing is left out in silence.

    Examples
    --------
    >>> curve_table([]).columns[:5].tolist()
    ['task', 'model', 'label', 'setting', 'seed']
    """
    labels = setting_labels([run.experiment for run in runs])
    rows: list[dict[str, Any]] = []
    for run, label in zip(runs, labels, strict=True):
        identity = {
            "task": plain(run.experiment["task"]),
            "model": plain(run.experiment["model"]),
            "label": label,
            "setting": setting_of(run.experiment),
            "seed": run.experiment["seed"],
            "run": run.name,
            "status": run.status,
            "step": run.result.get("step"),
            "steps": run.result.get("steps"),
            "reach": run.result.get("reach"),
            "train_low": run.train_lengths[0],
            "train_high": run.train_lengths[1],
        }
        points: list[Any] = run.curve.to_dict("records") or [{}]
        rows += [{**identity, **point} for point in points]
    table = pd.DataFrame(rows, columns=[*IDENTITY, *CURVE])
    whole = dict.fromkeys(["step", "steps", "reach", "length", "words"], "Int64")
    return table.astype(whole)


def setting_of(experiment: Mapping[str, Any]) -> str:
    """The experiment without its seed: what runs of one curve share."""
    return json.dumps({k: v for k, v in experiment.items() if k != "seed"}, sort_keys=True)


def setting_labels(experiments: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each experiment's curve is called among these.

    >>> deep, flat = {"model": "ids4:state_norm=true", "depth": 2}, {"model": "gru", "depth": 1}
    >>> setting_labels([deep, flat])
    ['ids4, state norm, depth 2', 'gru, depth 1']
    >>> setting_labels([deep])
    ['ids4, state norm']
    """
    differing = [field for field in fields_of(experiments) if differs(field, experiments)]
    return [
        ", ".join([model_words(e["model"]), *(in_words(f, e[f]) for f in differing if f in e)])
        for e in experiments
    ]


def fields_of(experiments: Sequence[Mapping[str, Any]]) -> list[str]:
    """The fields that could tell settings apart, in the order of the experiment."""
    fields = dict.fromkeys(field for experiment in experiments for field in experiment)
    return [field for field in fields if field not in ("task", "model", "seed")]


def differs(field: str, experiments: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a field needs saying.

    The learning rate follows from the model unless it was asked for, so it only needs saying where
    one model has two.
    """
    by_model: dict[str, set[str]] = {}
    for experiment in experiments:
        owner = experiment["model"] if field == "lr" else ""
        by_model.setdefault(owner, set()).add(json.dumps(experiment.get(field)))
    return any(len(values) > 1 for values in by_model.values())


def model_words(name: str) -> str:
    """A model's name as one would say it.

    >>> model_words("mamba:eigenvalues=negative")
    'mamba, eigenvalues negative'
    >>> model_words("transformer:bos=false,norm=post")
    'transformer, no bos, norm post'
    """
    try:
        base, options = parse_name(name)
    except UserError:
        return plain(name)
    return plain(", ".join([base, *(in_words(key, value) for key, value in options.items())]))


def in_words(field: str, value: Any) -> str:
    """An option or setting as one would say it.

    >>> in_words("train_lengths", [2, 40]), in_words("depth", 1)
    ('trained on 2–40', 'depth 1')
    """
    spoken = field.replace("_", " ")
    if field == "train_lengths" and isinstance(value, list):
        return "trained on " + "–".join(map(str, value))
    if field == "test_lengths" and isinstance(value, list) and value:
        return f"tested at {len(value)} lengths to {value[-1]}"
    if value is True or value == "true":
        return spoken
    if value is False or value is None or value == "false":
        return f"no {spoken}"
    if field in UNITS and isinstance(value, int):
        return UNITS[field].format(value)
    return plain(f"{spoken} {value}")


def plain(text: str) -> str:
    """Text on one line, without characters that cannot be shown.

    >>> plain("two\\nlines\\x07")
    'two lines\ufffd'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
