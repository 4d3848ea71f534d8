"""Circuit classes: quasi-aperiodic for AC0, solvable for ACC0, everything else NC1-complete.

Let A^s be the words of length s, and s the least s >= 1 for which they and the words of length 2s
have the same images in the semigroup. That image is a semigroup itself, the *stable* one. A
regular language is in AC0 just when its stable semigroup is aperiodic; it is then called
quasi-aperiodic (Barrington, Compton, Straubing and Thérien 1992, "Regular languages in NC1"). If
all groups in the semigroup are solvable it is in ACC0; if one is not, it is NC1-complete
(Barrington 1989). A group G in the semigroup has the subgroup N of elements that words of a
multiple of s spell; G / N is cyclic, so N is solvable exactly when G is, and it makes no
difference in which of the two one looks.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from flann.tasks.algebra.derived_series import find_perfect_core
from flann.tasks.algebra.semigroup import Semigroup
from flann.tasks.algebra.transformations import is_aperiodic
from flann.tasks.algebra.verdict import Clock, Stopped, Verdict

from .equations import Equations

MOST_LAYERS_BYTES = 1 << 28


def decide_quasi_aperiodic(equations: Equations) -> Verdict:
    """Whether the words of one length and its multiples count nothing.

    The witness of a *no* is a word x of length s, whose powers go round in the stable semigroup,
    where words of every multiple of s are no more than those of length s.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> from flann.tasks.automata.moore_machine import MooreMachine
    >>> def decide(text):
    ...     semigroup = Semigroup.of(MooreMachine.from_automaton(from_expression(text)), Clock.of(1))
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
        return Verdict(True, f"it counts lengths modulo a divisor of {length}, and nothing else")
    word = semigroup.machine.spell(spell_witness(semigroup, layers, int(counted[0])))
    why = f"x has length {length}, the words of which are stable, and its powers go round"
    return Verdict(False, why, {"x": word})


def find_stable_semigroup(
    semigroup: Semigroup, clock: Clock
) -> tuple[int, list[Bool[np.ndarray, " elements"]]]:
    """The least stable length, and which elements the words of each length up to it spell."""
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
    period = len(layers) - first  # place i holds length i + 1
    length = -(-(first + 1) // period) * period
    return length, layers[:length]


def spell_witness(
    semigroup: Semigroup, layers: list[Bool[np.ndarray, " elements"]], x: int
) -> tuple[int, ...]:
    """A word as long as there are layers that spells an element, backwards from it."""
    word = []
    for layer in layers[-2::-1]:
        before, a = np.nonzero((semigroup.right == x) & layer[:, None])
        x, letter = int(before[0]), int(a[0])
        word.append(letter)
    word.append(int(semigroup.last[x]))
    return tuple(word[::-1])


def decide_solvable(equations: Equations) -> Verdict:
    """Whether every group in the semigroup is solvable; one for each D-class has to be asked.

    The witness of a *no* are words for two elements of the group at which its derived series stops.
    """
    for members in equations.green.groups:
        images = equations.green.build_permutations(members)
        core = find_perfect_core(images, equations.clock)
        if len(core):
            number = {row.tobytes(): int(x) for row, x in zip(images, members, strict=True)}
            x, y = (number[row.tobytes()] for row in core[:2])  # one alone generates no such group
            why = f"a group of {len(members)} elements, whose derived series does not end in 1"
            return Verdict(False, why, equations.name_witness(x=x, y=y))
    largest = max((len(members) for members in equations.green.groups), default=1)
    return Verdict(True, f"its groups, of at most {largest} elements, are solvable")
