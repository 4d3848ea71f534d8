"""Transformers: what precision, masks, positions, depth and written thoughts allow.

- Constant depth: with log T bits in TC0 (Merrill and Sabharwal 2022, 2023), with constantly many
  in AC0 (Li et al. 2024). Heads that look at one place alone: in AC0 (Hao, Angluin and Frank 2022).
- A strict mask and no positions: with unique hard attention exactly the star-free languages, with
  sinusoidal positions exactly the regular languages in AC0 (Yang, Chiang and Angluin 2023); with
  soft attention of fixed precision exactly LTL with the one operator "some time before", that is,
  the R-trivial languages (Li and Cotterell 2025).
- Without a mask, hard attention and any positions say all of first-order logic with unary
  predicates of the position (Barceló et al. 2023).
- Exact counting: C-RASP (Yang and Chiang 2024) counts, but neither parity nor the flip-flop is in
  it (Huang et al. 2024, who conjecture that it is what generalises in length).
- Depth log T recognises all regular languages (Merrill and Sabharwal 2025), and so do chains of
  thought of linear length (2023). With polynomially much padding exactly uniform TC0 (2025).
- Neither mask nor positions: only the shares of symbols are seen (Pérez, Marinković and Barceló
  2019, section 3.1), their counts where one symbol is there once; then exactly semi-algebraic sets
  of counts (Köcher et al. 2025), which no period is.
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
    """What is known of attention."""
    yield from state_constant_depth(properties)
    yield from state_causal(properties)
    yield from state_hard_attention(properties)
    yield from state_without_positions(properties)
    yield from state_exact_counting(properties)
    yield from state_bidirectional(properties)
    yield from state_growing_depth(properties)
    yield from state_equivariant(properties)


def state_constant_depth(properties: TaskProperties) -> Iterator[Statement]:
    """The circuits that constantly many layers are."""
    for family in (*POSITIONED, "transformer-looped"):
        if properties.hard:
            why = "constantly many layers at log precision are in TC0"
            source = f"{PARALLELISM}; {LOG_PRECISION}"
            yield Statement(family, "log precision", "cannot unless TC0 = NC1", why, source)
        if properties.beyond_ac0:
            why = "constantly many layers of constantly many bits are in AC0, and this is not"
            yield Statement(family, "fixed precision", "cannot", why, LI)


def state_causal(properties: TaskProperties) -> Iterator[Statement]:
    """A causal mask and positions."""
    if properties.regular and properties.circuit_class == "AC0":
        what = (
            "star-free" if properties.star_free else "regular and in AC0, with sinusoidal positions"
        )
        why = f"{what}: what masked hard attention does, and soft attention can imitate"
        yield Statement(CAUSAL, UNBOUNDED, "can", why, f"{STAR_FREE}; {SOFT_HARD}")
    if "parity" in properties.named:
        why = "four layers of soft attention, with positions that grow as a power of t"
        yield Statement(CAUSAL, UNBOUNDED, "can", why, KOZACHINSKIY)
    if properties.circuit_class == "ACC0":
        why = "in TC0, so not excluded; constantly many layers do it if their width grows with T"
        yield Statement(CAUSAL, "log precision", "open", why, f"{PARALLELISM}; {LIU}")
    if "dyck" in properties.named and not properties.regular and not properties.counters:
        yield state_dyck_program(CAUSAL)


def state_hard_attention(properties: TaskProperties) -> Iterator[Statement]:
    """Heads that look at one place alone."""
    if properties.beyond_ac0:
        for family in POSITIONED:
            why = "heads that look at one place are in AC0, and this is not"
            yield Statement(family, HARD, "cannot", why, HAO)
    if properties.not_regular and not properties.beyond_ac0:
        why = "without positions it recognises star-free languages only, and this is not regular"
        yield Statement(NOPE, HARD, "cannot", why, STAR_FREE)
    if not properties.regular:
        return
    if properties.star_free is not None:
        verdict = "can" if properties.star_free else "cannot"
        start = "star-free" if properties.star_free else "not star-free"
        why = f"{start}: strictly masked, it is linear temporal logic, which is star-free"
        yield Statement(NOPE, HARD, verdict, why, STAR_FREE)
    if properties.circuit_class == "AC0":
        if not properties.star_free:
            why = "regular and in AC0: sinusoidal positions tell the length modulo a constant"
            yield Statement(CAUSAL, HARD, "can", why, STAR_FREE)
        if not properties.asks_every_prefix:
            why = "regular and in AC0: first-order logic with the position modulo a constant"
            yield Statement(BIDIRECTIONAL, HARD, "can", why, BARCELO)


def state_without_positions(properties: TaskProperties) -> Iterator[Statement]:
    """A causal mask alone: at fixed precision exactly the R-trivial languages."""
    family, regime = NOPE, "fixed precision"
    if properties.regular and properties.r_trivial is not None:
        verdict = "can" if properties.r_trivial else "cannot"
        if properties.r_trivial:
            why = "R-trivial: strictly masked, it says what came some time before"
        else:
            why = "not R-trivial: strictly masked, it says no more than what came some time before"
        yield Statement(family, regime, verdict, why, LI_COTTERELL)
    elif properties.not_regular and not properties.beyond_ac0:
        why = "it recognises R-trivial languages only, and this is not regular"
        yield Statement(family, regime, "cannot", why, LI_COTTERELL)


def state_exact_counting(properties: TaskProperties) -> Iterator[Statement]:
    """C-RASP, and the soft attention that it is compiled to."""
    regime, source = "exact counting", f"{YANG_CHIANG}; {HUANG}"
    if properties.counters:
        why = "an even average over the prefix compares the counts"
        yield Statement(NOPE, regime, "can", why, source)
        yield Statement(NOPE, UNBOUNDED, "can", why, YANG_CHIANG)
    elif properties.r_trivial:
        why = "R-trivial: what came some time before has a count above 0"
        yield Statement(NOPE, regime, "can", why, f"{YANG_CHIANG}; {LI_COTTERELL}")
    elif properties.holds_parity:
        why = "it holds parity, which no count compared with a multiple of another tells"
        yield Statement(CAUSAL, regime, "cannot", why, HUANG)
    elif properties.holds_flip_flop:
        why = "it holds a flip-flop, and counts do not tell which of two symbols came last"
        yield Statement(NOPE, regime, "cannot", why, HUANG)


def state_bidirectional(properties: TaskProperties) -> Iterator[Statement]:
    """Positions and no mask."""
    if "recognise" in properties.named and {"parity", "first"} & properties.named:
        why = "constructed by hand: the count, or the first position, picked out by attention"
        yield Statement(BIDIRECTIONAL, UNBOUNDED, "can", why, CHIANG_CHOLAK)
    if "dyck" in properties.named and not properties.regular:
        yield state_dyck_program(BIDIRECTIONAL)


def state_dyck_program(family: str) -> Statement:
    """Dyck by a RASP program, which leaves precision out of account."""
    why = "a RASP program: count the depth, match each closing bracket at its own depth"
    return Statement(family, UNBOUNDED, "can", why, WEISS_2021)


def state_growing_depth(properties: TaskProperties) -> Iterator[Statement]:
    """Depth, written symbols or padding that grow with the word."""
    if properties.regular:
        why = "log T layers compose the transitions pairwise"
        yield Statement(CAUSAL, "depth log T", "can", why, f"{LIU}; {LOG_DEPTH}")
        why = "it writes the state after every symbol, one step at a time"
        yield Statement(CAUSAL, "chain of thought", "can", why, CHAIN_OF_THOUGHT)
    if properties.circuit_class in ("AC0", "ACC0", "TC0"):
        why = "with padding it is exactly uniform TC0, and this is in it"
        yield Statement(CAUSAL, "padding", "can", why, PADDING)
    elif properties.hard:
        why = "with padding it is exactly uniform TC0"
        yield Statement(CAUSAL, "padding", "cannot unless TC0 = NC1", why, PADDING)


def state_equivariant(properties: TaskProperties) -> Iterator[Statement]:
    """Neither mask nor positions: only counts of the symbols are seen, and one's own symbol."""
    family, regime, source = EQUIVARIANT, UNBOUNDED, f"{PEREZ}; {KOECHER}"
    if properties.last_symbol_alone and not properties.partial:
        why = "the answer is told by the symbol that stands where it is asked for"
        yield Statement(family, "fixed precision", "can", why, PEREZ)
    elif properties.proportions:
        why = "one even average over the word compares the counts"
        yield Statement(family, regime, "can", why, KOECHER)
    elif properties.regular and properties.commutes and not properties.asks_every_prefix:
        if properties.star_free:
            why = "the answer compares counts of symbols with constants"
            yield Statement(family, regime, "can", why, KOECHER)
        elif properties.star_free is False:
            why = "the answer goes on alternating with a count, and no polynomials tell that"
            yield Statement(family, regime, "cannot", why, source)
    elif properties.known:
        why = "an answer sees its own symbol and the count of each in the word, and no order"
        yield Statement(family, regime, "cannot", why, source)
