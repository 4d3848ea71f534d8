"""What the page says in words: titles, theory, what became of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from .numbers import whole
from .runs import Run
from .table import model_words, plain

ARXIV = re.compile(r"\b(?:arXiv[: ]?)?(\d{4}\.\d{4,5})\b", re.IGNORECASE)


def title_of(runs: Sequence[Run]) -> str:
    """What the page is about: tasks, then models, by name or by number."""
    tasks = list(dict.fromkeys(plain(run.experiment["task"]) for run in runs))
    models = list(dict.fromkeys(model_words(run.experiment["model"]) for run in runs))
    return f"{named(tasks, 'tasks')}: {named(models, 'models')}"


def named(names: Sequence[str], kind: str) -> str:
    """Up to two names, or how many.

    >>> named(["lstm", "mamba", "gru"], "models")
    '3 models'
    """
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} {kind}"


def circuit_class(run: Run) -> str:
    """Where the task lies; the same sentence for every model on it."""
    task, known = plain(run.experiment["task"]), run.theory.get("circuit_class")
    if known in (None, "", "unknown"):
        return f"The circuit class of {task} has not been worked out."
    why = run.theory.get("why")
    return f"{task} is {known} ({why})." if why else f"{task} is {known}."


def family(run: Run) -> str:
    """Which family of architectures theory counts the model to, before what it says of it."""
    model, known = model_words(run.experiment["model"]), run.theory.get("family")
    of_family = f"{model} is of the family {known}" if known and known != model else model
    if not run.theory["statements"]:
        return f"{of_family}: nothing is stated of it on this task."
    return f"{of_family}:"


def statement(known: Mapping[str, Any]) -> str:
    """One result on one line: regime, verdict, why, citation.

    >>> statement({"regime": "log precision", "verdict": "cannot", "citation": "Noether 1918"})
    'at log precision it cannot (Noether 1918)'
    """
    regime, why, citation = (known.get(part) for part in ("regime", "why", "citation"))
    return (
        (f"{in_regime(regime)} " if regime else "")
        + ("open" if known["verdict"] == "open" else f"it {known['verdict']}")
        + (f": {why}" if why else "")
        + (f" ({citation})" if citation else "")
    )


def in_regime(regime: str) -> str:
    """The regime with its preposition.

    >>> in_regime("depth log T"), in_regime("fixed precision")
    ('with depth log T', 'at fixed precision')
    """
    return f"at {regime}" if regime.endswith("precision") else f"with {regime}"


def short_verdict(run: Run) -> str:
    """The verdicts with their regimes, for a table."""
    said = [f"{s['verdict']} ({s.get('regime') or 'any regime'})" for s in run.theory["statements"]]
    return "; ".join(said) or "nothing stated"


def with_links(text: str) -> Markup:
    """Text, escaped, with its arXiv numbers made into links.

    >>> print(with_links("<b> 2024, arXiv 2404.08819"))
    &lt;b&gt; 2024, <a href="https://arxiv.org/abs/2404.08819">arXiv 2404.08819</a>
    """
    parts, end = [], 0
    for found in ARXIV.finditer(text):
        link = Markup('<a href="https://arxiv.org/abs/{}">{}</a>').format(found[1], found[0])
        parts += [escape(text[end : found.start()]), link]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def fate(run: Run) -> str | None:
    """What a reader must know before looking at the numbers; None for a run that ended well."""
    step, steps = run.result.get("step"), run.result.get("steps")
    where = f" at step {whole(step)} of {whole(steps)}" if step is not None and steps else ""
    message = run.result.get("message")
    why = f": {message}" if message else ""
    if run.status == "diverged":
        return f"Diverged{where}{why}. It was not measured: this is no accuracy, low or high."
    if run.status == "stopped":
        return f"Stopped{where}{why}. The numbers are those of a training cut short."
    return None


def reach_words(run: Run) -> str:
    """The reach, or why there is none."""
    if run.curve.empty:
        return "not measured"
    reach = run.result.get("reach")
    shortest = int(run.curve["length"].iloc[0])
    return whole(reach) if reach else f"none (below 0.9 at length {shortest})"


def gaps(run: Run) -> list[str]:
    """The test lengths that are not in the curve, with the model's reason where it gave one."""
    refused = run.result.get("refused") or {}
    return [
        f"Length {whole(length)} was not measured" + (f": {why}" if why else "")
        for length in (run.unmeasured if not run.curve.empty else [])
        for why in [refused.get(str(length))]
    ]


def overlap_words(run: Run) -> str | None:
    """How many test words had been training words, at the lengths where any had."""
    counted = run.result.get("overlap") or {}
    words = dict(zip(run.curve["length"], run.curve["words"], strict=True))
    seen = [
        f"{whole(count)} of {whole(words[int(length)])} at length {length}"
        for length, count in counted.items()
        if str(length).isdigit() and int(length) in words and isinstance(count, int) and count > 0
    ]
    return "; ".join(seen) or None
