"""Tomita's seven languages over 0 and 1.

- ``tomita-1``  1*
- ``tomita-2``  (10)*
- ``tomita-3``  no odd run of zeros right after an odd run of ones
- ``tomita-4``  no 000
- ``tomita-5``  an even number of zeros and an even number of ones
- ``tomita-6``  the number of zeros minus that of ones is divisible by 3
- ``tomita-7``  0*1*0*1*

Runs are maximal: 100 is in ``tomita-3``. Words are drawn as in
`flann.tasks.languages.regular.regular_language`. With ``label=next`` the task is that of
Bhattamishra et al. 2020 (arXiv 2009.11264, section 6), except that living words are uniform here.

Tomita 1982, "Dynamic construction of finite-state automata from examples using hill-climbing".
"""

from __future__ import annotations

from flann.tasks.automata.automaton import Automaton, from_function
from flann.tasks.automata.expressions import from_expression
from flann.tasks.core.recognition import Negatives
from flann.tasks.core.task import register

from .regular_language import Ask, Label, RegularLanguage

ODD_THEN_ODD = "(|.*0)1(11)*0(00)*(|1.*)"  # somewhere an odd run of ones, then one of zeros

ABOUT = {
    "tomita-1": "Ones only: 1*.",
    "tomita-2": "One and zero in turn: (10)*.",
    "tomita-3": "No odd run of zeros right after an odd run of ones.",
    "tomita-4": "No three zeros in a row.",
    "tomita-5": "An even number of zeros and an even number of ones.",
    "tomita-6": "The number of zeros minus that of ones is divisible by 3.",
    "tomita-7": "At most four runs, zeros first: 0*1*0*1*.",
}


@register(
    "tomita-1",
    "tomita-2",
    "tomita-3",
    "tomita-4",
    "tomita-5",
    "tomita-6",
    "tomita-7",
    pattern="tomita-[1-7]",
)
def tomita(
    name: str, *, mode: Ask = "tag", label: Label = "member", negatives: Negatives = "mixed"
) -> RegularLanguage:
    """One of Tomita's seven small regular languages over 0 and 1."""
    machine = build_automaton(int(name[-1]))
    return RegularLanguage(
        name, machine, mode=mode, label=label, negatives=negatives, about=ABOUT[name]
    )


def build_automaton(number: int) -> Automaton:
    """Build the automaton of the language of this number.

    >>> [build_automaton(n).minimise().size for n in range(1, 8)]
    [2, 3, 5, 4, 4, 3, 5]
    """
    expressions = {1: "1*", 2: "(10)*", 3: ODD_THEN_ODD, 4: ".*000.*", 7: "0*1*0*1*"}
    if number == 5:
        return from_function("01", (0, 0), flip_parity, lambda parities: parities == (0, 0))
    if number == 6:
        return from_function("01", 0, lambda q, a: (q + (-1) ** a) % 3, lambda q: q == 0)
    machine = from_expression(expressions[number], "01")
    return machine.complement() if number in (3, 4) else machine


def flip_parity(parities: tuple[int, int], symbol: int) -> tuple[int, int]:
    """Return the parities of zeros and ones after one more symbol."""
    zeros, ones = parities
    return (zeros, 1 - ones) if symbol else (1 - zeros, ones)
