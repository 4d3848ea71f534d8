"""The properties of a regular task, computed from its minimal machine or from its group.

Four classes determine most results (`flann.tasks.algebra`): aperiodic, R-trivial, quasi-aperiodic
and solvable. Some theorems concern the repetition of a symbol, or two or three symbols that act on
two states as parity or a flip-flop does; these are read off the transition table of the machine.

The syntactic semigroup can be exponentially large. Beyond `MOST_ELEMENTS` elements its classes are
not computed, and what depends on them is open. The limit is a number of elements rather than a
time, so that a task has the same properties on every machine.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int, Integer, Shaped

from flann.tasks.algebra.semigroup import Semigroup
from flann.tasks.algebra.varieties.circuits import (
    decide_quasi_aperiodic,
    decide_solvable,
    find_stable_semigroup,
)
from flann.tasks.algebra.varieties.equations import Equations
from flann.tasks.algebra.varieties.piecewise_testable import decide_r_trivial
from flann.tasks.algebra.verdict import Clock, Stopped
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.groups.cayley_tables import Group

from .properties import TaskProperties

MOST_ELEMENTS = 5_000
PATIENCE = 600.0  # seconds, more than this many elements take

Map = Integer[np.ndarray, " states"]  # the image of each state


def derive_machine_properties(machine: MooreMachine, mode: str) -> TaskProperties:
    """Derive the properties of the task of a minimal machine.

    Parameters
    ----------
    machine : MooreMachine
    mode : str
        the task's mode; with ``"tag"`` every prefix has a label.

    Examples
    --------
    >>> from flann.tasks import get_task
    >>> derive_machine_properties(get_task("tomita-3").machine, "tag").circuit_class
    'AC0'
    """
    partial, machine = machine.is_partial, machine.acceptor
    r_trivial = decide_r_trivial(machine)
    try:
        semigroup = Semigroup.of(machine, Clock.of(PATIENCE), MOST_ELEMENTS)
        equations = Equations.of(semigroup, Clock.of(PATIENCE))
    except Stopped as stopped:
        semigroup, equations = None, None
        too_large = str(stopped)
    if r_trivial.answer:
        circuit_class, why = "AC0", "R-trivial: no state is re-entered after it is left"
    elif equations is None:
        circuit_class, why = "unknown", f"{machine.size} states: {too_large}"
    else:
        circuit_class, why = decide_circuit_class(equations)
    aperiodic = equations.decide_aperiodic().answer if equations is not None else None
    is_periodic = semigroup is not None and aperiodic is False
    return TaskProperties(
        circuit_class,
        why,
        regular=True,
        partial=partial,
        asks_every_prefix=mode == "tag",
        star_free=True if r_trivial.answer else aperiodic,
        r_trivial=bool(r_trivial.answer),
        letter_periods=find_letter_periods(machine),
        periods=find_word_periods(semigroup.maps)
        if is_periodic and semigroup is not None
        else None,
        holds_parity=holds_parity(machine),
        holds_flip_flop=holds_flip_flop(machine),
        counts_besides_length=is_periodic
        and semigroup is not None
        and counts_besides_length(semigroup),
        length_modulus=find_length_modulus(machine),
        elementary=is_elementary(machine.table),
        last_symbol_alone=depends_on_last_symbol(machine),
        commutes=commutes_before_last(machine.table),
        named=find_names(machine, mode),
    )


def decide_circuit_class(equations: Equations) -> tuple[str, str]:
    """Return the circuit class with its reason."""
    aperiodic = equations.decide_aperiodic()
    if aperiodic.answer:
        return "AC0", f"star-free, so it does not count: {aperiodic.why}"
    lengths = decide_quasi_aperiodic(equations)
    if lengths.answer:
        return "AC0", f"not star-free, but quasi-aperiodic: {lengths.why}"
    groups = decide_solvable(equations)
    if groups.answer:
        return "ACC0", f"it counts modulo constants: {groups.why}"
    return "NC1-complete", f"it has a group that is not solvable: {groups.why}"


# -- groups --------------------------------------------------------------------------------------


def derive_group_properties(
    group: Group, generators: Int[np.ndarray, " symbols"], mode: str
) -> TaskProperties:
    """Derive the properties of a word problem from the group and its symbols alone.

    Words of equal length over two or more symbols reach every element of a normal subgroup N with
    G / N cyclic, so N is solvable exactly when G is.
    """
    symbols = np.unique(generators)
    everything = len(symbols) == group.order  # spares a large group's table
    reached = np.arange(group.order) if everything else group.generate_subgroup(symbols)
    orders = group.element_orders
    trivial = len(reached) == 1
    circuit_class, why = decide_group_circuit_class(group, symbols)
    return TaskProperties(
        circuit_class,
        why,
        regular=True,
        asks_every_prefix=mode == "tag",
        star_free=trivial,
        r_trivial=trivial,
        letter_periods=frozenset(int(n) for n in orders[symbols] if n > 1),
        periods=frozenset(int(n) for n in np.unique(orders[reached]) if n > 1),
        holds_parity=bool((orders[symbols] == 2).any() and (orders[symbols] == 1).any()),
        counts_besides_length=len(find_equal_length_quotients(group, symbols)) % 2 == 0,
        length_modulus=int(orders[symbols[0]]) if len(symbols) == 1 and not trivial else None,
        elementary=bool(orders[reached].max() == 2),
        commutes=group.is_abelian,
        named=frozenset({"parity", mode}) if len(symbols) == group.order == 2 else frozenset(),
    )


def decide_group_circuit_class(
    group: Group, symbols: Int[np.ndarray, " symbols"]
) -> tuple[str, str]:
    """Return the circuit class of the word problem over these symbols, with its reason."""
    if len(symbols) == 1:
        return (
            "AC0",
            f"the single generator counts the length modulo {group.element_orders[symbols[0]]}",
        )
    if not group.is_solvable:
        return "NC1-complete", f"{group.name} is not solvable"
    kind = "abelian" if group.is_abelian else "solvable, not abelian"
    return "ACC0", f"{group.name} is {kind}, so it reduces to iterated counting modulo constants"


def find_equal_length_quotients(
    group: Group, symbols: Int[np.ndarray, " symbols"]
) -> Int[np.ndarray, " members"]:
    """Return the subgroup generated by all x a b^-1 x^-1, by which words of equal length differ."""
    if len(symbols) == group.order:
        return np.arange(group.order)
    everyone = np.arange(group.order)
    quotients = group.table[symbols, group.inverses[symbols[0]]].astype(np.intp)
    conjugates = group.table[group.table[everyone[:, None], quotients], group.inverses[:, None]]
    return group.generate_subgroup(np.unique(conjugates))


# -- on the table --------------------------------------------------------------------------------


def find_cycles(letter: Map) -> list[list[int]]:
    """Return the cycles of a map.

    >>> find_cycles(np.array([1, 2, 1]))
    [[1, 2]]
    """
    following = letter.tolist()
    recurrent = set(range(len(following)))
    while (image := {following[q] for q in recurrent}) != recurrent:
        recurrent = image
    cycles = []
    while recurrent:
        cycle = [min(recurrent)]
        while (after := following[cycle[-1]]) != cycle[0]:
            cycle.append(after)
        recurrent -= set(cycle)
        cycles.append(cycle)
    return cycles


def find_period(outputs: Shaped[np.ndarray, " states"]) -> int:
    """Return the least rotation that maps a cyclic sequence of labels to itself.

    >>> find_period(np.array([1, 0, 1, 0]))
    2
    """
    return next(n for n in range(1, len(outputs) + 1) if (np.roll(outputs, n) == outputs).all())


def find_letter_periods(machine: MooreMachine) -> frozenset[int]:
    """Return the periods greater than 1 of the labels when a symbol is repeated."""
    periods = {
        find_period(machine.labels[cycle])
        for letter in machine.table.T
        for cycle in find_cycles(letter)
    }
    return frozenset(periods - {1})


def find_word_periods(maps: Shaped[np.ndarray, "elements states"]) -> frozenset[int]:
    """Return the lengths greater than 1 of the cycles of all maps."""
    lengths = {len(cycle) for each in maps for cycle in find_cycles(each)}
    return frozenset(lengths - {1})


def counts_besides_length(semigroup: Semigroup) -> bool:
    """Return whether some word of the stable length has a cycle of even length."""
    _, layers = find_stable_semigroup(semigroup, Clock.of(PATIENCE))
    return any(len(c) % 2 == 0 for each in semigroup.maps[layers[-1]] for c in find_cycles(each))


def find_jointly_fixed_pairs(machine: MooreMachine) -> Bool[np.ndarray, "states states"]:
    """Return for which pairs of states some symbol fixes both."""
    keeps = (machine.table == np.arange(machine.size)[:, None]).astype(np.float32)
    together: Bool[np.ndarray, "states states"] = keeps @ keeps.T > 0
    return together


def holds_parity(machine: MooreMachine) -> bool:
    """Return whether one symbol swaps two states of different labels, and another fixes both."""
    together, outputs = find_jointly_fixed_pairs(machine), machine.labels
    states = np.arange(machine.size)
    return any(
        bool((outputs[p] != outputs[q]) and together[p, q])
        for letter in machine.table.T
        for p in states[letter[letter] == states]
        if p != (q := letter[p])
    )


def holds_flip_flop(machine: MooreMachine) -> bool:
    """Return whether symbols set, reset and fix two states of different labels."""
    together, outputs = find_jointly_fixed_pairs(machine), machine.labels
    sets = {
        (p, int(letter[p]))
        for letter in machine.table.T
        for p in range(machine.size)
        if letter[p] != p and letter[letter[p]] == letter[p]
    }
    return any((q, p) in sets and together[p, q] and outputs[p] != outputs[q] for p, q in sets)


def find_length_modulus(machine: MooreMachine) -> int | None:
    """Return the number of states if all symbols act as the same cycle on all states, or None."""
    same = bool((machine.table == machine.table[:, :1]).all())
    round_all = same and len(find_cycles(machine.table[:, 0])[0]) == machine.size > 1
    return machine.size if round_all else None


def is_elementary(table: Int[np.ndarray, "states symbols"]) -> bool:
    """Return whether all symbols are their own inverses and commute."""
    twice = np.stack([table[column] for column in table.T], axis=1)  # [state, first, second]
    states = np.arange(len(table))[:, None]
    return bool(
        len(table) > 1
        and (np.diagonal(twice, axis1=1, axis2=2) == states).all()
        and (twice == twice.transpose(0, 2, 1)).all()
    )


def depends_on_last_symbol(machine: MooreMachine) -> bool:
    """Return whether the last symbol determines the label after any non-empty word."""
    answers = machine.labels[machine.table]
    return bool((answers == answers[:1]).all())


def commutes_before_last(table: Int[np.ndarray, "states symbols"]) -> bool:
    """Return whether abc and bac lead to the same state, for all symbols a, b and c."""
    for a, first in enumerate(table.T):
        for second in table.T[a + 1 :]:
            p, q = second[first], first[second]
            if (table[p] != table[q]).any():
                return False
    return True


def find_names(machine: MooreMachine, mode: str) -> frozenset[str]:
    """Return the names under which the literature has results on this language."""
    letters = sorted(map(tuple, machine.table.T.tolist()))
    if letters == [(0, 1), (1, 0)]:
        return frozenset({"parity", mode})
    settles = all((machine.table[q] == q).all() for q in range(1, machine.size))
    return frozenset({"first", mode}) if settles and machine.size > 1 else frozenset()
