"""Which machine a task is about: its automaton, its semiautomaton, or its group.

Of a language it is the minimal automaton, whether the answer is asked for after every prefix or at
the end. Of a task that asks for a state or a product it is the Moore machine with these outputs.
"""

from __future__ import annotations

import numpy as np

from flann.errors import UserError
from flann.tasks.language import Language
from flann.tasks.semiautomata import StateTask
from flann.tasks.task import Task
from flann.tasks.word_problem import WordProblem

from .machine import Machine

LARGEST_GROUP = 120  # elements, for a machine; larger groups are classified by their table


def machine_of(task: Task) -> Machine:
    """The smallest machine that answers a task.

    >>> from flann.tasks import get_task
    >>> machine_of(get_task("flip-flop")).size
    2

    Raises
    ------
    UserError
        for a task that no finite automaton answers, or none that is known here.
    """
    if isinstance(task, Language):
        return Machine.of(task.automaton)
    if isinstance(task, WordProblem):
        table = task.group.table[:, task.generators]
        return Machine.smallest(task.symbols, table, np.arange(len(table)))
    states = getattr(task, "ring", task)
    if isinstance(states, StateTask):
        table = states.machine.table
        return Machine.smallest(states.symbols, table, np.arange(len(table)), states.machine.start)
    structure = task.structure or {}
    if structure.get("kind") != "automaton":
        raise UserError(
            f"{task.name} has no automaton to classify: expected a regular task, such as parity,"
            " tomita-4, A5, regex:(aa|b)* or automaton:FILE"
        )
    outputs = np.zeros(len(structure["states"]), np.intp)
    outputs[structure["accepting"]] = 1
    return Machine.smallest(
        structure["symbols"], np.array(structure["table"]), outputs, structure["start"]
    )
