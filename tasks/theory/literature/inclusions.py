"""Inclusions between families, along which results carry over.

What a special case can do, the general family can; what a family cannot do, none of its special
cases can. A statement made for a family itself is never replaced.
"""

from __future__ import annotations

from dataclasses import replace

from flann.tasks.theory.statements import FAMILIES, REGIMES, Statement

EVERYWHERE = tuple(REGIMES)
SATURATED = ("fixed precision",)  # at which a gate can saturate

SPECIAL_CASES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("rnn", "gru", SATURATED, "a GRU with saturated gates is a simple RNN"),
    ("rnn", "lstm", SATURATED, "an LSTM with saturated gates is a simple RNN"),
    ("rnn", "slstm", SATURATED, "an sLSTM with saturated gates is a simple RNN"),
    ("rnn", "stack-rnn", EVERYWHERE, "the stack may remain unused"),
    ("rnn", "tape-rnn", EVERYWHERE, "the tape may remain unused"),
    ("nonnegative-ssm", "real-ssm", EVERYWHERE, "eigenvalues in [0, 1] also lie in [-1, 1]"),
    (
        "real-ssm",
        "input-dependent-ssm",
        EVERYWHERE,
        "a diagonal matrix is a special case of a full matrix",
    ),
    (
        "time-invariant-ssm",
        "input-dependent-ssm",
        EVERYWHERE,
        "a constant matrix is a special case of an input-dependent one",
    ),
    (
        "delta-rule-nonnegative",
        "delta-rule",
        EVERYWHERE,
        "eigenvalues in [0, 1] also lie in [-1, 1]",
    ),
    (
        "delta-rule",
        "householder-products",
        EVERYWHERE,
        "a single factor is a special case of a product",
    ),
    (
        "householder-products",
        "input-dependent-ssm",
        EVERYWHERE,
        "a product of Householder matrices is a special case of a full matrix",
    ),
    (
        "rwkv-7",
        "input-dependent-ssm",
        EVERYWHERE,
        "diagonal plus rank one is a special case of a full matrix",
    ),
    ("transformer-nope", "transformer", EVERYWHERE, "position encodings may be ignored"),
    (
        "transformer-equivariant",
        "transformer-bidirectional",
        EVERYWHERE,
        "position encodings may be ignored",
    ),
    ("transformer", "transformer-looped", EVERYWHERE, "its layers may be applied only once"),
)


def carry_over(statements: list[Statement]) -> list[Statement]:
    """Add all statements that follow from the given ones by inclusion."""
    known = {(s.family, s.regime): s for s in statements}
    changed = True
    while changed:
        changed = False
        for special, general, regimes, because in SPECIAL_CASES:
            for regime in regimes:
                small, large = known.get((special, regime)), known.get((general, regime))
                if small and small.verdict == "can" and settles_nothing(large):
                    why = f"{because}; {small.why}"
                    known[general, regime] = replace(small, family=general, why=why)
                    changed = True
                if large and large.verdict.startswith("cannot") and settles_nothing(small):
                    why = (
                        f"it is a special case of another family ({FAMILIES[general]}); {large.why}"
                    )
                    known[special, regime] = replace(large, family=special, why=why)
                    changed = True
    return list(known.values())


def settles_nothing(statement: Statement | None) -> bool:
    """Return whether a statement is missing or open."""
    return statement is None or statement.verdict == "open"
