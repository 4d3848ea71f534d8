"""The theorems of the literature, which derive statements from the properties of a task.

Each file covers one kind of architecture and derives statements from `TaskProperties`. Nothing here
is particular to one task, so a language whose properties are computed from its automaton gets its
statements in the same way.

- `recurrent`          RNN, GRU, LSTM, and networks with a stack or a tape
- `state_space`        S4, Mamba, IDS4, by the eigenvalues of the state matrix
- `linear_attention`   linear attention, RWKV, mLSTM, and the delta rule
- `transformers`       masks, positions, precision, depth, chain of thought
- `inclusions`         families that are special cases of others, to which results carry over
- `papers`             the citations

If the literature does not settle a question, the statement says ``open``.
"""

from __future__ import annotations

from dataclasses import replace

from flann.tasks.theory.properties import TaskProperties
from flann.tasks.theory.statements import FAMILIES, REGIMES, Statement, Theory

from .inclusions import carry_over
from .linear_attention import state_linear_attention
from .papers import SARROF, SURVEY
from .recurrent import state_recurrent
from .state_space import state_ssms
from .transformers import state_transformers

__all__ = ["derive_theory"]

CAUSAL = [f for f in FAMILIES if f not in ("transformer-bidirectional", "transformer-equivariant")]
PRECISIONS = (
    "fixed precision",
    "log precision",
    "unbounded precision",
)  # each includes the previous one
PARTIAL = (
    "positions after a dead prefix are not scored, so the task may be easier than its language"
)


def derive_theory(properties: TaskProperties) -> Theory:
    """Derive all statements that follow from the properties, at least one for each family.

    >>> from flann.tasks.theory.properties import UNKNOWN
    >>> {statement.verdict for statement in derive_theory(UNKNOWN).statements}
    {'open'}
    """
    statements = [
        statement
        for literature in (state_recurrent, state_ssms, state_linear_attention, state_transformers)
        for statement in literature(properties)
    ]
    statements = carry_over(statements)
    if properties.looks_ahead:
        statements = [s for s in statements if s.family not in CAUSAL]
        statements += [state_lookahead(family) for family in CAUSAL]
    statements = drop_superseded(statements)
    if properties.partial:
        statements = [weaken_partial(statement) for statement in statements]
    silent = [family for family in FAMILIES if family not in {s.family for s in statements}]
    statements += [state_nothing_published(family, properties) for family in silent]
    statements.sort(key=lambda s: (list(FAMILIES).index(s.family), list(REGIMES).index(s.regime)))
    return Theory(properties.circuit_class, properties.why, tuple(statements))


def state_lookahead(family: str) -> Statement:
    """Return the statement that a causal model cannot depend on later symbols."""
    why = "some label depends on a symbol that a causal model has not yet read"
    return Statement(family, "unbounded precision", "cannot", why, SURVEY)


def drop_superseded(statements: list[Statement]) -> list[Statement]:
    """Drop statements that are open, or conditional on TC0, if another regime settles them.

    What a family can do, it can do at higher precision; what it cannot do, it cannot do at lower
    precision.
    """
    verdicts = {(s.family, s.verdict, s.regime) for s in statements}

    def is_settled(s: Statement) -> bool:
        if s.regime not in PRECISIONS:
            return False
        rank = PRECISIONS.index(s.regime)
        can = any((s.family, "can", less) in verdicts for less in PRECISIONS[:rank])
        return can or any((s.family, "cannot", more) in verdicts for more in PRECISIONS[rank + 1 :])

    return [s for s in statements if s.verdict in ("can", "cannot") or not is_settled(s)]


def weaken_partial(statement: Statement) -> Statement:
    """Turn a *cannot* into *open*, as it need not hold for a task on only some of the words."""
    if statement.verdict.startswith("cannot"):
        return replace(statement, verdict="open", why=f"{PARTIAL} ({statement.why})")
    return statement


def state_nothing_published(family: str, properties: TaskProperties) -> Statement:
    """Return an open statement, which cites where the question would be settled."""
    where = SURVEY if family.startswith("transformer") else SARROF
    regime = "fixed precision" if properties.regular else "log precision"
    why = "no published result settles the question"
    if not properties.known:
        why = "the properties of the task are not known, so no result applies"
    return Statement(family, regime, "open", why, f"not settled in {where}")
