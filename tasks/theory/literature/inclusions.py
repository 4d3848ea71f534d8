"""Which family is a special case of which, so that what is shown of one carries over.

What a special case can do, the whole family can; what a family cannot do, none of its special cases
can. A statement made for a family itself stays as it is.
"""

from __future__ import annotations

from dataclasses import replace

from flann.tasks.theory.statements import FAMILIES, REGIMES, Statement

EVERYWHERE = tuple(REGIMES)
SATURATED = ("fixed precision",)  # where a gate can be shut for good

SPECIAL_CASES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("rnn", "gru", SATURATED, "with its gates saturated a GRU is a simple RNN"),
    ("rnn", "lstm", SATURATED, "with its gates saturated an LSTM is a simple RNN"),
    ("rnn", "slstm", SATURATED, "with its gates saturated an sLSTM is a simple RNN"),
    ("rnn", "stack-rnn", EVERYWHERE, "it may leave its stack alone"),
    ("rnn", "tape-rnn", EVERYWHERE, "it may leave its tape alone"),
    ("nonnegative-ssm", "real-ssm", EVERYWHERE, "[0, 1] lies in [-1, 1]"),
    ("real-ssm", "input-dependent-ssm", EVERYWHERE, "a diagonal matrix is a matrix"),
    (
        "time-invariant-ssm",
        "input-dependent-ssm",
        EVERYWHERE,
        "one matrix for all inputs is a choice",
    ),
    ("delta-rule-nonnegative", "delta-rule", EVERYWHERE, "[0, 1] lies in [-1, 1]"),
    ("delta-rule", "householder-products", EVERYWHERE, "one factor is a product"),
    (
        "householder-products",
        "input-dependent-ssm",
        EVERYWHERE,
        "a product of matrices is a matrix",
    ),
    ("rwkv-7", "input-dependent-ssm", EVERYWHERE, "diagonal plus rank one is a matrix"),
    ("transformer-nope", "transformer", EVERYWHERE, "positions may be left out of account"),
    (
        "transformer-equivariant",
        "transformer-bidirectional",
        EVERYWHERE,
        "positions may be left out",
    ),
    ("transformer", "transformer-looped", EVERYWHERE, "its layers may be run once"),
)


def carry_over(statements: list[Statement]) -> list[Statement]:
    """All statements, and what follows from them by inclusion, as long as more follows."""
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
                    why = f"a special case of {FAMILIES[general]}; {large.why}"
                    known[special, regime] = replace(large, family=special, why=why)
                    changed = True
    return list(known.values())


def settles_nothing(statement: Statement | None) -> bool:
    """Whether there is no statement, or an open one."""
    return statement is None or statement.verdict == "open"
