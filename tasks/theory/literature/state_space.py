"""State-space models: S4, Mamba and IDS4, by the eigenvalues of the state matrix.

- In constant depth and log precision S4 and Mamba are in TC0; a full matrix that the input chooses
  is not bound by that, and runs every automaton (Merrill, Petty and Sabharwal 2024).
- At finite precision gates in [0, 1] recognise exactly the star-free among the regular languages,
  and with unbounded integers they count (Dyck-1, a^n b^n); one matrix for every input cannot do
  parity, but an eigenvalue of -1 does (aa)* (Sarrof, Veitsman and Hahn 2024).
- Eigenvalues in [-1, 1] do parity; real ones never count modulo what is no power of two (Grazzi et
  al. 2024, theorems 1 and 2).
- Fixed-width arithmetic keeps within the regular languages; with log T bits both kinds count, and
  one matrix for every input counts the length modulo a constant (Alsmann, Noori and Lange 2026).
"""

from __future__ import annotations

from collections.abc import Iterator

from flann.tasks.theory.properties import TaskProperties
from flann.tasks.theory.statements import Statement

from .papers import ALSMANN, GRAZZI, SARROF, STATE_ILLUSION
from .recurrent import state_memory_bound

DIAGONAL = ("time-invariant-ssm", "nonnegative-ssm", "real-ssm")


def state_ssms(properties: TaskProperties) -> Iterator[Statement]:
    """What the eigenvalues allow."""
    for family in (*DIAGONAL, "input-dependent-ssm"):
        if properties.not_regular:
            why = "with constantly many bits it recognises regular languages only"
            yield Statement(family, "fixed precision", "cannot", why, ALSMANN)
        if properties.remembers:
            yield state_memory_bound(family, STATE_ILLUSION)
    for family in DIAGONAL:
        if properties.hard and not properties.remembers:  # which is out of reach in any case
            why = "one matrix, or diagonal ones: their products are in TC0"
            yield Statement(family, "log precision", "cannot unless TC0 = NC1", why, STATE_ILLUSION)
    yield from state_counting(properties)
    yield from state_time_invariant(properties)
    yield from state_nonnegative(properties)
    yield from state_real(properties)
    if properties.regular:
        why = "its matrices can be the transition matrices of the automaton"
        yield Statement("input-dependent-ssm", "log precision", "can", why, STATE_ILLUSION)


def state_counting(properties: TaskProperties) -> Iterator[Statement]:
    """A state with eigenvalue 1 adds up what comes in."""
    if not properties.counters or properties.remembers:
        return
    why = "states with eigenvalue 1 count up and down; the next layer reads their signs"
    yield Statement("nonnegative-ssm", "log precision", "can", why, f"{SARROF}; {ALSMANN}")
    if not properties.nested:
        yield Statement("time-invariant-ssm", "log precision", "can", why, ALSMANN)


def state_time_invariant(properties: TaskProperties) -> Iterator[Statement]:
    """One matrix for every input: position counts, content does not flip the sign."""
    family, regime = "time-invariant-ssm", "fixed precision"
    if properties.holds_parity or properties.counts_besides_length:
        why = "one matrix acts at every step, so no symbol can flip a sign; words of one length do"
        yield Statement(family, regime, "cannot", why, SARROF)
    if properties.length_modulus == 2:
        why = "an eigenvalue of -1 counts steps modulo two"
        yield Statement(family, regime, "can", why, SARROF)
    elif properties.length_modulus:
        why = f"a state goes round in {properties.length_modulus} steps, whatever the symbols are"
        yield Statement(family, regime, "can", why, ALSMANN)


def state_nonnegative(properties: TaskProperties) -> Iterator[Statement]:
    """Eigenvalues in [0, 1]: exactly the star-free ones among regular languages."""
    if not properties.regular or properties.star_free is None:
        return
    if properties.star_free:
        why = "star-free: a cascade of flip-flops, each a gate that keeps or overwrites"
    else:
        why = "not star-free: gates in [0, 1] keep or forget, they cannot go round in a cycle"
    verdict = "can" if properties.star_free else "cannot"
    yield Statement("nonnegative-ssm", "fixed precision", verdict, why, SARROF)


def state_real(properties: TaskProperties) -> Iterator[Statement]:
    """Eigenvalues in [-1, 1]: star-free ones and parities, and no odd modulus."""
    if properties.elementary:
        why = "an eigenvalue of -1 flips the sign of a state"
        yield Statement("real-ssm", "fixed precision", "can", why, f"{SARROF}; {GRAZZI}")
    if properties.odd_period:
        why = f"a word repeated counts modulo {properties.odd_period}, not a power of two"
        yield Statement("real-ssm", "fixed precision", "cannot", why, GRAZZI)
