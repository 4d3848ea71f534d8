"""The reference programs: a RASP program for a task, with the layers and heads that it claims.

``claims.json`` beside the programs states which tasks each file solves, in how many layers and
heads. The other programs are generated: those of solvable groups by
`flann.rasp.programs.solvable_groups`, those of bracket languages by `flann.rasp.programs.brackets`,
and those of other groups and automata by `flann.rasp.programs.doubling`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from flann.errors import UserError
from flann.names import parse_name
from flann.rasp.interpreter.program import Program
from flann.rasp.interpreter.program_files import PROGRAMS, read_source
from flann.tasks import Task, get_task

from .brackets import count_dyck_layers, write_dyck, write_shuffle_dyck
from .doubling import Doubling, Method
from .group_actions import choose_base, find_action
from .snippets import CUMULATIVE_SUM, format_mixed_radix, format_table
from .solvable_groups import count_layers, write_solvable

if TYPE_CHECKING:
    from flann.rasp.compiler import ProgramNetwork

MAX_STATES = 12
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

    def compile(self, max_length: int | None = None) -> ProgramNetwork:
        """Return the network that is exact for every word up to `max_length`."""
        from flann.rasp.compiler import compile_program  # loads torch

        return compile_program(self, max_length or self.max_length)


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
    """Return the first program that a generator or a file gives for a task, or None."""
    for generate in GENERATORS:
        program = generate(task, options)
        if program is not None:
            return program
    return None


# -- generated programs ----------------------------------------------------------------------------


def generate_group(task: Task, options: Doubling) -> ReferenceProgram | None:
    """Return the program for the prefix products of a group.

    A solvable group takes the layers of its derived series. Another acts on points: its maps are
    composed by doubling, and the images of a base identify the element.
    """
    if task.group is None or task.generators is None:
        return None
    group, generators = task.group, [int(g) for g in task.generators]
    default = "doubling" if options.is_requested or not group.is_solvable else "series"
    if (options.method or default) == "series":
        source = write_solvable(group, task.symbols, generators)
        return wrap_source(task, source, options, count_layers(group), 1)
    actions = find_action(group)
    source = options.write(task.symbols, [actions[g] for g in generators])
    base, codes = choose_base(actions)
    pairs = ", ".join(f"{code}: {g}" for g, code in enumerate(codes))
    images = format_mixed_radix([f"p{point}" for point in base], [len(actions[0])] * len(base))
    source += f"\nword_problem = {{{pairs}}}[{images}];"
    return wrap_source(task, source, options, options.depth, options.heads)


def generate_automaton(task: Task, options: Doubling) -> ReferenceProgram | None:
    """Return the program for the state of an automaton whose labels are its states.

    Where every symbol rotates a ring of states, the state is a running sum modulo their number.
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
        table_of_shifts = format_table(task.symbols, shifts)
        source = f"{CUMULATIVE_SUM}\ncounted = csum({table_of_shifts}[tokens]) % {machine.size};"
        return wrap_source(task, source, options, 1, 1)
    if task.mode == "recognise" or machine.size > MAX_STATES:
        return None
    source = options.write(task.symbols, table.T.tolist()) + "\nstate = p0;"
    return wrap_source(task, source, options, options.depth, options.heads)


def generate_brackets(task: Task, options: Doubling) -> ReferenceProgram | None:
    """Return the program of a bracket language, found by the registered name of its family."""
    family, _, kinds = task.name.partition(":")[0].rpartition("-")
    if family not in BRACKET_FAMILIES or not kinds.isdigit():
        return None
    arguments = parse_name(task.name)[1]
    depth = int(arguments["depth"]) if "depth" in arguments else None
    source, layers = BRACKET_FAMILIES[family](task.symbols, depth, task.mode == "recognise")
    return wrap_source(task, source, options, layers, 1)


def generate_dyck(symbols: Sequence[str], depth: int | None, recognise: bool) -> tuple[str, int]:
    """Return the source of the program of Dyck-k, and its number of layers."""
    return write_dyck(symbols, depth, recognise), count_dyck_layers(symbols)


def generate_shuffle_dyck(
    symbols: Sequence[str], depth: int | None, recognise: bool
) -> tuple[str, int]:
    """Return the source of the program of Shuffle-Dyck-k, and its number of layers."""
    return write_shuffle_dyck(symbols, recognise), 2


BRACKET_FAMILIES = {"dyck": generate_dyck, "shuffle-dyck": generate_shuffle_dyck}
"""The generator of each family of bracket languages, whose names end in the number of kinds."""


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
    """Return what ``claims.json`` states of each program file."""
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
        read_source(PROGRAMS / f"{name}.rasp"),
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
"""The sources of programs for a task, in the order in which they are tried."""
