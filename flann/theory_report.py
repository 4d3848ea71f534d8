"""A task's theory joined with a model's family: what is known, and the argument in three lines.

Neither knows the other: the task says what is known of families (`flann.tasks.theory.statements`), the model
says which family it is of, or which several, joined by ``+``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .errors import UserError, unknown
from .tasks import Task
from .tasks.theory.statements import CIRCUIT_CLASSES, KNOWN_FAMILIES

HENCE = {
    "can": "some weights solve it at every length; whether training finds them is another matter",
    "cannot": "no weights solve it at every length",
    "cannot unless TC0 = NC1": "no weights solve it at every length, unless TC0 = NC1, which few"
    " believe",
    "open": "open: neither that it can nor that it cannot has been shown",
}


def join(task: Task, model: str, family: str, *, silent: bool = False) -> dict[str, Any]:
    """What the theory of a task says of a model of this family, as plain JSON.

    >>> from flann.tasks import get_task
    >>> joined = join(get_task("A5"), "lstm", "lstm")
    >>> [(s["regime"], s["verdict"]) for s in joined["statements"]]
    [('fixed precision', 'can')]

    With `silent`, of a family that theory does not speak of there are no statements.

    Raises
    ------
    UserError
        for such a family, otherwise.
    """
    strange = [part for part in family.split("+") if part not in KNOWN_FAMILIES]
    if strange and not silent:
        raise unknown(f"family of the model {model!r}", strange[0], KNOWN_FAMILIES)
    known = task.theory
    return {
        "task": task.name,
        "model": model,
        "family": family,
        "circuit_class": known.circuit_class,
        "why": known.why,
        "statements": [] if strange else [asdict(statement) for statement in known.about(family)],
    }


def family_of(model: str) -> str:
    """The family that a model declares, from its name and options."""
    from .models import model_registry

    architecture = model_registry.create(model, imports=True)
    family = getattr(architecture, "family", None)
    if not isinstance(family, str):
        raise UserError(f"the model {model!r} declares no family: expected one of flann's models")
    return family


def argument(joined: dict[str, Any]) -> str:
    """The argument in three lines, for each regime: the task, the family, what follows."""
    task, model, family = joined["task"], joined["model"], joined["family"]
    name = joined["circuit_class"]
    so = f"so {name}, {CIRCUIT_CLASSES[name]}" if name != "unknown" else "its class is not known"
    kind = "; ".join(KNOWN_FAMILIES[part] for part in family.split("+"))
    lines = [f"{task} · {model}", f"{model} is of the family {family}: {kind}"]
    for known in joined["statements"]:
        regime = known["regime"]
        lines += [
            "",
            f"{'at' if regime.endswith('precision') else 'with'} {regime}: {known['verdict']}",
            f"  the task    {task}: {joined['why']}; {so}",
            f"  the family  {known['why']} ({known['citation']})",
            f"  hence       {HENCE[known['verdict']]}",
        ]
    return "\n".join(lines)
