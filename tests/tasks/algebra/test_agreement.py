"""Two independent procedures for each class agree on random automata of the classes.

The first is the procedure of `classify`, mostly a test on the automaton. The second is, in order of
preference, the equation tested on every choice of elements with a full multiplication table, the
definition applied to the language, or a test on tuples of states.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from flann.tasks.algebra.classification import classify_machine
from flann.tasks.algebra.semigroup import Semigroup
from flann.tasks.algebra.varieties import classifier, threshold_testable
from flann.tasks.algebra.varieties.circuits import decide_quasi_aperiodic, decide_solvable
from flann.tasks.algebra.varieties.classifier import EQUATIONS
from flann.tasks.algebra.varieties.dot_depth_one import decide_dot_depth_one
from flann.tasks.algebra.varieties.equations import Equations
from flann.tasks.algebra.varieties.l_trivial import decide_l_trivial
from flann.tasks.algebra.varieties.locally_testable import check_components
from flann.tasks.algebra.varieties.piecewise_testable import decide_r_trivial
from flann.tasks.algebra.verdict import Clock, Stopped, Verdict
from flann.tasks.automata.automaton import Automaton
from flann.tasks.automata.moore_machine import MooreMachine

from .oracles import (
    Products,
    is_subsequence_closed,
    satisfies_knast,
    satisfies_locally_testable,
    satisfies_threshold,
    stable_is_aperiodic,
    threshold_on_states,
)
from .random_languages import RANDOM, add_neutral_symbol, change_transition

LARGEST = 60  # elements of a semigroup on which every choice is tested
FEWEST = 100  # positive and negative answers of each class in the slow test
AGREED = ["SL", "SP", "LT", "LTT", "PT", "PLT", "TSL", "TLT", "TLTT", "TPLT", "coSL", "coSP"]
MOST_STATES = 12  # for the test of LTT on the automaton
ON_AUTOMATON = "LTT on the automaton"
AGREED += ["SF", "R-trivial", "L-trivial", "DA", "quasi-aperiodic"]
TALLIED = [*AGREED, ON_AUTOMATON]


@dataclass
class DirectTests:
    """The second procedure for every class, on one machine."""

    machine: MooreMachine

    @cached_property
    def products(self) -> Products:
        return Products(Semigroup.of(self.machine, Clock.of(60)))

    def answers(self, tier: bool) -> dict[str, bool]:
        p, machine = self.products, self.machine
        found = {
            "SL": p.idempotents_are_constant(machine.live),
            "coSL": p.idempotents_are_constant(machine.complement().live),
            "SP": is_subsequence_closed(machine.automaton),
            "coSP": is_subsequence_closed(machine.complement().automaton),
            "SF": p.is_aperiodic(),
            "R-trivial": p.is_r_trivial(),
            "L-trivial": p.is_l_trivial(),
            "DA": p.is_da(),
            "LT": satisfies_locally_testable(p),
            "LTT": satisfies_threshold(p),
            "PLT": satisfies_knast(p),
            "quasi-aperiodic": stable_is_aperiodic(machine, p),
        }
        found["PT"] = found["R-trivial"] and found["L-trivial"]
        if tier:
            if machine.tier:
                inner = DirectTests(machine.on_tier()).answers(tier=False)
                found |= {f"T{name}": inner[name] for name in ("SL", "LT", "LTT", "PLT")}
            else:
                found |= {f"T{name}": True for name in ("SL", "LT", "LTT", "PLT")}
        return found


def draw_variants(rng: np.random.Generator, name: str) -> list[Automaton]:
    """Draw an automaton of a class, add a neutral symbol, and change one transition of each."""
    pure = RANDOM[name](rng, int(rng.integers(1, 4)))
    tiered = add_neutral_symbol(pure)
    return [pure, tiered, change_transition(rng, pure), change_transition(rng, tiered)]


def list_known_classes(name: str, variant: int) -> list[str]:
    """Return the class that a variant is in by construction; none for a perturbed variant."""
    if variant > 1 or not name:
        return []
    if variant == 0 or name in ("SP", "PT", "R-trivial"):
        return [name]
    return [f"T{name}"] if f"T{name}" in AGREED else []


def count_agreements(count: int, seed: int) -> Counter[tuple[str, bool]]:
    """Count the agreeing positive and negative answers for each class."""
    rng = np.random.default_rng(seed)
    tally: Counter[tuple[str, bool]] = Counter()
    compared = 0
    while compared < count:
        for name in RANDOM:
            for variant, automaton in enumerate(draw_variants(rng, name)):
                machine = MooreMachine.from_automaton(automaton)
                try:
                    semigroup = Semigroup.of(machine, Clock.of(60), LARGEST)
                except Stopped:
                    continue
                compared += 1
                found = classify_machine(machine).classes
                second = DirectTests(machine).answers(tier=True)
                shown = (name, machine.table.tolist(), machine.labels.tolist())
                for label in AGREED:
                    assert found[label] == second[label], (label, *shown)
                    tally[label, second[label]] += 1
                for claimed in list_known_classes(name, variant):
                    assert found[claimed], (claimed, *shown)
                check_others(machine, semigroup, found)
                if machine.size <= MOST_STATES:
                    answer = decide_on_automaton(machine, found["SF"])
                    assert answer == second["LTT"], shown
                    tally[ON_AUTOMATON, answer] += 1
    return tally


def check_others(
    machine: MooreMachine, semigroup: Semigroup, found: dict[str, bool | None]
) -> None:
    """Check the procedures that `classify` did not need against its answers."""
    equations = Equations.of(semigroup, Clock.of(60))
    assert equations.decide_r_trivial().answer == found["R-trivial"]
    assert equations.decide_j_trivial().answer == found["J-trivial"] == found["PT"]
    assert equations.decide_l_trivial().answer == found["L-trivial"]
    assert decide_l_trivial(machine, Clock.of(60)).answer == found["L-trivial"]
    assert equations.decide_locally_testable().answer == found["LT"]
    assert equations.decide_locally_threshold_testable().answer == found["LTT"]
    assert decide_dot_depth_one(equations).answer == found["PLT"]
    assert decide_quasi_aperiodic(equations).answer == found["quasi-aperiodic"]
    assert decide_solvable(equations).answer == found["solvable"]
    if machine.size <= 4:
        equation = threshold_on_states(machine)
        assert equation == decide_on_automaton(machine, True)
        assert (equation and found["SF"]) == found["LTT"]


def decide_on_automaton(machine: MooreMachine, star_free: bool | None) -> bool:
    """Decide LTT on the automaton, which `classify` does only if the semigroup is large."""
    answer = threshold_testable.decide_threshold_testable(machine, star_free, Clock.of(60)).answer
    assert answer is not None
    return answer


def test_two_procedures_agree() -> None:
    tally = count_agreements(240, seed=0)
    assert all(tally[label, answer] >= 10 for label in TALLIED for answer in (True, False)), tally


@pytest.mark.slow
def test_two_procedures_agree_on_many() -> None:
    tally = count_agreements(2500, seed=1)
    assert all(tally[label, answer] >= FEWEST for label in TALLIED for answer in (True, False)), (
        tally
    )


def check_half(machine: MooreMachine) -> Verdict:
    return check_components(machine.merge_symbols()) or Verdict(True, "half of the test")


PLANTED: dict[str, tuple[str, object]] = {
    "LT without its second condition": ("decide_locally_testable", check_half),
    "PT without confluence": ("decide_piecewise_testable", decide_r_trivial),
    "LTT that is aperiodic": ("EQUATIONS", EQUATIONS | {"LTT": Equations.decide_aperiodic}),
    "PLT that is aperiodic": ("EQUATIONS", EQUATIONS | {"PLT": Equations.decide_aperiodic}),
    "L-trivial the wrong way round": (
        "EQUATIONS",
        EQUATIONS | {"L-trivial": Equations.decide_r_trivial},
    ),
    "AC0 without lengths": (
        "EQUATIONS",
        EQUATIONS | {"quasi-aperiodic": Equations.decide_aperiodic},
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_error_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, *PLANTED[what])
    with pytest.raises(AssertionError):
        count_agreements(240, seed=0)


def find_fixed_by_letter(machine: MooreMachine, arity: int, clock: Clock) -> np.ndarray:
    """Return only the tuples that a single letter fixes."""
    table = threshold_testable.build_product_machine(machine, arity).table
    nodes = np.flatnonzero((table == np.arange(len(table))[:, None]).any(axis=1))
    return np.column_stack(np.unravel_index(nodes, (machine.size,) * arity))


def find_no_violation(machine: MooreMachine, clock: Clock) -> None:
    """Find no violation, so that every aperiodic language passes for LTT."""


def test_an_error_planted_in_the_test_on_the_automaton_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, wrong in (
        ("find_cyclic", find_fixed_by_letter),
        ("find_exchange_violation", find_no_violation),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(threshold_testable, name, wrong)
            with pytest.raises(AssertionError):
                count_agreements(240, seed=0)
