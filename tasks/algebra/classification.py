"""The classification of a regular language: the verdict on every class.

A task with more than two labels belongs to a class if the language of every label does; its tier is
that of the whole task.
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
from .verdict import Clock, Verdict, Witness

LARGEST_GROUP = 120
"""The largest order of a group whose word problem is classified from its machine."""


@dataclass(frozen=True, eq=False)
class Classification:
    """The classification of a language.

    Attributes
    ----------
    states, alphabet : int
        the numbers of states and of symbols of the minimal machine.
    semigroup : int or None
        the number of elements of the syntactic semigroup; None if it is not known.
    verdicts : dict of str to Verdict
        the verdict on each class.
    tier : tuple of str
        the symbols that are not neutral, that is, whose removal can change membership.
    """

    states: int
    alphabet: int
    semigroup: int | None
    verdicts: dict[str, Verdict]
    tier: tuple[str, ...]

    @property
    def classes(self) -> dict[str, bool | None]:
        """The answer for each class; None if it is not known."""
        return {name: self.verdicts[name].answer for name in CLASSES}

    @property
    def k(self) -> dict[str, int]:
        """The least widths of windows and lengths of subsequences, by class."""
        return {name: v.k for name in CLASSES if (v := self.verdicts[name]).k is not None}

    @property
    def witnesses(self) -> dict[str, Witness]:
        """The words that violate the equation of each class that the language is not in."""
        return {name: v.witness for name in CLASSES if (v := self.verdicts[name]).witness}

    @property
    def circuit(self) -> str | None:
        """The smallest circuit class that is known to contain the language, or None."""
        quasi_aperiodic, solvable = self.classes["quasi-aperiodic"], self.classes["solvable"]
        if quasi_aperiodic:
            return "AC0"
        if solvable is False:
            return "NC1-complete"
        return "ACC0" if solvable and quasi_aperiodic is False else None

    @property
    def why(self) -> str:
        """The reason for the circuit class, and for each class that was not decided."""
        parts = [self.circuit_reason] if self.circuit else []
        stopped: dict[str, list[str]] = {}
        for name in CLASSES:
            if self.verdicts[name].answer is None:
                stopped.setdefault(self.verdicts[name].why, []).append(name)
        parts += [f"{', '.join(names)}: {why}" for why, names in stopped.items()]
        return "; ".join(parts)

    @property
    def circuit_reason(self) -> str:
        """The reason for the circuit class, in one line."""
        if self.classes["SF"]:
            return "star-free, so in AC0"
        if self.circuit == "AC0":
            return f"quasi-aperiodic, so in AC0: {self.verdicts['quasi-aperiodic'].why}"
        counts = "it counts modulo constants" if self.circuit == "ACC0" else "not solvable"
        return f"{counts}: {self.verdicts['solvable'].why}"

    def as_dict(self) -> dict[str, Any]:
        """Return the classification as plain data for JSON; None stands for unknown."""
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
    """Classify the language of an automaton.

    Parameters
    ----------
    automaton : Automaton
        an automaton of the language, which need not be minimal.
    limit : int
        the largest number of elements of a semigroup that is computed.
    seconds : float
        the time limit, after which the remaining classes are unknown.

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
    """The attributes of a `flann.tasks.core.task.Task` from which it is classified."""

    name: str
    symbols: tuple[str, ...]

    @property
    def machine(self) -> MooreMachine | None:
        """The minimal Moore machine, or None if the task is not regular."""

    @property
    def group(self) -> Group | None:
        """The group of a word problem, or None."""

    @property
    def generators(self) -> Int[np.ndarray, " symbols"] | None:
        """The elements of the group that the symbols denote, or None."""


def classify_task(
    task: RegularTask,
    limit: int = LIMIT,
    seconds: float = 30.0,
    progress: Progress = ignore_progress,
) -> Classification:
    """Classify a regular task.

    The word problem of a group of more than `LARGEST_GROUP` elements is classified from the group
    alone, which is its syntactic semigroup.

    Raises
    ------
    UserError
        if the task has no automaton.

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
    """Return the machine of a regular task.

    Raises
    ------
    UserError
        if the task has no machine.

    Examples
    --------
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
    """Classify the language or task of a minimal machine.

    `progress` is called with the name of each class before it is decided.
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
    """Classify a word problem from the group alone.

    With a single generator other than the identity the answer depends on the length of the word;
    with two distinct generators it depends on more than the length.
    """
    elements = np.unique(generators)
    moving = symbols[int(np.flatnonzero(generators)[0])]
    counts = "the powers of x cycle"
    verdicts = {name: Verdict(None, "implied by other classes") for name in CLASSES}
    verdicts["SF"] = Verdict(False, counts, {"x": (moving,)})
    only = len(elements) == 1
    why = "the single generator counts the length" if only else "two words of one length differ"
    verdicts["quasi-aperiodic"] = Verdict(only, why)
    is_solvable = "" if group.is_solvable else "not "
    verdicts["solvable"] = Verdict(group.is_solvable, f"{group.name} is {is_solvable}solvable")
    order = len(group.generate_subgroup(elements))
    return Classification(order, len(symbols), order, propagate_inclusions(verdicts), symbols)
