"""The circuit class: AC0 if quasi-aperiodic, ACC0 if solvable, and NC1-complete otherwise.

Let s >= 1 be the least length for which A^s, the words of length s, and A^(2s) have the same image
in the syntactic semigroup. This image is itself a semigroup, the *stable semigroup*. A regular
language is in AC0 if and only if its stable semigroup is aperiodic; it is then called
quasi-aperiodic (Barrington, Compton, Straubing and Thérien 1992, "Regular languages in NC1"). If
all groups in the syntactic semigroup are solvable the language is in ACC0; otherwise it is
NC1-complete (Barrington 1989). In a group G of the semigroup, the elements spelled by words whose
length is a multiple of s form a normal subgroup N. G / N is cyclic, so N is solvable if and only if
G is, and it does not matter which of the two is tested.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from flann.tasks.algebra.derived_series import find_perfect_core
from flann.tasks.algebra.semigroup import Semigroup
from flann.tasks.algebra.transformations import is_aperiodic
from flann.tasks.algebra.verdict import Clock, Stopped, Verdict

from .equations import Equations

MOST_LAYERS_BYTES = 1 << 28  # of the elements spelled by the words of each length


def decide_quasi_aperiodic(equations: Equations) -> Verdict:
    """Decide whether the stable semigroup is aperiodic.

    The witness of a negative verdict is a word x of the stable length whose powers cycle.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> from flann.tasks.automata.moore_machine import MooreMachine
    >>> def decide(text):
    ...     machine = MooreMachine.from_automaton(from_expression(text))
    ...     semigroup = Semigroup.of(machine, Clock.of(1))
    ...     return decide_quasi_aperiodic(Equations.of(semigroup, Clock.of(1)))
    >>> decide("(aa)*").answer, decide("(b|ab*a)*").witness
    (True, {'x': ('a',)})
    """
    semigroup = equations.semigroup
    turning = ~np.concatenate(
        [
            is_aperiodic(semigroup.maps[rows])
            for rows in equations.split(semigroup.size, semigroup.machine.size)
        ]
    )
    if not turning.any():
        return Verdict(True, f"its {semigroup.size} elements are aperiodic")
    length, layers = find_stable_semigroup(semigroup, equations.clock)
    counted = np.flatnonzero(layers[-1] & turning)
    if not counted.size:
        return Verdict(True, f"it counts only the length, modulo a divisor of {length}")
    word = semigroup.machine.spell(spell_witness(semigroup, layers, int(counted[0])))
    why = f"x has the stable length {length}, and its powers cycle"
    return Verdict(False, why, {"x": word})


def find_stable_semigroup(
    semigroup: Semigroup, clock: Clock
) -> tuple[int, list[Bool[np.ndarray, " elements"]]]:
    """Return the stable length s, and the elements spelled by words of each length up to s."""
    here = np.zeros(semigroup.size, bool)
    here[semigroup.prefix < 0] = True
    layers = [here]
    seen = {here.tobytes(): 0}
    while True:
        clock.check()
        if len(layers) * semigroup.size > MOST_LAYERS_BYTES:
            raise Stopped(f"the words of {len(layers)} lengths spell different elements")
        here = np.zeros(semigroup.size, bool)
        here[semigroup.right[layers[-1]]] = True
        first = seen.setdefault(here.tobytes(), len(layers))
        if first < len(layers):
            break
        layers.append(here)
    period = len(layers) - first  # index i holds length i + 1
    length = -(-(first + 1) // period) * period
    return length, layers[:length]


def spell_witness(
    semigroup: Semigroup, layers: list[Bool[np.ndarray, " elements"]], x: int
) -> tuple[int, ...]:
    """Return a word that spells an element and has as many symbols as there are layers."""
    word = []
    for layer in layers[-2::-1]:
        before, a = np.nonzero((semigroup.right == x) & layer[:, None])
        x, letter = int(before[0]), int(a[0])
        word.append(letter)
    word.append(int(semigroup.last[x]))
    return tuple(word[::-1])


def decide_solvable(equations: Equations) -> Verdict:
    """Decide whether every group in the semigroup is solvable, testing one in each D-class.

    The witness of a negative verdict gives words for two elements of the last group of the derived
    series.
    """
    for members in equations.green.groups:
        images = equations.green.build_permutations(members)
        core = find_perfect_core(images, equations.clock)
        if len(core):
            number = {row.tobytes(): int(x) for row, x in zip(images, members, strict=True)}
            x, y = (
                number[row.tobytes()] for row in core[:2]
            )  # a single element generates an abelian group
            why = f"the derived series of a group of {len(members)} elements does not end in 1"
            return Verdict(False, why, equations.build_witness(x=x, y=y))
    largest = max((len(members) for members in equations.green.groups), default=1)
    return Verdict(True, f"all its groups, of at most {largest} elements, are solvable")
