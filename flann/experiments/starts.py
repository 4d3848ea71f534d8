"""What training may start from, other than weights drawn by the seed.

``--start witness``  exact weights of one layer for the architecture on the task's language
                     (`flann.models.witnesses`). The task decides their size, not the budget; with
                     ``--steps 0`` the witness is measured as it is.
``--start rasp``     a transformer with the weights of the task's RASP program
                     (`flann.experiments.rasp_models`).

This module decides which starts make sense; `flann.training.initial_weights` builds the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flann.errors import UnknownNameError, UserError
from flann.tasks import NOT_SCORED, Task, test_stream
from flann.tasks.automata.moore_machine import MooreMachine

from . import rasp_models

if TYPE_CHECKING:
    from flann.models.witnesses import Counter, MooreTable

WITNESS = "witness"
COUNTERS = {
    "majority": ((-1, 1), 1, 0),
    "dyck-1:label=next": ((1, -1), 1, 0),
}
"""Tasks that a counter solves: what each symbol adds, the label of a positive count, the other."""

WORDS_TRIED = 200
LENGTHS_TRIED = (1, 2, 5, 16, 41)


def check_start(
    start: str | None, *, model: str, task: Task, depth: int, steps: int, format: str
) -> None:
    """Refuse a start, or a compiled model, that does not fit the rest of an experiment.

    Raises
    ------
    UserError
        with the reason in one line, before anything is built or written.
    """
    if start == WITNESS:
        check_witness(task, depth, format)
    elif start is not None:
        if not rasp_models.is_rasp_model(start):
            raise UnknownNameError("start", start, [WITNESS, rasp_models.NAME])
        if model != "transformer":
            raise UserError(
                f"--start {start}: the network is the program's, a transformer: expected"
                f" --model transformer, got {model}"
            )
        check_rasp(start, task, format)
    elif rasp_models.is_rasp_model(model):
        if steps:
            raise UserError(
                f"--model {model} is not trained: expected no --steps; to train from it,"
                f" --model transformer --start {model}"
            )
        check_rasp(model, task, format)


def check_witness(task: Task, depth: int, format: str) -> None:
    """Refuse a witness of several layers, in another format, or of a task that has none."""
    if depth != 1:
        raise UserError(f"depth {depth}: a witness has one layer: expected 1")
    if format != "direct":
        raise UserError(f"format {format}: a witness answers directly: expected direct")
    find_witnessed(task)


def check_rasp(name: str, task: Task, format: str) -> None:
    """Refuse a compiled program in another format, or of a task that has none."""
    if format != "direct":
        raise UserError(f"format {format}: a compiled program reads plain words: expected direct")
    rasp_models.check_program(name, task)


def find_witnessed(task: Task) -> MooreTable | Counter:
    """Return the Moore machine or counter that solves a task, verified on the task's own words.

    Raises
    ------
    UserError
        for a task that neither solves.

    Examples
    --------
    >>> from flann.tasks import get_task
    >>> find_witnessed(get_task("flip-flop")).states
    2
    """
    from flann.models.witnesses import Counter

    if task.name in COUNTERS:
        rises, above, below = COUNTERS[task.name]
        return Counter(rises, above=above, below=below)
    machine = convert_machine(task.machine) if task.machine and task.mode != "transduce" else None
    if machine is None or not solves(machine, task):
        raise UserError(
            f"start witness: {task.name} is not answered by a machine of finitely many states, or"
            f" by a counter as are {', '.join(COUNTERS)}: expected a regular task with its labels"
            " at the word's own positions"
        )
    return machine


def convert_machine(machine: MooreMachine) -> MooreTable:
    """Return a task's machine as witnesses take it."""
    from flann.models.witnesses import MooreTable

    return MooreTable(machine.table.tolist(), machine.labels.tolist(), machine.start)


def solves(machine: MooreTable, task: Task) -> bool:
    """Return whether a machine gives the task's labels on random words of several lengths."""
    table, labels = np.array(machine.table), np.array(machine.labels)
    for length in sorted({task.nearest_length(length) for length in LENGTHS_TRIED}):
        words = task.sample(test_stream(task.name, length, "validation"), WORDS_TRIED, length)
        states = np.full(WORDS_TRIED, machine.start)
        for symbol, target in zip(words.tokens.T, words.targets.T, strict=True):
            states = table[states, symbol]
            scored = target != NOT_SCORED
            if (labels[states][scored] != target[scored]).any():
                return False
    return True
