"""How the classes of regular languages lie in one another, and what operations do to them.

All of it is stated here by hand, from the definitions and the literature, and nothing is taken from
`flann.tasks.algebra`, so that the tests can hold one against the other.

- locally (threshold) testable inside dot-depth one: factors and how often they occur are said by
  existential sentences over order and successor (Thomas 1982, "Classifying regular events in
  symbolic logic"; Pin 1986, "Varieties of formal languages", chapter 5)
- J-trivial is piecewise testable (Simon 1975), and R-trivial together with L-trivial
- R-trivial and L-trivial inside DA inside aperiodic (Tesson and Thérien 2002, "Diamonds are
  forever: the variety DA")
- a tier-based class on all letters is the class itself (Heinz, Rawal and Tanner 2011; Lambert 2023)
- star-free inside quasi-aperiodic inside solvable: where all words of some length count nothing,
  groups are cyclic (Barrington, Compton, Straubing and Thérien 1992)
"""

from __future__ import annotations

INSIDE = {
    "SL": ("LT", "TSL"),
    "coSL": ("LT",),
    "SP": ("PT",),
    "coSP": ("PT",),
    "LT": ("LTT", "TLT"),
    "LTT": ("PLT", "TLTT"),
    "PT": ("J-trivial", "PLT"),
    "J-trivial": ("PT", "R-trivial", "L-trivial"),
    "PLT": ("TPLT",),
    "TSL": ("TLT",),
    "TLT": ("TLTT",),
    "TLTT": ("TPLT",),
    "TPLT": ("SF",),
    "R-trivial": ("DA",),
    "L-trivial": ("DA",),
    "DA": ("SF",),
    "SF": ("quasi-aperiodic",),
    "quasi-aperiodic": ("solvable",),
    "solvable": (),
}

MIRRORED = {"R-trivial": "L-trivial", "L-trivial": "R-trivial"}  # by reading words backwards
COMPLEMENTED = {"SL": "coSL", "coSL": "SL", "SP": "coSP", "coSP": "SP", "TSL": None}
UNTOUCHED_BY_NEUTRAL = (
    "SP", "coSP", "TSL", "TLT", "TLTT", "TPLT", "PT", "J-trivial", "R-trivial", "L-trivial", "DA",
    "SF", "solvable",
)  # fmt: skip


def larger(name: str) -> set[str]:
    """The class and all that it is inside of."""
    found, queue = {name}, [name]
    for each in queue:
        for other in INSIDE[each]:
            if other not in found:
                found.add(other)
                queue.append(other)
    return found


def closed(yes: set[str], no: set[str]) -> dict[str, bool]:
    """Everything that follows from being in some classes and not in others.

    Raises
    ------
    AssertionError
        for claims that contradict one another.
    """
    inside = {other for name in yes for other in larger(name)}
    if {"R-trivial", "L-trivial"} <= inside:
        inside |= larger("PT")
    outside = set(no)
    while True:
        more = {name for name in INSIDE if larger(name) & outside}
        if not {"PT", "J-trivial"}.isdisjoint(more):  # one of the two sides must be missing
            more |= {"L-trivial"} if "R-trivial" in inside else set()
            more |= {"R-trivial"} if "L-trivial" in inside else set()
        if more <= outside:
            break
        outside |= more
    assert not inside & outside, f"contradiction in {sorted(inside & outside)}"
    return dict.fromkeys(inside, True) | dict.fromkeys(outside, False)


def circuit(classes: dict[str, bool]) -> str:
    """The circuit class (Barrington et al. 1992; Barrington 1989)."""
    if classes["quasi-aperiodic"]:
        return "AC0"
    return "ACC0" if classes["solvable"] else "NC1-complete"


def mirrored(classes: dict[str, bool]) -> dict[str, bool]:
    """The classes of the words read backwards."""
    return {MIRRORED.get(name, name): answer for name, answer in classes.items()}


def complemented(classes: dict[str, bool]) -> dict[str, bool]:
    """The classes of all other words; nothing is said of those not closed under complement."""
    swapped = {COMPLEMENTED.get(name, name): answer for name, answer in classes.items()}
    return {name: answer for name, answer in swapped.items() if name is not None}


def with_neutral(
    classes: dict[str, bool], *, commutative: bool, idempotent: bool, one_live: tuple[bool, bool]
) -> dict[str, bool]:
    """The classes once a letter is added that may stand anywhere and changes nothing.

    Its image is the identity, so every equation for idempotents e holds for e = 1. Then a locally
    testable language has an idempotent and commutative monoid (eSe = S), a locally threshold
    testable one a commutative and aperiodic one, a piecewise locally testable one (Knast) a
    J-trivial one. What counted nothing but the length now counts letters: quasi-aperiodic becomes
    star-free. A strictly local language cannot look past the new letter, so all its living states
    are one, and so it is with its complement.

    Parameters
    ----------
    commutative, idempotent : bool
        whether ab = ba and aa = a for all letters.
    one_live : tuple of bool
        whether the language, and its complement, has at most one state from which it accepts.
    """
    same = {name: classes[name] for name in UNTOUCHED_BY_NEUTRAL}
    return same | {
        "SL": one_live[0],
        "coSL": one_live[1],
        "LT": commutative and idempotent,
        "LTT": commutative and classes["SF"],
        "PLT": classes["PT"],
        "quasi-aperiodic": classes["SF"],
    }
