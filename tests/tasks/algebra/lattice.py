"""The inclusions between the classes of regular languages, and the effect of operations on them.

Everything is stated by hand from the definitions and the literature, independently of
`flann.tasks.algebra`, so that the tests can compare the two.

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


def list_larger(name: str) -> set[str]:
    """Return the class and all classes that contain it."""
    found, queue = {name}, [name]
    for each in queue:
        for other in INSIDE[each]:
            if other not in found:
                found.add(other)
                queue.append(other)
    return found


def close_claims(yes: set[str], no: set[str]) -> dict[str, bool]:
    """Return everything that follows from membership in some classes and not in others.

    Raises
    ------
    AssertionError
        if the claims contradict one another.
    """
    inside = {other for name in yes for other in list_larger(name)}
    if {"R-trivial", "L-trivial"} <= inside:
        inside |= list_larger("PT")
    outside = set(no)
    while True:
        more = {name for name in INSIDE if list_larger(name) & outside}
        if not {"PT", "J-trivial"}.isdisjoint(more):  # then it is not both R- and L-trivial
            more |= {"L-trivial"} if "R-trivial" in inside else set()
            more |= {"R-trivial"} if "L-trivial" in inside else set()
        if more <= outside:
            break
        outside |= more
    assert not inside & outside, f"contradiction in {sorted(inside & outside)}"
    return dict.fromkeys(inside, True) | dict.fromkeys(outside, False)


def find_circuit(classes: dict[str, bool]) -> str:
    """Return the circuit class (Barrington et al. 1992; Barrington 1989)."""
    if classes["quasi-aperiodic"]:
        return "AC0"
    return "ACC0" if classes["solvable"] else "NC1-complete"


def mirror_classes(classes: dict[str, bool]) -> dict[str, bool]:
    """Return the classes of the reversed language."""
    return {MIRRORED.get(name, name): answer for name, answer in classes.items()}


def complement_classes(classes: dict[str, bool]) -> dict[str, bool]:
    """Return the classes of the complement, omitting those not closed under complement."""
    swapped = {COMPLEMENTED.get(name, name): answer for name, answer in classes.items()}
    return {name: answer for name, answer in swapped.items() if name is not None}


def with_neutral(
    classes: dict[str, bool], *, commutative: bool, idempotent: bool, one_live: tuple[bool, bool]
) -> dict[str, bool]:
    """Return the classes of the language after a neutral letter is added to its alphabet.

    Its image is the identity, so every equation for idempotents e holds for e = 1. Then a locally
    testable language has an idempotent and commutative monoid (eSe = S), a locally threshold
    testable one a commutative and aperiodic one, a piecewise locally testable one (Knast) a
    J-trivial one. A language that counted only the length now counts letters, so quasi-aperiodic
    becomes star-free. A strictly local language cannot look past runs of the new letter, so it has
    at most one live state; the same holds for its complement.

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
