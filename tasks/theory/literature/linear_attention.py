"""The linear attention line: additive memories, and those that the delta rule overwrites.

The state S of each is updated by S -> S A(x) + v k^T.

- A = I (linear attention), one decay (RWKV-4), one gate in [0, 1] (mLSTM): diagonal, not negative.
- A = I - beta k k^T, with the eigenvalue 1 - beta along k in [0, 1] or [-1, 1] (DeltaNet and its
  gated form); products of several (DeltaProduct); diagonal plus rank one (RWKV-7).

Where every A(x) has real non-negative eigenvalues, what one symbol repeated makes of the state
settles, so it cannot alternate: no parity (Grazzi et al. 2024, theorem 1). With eigenvalues in
[-1, 1] products of such matrices run every automaton (theorem 4), and, gated and with enough
layers, a single one at a step does (Siems et al. 2025, theorem 2). RWKV-7 runs every automaton in
four layers (Peng et al. 2025).
"""

from __future__ import annotations

from collections.abc import Iterator

from flann.tasks.theory.properties import TaskProperties
from flann.tasks.theory.statements import Statement

from .papers import DELTA_PRODUCT, GRAZZI, RWKV_7, STATE_ILLUSION
from .recurrent import state_memory_bound

ADDITIVE = ("linear-attention", "rwkv-4", "mlstm")
NON_NEGATIVE = (*ADDITIVE, "delta-rule-nonnegative")
OVERWRITING = ("delta-rule", "householder-products", "rwkv-7")


def state_linear_attention(properties: TaskProperties) -> Iterator[Statement]:
    """What the eigenvalues of the update allow."""
    for family in (*NON_NEGATIVE, *OVERWRITING):
        if properties.not_regular:
            why = "with constantly many bits it is a finite automaton, and this is not regular"
            yield Statement(family, "fixed precision", "cannot", why, GRAZZI)
        if properties.remembers:
            yield state_memory_bound(family, STATE_ILLUSION)
    for family in ADDITIVE:
        if properties.hard and not properties.remembers:
            why = "its updates are diagonal: their products are in TC0"
            yield Statement(family, "log precision", "cannot unless TC0 = NC1", why, STATE_ILLUSION)
    if properties.letter_periods:
        for family in NON_NEGATIVE:
            why = "a symbol repeated alternates, and with eigenvalues in [0, 1] the state settles"
            yield Statement(family, "fixed precision", "cannot", why, GRAZZI)
    yield from state_delta_rules(properties)


def state_delta_rules(properties: TaskProperties) -> Iterator[Statement]:
    """Eigenvalues in [-1, 1], or a full generalised delta rule: every automaton."""
    if not properties.regular:
        return
    why = "reflections make every permutation, and a gate resets: enough layers run any automaton"
    yield Statement("delta-rule", "fixed precision", "can", why, DELTA_PRODUCT)
    why = "products of reflections make every permutation, and projections forget"
    yield Statement(
        "householder-products", "fixed precision", "can", why, f"{GRAZZI}; {DELTA_PRODUCT}"
    )
    why = "four layers run any finite automaton"
    yield Statement("rwkv-7", "log precision", "can", why, RWKV_7)
