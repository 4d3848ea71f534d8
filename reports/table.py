"""Several runs as one tidy table, with one row for each run and tested length.

Runs that differ only in their seed share one *setting*, and one curve. The label of a setting in a
legend depends on the others: it names the model, and of the rest of the experiment only what is not
the same for all.
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
    """Return every point of every curve, with the run that it belongs to.

    Parameters
    ----------
    runs : sequence of Run

    Returns
    -------
    DataFrame
        A row for each run and tested length: ``task``, ``model``, ``label`` (the setting in words),
        ``setting`` (the experiment without its seed, as JSON), ``seed``, ``run``, ``status``,
        ``step``, ``steps``, ``reach``, ``train_low``, ``train_high``, and the columns of curve.csv.
        A run without a curve (because it diverged) has one row whose ``length`` is missing, so that
        no run is left out silently.

    Examples
    --------
    >>> curve_table([]).columns[:5].tolist()
    ['task', 'model', 'label', 'setting', 'seed']
    """
    labels = label_settings([run.experiment for run in runs])
    rows: list[dict[str, Any]] = []
    for run, label in zip(runs, labels, strict=True):
        identity = {
            "task": clean_text(run.experiment["task"]),
            "model": clean_text(run.experiment["model"]),
            "label": label,
            "setting": identify_setting(run.experiment),
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


def identify_setting(experiment: Mapping[str, Any]) -> str:
    """Return the experiment without its seed, as JSON: what the runs of one curve share."""
    return json.dumps({k: v for k, v in experiment.items() if k != "seed"}, sort_keys=True)


def label_settings(experiments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the label of each experiment among the others.

    >>> deep, flat = {"model": "ids4:state_norm=true", "depth": 2}, {"model": "gru", "depth": 1}
    >>> label_settings([deep, flat])
    ['ids4, state norm, depth 2', 'gru, depth 1']
    >>> label_settings([deep])
    ['ids4, state norm']
    """
    varying = [field for field in list_fields(experiments) if needs_label(field, experiments)]
    return [
        ", ".join(
            [describe_model(e["model"]), *(describe_option(f, e[f]) for f in varying if f in e)]
        )
        for e in experiments
    ]


def list_fields(experiments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the fields that may distinguish settings, in the order of the experiment."""
    fields = dict.fromkeys(field for experiment in experiments for field in experiment)
    return [field for field in fields if field not in ("task", "model", "seed")]


def needs_label(field: str, experiments: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a field distinguishes settings.

    The learning rate follows from the model unless it was given, so it distinguishes settings only
    where one model has two.
    """
    by_model: dict[str, set[str]] = {}
    for experiment in experiments:
        owner = experiment["model"] if field == "lr" else ""
        by_model.setdefault(owner, set()).add(json.dumps(experiment.get(field)))
    return any(len(values) > 1 for values in by_model.values())


def describe_model(name: str) -> str:
    """Return a model's name in words.

    >>> describe_model("mamba:eigenvalues=negative")
    'mamba, eigenvalues negative'
    >>> describe_model("transformer:bos=false,norm=post")
    'transformer, no bos, norm post'
    """
    try:
        base, options = parse_name(name)
    except UserError:
        return clean_text(name)
    return clean_text(
        ", ".join([base, *(describe_option(key, value) for key, value in options.items())])
    )


def describe_option(field: str, value: Any) -> str:
    """Return an option or a setting in words.

    >>> describe_option("train_lengths", [2, 40]), describe_option("depth", 1)
    ('trained on 2–40', 'depth 1')
    """
    spaced = field.replace("_", " ")
    if field == "train_lengths" and isinstance(value, list):
        return "trained on " + "–".join(map(str, value))
    if field == "test_lengths" and isinstance(value, list) and value:
        return f"tested at {len(value)} lengths to {value[-1]}"
    if value is True or value == "true":
        return spaced
    if value is False or value is None or value == "false":
        return f"no {spaced}"
    if field in UNITS and isinstance(value, int):
        return UNITS[field].format(value)
    return clean_text(f"{spaced} {value}")


def clean_text(text: str) -> str:
    """Return text on one line, with characters that cannot be printed replaced.

    >>> clean_text("two\\nlines\\x07")
    'two lines\ufffd'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
