"""The classes of regular languages and the inclusions between them.

Most inclusions follow at once from the equations. A locally threshold testable language is
piecewise locally testable because "the factor u occurs at least t times" is a union of languages A*
v1 A* v2 .. A*, one for each way in which the occurrences can overlap; Boolean combinations of these
are star-free. A class whose name begins with T is defined on a tier: on words from which the
neutral symbols are deleted.
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

INSIDE = {  # each class, with the classes that contain it
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

UNKNOWN = Verdict(None, "not decided")


def propagate_inclusions(verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """Add every verdict that follows from the given ones by inclusion.

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
                    known[other] = Verdict(True, f"it is {name}", k=transfer_k(known, name, other))
                    changed = True
                if known.get(other, UNKNOWN).answer is False and unknown(name):
                    reason = known[other].why
                    if not known[other].inherited:
                        reason = f"it is not {other}: {reason}"
                    known[name] = Verdict(False, reason, known[other].witness, inherited=True)
                    changed = True
        both = [known.get(name, UNKNOWN).answer for name in ("R-trivial", "L-trivial")]
        if all(both) and unknown("J-trivial"):
            known["J-trivial"] = Verdict(True, "it is R-trivial and L-trivial")
            changed = True
    return known


def transfer_k(known: dict[str, Verdict], name: str, other: str) -> int | None:
    """Return the k that carries over, as piecewise testable and J-trivial are the same class."""
    return known[name].k if {name, other} == {"PT", "J-trivial"} else None
