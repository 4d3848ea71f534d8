"""Formal-language problems with exact answers.

>>> import numpy as np
>>> task = get_task("A5")
>>> batch = task.sample(np.random.default_rng(0), size=512, length=128)
>>> batch.tokens.shape, batch.targets.shape
((512, 128), (512, 128))

`get_task` builds a task from its name, `task_names` lists the names. A task's module is imported
when it is first asked for, and nothing here loads more than numpy.
"""

from __future__ import annotations

from .core.task import NOT_SCORED, Batch, Chance, Task, register, task_registry
from .sampling import test_stream
from .theory.statements import FAMILIES, Statement, Theory

__all__ = [
    "FAMILIES",
    "NOT_SCORED",
    "Batch",
    "Chance",
    "Statement",
    "Task",
    "Theory",
    "get_task",
    "register",
    "task_names",
    "task_registry",
    "task_summaries",
    "test_stream",
]


def get_task(text: str, *, imports: bool = False) -> Task:
    """Return the task of this name.

    Parameters
    ----------
    text : str
        ``name[:option=value,...]``: ``"A5"``, ``"A5:generators=2"``, ``"dyck-2:mode=recognise"``.
    imports : bool
        whether ``package.module:Name`` may be imported: only for text that the user typed.

    Raises
    ------
    UserError
        for an unknown name or option, or a value that makes no sense; with the nearest valid one.

    Examples
    --------
    >>> get_task("parity:mode=tag").name
    'parity'
    """
    task = task_registry.create(text, imports=imports)
    task.name = task_registry.canonical(text, imports=imports)
    return task


def task_names() -> list[str]:
    """Return the names of all tasks and, for a family such as the groups, its best-known members.

    ``regex`` and the others that ask for an argument after the colon are no tasks without it;
    `task_registry.names` has them too.
    """
    return [name for name in task_registry.names() if not task_registry.index[name].raw]


def task_summaries() -> dict[str, str]:
    """Return one line on each task without importing any of them."""
    return {name: task_registry.index[name].summary for name in task_names()}
