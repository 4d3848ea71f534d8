"""State-space models: S4, Mamba and IDS4, by the eigenvalues of the state matrix.

- At constant depth and log precision S4 and Mamba are in TC0. A full input-dependent matrix is not
  subject to this bound and simulates every automaton (Merrill, Petty and Sabharwal 2024).
- At finite precision, gates in [0, 1] recognise exactly the star-free among the regular languages,
  and with unbounded integers they count (Dyck-1, a^n b^n). A constant matrix cannot recognise
  parity, but an eigenvalue of -1 recognises (aa)* (Sarrof, Veitsman and Hahn 2024).
- Eigenvalues in [-1, 1] recognise parity. Real eigenvalues cannot count modulo a number that is not
  a power of two (Grazzi et al. 2024, theorems 1 and 2).
- Fixed-width arithmetic recognises only regular languages. With log T bits both kinds count, and a
  constant matrix counts the length modulo a constant (Alsmann, Noori and Lange 2026).
"""

from __future__ import annotations

from collections.abc import Iterator

from flann.tasks.theory.properties import TaskProperties
from flann.tasks.theory.statements import Statement

from .papers import ALSMANN, GRAZZI, SARROF, STATE_ILLUSION
from .recurrent import state_memory_bound

DIAGONAL = ("time-invariant-ssm", "nonnegative-ssm", "real-ssm")


def state_ssms(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements from the eigenvalues of the state matrix."""
    for family in (*DIAGONAL, "input-dependent-ssm"):
        if properties.not_regular:
            why = "at fixed precision it recognises only regular languages"
            yield Statement(family, "fixed precision", "cannot", why, ALSMANN)
        if properties.remembers:
            yield state_memory_bound(family, STATE_ILLUSION)
    for family in DIAGONAL:
        if properties.hard and not properties.remembers:  # else ruled out without a condition
            why = "products of diagonal matrices, or of one constant matrix, can be computed in TC0"
            yield Statement(family, "log precision", "cannot unless TC0 = NC1", why, STATE_ILLUSION)
    yield from state_counting(properties)
    yield from state_time_invariant(properties)
    yield from state_nonnegative(properties)
    yield from state_real(properties)
    if properties.regular:
        why = "its matrices can be the transition matrices of the automaton"
        yield Statement("input-dependent-ssm", "log precision", "can", why, STATE_ILLUSION)


def state_counting(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on counters, which are states with eigenvalue 1."""
    if not properties.counters or properties.remembers:
        return
    why = "states with eigenvalue 1 count up and down, and the next layer reads their signs"
    yield Statement("nonnegative-ssm", "log precision", "can", why, f"{SARROF}; {ALSMANN}")
    if not properties.nested:
        yield Statement("time-invariant-ssm", "log precision", "can", why, ALSMANN)


def state_time_invariant(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on one matrix for all inputs, which can count only the length."""
    family, regime = "time-invariant-ssm", "fixed precision"
    if properties.holds_parity or properties.counts_besides_length:
        why = "the matrix is the same at every step, but words of equal length differ in a parity"
        yield Statement(family, regime, "cannot", why, SARROF)
    if properties.length_modulus == 2:
        why = "an eigenvalue of -1 counts steps modulo two"
        yield Statement(family, regime, "can", why, SARROF)
    elif properties.length_modulus:
        why = f"a state cycles with period {properties.length_modulus} independently of the symbols"
        yield Statement(family, regime, "can", why, ALSMANN)


def state_nonnegative(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on eigenvalues in [0, 1], which express the star-free languages."""
    if not properties.regular or properties.star_free is None:
        return
    if properties.star_free:
        why = (
            "star-free, hence a cascade of flip-flops, which gates that keep or overwrite implement"
        )
    else:
        why = (
            "not star-free, and gates in [0, 1] can keep or forget but cannot cycle through states"
        )
    verdict = "can" if properties.star_free else "cannot"
    yield Statement("nonnegative-ssm", "fixed precision", verdict, why, SARROF)


def state_real(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on eigenvalues in [-1, 1], which allow parity and no odd modulus."""
    if properties.elementary:
        why = "an eigenvalue of -1 flips the sign of a state, which computes a parity"
        yield Statement("real-ssm", "fixed precision", "can", why, f"{SARROF}; {GRAZZI}")
    if properties.odd_period:
        why = f"repeating a word counts modulo {properties.odd_period}, which is not a power of two"
        yield Statement("real-ssm", "fixed precision", "cannot", why, GRAZZI)
