"""The classes, which is part of which, and what one answer says about the others.

Most inclusions are plain from the equations. Locally threshold testable is part of piecewise
locally testable because "the factor u occurs t times or more" is a union of languages A* v1 A* v2
.. A*, one for each way in which occurrences can overlap; and a Boolean combination of these is
star-free. A class with T in front holds on a tier: of words without their neutral symbols.
"""

from __future__ import annotations

from flann.tasks.algebra.verdict import Verdict

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

UNKNOWN = Verdict(None, "not asked")


def propagate_inclusions(verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """What follows from what is decided, until nothing more does.

    >>> yes = {"LT": Verdict(True, "by its automaton")}
    >>> {name for name, v in propagate_inclusions(yes).items() if v.answer} >= {"SF", "solvable"}
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
                    known[other] = Verdict(
                        True, f"as it is {name}", k=transfer_k(known, name, other)
                    )
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


def transfer_k(known: dict[str, Verdict], name: str, other: str) -> int | None:
    """The k that carries over: piecewise testable and J-trivial are one class."""
    return known[name].k if {name, other} == {"PT", "J-trivial"} else None
