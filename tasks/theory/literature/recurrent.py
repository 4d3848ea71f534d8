"""Recurrent networks: finite automata at fixed precision; the LSTM counts; a stack helps.

A network whose gates are saturated runs any finite automaton (Merrill 2019; Korsky and Berwick
2019), and with constantly many bits it is one. The cell of an LSTM counts without bound (Weiss,
Goldberg and Yahav 2018; Merrill et al. 2020, on how much each kind of state holds).
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
    """RNN, GRU, LSTM and sLSTM, and those with a memory beside their state."""
    for family, source in GATED.items():
        if properties.regular and family != "slstm":  # which contains the RNN
            why = "with saturated gates it runs any finite automaton"
            yield Statement(family, "fixed precision", "can", why, source)
        elif properties.not_regular:
            why = "a state of constantly many bits is a finite automaton, and this is not regular"
            yield Statement(family, "fixed precision", "cannot", why, source)
        if properties.remembers:
            yield state_memory_bound(family, MERRILL_2020)
    if properties.counters and not properties.remembers:
        why = "cells count up and down, which takes log T bits, and their signs are read off"
        yield Statement("lstm", "log precision", "can", why, WEISS_2018)
    if properties.stack or (properties.counters == 1 and not properties.remembers):
        why = "a state of any precision can hold the stack of a pushdown automaton"
        yield Statement("rnn", "unbounded precision", "can", why, KORSKY)
    if properties.stack:
        why = "a bounded network with an unbounded stack runs any pushdown automaton"
        yield Statement("stack-rnn", "fixed precision", "can", why, STOGIN)
    yield from state_stack_and_tape(properties)


def state_stack_and_tape(properties: TaskProperties) -> Iterator[Statement]:
    """A stack or a tape, where nothing is shown but what the RNN inside does."""
    for family in WITH_MEMORY:
        if properties.not_regular and not (properties.stack and family == "stack-rnn"):
            why = "its memory is unbounded, and no construction for its moves has been shown"
            yield Statement(family, "fixed precision", "open", why, f"not settled in {STOGIN}")


def state_memory_bound(family: str, source: str) -> Statement:
    """A state of fixed width and log T bits a number cannot hold T / 2 symbols."""
    why = "on the order of T bits have to be remembered; the state has on the order of log T"
    return Statement(family, "log precision", "cannot", why, f"{HEWITT}; {COPYING}; {source}")
