"""Running semiautomata, against a loop over every word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flann.tasks.automata.semiautomaton import Semiautomaton


@given(
    st.integers(1, 9), st.integers(1, 5), st.integers(1, 7), st.integers(0, 12), st.integers(0, 99)
)
def test_against_a_loop(states: int, symbols: int, size: int, length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(states, size=(states, symbols))
    start = int(rng.integers(states))
    words = rng.integers(symbols, size=(size, length))
    reached = np.empty((size, length), np.int8)
    Semiautomaton(table, start).run(words, reached)
    for word, path in zip(words, reached, strict=True):
        state = start
        for symbol, now in zip(word, path, strict=True):
            state = table[state, symbol]
            assert state == now


@pytest.mark.parametrize(("states", "symbols"), [(60, 60), (256, 256), (257, 256), (600, 300)])
def test_small_and_large_tables(states: int, symbols: int) -> None:
    """16-bit indices up to 2^16 entries, 32-bit ones beyond."""
    rng = np.random.default_rng(0)
    table = rng.integers(states, size=(states, symbols))
    machine = Semiautomaton(table)
    assert machine.steps.dtype == (np.uint16 if states <= 256 else np.uint32)
    words = rng.integers(symbols, size=(50, 30))
    reached = np.empty((50, 30), np.int16)
    machine.run(words, reached)
    state = np.zeros(50, int)
    for t in range(30):
        state = table[state, words[:, t]]
        np.testing.assert_array_equal(reached[:, t], state)
