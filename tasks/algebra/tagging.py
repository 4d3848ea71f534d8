"""Which machine a task is about: its automaton, its semiautomaton, or its group.

Of a language it is the minimal automaton, whether the answer is asked for after every prefix or at
the end. Of a task that asks for a state or a product it is the Moore machine with these outputs.
"""

from __future__ import annotations

import numpy as np

from flann.errors import UserError
from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.moore_machine import Machine
from flann.tasks.core.task import Task
from flann.tasks.languages.counters_and_stacks.dyck import Dyck
from flann.tasks.languages.regular.modular import Navigation
from flann.tasks.languages.regular.regular_language import Language
from flann.tasks.languages.regular.semiautomata import StateTask
from flann.tasks.languages.regular.word_problem import WordProblem

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
    if isinstance(task, Dyck) and task.depth is not None:
        return Machine.of(brackets(task.kinds, task.depth, task.symbols))
    states = task.ring if isinstance(task, Navigation) else task
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


def brackets(kinds: int, depth: int, symbols: tuple[str, ...]) -> Automaton:
    """Balanced brackets with a limit on how many are open; states are the open ones, or None.

    >>> brackets(1, 2, ("(", ")")).size
    4
    """

    def step(opened: tuple[int, ...] | None, a: int) -> tuple[int, ...] | None:
        if opened is None:
            return None
        kind, closes = divmod(a, 2)
        if not closes:
            return (*opened, kind) if len(opened) < depth else None
        return opened[:-1] if opened[-1:] == (kind,) else None

    start: tuple[int, ...] | None = ()
    return from_function(symbols, start, step, lambda opened: opened == ())
