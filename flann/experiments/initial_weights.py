"""Where training starts: from weights drawn by the seed, or from weights known to be right.

``--start witness``  the architecture's witness on the task (`flann.models.witnesses`): exact
                     weights of one layer, whose size the task decides and not the budget; with
                     ``--steps 0`` it is measured as it is
``--start rasp``     a transformer from the weights of the task's RASP program (`flann.experiments.rasp_models`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flann.errors import UserError, unknown
from flann.tasks import NOT_SCORED, Task, test_stream

from . import rasp_models as compiled

if TYPE_CHECKING:
    from flann.models import SequenceModel
    from flann.models.witnesses import Counter, Moore

    from .experiment import Experiment

WITNESS = "witness"
COUNTERS = {  # tasks that a counter answers: how symbols move it, and the labels above 0 and else
    "majority": ((-1, 1), 1, 0),
    "dyck-1:label=next": ((1, -1), 1, 0),
}
TRIED = 200  # words of each length by which a machine is held against the task
LENGTHS = (1, 2, 5, 16, 41)


def check(experiment: Experiment, task: Task) -> None:
    """Refuse a start that there is not, before anything is written."""
    start = experiment.start
    if start != WITNESS:
        if start is not None and not compiled.is_compiled(start):
            raise unknown("start", start, [WITNESS, compiled.NAME])
        if start is not None or compiled.is_compiled(experiment.model):
            compiled.check(experiment, task)
        return
    if experiment.depth != 1:
        raise UserError(f"depth {experiment.depth}: a witness has one layer: expected 1")
    if experiment.format != "direct":
        raise UserError(f"format {experiment.format}: a witness answers directly: expected direct")
    language_of(task)


def built(experiment: Experiment, task: Task) -> SequenceModel | None:
    """The model to start from; None where its weights are to be drawn."""
    if experiment.start == WITNESS:
        from flann.models.witnesses import witness

        return witness(experiment.model, language_of(task), labels=len(task.labels))
    if experiment.start or compiled.is_compiled(experiment.model):
        return compiled.build_compiled(experiment, task)
    return None


def language_of(task: Task) -> Moore | Counter:
    """The machine or counter that answers a task, held against the task's own answers.

    Raises
    ------
    UserError
        for a task with neither.

    Examples
    --------
    >>> from flann.tasks import get_task
    >>> language_of(get_task("flip-flop")).states
    2
    """
    from flann.models.witnesses import Counter

    if task.name in COUNTERS:
        rises, above, below = COUNTERS[task.name]
        return Counter(rises, above=above, below=below)
    machine = machine_for(task)
    if machine is None or not answers(machine, task):
        raise UserError(
            f"start witness: {task.name} is not answered by a machine of finitely many states, or"
            f" by a counter as are {', '.join(COUNTERS)}: expected a regular task with its labels"
            " at the word's own positions"
        )
    return machine


def machine_for(task: Task) -> Moore | None:
    """A machine that may answer the task; None for what is not regular."""
    from flann.models.witnesses import Moore
    from flann.tasks.algebra import machine_of
    from flann.tasks.languages.regular.regular_language import Language

    if task.mode == "transduce":
        return None
    if isinstance(task, Language):
        automaton = task.automaton
        return Moore(automaton.table.tolist(), task.state_labels.tolist(), automaton.start)
    try:
        machine = machine_of(task)
    except UserError:
        return None
    return Moore(machine.table.tolist(), machine.outputs.tolist(), machine.start)


def answers(machine: Moore, task: Task) -> bool:
    """Whether the machine gives the task's labels on words of several lengths."""
    table, outputs = np.array(machine.table), np.array(machine.outputs)
    for length in sorted({task.length_near(wanted) for wanted in LENGTHS}):
        tokens, targets = task.sample(test_stream(task.name, length, "validation"), TRIED, length)
        states = np.full(TRIED, machine.start)
        for symbol, wanted in zip(tokens.T, targets.T, strict=True):
            states = table[states, symbol]
            scored = wanted != NOT_SCORED
            if (outputs[states][scored] != wanted[scored]).any():
                return False
    return True
