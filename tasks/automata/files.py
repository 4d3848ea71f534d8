"""Automata in files and graphs: AT&T text, JSON and networkx. Reading never runs code.

**AT&T text**, the format of OpenFst and of MLRegTest (van der Poel et al. 2023, arXiv 2304.07687):
one transition a line, ``from to symbol [output] [weight]``, then one final state a line. The state
of the first line is the start. An output must repeat its symbol (an acceptor); weights are passed
over. States are any names, and so are symbols; the alphabet is sorted::

    even odd 1 1
    even even 0 0
    odd even 1 1
    odd odd 0 0
    odd

**JSON**, where ``table[q][a]`` is the number of the next state, or null where there is none. It is
the same dictionary that ``task.structure`` holds::

    {"states": ["even", "odd"], "symbols": ["0", "1"], "start": 0, "accepting": [1],
     "table": [[0, 1], [1, 0]]}

**networkx**: a directed graph, ``graph.graph["start"]``, nodes with ``accepting=True``, edges with
``symbol="a"``.

A missing transition leads to a dead state, which is added. Two transitions of one state with the
same symbol to different states make an automaton nondeterministic: it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flann.errors import UserError

from .automaton import MOST_STATES, Automaton, check_symbols

if TYPE_CHECKING:
    import networkx

MOST_BYTES = 1 << 24
MOST_ENTRIES = 1 << 24  # states times symbols
NO_SYMBOL = ("<eps>", "<epsilon>", "ε", "@0@", "@_EPSILON_SYMBOL_@")


def read_automaton(path: str | Path) -> Automaton:
    """Read the automaton in a file: JSON if the file begins with a brace, else AT&T text.

    Raises
    ------
    UserError
        for a file that cannot be read, a line that is no transition, a state that does not exist,
        a nondeterministic automaton, or one that is too large.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path}: {path.stat().st_size} bytes: expected at most {MOST_BYTES}")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read the automaton {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"cannot read the automaton {path}: expected UTF-8 text") from error
    try:
        return from_json(text) if text.lstrip().startswith("{") else from_att(text)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def from_att(text: str) -> Automaton:
    """Parse AT&T text.

    >>> from_att("0 1 a\\n1 0 b\\n1\\n").accepts([0, 1, 0])
    True
    """
    arcs: list[tuple[str, str, str]] = []
    finals: list[tuple[str, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if len(fields) in (1, 2):
            finals.append((fields[0], number))
        elif len(fields) in (3, 4, 5):
            arcs.append(check_arc(fields, number))
        elif fields:
            raise UserError(f"line {number}: expected 'from to symbol' or a final state")
    if not arcs:
        raise UserError("expected at least one line 'from to symbol'")
    known = {state for arc in arcs for state in arc[:2]}
    for state, number in finals:
        if state not in known:
            raise UserError(f"line {number}: the final state {state!r} is in no transition")
    return from_arcs(arcs, arcs[0][0], {state for state, _ in finals})


def check_arc(fields: list[str], number: int) -> tuple[str, str, str]:
    """Return one transition, if it is that of an acceptor."""
    origin, target, symbol = fields[:3]
    if symbol in NO_SYMBOL:
        raise UserError(
            f"line {number}: a transition without a symbol makes it nondeterministic: expected a"
            " deterministic automaton"
        )
    if len(fields) > 3 and fields[3] != symbol and not is_weight(fields):
        raise UserError(
            f"line {number}: the output {fields[3]!r} differs from the symbol {symbol!r}: expected"
            " an acceptor"
        )
    return origin, target, symbol


def is_weight(fields: list[str]) -> bool:
    """Return whether a fourth and last field is a weight: a number with a point."""
    try:
        float(fields[3])
    except ValueError:
        return False
    return len(fields) == 4 and "." in fields[3]


def from_arcs(
    arcs: Iterable[tuple[Hashable, Hashable, str]],
    start: Hashable,
    accepting: Iterable[Hashable],
    symbols: Iterable[str] | None = None,
) -> Automaton:
    """Build the automaton of transitions ``(from, to, symbol)`` between named states.

    >>> from_arcs([("even", "odd", "a"), ("odd", "even", "a")], "even", ["odd"]).table.tolist()
    [[1], [0]]
    """
    arcs = list(arcs)
    alphabet = tuple(sorted({s for _, _, s in arcs}) if symbols is None else symbols)
    check_symbols(alphabet)
    numbers = {start: 0}
    for origin, target, _ in arcs:
        numbers.setdefault(origin, len(numbers))
        numbers.setdefault(target, len(numbers))
    check_size(len(numbers), len(alphabet))
    dead = len(numbers)
    columns = {symbol: a for a, symbol in enumerate(alphabet)}
    table = np.full((dead + 1, len(alphabet)), dead)
    for origin, target, symbol in arcs:
        place = numbers[origin], columns[symbol]
        if table[place] not in (dead, numbers[target]):
            raise UserError(
                f"nondeterministic: the state {origin!r} has two next states for {symbol!r}:"
                " expected a deterministic automaton"
            )
        table[place] = numbers[target]
    finals = np.zeros(dead + 1, bool)
    for state in accepting:
        if state not in numbers:
            raise UserError(f"the accepting state {state!r} does not exist")
        finals[numbers[state]] = True
    return Automaton(alphabet, table, finals).trim()


def check_size(states: int, symbols: int) -> None:
    """Refuse an automaton that is too large."""
    if states > MOST_STATES or states * symbols > MOST_ENTRIES:
        raise UserError(
            f"{states} states and {symbols} symbols: expected at most {MOST_STATES} states and"
            f" {MOST_ENTRIES} entries"
        )


# -- JSON ----------------------------------------------------------------------------------------


def from_json(text: str) -> Automaton:
    """Parse the JSON format."""
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UserError(f"not JSON: {error}") from error
    return from_dict(found)


def from_dict(found: Any) -> Automaton:
    """Build the automaton of a dictionary with the keys of the JSON format.

    Raises
    ------
    UserError
        for a missing key, a table of the wrong shape, or a state that does not exist.
    """
    wanted = ("states", "symbols", "start", "accepting", "table")
    if missing := [key for key in wanted if key not in found]:
        raise UserError(f"the key {missing[0]!r} is missing: expected {', '.join(wanted)}")
    states, symbols, table = found["states"], found["symbols"], found["table"]
    for key in ("states", "symbols", "accepting", "table"):
        if not isinstance(found[key], list):
            raise UserError(f"{key}: expected a list, got {type(found[key]).__name__}")
    if not all(isinstance(symbol, str) for symbol in symbols):
        raise UserError("symbols: expected a list of strings")
    check_symbols(symbols)
    check_size(len(states), len(symbols))
    if len(table) != len(states):
        raise UserError(f"table: expected a row for each of {len(states)} states, got {len(table)}")
    arcs = []
    for q, row in enumerate(table):
        if not isinstance(row, list) or len(row) != len(symbols):
            raise UserError(f"table, row {q}: expected {len(symbols)} next states")
        for symbol, target in zip(symbols, row, strict=True):
            if target is not None:
                arcs.append((q, check_state(target, len(states), f"table, row {q}"), symbol))
    accepting = [check_state(q, len(states), "accepting") for q in found["accepting"]]
    start = check_state(found["start"], len(states), "start")
    met = {start, *(q for arc in arcs for q in arc[:2])}
    return from_arcs(arcs, start, [q for q in accepting if q in met], symbols)


def check_state(number: Any, count: int, where: str) -> int:
    """Return a state's number, or refuse a state that does not exist."""
    if type(number) is not int or not 0 <= number < count:
        raise UserError(f"{where}: there is no state {number!r}: expected 0 to {count - 1}")
    return number


def to_dict(automaton: Automaton) -> dict[str, Any]:
    """Return the automaton as plain lists, as the JSON format holds it."""
    return {
        "kind": "automaton",
        "states": [str(q) for q in range(automaton.size)],
        "symbols": list(automaton.symbols),
        "start": automaton.start,
        "accepting": np.flatnonzero(automaton.accepting).tolist(),
        "table": automaton.table.tolist(),
    }


def to_att(automaton: Automaton) -> str:
    """Return the automaton as AT&T text, without dead states unless the start is one.

    >>> from flann.tasks.automata.expressions import from_expression
    >>> print(to_att(from_expression("ab*")))
    0 1 a a
    1 1 b b
    1
    """
    for symbol in automaton.symbols:
        if not symbol or any(character.isspace() for character in symbol):
            raise UserError(f"the symbol {symbol!r} cannot be written as AT&T text")
    order = [automaton.start, *(q for q in range(automaton.size) if q != automaton.start)]
    kept = [q for q in order if automaton.live[q] or q == automaton.start]
    lines = [
        f"{q} {target} {symbol} {symbol}"
        for q in kept
        for symbol, target in zip(automaton.symbols, automaton.table[q].tolist(), strict=True)
        if automaton.live[target]
    ]
    finals = [str(q) for q in kept if automaton.accepting[q]]
    return "\n".join(lines + finals)


# -- networkx ------------------------------------------------------------------------------------


def from_networkx(graph: networkx.DiGraph[Any]) -> Automaton:
    """Build the automaton of a directed graph with the attributes that the module names.

    Raises
    ------
    UserError
        for a graph without a start, or an edge without a symbol.
    """
    start = graph.graph.get("start")
    if start not in graph:
        raise UserError(f"graph.graph['start'] is {start!r}: expected a node")
    arcs = []
    for origin, target, attributes in graph.edges(data=True):
        symbol = attributes.get("symbol")
        if not isinstance(symbol, str):
            raise UserError(f"the edge {origin!r} -> {target!r} has no symbol: expected a string")
        arcs.append((origin, target, symbol))
    accepting = [node for node, accepts in graph.nodes(data="accepting") if accepts]
    met = {start, *(node for arc in arcs for node in arc[:2])}
    return from_arcs(arcs, start, [node for node in accepting if node in met])


def to_networkx(automaton: Automaton) -> networkx.MultiDiGraph[int]:
    """Return the automaton as a graph with one edge for each transition."""
    import networkx

    graph: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(start=automaton.start)
    for q in range(automaton.size):
        graph.add_node(q, accepting=bool(automaton.accepting[q]))
    for q, row in enumerate(automaton.table.tolist()):
        for symbol, target in zip(automaton.symbols, row, strict=True):
            graph.add_edge(q, target, symbol=symbol)
    return graph
