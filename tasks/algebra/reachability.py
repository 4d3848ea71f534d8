"""Reachability between the states of a machine, and its strongly connected components."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int

from flann.tasks.automata.moore_machine import MooreMachine

from .verdict import Stopped

MOST_STATES = 3000
"""The most states for which reachability is computed."""


@lru_cache(maxsize=8)
def find_reachable(machine: MooreMachine) -> Bool[np.ndarray, "states states"]:
    """Return for all states p and q whether some word, possibly empty, leads from p to q.

    Raises
    ------
    Stopped
        for a machine with more than `MOST_STATES` states.
    """
    if machine.size > MOST_STATES:
        raise Stopped(f"more than {MOST_STATES} states")
    reachable = np.eye(machine.size, dtype=bool)
    reachable[np.arange(machine.size)[:, None], machine.table] = True
    while True:
        further = (reachable.astype(np.float32) @ reachable.astype(np.float32)) > 0
        if (further == reachable).all():
            return reachable
        reachable = further


@lru_cache(maxsize=8)
def find_components(machine: MooreMachine) -> Int[np.ndarray, " states"]:
    """Return the smallest state of each state's strongly connected component."""
    reachable = find_reachable(machine)
    components: Int[np.ndarray, " states"] = (reachable & reachable.T).argmax(axis=1)
    return components
