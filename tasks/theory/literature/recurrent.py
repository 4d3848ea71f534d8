"""Recurrent networks, with or without gates, a stack or a tape.

A network with saturated activations simulates any finite automaton (Merrill 2019; Korsky and
Berwick 2019), and at fixed precision it is a finite automaton. The cell of an LSTM counts without
bound (Weiss, Goldberg and Yahav 2018; Merrill et al. 2020, on the capacity of each kind of state).
"""

from __future__ import annotations

from collections.abc import Iterator

from flann.tasks.theory.properties import TaskProperties
from flann.tasks.theory.statements import Statement

from .papers import (
    COPYING,
    HEWITT,
    KORSKY,
    MERRILL_2019,
    MERRILL_2020,
    STOGIN,
    WEISS_2018,
    XLSTM,
)

GATED = {
    "rnn": f"{MERRILL_2019}; {KORSKY}",
    "gru": KORSKY,
    "lstm": f"{WEISS_2018}; {MERRILL_2020}",
    "slstm": f"{XLSTM}; {MERRILL_2020}",
}
WITH_MEMORY = ("stack-rnn", "tape-rnn")


def state_recurrent(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the statements on RNN, GRU, LSTM and sLSTM, and on networks with external memory."""
    for family, source in GATED.items():
        if properties.regular and family != "slstm":  # it follows by inclusion from the RNN
            why = "with saturated activations it simulates any finite automaton"
            yield Statement(family, "fixed precision", "can", why, source)
        elif properties.not_regular:
            why = (
                "a state of constantly many bits is a finite automaton, and the task is not regular"
            )
            yield Statement(family, "fixed precision", "cannot", why, source)
        if properties.remembers:
            yield state_memory_bound(family, MERRILL_2020)
    if properties.counters and not properties.remembers:
        why = "its cells count up and down with log T bits, and their signs are read off"
        yield Statement("lstm", "log precision", "can", why, WEISS_2018)
    if properties.stack or (properties.counters == 1 and not properties.remembers):
        why = "a state of unbounded precision can encode the stack of a pushdown automaton"
        yield Statement("rnn", "unbounded precision", "can", why, KORSKY)
    if properties.stack:
        why = (
            "a network of fixed precision with an unbounded stack simulates any pushdown automaton"
        )
        yield Statement("stack-rnn", "fixed precision", "can", why, STOGIN)
    yield from state_stack_and_tape(properties)


def state_stack_and_tape(properties: TaskProperties) -> Iterator[Statement]:
    """Derive the open statements on a stack or a tape beyond what the RNN itself can do."""
    for family in WITH_MEMORY:
        if properties.not_regular and not (properties.stack and family == "stack-rnn"):
            why = (
                "its memory is unbounded, but no construction for its operations has been published"
            )
            yield Statement(family, "fixed precision", "open", why, f"not settled in {STOGIN}")


def state_memory_bound(family: str, source: str) -> Statement:
    """Return the statement that a state of fixed width and log precision cannot hold T bits."""
    why = "the task requires on the order of T bits of memory, but the state has order log T"
    return Statement(family, "log precision", "cannot", why, f"{HEWITT}; {COPYING}; {source}")
