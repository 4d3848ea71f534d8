"""The reference programs: a RASP program for a task, with the layers and heads that it claims.

``claims.json`` beside the programs states which tasks each file solves, in how many layers and
heads. Programs for groups, automata and brackets are generated, by
`flann.rasp.programs.groups` and `flann.rasp.programs.brackets`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from flann.errors import UserError, unknown
from flann.rasp.compiler import Compiled, compile_program
from flann.rasp.interpreter.program import Program
from flann.rasp.interpreter.session import PROGRAMS, read_program
from flann.tasks import Task, get_task
from flann.tasks.languages.counters_and_stacks.dyck import Dyck
from flann.tasks.languages.counters_and_stacks.shuffle_dyck import ShuffleDyck

from . import brackets, groups

Method = Literal["series", "doubling"]

MOST_STATES = 12
"""The most states of an automaton whose transitions are composed by doubling."""


@dataclass(frozen=True)
class ReferenceProgram(Program):
    """A program that solves a task, with what it claims to need.

    Attributes
    ----------
    layers, heads : int or None
        the attention layers, and the heads in the layer that has most.
    """

    layers: int | None = None
    heads: int | None = None

    def compile(self, max_length: int | None = None) -> Compiled:
        """Compile the network that is exact for every word up to `max_length`."""
        return compile_program(self, max_length or self.max_length)


@dataclass(frozen=True)
class Doubling:
    """The options of a program that composes windows of doubling length.

    Attributes
    ----------
    layers : int or None
        how many layers to use; by default as many as `length` needs.
    radix : int
        how many windows a layer composes.
    length : int
        the longest word.
    method : {"series", "doubling"} or None
        for groups; by default the derived series of a solvable group, and doubling for others.

    Raises
    ------
    UserError
        for a value outside its range.
    """

    layers: int | None
    radix: int
    length: int
    method: Method | None

    def __post_init__(self) -> None:
        if not 2 <= self.radix <= 64:
            raise UserError(f"radix {self.radix}: expected 2 to 64")
        if self.layers is not None and not 1 <= self.layers <= 32:
            raise UserError(f"layers {self.layers}: expected 1 to 32")
        if self.method not in (None, "series", "doubling"):
            raise unknown("method", str(self.method), ["series", "doubling"])

    @property
    def depth(self) -> int:
        """The number of layers that are generated."""
        if self.layers is not None:
            return self.layers
        layers, reach = 0, 1
        while reach < self.length:
            layers, reach = layers + 1, reach * self.radix
        return layers

    @property
    def heads(self) -> int:
        """The heads of the layer that has most: how many windows it looks for."""
        window, most = 1, 0
        for _ in range(self.depth):
            most = max(most, sum(window * k < self.length for k in range(1, self.radix)))
            window *= self.radix
        return most

    @property
    def is_requested(self) -> bool:
        """Whether an option asks for doubling, where there is another method."""
        return self.method == "doubling" or self.layers is not None or self.radix != 2

    def write(self, symbols: Sequence[str], images: Sequence[Sequence[int]]) -> str:
        """Write the program that composes the maps of the symbols."""
        return groups.doubling_program(symbols, images, self.depth, self.radix, self.length)


def load_program(
    name: str | Task,
    *,
    max_length: int = 64,
    layers: int | None = None,
    radix: int = 2,
    method: Method | None = None,
) -> ReferenceProgram:
    """Return the reference program of a task, or a program that comes with flann.

    Parameters
    ----------
    name : str or Task
        a task or its name (``"A5"``, ``"dyck-2:depth=3"``), or a program's name
        (``"histogram"``).
    max_length : int
        the longest word that the program is to be right on.
    layers : int, optional
        for doubling: with fewer layers than needed the program is right up to radix^layers only.
    radix : int
        for doubling: how many windows a layer composes.
    method : {"series", "doubling"}, optional
        for groups; by default the derived series of a solvable group, and doubling for others.

    Raises
    ------
    UserError
        for a task that no program solves, or an option outside its range.

    Examples
    --------
    >>> program = load_program("A5", max_length=16)
    >>> program.layers, program.heads
    (4, 1)
    >>> import numpy as np
    >>> load_program("parity")(np.array([[1, 0, 1, 1]])).tolist()
    [[1, 1, 0, 1]]
    """
    if max_length < 1:
        raise UserError(f"max_length {max_length}: expected 1 or more")
    options = Doubling(layers, radix, max_length, method)
    if isinstance(name, str) and name in load_claims():
        return read_file(name, None, max_length)
    task = get_task(name) if isinstance(name, str) else name
    program = find_program(task, options)
    if program is None:
        files = ", ".join(sorted(load_claims()))
        raise UserError(
            f"no RASP program solves {task.name}: expected a group, parity, majority, dyck-k,"
            f" shuffle-dyck-k, a small automaton, or one of {files}"
        )
    return program


def has_program(task: Task) -> bool:
    """Return whether a task has a reference program."""
    try:
        return find_program(task, Doubling(None, 2, 2, None)) is not None
    except UserError:
        return False


def find_program(task: Task, options: Doubling) -> ReferenceProgram | None:
    """Return the program of a task, or None: the first that a generator or a file gives."""
    for generate in GENERATORS:
        program = generate(task, options)
        if program is not None:
            return program
    return None


# -- generated programs ----------------------------------------------------------------------------


def generate_group(task: Task, options: Doubling) -> ReferenceProgram | None:
    """Return the program for the prefix products of a group.

    The elements are told apart by the images of a base: the fewest points whose images differ for
    all elements.
    """
    if task.group is None or task.generators is None:
        return None
    group, generators = task.group, [int(g) for g in task.generators]
    default = "doubling" if options.is_requested or not group.is_solvable else "series"
    if (options.method or default) == "series":
        source = groups.solvable_program(group, task.symbols, generators)
        return wrap_source(task, source, options, groups.layers_of(group), 1)
    actions = groups.action_of(group)
    source = options.write(task.symbols, [actions[g] for g in generators])
    base, codes = choose_base(actions)
    pairs = ", ".join(f"{code}: {g}" for g, code in enumerate(codes))
    images = groups.code([f"p{point}" for point in base], [len(actions[0])] * len(base))
    source += f"\nword_problem = {{{pairs}}}[{images}];"
    return wrap_source(task, source, options, options.depth, options.heads)


def choose_base(actions: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return a base of a permutation group, and the images of the base as one number an element.

    >>> choose_base([[0, 1, 2], [1, 0, 2], [2, 1, 0]])
    ([0], [0, 1, 2])
    """
    degree, base = len(actions[0]), [0]
    while len({tuple(row[p] for p in base) for row in actions}) < len(actions):
        base.append(len(base))
    codes = []
    for row in actions:
        code = 0
        for point in base:
            code = code * degree + row[point]
        codes.append(code)
    return base, codes


def generate_automaton(task: Task, options: Doubling) -> ReferenceProgram | None:
    """Return the program for the state of an automaton whose labels are its states.

    If every symbol turns the states as a ring, a running sum modulo their number gives the state.
    Otherwise the maps of a small automaton are composed by doubling.
    """
    machine = task.machine
    if machine is None or "?" in task.symbols or task.label_sets is not None:
        return None
    number = machine.labels
    if machine.size < 2 or sorted(number.tolist()) != list(range(machine.size)):
        return None
    table = np.empty_like(machine.table)
    table[number] = number[machine.table]
    if number[machine.start] != 0:
        return None
    shifts = [int(shift) for shift in table[0]]
    ring = (table == (np.arange(machine.size)[:, None] + table[:1]) % machine.size).all()
    if ring and (task.mode == "recognise" or not options.is_requested):
        row = brackets.table(task.symbols, shifts)
        source = f"{groups.CSUM}\ncounted = csum({row}[tokens]) % {machine.size};"
        return wrap_source(task, source, options, 1, 1)
    if task.mode == "recognise" or machine.size > MOST_STATES:
        return None
    source = options.write(task.symbols, table.T.tolist()) + "\nstate = p0;"
    return wrap_source(task, source, options, options.depth, options.heads)


def generate_brackets(task: Task, options: Doubling) -> ReferenceProgram | None:
    """Return the program of a bracket language."""
    recognise = task.mode == "recognise"
    if isinstance(task, Dyck):
        source = brackets.dyck_program(task.symbols, task.depth, recognise)
        return wrap_source(task, source, options, brackets.dyck_layers(task.symbols), 1)
    if isinstance(task, ShuffleDyck):
        source = brackets.shuffle_program(task.symbols, recognise)
        return wrap_source(task, source, options, 2, 1)
    return None


def wrap_source(
    task: Task, source: str, options: Doubling, layers: int, heads: int
) -> ReferenceProgram:
    """Return a program over the symbols and labels of a task."""
    length = options.length
    return ReferenceProgram(
        task.name, source, task.symbols, task.labels, length, layers=layers, heads=heads
    )


# -- programs in files -----------------------------------------------------------------------------


def load_claims() -> dict[str, dict[str, Any]]:
    """Return what ``claims.json`` states of each program in a file."""
    claims = json.loads((PROGRAMS / "claims.json").read_text(encoding="utf-8"))
    return cast(dict[str, dict[str, Any]], claims)


def find_file(task: Task, options: Doubling) -> ReferenceProgram | None:
    """Return the program in a file that solves a task."""
    base = task.name.partition(":")[0]
    for name, claim in load_claims().items():
        if base in claim["tasks"] and (task.mode == "transduce") == ("?" in task.symbols):
            modes = claim.get("modes", ["tag", "transduce"])
            return read_file(name, task, options.length) if task.mode in modes else None
    return None


def read_file(name: str, task: Task | None, max_length: int) -> ReferenceProgram:
    """Return the program in a file, for a task or over symbols of its own."""
    claim = load_claims()[name]
    if task is None and "symbols" not in claim:
        task = get_task(claim["tasks"][0])
    if task is not None:
        symbols, labels, title = task.symbols, task.labels, task.name
    else:
        symbols, title = tuple(claim["symbols"]), name
        labels = tuple(claim["labels"])
        if claim["labels"] == "counts":
            labels = tuple(map(str, range(max_length + 1)))
    return ReferenceProgram(
        title,
        read_program(PROGRAMS / f"{name}.rasp"),
        symbols,
        labels,
        max_length,
        layers=claim["layers"],
        heads=claim["heads"],
    )


GENERATORS: tuple[Callable[[Task, Doubling], ReferenceProgram | None], ...] = (
    generate_group,
    generate_brackets,
    generate_automaton,
    find_file,
)
"""Tried in turn."""
