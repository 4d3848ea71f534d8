"""Transformers, by precision, mask, positions, depth and chain of thought.

- At constant depth they are in TC0 with log T bits (Merrill and Sabharwal 2022, 2023) and in AC0
  with constantly many bits (Li et al. 2024). Unique hard attention is in AC0 (Hao, Angluin and
  Frank 2022).
- With a strict mask and no positions, unique hard attention recognises exactly the star-free
  languages, and with sinusoidal positions exactly the regular languages in AC0 (Yang, Chiang and
  Angluin 2023). Soft attention at fixed precision recognises exactly LTL with the operator "some
  time before" alone, that is, the R-trivial languages (Li and Cotterell 2025).
- Without a mask, hard attention with arbitrary positions expresses first-order logic with unary
  predicates of the position (Barceló et al. 2023).
- Exact counting: C-RASP (Yang and Chiang 2024) counts, but expresses neither parity nor the
  flip-flop (Huang et al. 2024, who conjecture that it characterises length generalisation).
- Depth log T recognises all regular languages (Merrill and Sabharwal 2025), as does a chain of
  thought of linear length (2023). With polynomial padding they are exactly uniform TC0 (2025).
- Without mask and positions only the proportions of symbols are accessible (Pérez, Marinković and
  Barceló 2019, section 3.1), or their counts if one symbol occurs exactly once. These transformers
  recognise exactly the semi-algebraic sets of counts (Köcher et al. 2025), which
  cannot express a period.
"""

from __future__ import annotations

from collections.abc import Iterator

from flann.tasks.theory.properties import TaskProperties
from flann.tasks.theory.statements import Statement

from .papers import (
    BARCELO,
    CHAIN_OF_THOUGHT,
    CHIANG_CHOLAK,
    HAO,
    HUANG,
    KOECHER,
    KOZACHINSKIY,
    LI,
    LI_COTTERELL,
    LIU,
    LOG_DEPTH,
    LOG_PRECISION,
    PADDING,
    PARALLELISM,
    PEREZ,
    SOFT_HARD,
    STAR_FREE,
    WEISS_2021,
    YANG_CHIANG,
)

CAUSAL, NOPE = "transformer", "transformer-nope"
BIDIRECTIONAL, EQUIVARIANT = "transformer-bidirectional", "transformer-equivariant"
POSITIONED = (CAUSAL, BIDIRECTIONAL)
UNBOUNDED, HARD = "unbounded precision", "unique hard attention"


def state_transformers(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on transformers."""
    yield from state_constant_depth(properties)
    yield from state_causal(properties)
    yield from state_hard_attention(properties)
    yield from state_without_positions(properties)
    yield from state_exact_counting(properties)
    yield from state_bidirectional(properties)
    yield from state_growing_depth(properties)
    yield from state_equivariant(properties)


def state_constant_depth(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the circuit bounds on constantly many layers."""
    for family in (*POSITIONED, "transformer-looped"):
        if properties.hard:
            why = "constantly many layers at log precision are in TC0, and the task is NC1-complete"
            source = f"{PARALLELISM}; {LOG_PRECISION}"
            yield Statement(family, "log precision", "cannot unless TC0 = NC1", why, source)
        if properties.beyond_ac0:
            why = "constantly many layers at fixed precision are in AC0, and the task is not in AC0"
            yield Statement(family, "fixed precision", "cannot", why, LI)


def state_causal(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on a causal mask with positions."""
    if properties.regular and properties.circuit_class == "AC0":
        what = "star-free" if properties.star_free else "regular and in AC0"
        why = f"{what}, so masked hard attention expresses it, and soft attention simulates that"
        yield Statement(CAUSAL, UNBOUNDED, "can", why, f"{STAR_FREE}; {SOFT_HARD}")
    if "parity" in properties.named:
        why = "four layers of soft attention suffice, with positions that grow as a power of t"
        yield Statement(CAUSAL, UNBOUNDED, "can", why, KOZACHINSKIY)
    if properties.circuit_class == "ACC0":
        why = "in TC0, so not ruled out; constantly many layers suffice if their width grows with T"
        yield Statement(CAUSAL, "log precision", "open", why, f"{PARALLELISM}; {LIU}")
    if "dyck" in properties.named and not properties.regular and not properties.counters:
        yield state_dyck_program(CAUSAL)


def state_hard_attention(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on unique hard attention."""
    if properties.beyond_ac0:
        for family in POSITIONED:
            why = "unique hard attention is in AC0, and the task is not in AC0"
            yield Statement(family, HARD, "cannot", why, HAO)
    if properties.not_regular and not properties.beyond_ac0:
        why = (
            "without positions it recognises only star-free languages, and the task is not regular"
        )
        yield Statement(NOPE, HARD, "cannot", why, STAR_FREE)
    if not properties.regular:
        return
    if properties.star_free is not None:
        verdict = "can" if properties.star_free else "cannot"
        start = "star-free" if properties.star_free else "not star-free"
        why = f"{start}; with strict masking it is linear temporal logic, hence exactly star-free"
        yield Statement(NOPE, HARD, verdict, why, STAR_FREE)
    if properties.circuit_class == "AC0":
        if not properties.star_free:
            why = "regular and in AC0; sinusoidal positions encode the length modulo a constant"
            yield Statement(CAUSAL, HARD, "can", why, STAR_FREE)
        if not properties.asks_every_prefix:
            why = "regular and in AC0, hence in first-order logic with positions modulo a constant"
            yield Statement(BIDIRECTIONAL, HARD, "can", why, BARCELO)


def state_without_positions(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on a causal mask alone, which expresses the R-trivial languages."""
    family, regime = NOPE, "fixed precision"
    if properties.regular and properties.r_trivial is not None:
        verdict = "can" if properties.r_trivial else "cannot"
        if properties.r_trivial:
            why = "R-trivial, hence expressible by which symbols occurred some time before"
        else:
            why = "not R-trivial, hence not expressible by which symbols occurred some time before"
        yield Statement(family, regime, verdict, why, LI_COTTERELL)
    elif properties.not_regular and not properties.beyond_ac0:
        why = "it recognises only R-trivial languages, and the task is not regular"
        yield Statement(family, regime, "cannot", why, LI_COTTERELL)


def state_exact_counting(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on C-RASP and on the soft attention that it compiles to."""
    regime, source = "exact counting", f"{YANG_CHIANG}; {HUANG}"
    if properties.counters:
        why = "uniform attention over the prefix compares the counts"
        yield Statement(NOPE, regime, "can", why, source)
        yield Statement(NOPE, UNBOUNDED, "can", why, YANG_CHIANG)
    elif properties.r_trivial:
        why = "R-trivial; what occurred some time before has a positive count"
        yield Statement(NOPE, regime, "can", why, f"{YANG_CHIANG}; {LI_COTTERELL}")
    elif properties.holds_parity:
        why = "it contains parity, which no linear comparison of counts expresses"
        yield Statement(CAUSAL, regime, "cannot", why, HUANG)
    elif properties.holds_flip_flop:
        why = "it contains a flip-flop, and counts do not determine which of two symbols came last"
        yield Statement(NOPE, regime, "cannot", why, HUANG)


def state_bidirectional(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on attention with positions and without a mask."""
    if "recognise" in properties.named and {"parity", "first"} & properties.named:
        why = "by explicit construction: attention selects the first position or computes the count"
        yield Statement(BIDIRECTIONAL, UNBOUNDED, "can", why, CHIANG_CHOLAK)
    if "dyck" in properties.named and not properties.regular:
        yield state_dyck_program(BIDIRECTIONAL)


def state_dyck_program(family: str) -> Statement:
    """Return the statement on Dyck languages by a RASP program, which ignores precision."""
    why = "a RASP program counts the depth and matches each closing bracket at its depth"
    return Statement(family, UNBOUNDED, "can", why, WEISS_2021)


def state_growing_depth(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on depth, generated symbols or padding that grow with the length."""
    if properties.regular:
        why = "log T layers compose the transitions of the automaton pairwise"
        yield Statement(CAUSAL, "depth log T", "can", why, f"{LIU}; {LOG_DEPTH}")
        why = "it generates the state of the automaton after every symbol, one step at a time"
        yield Statement(CAUSAL, "chain of thought", "can", why, CHAIN_OF_THOUGHT)
    if properties.circuit_class in ("AC0", "ACC0", "TC0"):
        why = "with polynomial padding it is exactly uniform TC0, which contains the task"
        yield Statement(CAUSAL, "padding", "can", why, PADDING)
    elif properties.hard:
        why = "with polynomial padding it is exactly uniform TC0, and the task is NC1-complete"
        yield Statement(CAUSAL, "padding", "cannot unless TC0 = NC1", why, PADDING)


def state_equivariant(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements without mask and positions, where only counts are accessible."""
    family, regime, source = EQUIVARIANT, UNBOUNDED, f"{PEREZ}; {KOECHER}"
    if properties.last_symbol_alone and not properties.partial:
        why = "the label is determined by the symbol at the same position"
        yield Statement(family, "fixed precision", "can", why, PEREZ)
    elif properties.proportions:
        why = "uniform attention over the word compares the counts"
        yield Statement(family, regime, "can", why, KOECHER)
    elif properties.regular and properties.commutes and not properties.asks_every_prefix:
        if properties.star_free:
            why = "the label depends on comparisons of symbol counts with constants"
            yield Statement(family, regime, "can", why, KOECHER)
        elif properties.star_free is False:
            why = (
                "the label is periodic in a count, and no polynomial inequality expresses a period"
            )
            yield Statement(family, regime, "cannot", why, source)
    elif properties.known:
        why = "each output depends only on its own symbol and the symbol counts, not on order"
        yield Statement(family, regime, "cannot", why, source)
