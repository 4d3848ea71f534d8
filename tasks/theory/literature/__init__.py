"""The theorems: from what a task is to what each family of architectures can do with it.

A task says what it is (`TaskProperties`); each file here is the literature on one kind of architecture, and
turns the facts into statements. Nothing here is particular to one task, so a language whose facts
are worked out by machine gets its statements from the same place.

- `state_recurrent`          RNN, GRU, LSTM, and those with a stack or a tape
- `state_ssms`        S4, Mamba, IDS4: what the eigenvalues of the state matrix allow
- `state_linear_attention`   linear attention, RWKV, mLSTM, and the delta rule
- `state_transformers`       attention: masks, positions, precision, depth, chains of thought
- `inclusions`         which family is a special case of which, so that results carry over
- `papers`             who showed it

Where the literature says nothing, the statement says ``open``.
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
PRECISIONS = ("fixed precision", "log precision", "unbounded precision")  # each has the last
FEW_ASKED = "words that have died are not asked about, so that it may be easier than its language"


def derive_theory(properties: TaskProperties) -> Theory:
    """Every statement that follows, at least one for each family.

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
        statements += [state_not_read(family) for family in CAUSAL]
    statements = drop_superseded(statements)
    if properties.partial:
        statements = [weaken_partial(statement) for statement in statements]
    silent = [family for family in FAMILIES if family not in {s.family for s in statements}]
    statements += [state_nothing_published(family, properties) for family in silent]
    statements.sort(key=lambda s: (list(FAMILIES).index(s.family), list(REGIMES).index(s.regime)))
    return Theory(properties.circuit_class, properties.why, tuple(statements))


def state_not_read(family: str) -> Statement:
    """What no causal model can do, whatever its precision."""
    why = "some answer depends on a symbol that a causal model has not read yet"
    return Statement(family, "unbounded precision", "cannot", why, SURVEY)


def drop_superseded(statements: list[Statement]) -> list[Statement]:
    """Without those that leave open, or make depend on TC0, what another regime settles.

    What a family can do it can do with more precision too, and so with what it cannot and less.
    """
    said = {(s.family, s.verdict, s.regime) for s in statements}

    def settled(s: Statement) -> bool:
        if s.regime not in PRECISIONS:
            return False
        place = PRECISIONS.index(s.regime)
        can = any((s.family, "can", less) in said for less in PRECISIONS[:place])
        return can or any((s.family, "cannot", more) in said for more in PRECISIONS[place + 1 :])

    return [s for s in statements if s.verdict in ("can", "cannot") or not settled(s)]


def weaken_partial(statement: Statement) -> Statement:
    """A *cannot* on the whole language says nothing of a task on some of its words."""
    if statement.verdict.startswith("cannot"):
        return replace(statement, verdict="open", why=f"{FEW_ASKED} ({statement.why})")
    return statement


def state_nothing_published(family: str, properties: TaskProperties) -> Statement:
    """That the literature is silent, and where it would be."""
    where = SURVEY if family.startswith("transformer") else SARROF
    regime = "fixed precision" if properties.regular else "log precision"
    why = "no result is known that settles it"
    if not properties.known:
        why = "the task has not been worked out, so no result applies"
    return Statement(family, regime, "open", why, f"not settled in {where}")
