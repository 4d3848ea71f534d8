"""Every *no* shows words, and running them shows what is violated."""

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

from .random_languages import MADE, change_transition, with_neutral

Map = tuple[int, ...]


class Words:
    """The variables of a witness as maps of states, multiplied one state after the other."""

    def __init__(self, machine: MooreMachine, verdict: Verdict) -> None:
        self.machine = machine
        self.words = {
            name: [machine.symbols.index(symbol) for symbol in word]
            for name, word in verdict.witness.items()
        }

    def accepts(self, *names: str, n: int = 1) -> bool:
        """Whether a word is accepted; what is called loop is repeated n times."""
        word = [a for name in names for a in self.words[name] * (n if name == "loop" else 1)]
        return bool(self.machine.labels[self.machine.run(word)])

    def of(self, text: str) -> Map:
        """A product such as ``(xy)w x``: w behind a bracket is the idempotent power."""
        result: Map = tuple(range(self.machine.size))
        opened: list[Map] = []
        for i, c in enumerate(text):
            if c == "(":
                opened.append(result)
                result = tuple(range(self.machine.size))
            elif c == ")":
                inside = omega(result) if text[i + 1 : i + 2] == "w" else result
                result = compose(opened.pop(), inside)
            elif c in "ef":
                result = compose(result, omega(self.action(c)))
            elif c in "xyzabcd":
                result = compose(result, self.action(c))
        return result

    def action(self, name: str) -> Map:
        return tuple(self.machine.run(self.words[name], q) for q in range(self.machine.size))

    def differ(self, one: str, other: str) -> bool:
        return self.of(one) != self.of(other)


def compose(x: Map, y: Map) -> Map:
    return tuple(y[q] for q in x)


def omega(x: Map) -> Map:
    power = x
    while compose(power, power) != power:
        power = compose(power, x)
    return power


def exchanged(w: Words) -> bool:
    """Two members, and what is none, however often the loop is gone round."""
    return all(
        w.accepts("x", "loop", "y", n=n)
        and w.accepts("u", "loop", "v", n=n)
        and not w.accepts("x", "loop", "v", n=n)
        for n in (1, 2, 5)
    )


def left_out(words: Words) -> bool:
    member, out, rest = (words.words[name] for name in ("member", "left out", "not in it"))
    places = [i for i in range(len(member)) if member[:i] + member[i + 1 :] == rest]
    right = len(out) == 1 and any(member[i] == out[0] for i in places)
    return right and words.accepts("member") and not words.accepts("not in it")


CHECKS: dict[str, Callable[[Words], bool]] = {
    "x^w differs from x^(w+1)": lambda w: w.differ("(x)w", "(x)w x"),
    "its powers go round": lambda w: w.differ("(x)w", "(x)w x"),
    "(xy)^w x differs": lambda w: w.differ("(xy)w x", "(xy)w"),
    "y(xy)^w differs": lambda w: w.differ("y (xy)w", "(xy)w"),
    "(xyz)^w y (xyz)^w": lambda w: w.differ("(xyz)w y (xyz)w", "(xyz)w"),
    "exexe": lambda w: w.differ("exexe", "exe"),
    "exeye": lambda w: w.differ("exeye", "eyexe"),
    "exfyezf": lambda w: w.differ("exfyezf", "ezfyexf"),
    "(eafb)^w": lambda w: w.differ("(eafb)w eafde (cfde)w", "(eafb)w e (cfde)w"),
    "x loop^n y": exchanged,
    "a subsequence of a member": left_out,
}


def check(machine: MooreMachine, name: str, verdict: Verdict) -> str:
    """The fragment of the reason that says what is violated; it is."""
    assert verdict.witness, (name, verdict)
    kind = next(kind for kind in CHECKS if kind in verdict.why)
    language = machine.complement() if name.startswith("co") else machine
    if kind in ("x loop^n y", "a subsequence of a member"):
        assert CHECKS[kind](Words(language, verdict)), (name, verdict, machine.table.tolist())
    else:
        assert CHECKS[kind](Words(machine, verdict)), (name, verdict, machine.table.tolist())
    return kind


def machines(seed: int, rounds: int) -> list[MooreMachine]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        for make in MADE.values():
            pure = make(rng, int(rng.integers(1, 4)))
            found += [
                MooreMachine.from_automaton(a)
                for a in (pure, with_neutral(pure), change_transition(rng, pure))
            ]
    return found


def test_witnesses_violate_what_they_are_said_to_violate() -> None:
    seen: Counter[str] = Counter()
    for machine in machines(0, 12):
        found = classify_machine(machine, limit=2000)
        for name, verdict in found.verdicts.items():
            if verdict.answer is False and name != "solvable":
                seen[check(machine, name, verdict)] += 1
    assert all(seen[kind] >= 5 for kind in CHECKS), seen


def test_samples_that_say_no_are_right() -> None:
    """Where the semigroup is not written down; the words are checked, and so is the answer."""
    refuted: Counter[str] = Counter()
    for machine in machines(1, 5):
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
    """As the equation is asked even of what is not star-free, so are these words."""
    kinds: Counter[str] = Counter()
    for machine in machines(2, 6):
        if machine.size <= 12:
            verdict = decide_threshold_testable(machine, None, Clock.of(60))
            assert verdict.answer is not True
            if verdict.answer is False:
                kinds[check(machine, "LTT", verdict)] += 1
    assert kinds["exfyezf"] >= 20, kinds
    assert len(kinds) == 1


@pytest.mark.parametrize("kind", CHECKS)
def test_a_wrong_witness_would_be_found(kind: str) -> None:
    """The words of a language that violates nothing: all words, over one letter."""
    machine = MooreMachine.minimal(("a",), np.array([[0]]), np.array([1]))
    names = ["x", "y", "z", "e", "f", "a", "b", "c", "d", "u", "v", "loop"]
    witness = dict.fromkeys([*names, "member", "left out", "not in it"], ("a",))
    assert not CHECKS[kind](Words(machine, Verdict(False, kind, witness)))
