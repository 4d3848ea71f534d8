"""Every negative verdict has a witness, and running its words shows the violation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from flann.tasks.algebra import classify_machine
from flann.tasks.algebra.varieties.sampled_equations import SampledEquations
from flann.tasks.algebra.varieties.threshold_testable import decide_threshold_testable
from flann.tasks.algebra.verdict import Clock, Verdict
from flann.tasks.automata.moore_machine import MooreMachine

from .random_languages import RANDOM, add_neutral_symbol, change_transition

Map = tuple[int, ...]


class WitnessMaps:
    """The words of a witness as maps of states, composed state by state."""

    def __init__(self, machine: MooreMachine, verdict: Verdict) -> None:
        self.machine = machine
        self.words = {
            name: [machine.symbols.index(symbol) for symbol in word]
            for name, word in verdict.witness.items()
        }

    def accepts(self, *names: str, n: int = 1) -> bool:
        """Whether a concatenation is accepted, with the word named loop repeated n times."""
        word = [a for name in names for a in self.words[name] * (n if name == "loop" else 1)]
        return bool(self.machine.labels[self.machine.run(word)])

    def evaluate(self, text: str) -> Map:
        """Evaluate a product such as ``(xy)w x``; w after a bracket is the idempotent power."""
        result: Map = tuple(range(self.machine.size))
        opened: list[Map] = []
        for i, c in enumerate(text):
            if c == "(":
                opened.append(result)
                result = tuple(range(self.machine.size))
            elif c == ")":
                inside = compute_omega(result) if text[i + 1 : i + 2] == "w" else result
                result = compose(opened.pop(), inside)
            elif c in "ef":
                result = compose(result, compute_omega(self.action(c)))
            elif c in "xyzabcd":
                result = compose(result, self.action(c))
        return result

    def action(self, name: str) -> Map:
        return tuple(self.machine.run(self.words[name], q) for q in range(self.machine.size))

    def differs(self, one: str, other: str) -> bool:
        return self.evaluate(one) != self.evaluate(other)


def compose(x: Map, y: Map) -> Map:
    return tuple(y[q] for q in x)


def compute_omega(x: Map) -> Map:
    power = x
    while compose(power, power) != power:
        power = compose(power, x)
    return power


def checks_substitution(w: WitnessMaps) -> bool:
    """Whether suffix substitution fails for every number of repetitions of the loop."""
    return all(
        w.accepts("x", "loop", "y", n=n)
        and w.accepts("u", "loop", "v", n=n)
        and not w.accepts("x", "loop", "v", n=n)
        for n in (1, 2, 5)
    )


def checks_deletion(words: WitnessMaps) -> bool:
    member, out, rest = (words.words[name] for name in ("member", "left out", "not in it"))
    positions = [i for i in range(len(member)) if member[:i] + member[i + 1 :] == rest]
    right = len(out) == 1 and any(member[i] == out[0] for i in positions)
    return right and words.accepts("member") and not words.accepts("not in it")


CHECKS: dict[str, Callable[[WitnessMaps], bool]] = {
    "x^w differs from x^(w+1)": lambda w: w.differs("(x)w", "(x)w x"),
    "its powers cycle": lambda w: w.differs("(x)w", "(x)w x"),
    "(xy)^w x differs": lambda w: w.differs("(xy)w x", "(xy)w"),
    "y(xy)^w differs": lambda w: w.differs("y (xy)w", "(xy)w"),
    "(xyz)^w y (xyz)^w": lambda w: w.differs("(xyz)w y (xyz)w", "(xyz)w"),
    "exexe": lambda w: w.differs("exexe", "exe"),
    "exeye": lambda w: w.differs("exeye", "eyexe"),
    "exfyezf": lambda w: w.differs("exfyezf", "ezfyexf"),
    "(eafb)^w": lambda w: w.differs("(eafb)w eafde (cfde)w", "(eafb)w e (cfde)w"),
    "x loop^n y": checks_substitution,
    "a subsequence of a member": checks_deletion,
}


def check(machine: MooreMachine, name: str, verdict: Verdict) -> str:
    """Check that the witness violates the equation that the reason names, and return its key."""
    assert verdict.witness, (name, verdict)
    kind = next(kind for kind in CHECKS if kind in verdict.why)
    language = machine.complement() if name.startswith("co") else machine
    if kind in ("x loop^n y", "a subsequence of a member"):
        assert CHECKS[kind](WitnessMaps(language, verdict)), (name, verdict, machine.table.tolist())
    else:
        assert CHECKS[kind](WitnessMaps(machine, verdict)), (name, verdict, machine.table.tolist())
    return kind


def draw_machines(seed: int, rounds: int) -> list[MooreMachine]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        for make in RANDOM.values():
            pure = make(rng, int(rng.integers(1, 4)))
            found += [
                MooreMachine.from_automaton(a)
                for a in (pure, add_neutral_symbol(pure), change_transition(rng, pure))
            ]
    return found


def test_witnesses_violate_what_they_are_said_to_violate() -> None:
    seen: Counter[str] = Counter()
    for machine in draw_machines(0, 12):
        found = classify_machine(machine, limit=2000)
        for name, verdict in found.verdicts.items():
            if verdict.answer is False and name != "solvable":
                seen[check(machine, name, verdict)] += 1
    assert all(seen[kind] >= 5 for kind in CHECKS), seen


def test_samples_that_say_no_are_right() -> None:
    """Sampled refutations have valid witnesses and agree with the classification."""
    refuted: Counter[str] = Counter()
    for machine in draw_machines(1, 5):
        found = classify_machine(machine)
        samples = SampledEquations(machine, Clock.of(60))
        for name in ("SF", "L-trivial", "DA", "LTT", "PLT", "quasi-aperiodic"):
            verdict = samples.refute(name)
            if verdict is None:
                continue
            assert found.classes[name] is False
            refuted[name] += 1
            if name != "quasi-aperiodic":
                check(machine, name, verdict)
    assert len(refuted) == 6, refuted


def test_thresholds_refuted_on_the_automaton_are_violated() -> None:
    """The equation is tested even for languages that are not star-free."""
    kinds: Counter[str] = Counter()
    for machine in draw_machines(2, 6):
        if machine.size <= 12:
            verdict = decide_threshold_testable(machine, None, Clock.of(60))
            assert verdict.answer is not True
            if verdict.answer is False:
                kinds[check(machine, "LTT", verdict)] += 1
    assert kinds["exfyezf"] >= 20, kinds
    assert len(kinds) == 1


@pytest.mark.parametrize("kind", CHECKS)
def test_a_wrong_witness_would_be_found(kind: str) -> None:
    """No witness is valid for the language of all words, which violates no equation."""
    machine = MooreMachine.minimal(("a",), np.array([[0]]), np.array([1]))
    names = ["x", "y", "z", "e", "f", "a", "b", "c", "d", "u", "v", "loop"]
    witness = dict.fromkeys([*names, "member", "left out", "not in it"], ("a",))
    assert not CHECKS[kind](WitnessMaps(machine, Verdict(False, kind, witness)))
