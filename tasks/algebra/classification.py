"""The classes of a language, all at once: each decided, or not known and why.

Each class is asked in the cheapest way that settles it. Five have a test on the automaton that
always answers; the others are asked of the semigroup, where it is small enough to be written down,
and else of samples of it, which can only say no. What one class says about another follows at the
end: a language that is locally testable is star-free, however large its semigroup.

Of a task with more than two labels a class holds when it holds of the language of every label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from flann.tasks.automata import Automaton
from flann.tasks.task import Task
from flann.tasks.word_problem import WordProblem

from .circuits import quasi_aperiodic, solvable
from .equations import Equations
from .knast import piecewise_locally_testable
from .locally_testable import locally_testable
from .machine import Machine
from .piecewise import piecewise_testable, r_trivial
from .reversal import l_trivial
from .samples import Samples
from .semigroup import LIMIT, Semigroup
from .strictly_local import strictly_local
from .strictly_piecewise import strictly_piecewise
from .tagging import LARGEST_GROUP, machine_of
from .verdict import Clock, Stopped, Verdict, Words
from .windows import least_subsequence, least_window

CLASSES = {
    "SL": "strictly local",
    "SP": "strictly piecewise",
    "LT": "locally testable",
    "LTT": "locally threshold testable",
    "PT": "piecewise testable",
    "PLT": "piecewise locally testable",
    "TSL": "strictly local on a tier",
    "TLT": "locally testable on a tier",
    "TLTT": "locally threshold testable on a tier",
    "TPLT": "piecewise locally testable on a tier",
    "coSL": "complement strictly local",
    "coSP": "complement strictly piecewise",
    "SF": "star-free",
    "R-trivial": "R-trivial",
    "L-trivial": "L-trivial",
    "J-trivial": "J-trivial",
    "DA": "two-variable logic",
    "quasi-aperiodic": "regular and in AC0",
    "solvable": "every group solvable",
}

INSIDE = {  # each class, and those that it is part of
    "SL": ("TSL", "LT"),
    "coSL": ("LT",),
    "SP": ("PT",),
    "coSP": ("PT",),
    "LT": ("TLT", "LTT"),
    "LTT": ("TLTT", "PLT"),
    "PLT": ("TPLT",),
    "TSL": ("TLT",),
    "TLT": ("TLTT",),
    "TLTT": ("TPLT",),
    "TPLT": ("SF",),
    "PT": ("J-trivial", "PLT"),
    "J-trivial": ("PT", "R-trivial", "L-trivial"),
    "R-trivial": ("DA",),
    "L-trivial": ("DA",),
    "DA": ("SF",),
    "SF": ("quasi-aperiodic",),
    "quasi-aperiodic": ("solvable",),
}

Equation = Callable[[Equations], Verdict]

EQUATIONS: dict[str, Equation] = {  # in this order: each may spare those behind it
    "SF": Equations.aperiodic,
    "L-trivial": Equations.l_trivial,
    "DA": Equations.da,
    "LTT": Equations.locally_threshold_testable,
    "PLT": piecewise_locally_testable,
    "quasi-aperiodic": quasi_aperiodic,
    "solvable": solvable,
}

CIRCUITS = {
    "AC0": "quasi-aperiodic, so in AC0",
    "ACC0": "it counts modulo constants, and every group is solvable",
    "NC1-complete": "it has a group that is not solvable",
}


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
        parts = []
        if self.circuit is not None:
            reason = self.verdicts["quasi-aperiodic" if self.circuit == "AC0" else "solvable"].why
            parts.append(f"{CIRCUITS[self.circuit]}: {reason}")
        stopped: dict[str, list[str]] = {}
        for name in CLASSES:
            if self.verdicts[name].answer is None:
                stopped.setdefault(self.verdicts[name].why, []).append(name)
        parts += [f"{', '.join(names)}: {why}" for why, names in stopped.items()]
        return "; ".join(parts)

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


Progress = Callable[[str], None]


def quiet(name: str) -> None:
    """Say nothing."""


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
    >>> from flann.tasks.expressions import from_expression
    >>> found = classify(from_expression("(ab)*"))
    >>> found.classes["SL"], found.k["SL"], found.classes["PT"], found.circuit
    (True, 2, False, 'AC0')
    """
    return classify_machine(Machine.of(automaton), limit, seconds)


def classify_task(
    task: Task, limit: int = LIMIT, seconds: float = 30.0, progress: Progress = quiet
) -> Classification:
    """The classes of a regular task.

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
    if isinstance(task, WordProblem) and task.group.order > LARGEST_GROUP:
        return classify_group(task)
    return classify_machine(machine_of(task), limit, seconds, progress)


def classify_machine(
    machine: Machine, limit: int = LIMIT, seconds: float = 30.0, progress: Progress = quiet
) -> Classification:
    """The classes of the language, or of the task, of a smallest machine.

    `progress` is told the class that is asked about next.
    """
    decisions = Decisions(machine, limit, Clock.of(seconds), progress)
    verdicts = consequences(decisions.all())
    semigroup = decisions.semigroup
    return Classification(
        machine.size,
        len(machine.symbols),
        semigroup.size if isinstance(semigroup, Semigroup) else None,
        verdicts,
        machine.tier,
    )


def classify_group(task: WordProblem) -> Classification:
    """The classes of a word problem, from the group alone: its semigroup is the group.

    One generator that is not the identity counts the length, two different ones count more.
    """
    group, symbols = task.group, np.unique(task.generators)
    moving = task.symbols[int(np.flatnonzero(task.generators)[0])]
    counts = "the powers of x go round"
    verdicts = {name: Verdict(None, "follows from others") for name in CLASSES}
    verdicts["SF"] = Verdict(False, counts, {"x": (moving,)})
    only = len(symbols) == 1
    why = "one generator: it counts the length" if only else "two words of one length differ"
    verdicts["quasi-aperiodic"] = Verdict(only, why)
    is_solvable = "" if group.is_solvable else "not "
    verdicts["solvable"] = Verdict(group.is_solvable, f"{group.name} is {is_solvable}solvable")
    order = len(group.generated(symbols))
    return Classification(order, len(task.symbols), order, consequences(verdicts), task.symbols)


# -- one after the other -------------------------------------------------------------------------


@dataclass(eq=False)
class Decisions:
    """The decisions of one machine, within one limit and by one clock."""

    machine: Machine
    limit: int
    clock: Clock
    progress: Progress = quiet
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def all(self) -> dict[str, Verdict]:
        """A verdict for each class."""
        self.on_automaton()
        self.on_semigroup()
        return {name: self.verdicts[name] for name in CLASSES}

    # -- polynomial ------------------------------------------------------------------------------

    def on_automaton(self) -> None:
        """Those with a test on the automaton."""
        machine, tier = self.machine, self.machine.on_tier()
        self.note("SL", lambda: self.of_labels(machine, strictly_local))
        self.note("coSL", lambda: self.of_labels(machine, strictly_local, complement=True))
        self.note("SP", lambda: self.of_labels(machine, self.piecewise))
        self.note("coSP", lambda: self.of_labels(machine, self.piecewise, complement=True))
        self.note("R-trivial", lambda: r_trivial(machine))
        self.note("PT", lambda: self.with_k(piecewise_testable, least_subsequence, machine))
        self.note("LT", lambda: self.with_k(locally_testable, least_window, machine))
        if not machine.tier:  # all words or none: nothing is left to look at
            self.verdicts["TSL"] = Verdict(True, "every symbol is neutral", k=1)
        elif not machine.neutral.any():
            self.verdicts |= {"TSL": self.verdicts["SL"], "TLT": self.verdicts["LT"]}
        else:
            self.note("TSL", lambda: self.of_labels(tier, strictly_local))
            self.note("TLT", lambda: self.with_k(locally_testable, least_window, tier))

    def note(self, name: str, decide: Callable[[], Verdict]) -> None:
        """Keep a verdict, or what stopped it."""
        self.progress(name)
        try:
            self.verdicts[name] = decide()
        except Stopped as stopped:
            self.verdicts[name] = Verdict(None, str(stopped))

    def piecewise(self, machine: Machine) -> Verdict:
        """Strictly piecewise, with a share of the time for the least k."""
        return strictly_piecewise(machine, self.clock.share(0.1))

    @staticmethod
    def of_labels(
        machine: Machine, decide: Callable[[Machine], Verdict], complement: bool = False
    ) -> Verdict:
        """The verdict of a language; with more labels that of the language of every label."""
        if machine.is_language:
            return decide(machine.complement() if complement else machine)
        k = 0
        for label in np.unique(machine.outputs):
            outputs = ((machine.outputs == label) ^ complement).astype(np.intp)
            verdict = decide(
                Machine.smallest(machine.symbols, machine.table, outputs, machine.start)
            )
            if not verdict.answer:
                return replace(verdict, why=f"the language of label {label}: {verdict.why}")
            k = max(k, verdict.k or 0)
        return Verdict(True, "of every label", k=k or None)

    def with_k(
        self,
        decide: Callable[[Machine], Verdict],
        least: Callable[[Machine, Clock], int],
        machine: Machine,
    ) -> Verdict:
        """A verdict, and with a *yes* the least k if it is found in a share of the time."""
        verdict = decide(machine)
        if not verdict.answer:
            return verdict
        try:
            return replace(verdict, k=least(machine, self.clock.share(0.05)))
        except Stopped as stopped:
            return replace(verdict, why=f"{verdict.why}; the least k: {stopped}")

    # -- on the semigroup ------------------------------------------------------------------------

    @cached_property
    def semigroup(self) -> Semigroup | Stopped:
        """The semigroup, or what stopped it."""
        return self.closed(self.machine)

    def closed(self, machine: Machine) -> Semigroup | Stopped:
        """The semigroup of a machine, or what stopped it."""
        try:
            return Semigroup.of(machine, self.clock.share(0.5), self.limit)
        except Stopped as stopped:
            return stopped

    def on_semigroup(self) -> None:
        """Those that are asked of the semigroup, and those of the semigroup on the tier."""
        machine, tier = self.machine, self.machine.on_tier()
        self.ask(machine, self.semigroup, EQUATIONS)
        if machine.neutral.any() and machine.tier:
            names = {"TLTT": EQUATIONS["LTT"], "TPLT": EQUATIONS["PLT"]}
            self.verdicts = consequences(self.verdicts)
            if not names.keys() <= self.decided:
                self.ask(tier, self.closed(tier), names)
        elif machine.tier:  # every symbol is on the tier
            for name in ("LTT", "PLT"):
                self.verdicts["T" + name] = self.verdicts[name]
        self.verdicts = consequences(self.verdicts)

    @property
    def decided(self) -> set[str]:
        """The classes that are decided so far."""
        return {name for name, verdict in self.verdicts.items() if verdict.answer is not None}

    def ask(
        self, machine: Machine, semigroup: Semigroup | Stopped, wanted: dict[str, Equation]
    ) -> None:
        """Each decision that does not follow from those before it."""
        samples = Samples(machine, self.clock)
        for name, equation in wanted.items():
            self.verdicts = consequences(self.verdicts)
            if name in self.decided:
                continue
            if isinstance(semigroup, Semigroup):
                equations = Equations.of(semigroup, self.clock.share(0.5))
                self.note(name, partial(equation, equations))
            else:
                self.note(name, partial(self.without, str(semigroup), samples, name))

    def without(self, stopped: str, samples: Samples, name: str) -> Verdict:
        """The verdict where the semigroup is too large."""
        refuted = samples.refute(name.removeprefix("T"))
        if refuted is not None:
            return refuted
        if name == "L-trivial":
            return l_trivial(self.machine, self.clock.share(0.3))
        return Verdict(None, stopped)


UNKNOWN = Verdict(None, "not asked")


def consequences(verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """What follows from what is decided, until nothing more does.

    >>> yes = {"LT": Verdict(True, "by its automaton")}
    >>> {name for name, v in consequences(yes).items() if v.answer} >= {"SF", "solvable"}
    True
    """
    known = dict(verdicts)

    def unknown(name: str) -> bool:
        return known.get(name, UNKNOWN).answer is None

    changed = True
    while changed:
        changed = False
        for name, larger in INSIDE.items():
            for other in larger:
                if known.get(name, UNKNOWN).answer and unknown(other):
                    known[other] = Verdict(True, f"as it is {name}", k=same_k(known, name, other))
                    changed = True
                if known.get(other, UNKNOWN).answer is False and unknown(name):
                    reason = known[other].why
                    if not reason.startswith("as it is not"):
                        reason = f"as it is not {other}: {reason}"
                    known[name] = Verdict(False, reason, known[other].witness)
                    changed = True
        both = [known.get(name, UNKNOWN).answer for name in ("R-trivial", "L-trivial")]
        if all(both) and unknown("J-trivial"):
            known["J-trivial"] = Verdict(True, "R-trivial and L-trivial")
            changed = True
    return known


def same_k(known: dict[str, Verdict], name: str, other: str) -> int | None:
    """The k that carries over: piecewise testable and J-trivial are one class."""
    return known[name].k if {name, other} == {"PT", "J-trivial"} else None
