"""The sentences of the page: titles, theory, and how a run ended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from flann.curve_schema import REACH

from .number_format import format_whole
from .runs import Run
from .table import clean_text, describe_model

ARXIV = re.compile(r"\b(?:arXiv[: ]?)?(\d{4}\.\d{4,5})\b", re.IGNORECASE)


def write_title(runs: Sequence[Run]) -> str:
    """Return the title of the page: its tasks, then its models, by name or by number."""
    tasks = list(dict.fromkeys(clean_text(run.experiment["task"]) for run in runs))
    models = list(dict.fromkeys(describe_model(run.experiment["model"]) for run in runs))
    return f"{list_or_count(tasks, 'tasks')}: {list_or_count(models, 'models')}"


def list_or_count(names: Sequence[str], kind: str) -> str:
    """Return up to two names, or the number of names.

    >>> list_or_count(["lstm", "mamba", "gru"], "models")
    '3 models'
    """
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} {kind}"


def describe_circuit_class(run: Run) -> str:
    """Return a sentence on the circuit class of the task, the same for every model."""
    task, circuit_class = clean_text(run.experiment["task"]), run.theory.get("circuit_class")
    if circuit_class in (None, "", "unknown"):
        return f"The circuit class of {task} has not been worked out."
    why = run.theory.get("why")
    return f"{task} is {circuit_class} ({why})." if why else f"{task} is {circuit_class}."


def describe_family(run: Run) -> str:
    """Return the family of architectures that the theory assigns to the model.

    The text introduces the statements, if there are any.
    """
    model, family = describe_model(run.experiment["model"]), run.theory.get("family")
    named = family and family != model
    if not run.theory["statements"]:
        subject = f"{model} belongs to the family {family}, for which" if named else f"For {model},"
        return f"{subject} no result on this task is recorded."
    return f"{model} belongs to the family {family}:" if named else f"{model}:"


def describe_statement(statement: Mapping[str, Any]) -> str:
    """Return a result on one line: regime, verdict, reason, citation.

    >>> statement = {"regime": "log precision", "verdict": "cannot", "citation": "Noether 1918"}
    >>> describe_statement(statement)
    'at log precision it cannot (Noether 1918)'
    """
    regime, why, citation = (statement.get(part) for part in ("regime", "why", "citation"))
    return (
        (f"{add_preposition(regime)} " if regime else "")
        + ("open" if statement["verdict"] == "open" else f"it {statement['verdict']}")
        + (f": {why}" if why else "")
        + (f" ({citation})" if citation else "")
    )


def add_preposition(regime: str) -> str:
    """Return the regime with its preposition.

    >>> add_preposition("depth log T"), add_preposition("fixed precision")
    ('with depth log T', 'at fixed precision')
    """
    return f"at {regime}" if regime.endswith("precision") else f"with {regime}"


def summarise_verdicts(run: Run) -> str:
    """Return the verdicts with their regimes, for a table."""
    verdicts = [
        f"{s['verdict']} ({s.get('regime') or 'any regime'})" for s in run.theory["statements"]
    ]
    return "; ".join(verdicts) or "no result recorded"


def link_citations(text: str) -> Markup:
    """Escape text and turn its arXiv numbers into links.

    >>> print(link_citations("<b> 2024, arXiv 2404.08819"))
    &lt;b&gt; 2024, <a href="https://arxiv.org/abs/2404.08819">arXiv 2404.08819</a>
    """
    parts, end = [], 0
    for match in ARXIV.finditer(text):
        link = Markup('<a href="https://arxiv.org/abs/{}">{}</a>').format(match[1], match[0])
        parts += [escape(text[end : match.start()]), link]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def explain_ending(run: Run) -> str | None:
    """Return what a reader must know before the numbers, or None for a run that ended well."""
    step, steps = run.result.get("step"), run.result.get("steps")
    where = (
        f" at step {format_whole(step)} of {format_whole(steps)}"
        if step is not None and steps
        else ""
    )
    message = run.result.get("message")
    why = f": {message}" if message else ""
    if run.status == "diverged":
        return f"Training diverged{where}{why}. The model was not evaluated, so it has no accuracy."
    if run.status == "stopped":
        return (
            f"Training stopped early{where}{why}. The results are those of an unfinished training."
        )
    return None


def describe_reach(run: Run) -> str:
    """Return the reach, or why there is none."""
    if run.curve.empty:
        return "not measured"
    reach = run.result.get("reach")
    shortest = int(run.curve["length"].iloc[0])
    return format_whole(reach) if reach else f"none (below {REACH} at length {shortest})"


def list_unmeasured(run: Run) -> list[str]:
    """Return a sentence for each test length that was not measured, with the model's reason if
    known.
    """
    refused = run.result.get("refused") or {}
    return [
        f"Length {format_whole(length)} was not measured" + (f": {why}" if why else "")
        for length in (run.unmeasured_lengths if not run.curve.empty else [])
        for why in [refused.get(str(length))]
    ]


def describe_overlap(run: Run) -> str | None:
    """Return how many test words were training words, at the lengths where any were."""
    overlap = run.result.get("overlap") or {}
    words = dict(zip(run.curve["length"], run.curve["words"], strict=True))
    shares = [
        f"{format_whole(count)} of {format_whole(words[int(length)])} at length {length}"
        for length, count in overlap.items()
        if str(length).isdigit() and int(length) in words and isinstance(count, int) and count > 0
    ]
    return "; ".join(shares) or None
