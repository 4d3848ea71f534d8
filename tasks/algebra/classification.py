"""The classes of a language, all at once: each decided, or not known and why.

Of a task with more than two labels a class holds when it holds of the language of every label; the
tier is that of the whole task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from flann.errors import UserError
from flann.tasks.automata.automaton import Automaton
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.groups.cayley_tables import Group

from .semigroup import LIMIT, Semigroup
from .varieties.classifier import Classifier, Progress, ignore_progress
from .varieties.inclusions import CLASSES, propagate_inclusions
from .verdict import Clock, Verdict, Words

LARGEST_GROUP = 120
"""The most elements of a group whose word problem is classified from its machine."""


@dataclass(frozen=True, eq=False)
class Classification:
    """What is known of a language.

    Attributes
    ----------
    states, alphabet : int
        of the smallest machine.
    semigroup : int or None
        how many elements the syntactic semigroup has.
    verdicts : dict of str to Verdict
        of each class, the answer with its reason and witness.
    tier : tuple of str
        the symbols that are not neutral.
    """

    states: int
    alphabet: int
    semigroup: int | None
    verdicts: dict[str, Verdict]
    tier: tuple[str, ...]

    @property
    def classes(self) -> dict[str, bool | None]:
        """Of each class, whether the language is in it."""
        return {name: self.verdicts[name].answer for name in CLASSES}

    @property
    def k(self) -> dict[str, int]:
        """The widths of windows and lengths of subsequences that were found."""
        return {name: v.k for name in CLASSES if (v := self.verdicts[name]).k is not None}

    @property
    def witnesses(self) -> dict[str, Words]:
        """Of the classes that it is not in, the words that violate the equation."""
        return {name: v.witness for name in CLASSES if (v := self.verdicts[name]).witness}

    @property
    def circuit(self) -> str | None:
        """The smallest of the circuit classes that it is known to be in."""
        counts_nothing, solvable_ = self.classes["quasi-aperiodic"], self.classes["solvable"]
        if counts_nothing:
            return "AC0"
        if solvable_ is False:
            return "NC1-complete"
        return "ACC0" if solvable_ and counts_nothing is False else None

    @property
    def why(self) -> str:
        """The circuit class with its reason, and what stopped the decisions that were stopped."""
        parts = [self.circuit_reason] if self.circuit else []
        stopped: dict[str, list[str]] = {}
        for name in CLASSES:
            if self.verdicts[name].answer is None:
                stopped.setdefault(self.verdicts[name].why, []).append(name)
        parts += [f"{', '.join(names)}: {why}" for why, names in stopped.items()]
        return "; ".join(parts)

    @property
    def circuit_reason(self) -> str:
        """Why it is in its circuit class."""
        if self.classes["SF"]:
            return "star-free, so in AC0"
        if self.circuit == "AC0":
            return f"quasi-aperiodic, so in AC0: {self.verdicts['quasi-aperiodic'].why}"
        counts = "it counts modulo constants" if self.circuit == "ACC0" else "not solvable"
        return f"{counts}: {self.verdicts['solvable'].why}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: null for what is not known."""
        return {
            "states": self.states,
            "alphabet": self.alphabet,
            "semigroup": self.semigroup,
            **self.classes,
            "circuit": self.circuit,
            "k": self.k,
            "tier": list(self.tier),
            "why": self.why,
        }


def classify(automaton: Automaton, limit: int = LIMIT, seconds: float = 30.0) -> Classification:
    """The classes of the language of an automaton.

    Parameters
    ----------
    automaton : Automaton
        of the language; it is minimised.
    limit : int
        the most elements of a semigroup.
    seconds : float
        after which what is not decided is not known.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> found = classify(from_expression("(ab)*"))
    >>> found.classes["SL"], found.k["SL"], found.classes["PT"], found.circuit
    (True, 2, False, 'AC0')
    """
    return classify_machine(MooreMachine.from_automaton(automaton), limit, seconds)


@runtime_checkable
class RegularTask(Protocol):
    """What a task must say to be classified (`flann.tasks.core.task.Task` says it)."""

    name: str
    symbols: tuple[str, ...]

    @property
    def machine(self) -> MooreMachine | None:
        """The minimal Moore machine, or None if the task is not regular."""

    @property
    def group(self) -> Group | None:
        """The group of a word problem."""

    @property
    def generators(self) -> Int[np.ndarray, " symbols"] | None:
        """The elements of the group that the symbols stand for."""


def classify_task(
    task: RegularTask,
    limit: int = LIMIT,
    seconds: float = 30.0,
    progress: Progress = ignore_progress,
) -> Classification:
    """Decide the classes of a regular task.

    The word problem of a group of more than `LARGEST_GROUP` elements is classified from the group
    alone, whose syntactic semigroup is the group itself.

    Raises
    ------
    UserError
        for a task without an automaton.

    Examples
    --------
    >>> from flann.tasks import get_task
    >>> classify_task(get_task("S5:generators=2")).circuit
    'NC1-complete'
    """
    group, generators = task.group, task.generators
    if group is not None and generators is not None and group.order > LARGEST_GROUP:
        return classify_group(group, generators, task.symbols)
    return classify_machine(require_machine(task), limit, seconds, progress)


def require_machine(task: RegularTask) -> MooreMachine:
    """Return a task's machine, or refuse a task that has none.

    >>> from flann.tasks import get_task
    >>> require_machine(get_task("flip-flop")).size
    2
    """
    if task.machine is None:
        raise UserError(
            f"{task.name} has no automaton to classify: expected a regular task, such as parity,"
            " tomita-4, A5, regex:(aa|b)* or automaton:FILE"
        )
    return task.machine


def classify_machine(
    machine: MooreMachine,
    limit: int = LIMIT,
    seconds: float = 30.0,
    progress: Progress = ignore_progress,
) -> Classification:
    """The classes of the language, or of the task, of a smallest machine.

    `progress` is told the class that is asked about next.
    """
    machine = machine.acceptor
    classifier = Classifier(machine, limit, Clock.of(seconds), progress)
    verdicts = propagate_inclusions(classifier.classify())
    semigroup = classifier.semigroup
    return Classification(
        machine.size,
        len(machine.symbols),
        semigroup.size if isinstance(semigroup, Semigroup) else None,
        verdicts,
        machine.tier,
    )


def classify_group(
    group: Group, generators: Int[np.ndarray, " symbols"], symbols: tuple[str, ...]
) -> Classification:
    """Decide the classes of a word problem from the group alone.

    A single generator that is not the identity counts the length; two different ones count more.
    """
    elements = np.unique(generators)
    moving = symbols[int(np.flatnonzero(generators)[0])]
    counts = "the powers of x go round"
    verdicts = {name: Verdict(None, "follows from others") for name in CLASSES}
    verdicts["SF"] = Verdict(False, counts, {"x": (moving,)})
    only = len(elements) == 1
    why = "one generator: it counts the length" if only else "two words of one length differ"
    verdicts["quasi-aperiodic"] = Verdict(only, why)
    is_solvable = "" if group.is_solvable else "not "
    verdicts["solvable"] = Verdict(group.is_solvable, f"{group.name} is {is_solvable}solvable")
    order = len(group.generate_subgroup(elements))
    return Classification(order, len(symbols), order, propagate_inclusions(verdicts), symbols)
