"""Linear attention: additive memories, and memories that the delta rule overwrites.

The state S is updated by S -> S A(x) + v k^T, with one of the following matrices:

- A = I (linear attention), a constant decay (RWKV-4) or a scalar gate in [0, 1] (mLSTM), all of
  which are diagonal and non-negative.
- A = I - beta k k^T, with the eigenvalue 1 - beta along k in [0, 1] or [-1, 1] (DeltaNet and Gated
  DeltaNet), products of several such matrices (DeltaProduct), or diagonal plus rank one (RWKV-7).

If every A(x) has real non-negative eigenvalues, the state converges when a symbol is repeated, so
the output cannot alternate and parity is impossible (Grazzi et al. 2024, theorem 1). With
eigenvalues in [-1, 1], products of such matrices simulate every automaton (theorem 4), and with
gates and enough layers a single matrix at each step suffices (Siems et al. 2025, theorem 2). RWKV-7
simulates every automaton in four layers (Peng et al. 2025).
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
    """Derive the statements from the eigenvalues of the update."""
    for family in (*NON_NEGATIVE, *OVERWRITING):
        if properties.not_regular:
            why = (
                "a state of constantly many bits is a finite automaton, and the task is not regular"
            )
            yield Statement(family, "fixed precision", "cannot", why, GRAZZI)
        if properties.remembers:
            yield state_memory_bound(family, STATE_ILLUSION)
    for family in ADDITIVE:
        if properties.hard and not properties.remembers:
            why = "products of its diagonal updates can be computed in TC0"
            yield Statement(family, "log precision", "cannot unless TC0 = NC1", why, STATE_ILLUSION)
    if properties.letter_periods:
        for family in NON_NEGATIVE:
            why = "repeating a symbol makes the label cycle, but non-negative eigenvalues cannot"
            yield Statement(family, "fixed precision", "cannot", why, GRAZZI)
    yield from state_delta_rules(properties)


def state_delta_rules(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on delta rules that simulate every automaton."""
    if not properties.regular:
        return
    why = "reflections generate permutations and gates reset, so layers simulate any automaton"
    yield Statement("delta-rule", "fixed precision", "can", why, DELTA_PRODUCT)
    why = "products of reflections express all permutations, and projections express resets"
    yield Statement(
        "householder-products", "fixed precision", "can", why, f"{GRAZZI}; {DELTA_PRODUCT}"
    )
    why = "four layers simulate any finite automaton"
    yield Statement("rwkv-7", "log precision", "can", why, RWKV_7)
