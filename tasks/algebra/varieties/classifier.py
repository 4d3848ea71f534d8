"""Decide all classes of a language, each by the cheapest procedure that applies.

Five classes have a polynomial test on the automaton. The others are decided on the syntactic
semigroup if it is small enough to be computed. If it is not, their equations are tried on sampled
words, which can only refute them, and for L-trivial and LTT there is a further test on the
automaton. A class whose answer follows from those already known is not decided again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from flann.tasks.algebra.green import Green
from flann.tasks.algebra.semigroup import Semigroup
from flann.tasks.algebra.verdict import Clock, Stopped, Verdict
from flann.tasks.automata.moore_machine import MooreMachine

from .circuits import decide_quasi_aperiodic, decide_solvable
from .dot_depth_one import decide_dot_depth_one
from .equations import Equations
from .inclusions import CLASSES, propagate_inclusions
from .l_trivial import decide_l_trivial
from .locally_testable import decide_locally_testable
from .piecewise_testable import decide_piecewise_testable, decide_r_trivial
from .sampled_equations import SampledEquations
from .strictly_local import decide_strictly_local
from .strictly_piecewise import decide_strictly_piecewise
from .testability_order import find_least_subsequence, find_least_window
from .threshold_testable import decide_threshold_testable

Equation = Callable[[Equations], Verdict]

EQUATIONS: dict[str, Equation] = {  # in this order: an answer may settle those after it
    "SF": Equations.decide_aperiodic,
    "R-trivial": Equations.decide_r_trivial,  # R-trivial, PT, LT: only for large automata
    "L-trivial": Equations.decide_l_trivial,
    "PT": Equations.decide_j_trivial,
    "DA": Equations.decide_da,
    "LT": Equations.decide_locally_testable,
    "LTT": Equations.decide_locally_threshold_testable,
    "PLT": decide_dot_depth_one,
    "quasi-aperiodic": decide_quasi_aperiodic,
    "solvable": decide_solvable,
}

ON_TIER = {"TLT": "LT", "TLTT": "LTT", "TPLT": "PLT"}
"""Each class that is decided on the tier by the equation of another."""

Progress = Callable[[str], None]


def ignore_progress(name: str) -> None:
    """Report no progress."""


@dataclass(eq=False)
class Classifier:
    """The classification of one machine under a limit of elements and a time limit."""

    machine: MooreMachine
    limit: int
    clock: Clock
    progress: Progress = ignore_progress
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def classify(self) -> dict[str, Verdict]:
        """Return the verdict on each class."""
        self.decide_on_automaton()
        self.decide_on_semigroup()
        self.verdicts.setdefault("J-trivial", self.verdicts["PT"])  # the same class (Simon 1975)
        return {name: self.verdicts[name] for name in CLASSES}

    # -- polynomial ------------------------------------------------------------------------------

    def decide_on_automaton(self) -> None:
        """Decide the classes that have a polynomial test on the automaton."""
        machine, tier = self.machine, self.machine.on_tier()
        self.record("SL", lambda: self.decide_every_label(machine, decide_strictly_local))
        self.record(
            "coSL", lambda: self.decide_every_label(machine, decide_strictly_local, complement=True)
        )
        self.record("SP", lambda: self.decide_every_label(machine, self.decide_piecewise))
        self.record(
            "coSP", lambda: self.decide_every_label(machine, self.decide_piecewise, complement=True)
        )
        self.record("R-trivial", lambda: decide_r_trivial(machine))
        self.record(
            "PT",
            lambda: self.decide_with_k(decide_piecewise_testable, find_least_subsequence, machine),
        )
        self.record(
            "LT", lambda: self.decide_with_k(decide_locally_testable, find_least_window, machine)
        )
        if not machine.tier:  # the language is all words or none
            self.verdicts["TSL"] = Verdict(True, "every symbol is neutral", k=1)
        elif not machine.neutral.any():
            self.verdicts |= {"TSL": self.verdicts["SL"], "TLT": self.verdicts["LT"]}
        else:
            self.record("TSL", lambda: self.decide_every_label(tier, decide_strictly_local))
            self.record(
                "TLT", lambda: self.decide_with_k(decide_locally_testable, find_least_window, tier)
            )

    def record(self, name: str, decide: Callable[[], Verdict]) -> None:
        """Record a verdict, or the limit that was exceeded."""
        self.progress(name)
        try:
            self.verdicts[name] = decide()
        except Stopped as stopped:
            self.verdicts[name] = Verdict(None, str(stopped))

    def decide_piecewise(self, machine: MooreMachine) -> Verdict:
        """Decide strictly piecewise, with a share of the remaining time for the least k."""
        return decide_strictly_piecewise(machine, self.clock.share(0.1))

    @staticmethod
    def decide_every_label(
        machine: MooreMachine, decide: Callable[[MooreMachine], Verdict], complement: bool = False
    ) -> Verdict:
        """Decide a class for a language, or for the language of every label of a task."""
        if machine.is_language:
            return decide(machine.complement() if complement else machine)
        ks = []
        for label in np.unique(machine.labels):
            outputs = ((machine.labels == label) ^ complement).astype(np.intp)
            verdict = decide(
                MooreMachine.minimal(machine.symbols, machine.table, outputs, machine.start)
            )
            if not verdict.answer:
                return replace(verdict, why=f"the language of label {label}: {verdict.why}")
            ks.append(verdict.k)
        known = [k for k in ks if k is not None]
        return Verdict(
            True,
            "it holds for the language of every label",
            k=max(known) if len(known) == len(ks) else None,
        )

    def decide_with_k(
        self,
        decide: Callable[[MooreMachine], Verdict],
        least: Callable[[MooreMachine, Clock], int],
        machine: MooreMachine,
    ) -> Verdict:
        """Decide a class and, if the answer is positive, search for the least k."""
        verdict = decide(machine)
        if not verdict.answer:
            return verdict
        try:
            return replace(verdict, k=least(machine, self.clock.share(0.05)))
        except Stopped as stopped:
            return replace(verdict, why=f"{verdict.why}; the least k is not known: {stopped}")

    # -- on the semigroup ------------------------------------------------------------------------

    @cached_property
    def semigroup(self) -> Semigroup | Stopped:
        """The syntactic semigroup, or the limit that was exceeded."""
        return self.build_semigroup(self.machine)

    def build_semigroup(self, machine: MooreMachine) -> Semigroup | Stopped:
        """Compute the semigroup of a machine, or return the limit that was exceeded."""
        self.progress("the size of the semigroup")
        try:
            return Semigroup.of(machine, self.clock.share(0.5), self.limit)
        except Stopped as stopped:
            return stopped

    def decide_on_semigroup(self) -> None:
        """Decide the remaining classes on the semigroup, and on the semigroup of the tier."""
        machine, tier = self.machine, self.machine.on_tier()
        self.decide_equations(machine, self.semigroup, EQUATIONS)
        if machine.neutral.any() and machine.tier:
            names = {name: EQUATIONS[plain] for name, plain in ON_TIER.items()}
            self.verdicts = propagate_inclusions(self.verdicts)
            if not names.keys() <= self.decided:
                self.decide_equations(tier, self.build_semigroup(tier), names)
        elif machine.tier:  # every symbol is on the tier
            for name, plain in ON_TIER.items():
                self.verdicts[name] = self.verdicts[plain]
        self.verdicts = propagate_inclusions(self.verdicts)

    @property
    def decided(self) -> set[str]:
        """The classes that have been decided so far."""
        return {name for name, verdict in self.verdicts.items() if verdict.answer is not None}

    def decide_equations(
        self,
        machine: MooreMachine,
        semigroup: Semigroup | Stopped,
        equations_by_class: dict[str, Equation],
    ) -> None:
        """Decide each class whose answer does not follow from the earlier ones."""
        samples = SampledEquations(machine, self.clock)
        green = Green(semigroup, self.clock) if isinstance(semigroup, Semigroup) else None
        for name, equation in equations_by_class.items():
            self.verdicts = propagate_inclusions(self.verdicts)
            if name in self.decided:
                continue
            if green is not None:
                equations = Equations(green.semigroup, green, self.clock.share(0.5))
                self.record(name, partial(equation, equations))
            else:
                self.record(
                    name, partial(self.decide_without_semigroup, str(semigroup), samples, name)
                )

    def decide_without_semigroup(
        self, stopped: str, samples: SampledEquations, name: str
    ) -> Verdict:
        """Decide a class whose semigroup is too large, as far as possible."""
        refuted = samples.refute(ON_TIER.get(name, name))
        if refuted is not None:
            return refuted
        if name == "L-trivial":
            return decide_l_trivial(self.machine, self.clock.share(0.3))
        if ON_TIER.get(name, name) == "LTT":
            return self.decide_thresholds(stopped, samples.machine)
        earlier = self.verdicts.get(name)
        return Verdict(None, stopped if earlier is None else f"{earlier.why}; {stopped}")

    def decide_thresholds(self, stopped: str, machine: MooreMachine) -> Verdict:
        """Decide threshold testability on the automaton, given the verdict on star-free."""
        star_free = self.verdicts["SF"].answer  # the tier has the same answer
        try:
            verdict = decide_threshold_testable(machine, star_free, self.clock.share(0.5))
        except Stopped as also:
            return Verdict(None, f"{also}; {stopped}")
        return (
            verdict
            if verdict.answer is not None
            else replace(verdict, why=f"{verdict.why}; {stopped}")
        )
