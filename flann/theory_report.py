"""What theory says of a model on a task, and the argument in three lines.

Neither knows the other. The task states what is known of families of architectures
(`flann.tasks.theory.statements`); the model declares its family, or several joined by ``+``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .errors import UnknownNameError, UserError
from .tasks import Task
from .tasks.theory.statements import CIRCUIT_CLASSES, KNOWN_FAMILIES

CONCLUSIONS = {
    "can": "some weights solve it at every length; whether training finds them is another question",
    "cannot": "no weights solve it at every length",
    "cannot unless TC0 = NC1": "no weights solve it at every length, unless TC0 = NC1, which is"
    " widely believed to be false",
    "open": "open: it has been shown neither that some weights solve it nor that none do",
}


def join_theory(
    task: Task, model: str, family: str, *, allow_unknown: bool = False
) -> dict[str, Any]:
    """Return what the theory of a task says of a model of this family, as plain JSON.

    Parameters
    ----------
    task : Task
    model : str
        the model's name.
    family : str
        the model's family, or several joined by ``+``.
    allow_unknown : bool
        whether a family that theory does not cover has no statements, instead of being refused.

    Raises
    ------
    UserError
        for a family that theory does not cover.

    Examples
    --------
    >>> from flann.tasks import get_task
    >>> theory = join_theory(get_task("A5"), "lstm", "lstm")
    >>> [(s["regime"], s["verdict"]) for s in theory["statements"]]
    [('fixed precision', 'can')]
    """
    uncovered = [part for part in family.split("+") if part not in KNOWN_FAMILIES]
    if uncovered and not allow_unknown:
        raise UnknownNameError(f"family of the model {model!r}", uncovered[0], KNOWN_FAMILIES)
    theory = task.theory
    statements = [] if uncovered else theory.about(family)
    return {
        "task": task.name,
        "model": model,
        "family": family,
        "circuit_class": theory.circuit_class,
        "why": theory.why,
        "statements": [asdict(statement) for statement in statements],
    }


def find_family(model: str) -> str:
    """Return the family that a model declares, from its name and options."""
    from .models import model_registry

    architecture = model_registry.create(model, imports=True)
    family = getattr(architecture, "family", None)
    if not isinstance(family, str):
        raise UserError(f"the model {model!r} declares no family: expected one of flann's models")
    return family


def format_argument(theory: dict[str, Any]) -> str:
    """Format the argument of each regime in three lines: the task, the family, the conclusion."""
    task, model, family = theory["task"], theory["model"], theory["family"]
    name = theory["circuit_class"]
    so = f"so {name}, {CIRCUIT_CLASSES[name]}" if name != "unknown" else "its class is not known"
    kind = "; ".join(KNOWN_FAMILIES[part] for part in family.split("+"))
    lines = [f"{task} · {model}", f"{model} belongs to the family {family}: {kind}"]
    for statement in theory["statements"]:
        regime = statement["regime"]
        lines += [
            "",
            f"{'at' if regime.endswith('precision') else 'with'} {regime}: {statement['verdict']}",
            f"  the task    {task}: {theory['why']}; {so}",
            f"  the family  {statement['why']} ({statement['citation']})",
            f"  hence       {CONCLUSIONS[statement['verdict']]}",
        ]
    return "\n".join(lines)
