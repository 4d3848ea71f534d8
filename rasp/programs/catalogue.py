"""The reference programs: a program for a task, by the task's name, with what it claims.

``claims.json`` beside the programs says of each file which tasks it solves, in how many layers and
heads. Programs for groups, automata and brackets are written for each of them by
`flann.rasp.programs.groups` and `flann.rasp.programs.brackets`.

A program's values are labels: the strings of the task's labels, or their numbers; True is label 1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError, unknown
from flann.rasp.graph.analysis import Need, analyse
from flann.rasp.graph.evaluation import on_ids
from flann.rasp.graph.sops import SOp
from flann.rasp.interpreter.session import PROGRAMS, new_interpreter, read_program
from flann.rasp.language.parser import parse
from flann.rasp.language.source_span import Place
from flann.rasp.language.syntax import Atom
from flann.tasks import Task, get_task

from . import brackets, groups

if TYPE_CHECKING:
    from flann.rasp.compiler import ProgramNetwork

Method = Literal["series", "doubling"]
MOST_STATES = 12  # of an automaton whose transitions are joined


@dataclass(frozen=True)
class Program:
    """A program with the alphabet it reads and the labels it answers with.

    Attributes
    ----------
    name : str
        the task's, or its own.
    source : str
        the text.
    symbols, labels : tuple of str
        what token ids and label ids mean.
    max_length : int
        the longest word (queries included) that it is meant for.
    layers, heads : int or None
        what it claims to need.
    """

    name: str
    source: str
    symbols: tuple[str, ...]
    labels: tuple[str, ...]
    max_length: int
    layers: int | None = None
    heads: int | None = None

    @cached_property
    def built(self) -> tuple[SOp, dict[int, Place]]:
        """The s-op that the program defines last, and where its nodes were written."""
        interpreter = new_interpreter(PROGRAMS)
        last = interpreter.run(parse(self.source))
        if not isinstance(last, SOp):
            raise UserError(f"{self.name}: expected a program that ends with an s-op")
        return last, interpreter.places

    @property
    def node(self) -> SOp:
        """The s-op that the program defines last."""
        return self.built[0]

    @property
    def need(self) -> Need:
        """What it needs."""
        return analyse([self.node])

    @property
    def values(self) -> list[Atom]:
        """The value of the s-op that stands for each label."""
        kind = self.node.type
        if kind == "text":
            return list(self.labels)
        return [False, True] if kind == "bool" else list(range(len(self.labels)))

    def __call__(self, tokens: Any) -> NDArray[np.int64]:
        """Label ids for token ids [words, positions]; -1 where the value is no label."""
        ids = np.asarray(tokens)
        if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
            raise UserError(f"tokens: expected whole numbers [words, positions], got {ids.dtype}")
        if ids.size and not 0 <= ids.min() <= ids.max() < len(self.symbols):
            raise UserError(f"tokens: expected ids from 0 to {len(self.symbols) - 1}")
        return on_ids(self.node, ids, self.symbols, self.values, self.built[1])

    def compile(self, max_length: int | None = None) -> ProgramNetwork:
        """The network that computes it, exact for every word up to `max_length`."""
        from flann.rasp.compiler import compile_program

        return compile_program(self, max_length or self.max_length)


def load_program(
    name: str | Task,
    *,
    max_length: int = 64,
    layers: int | None = None,
    radix: int = 2,
    method: Method | None = None,
) -> Program:
    """The reference program of a task, or one that comes with flann.

    Parameters
    ----------
    name : str or Task
        a task's name (``"A5"``, ``"dyck-2:depth=3"``) or a program's (``"histogram"``).
    max_length : int
        the longest word that it is to be right on.
    layers : int, optional
        of doubling: fewer than needed make a program that is right up to radix^layers alone.
    radix : int
        of doubling: how many windows are joined at a time.
    method : {"series", "doubling"}, optional
        for groups; by default the series of a solvable group, and doubling for the others.

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
    asked = Doubling(layers, radix, max_length, method)
    if isinstance(name, str) and name in claims():
        return from_file(name, None, max_length)
    task = get_task(name) if isinstance(name, str) else name
    made = written_for(task, asked)
    if made is None:
        listed = ", ".join(sorted(claims()))
        raise UserError(
            f"no RASP program solves {task.name}: expected a group, parity, majority, dyck-k,"
            f" shuffle-dyck-k, a small automaton, or one of {listed}"
        )
    return made


def has_program(task: Task) -> bool:
    """Whether a task has a reference program."""
    try:
        return written_for(task, Doubling(None, 2, 2, None)) is not None
    except UserError:
        return False


@dataclass(frozen=True)
class Doubling:
    """What was asked for of a program by doubling."""

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
    def needed(self) -> int:
        """The layers that are built."""
        if self.layers is not None:
            return self.layers
        layers, reach = 0, 1
        while reach < self.length:
            layers, reach = layers + 1, reach * self.radix
        return layers

    @property
    def wanted(self) -> bool:
        """Whether doubling was asked for."""
        return self.method == "doubling" or self.layers is not None or self.radix != 2


# -- which program for which task ------------------------------------------------------------------


def written_for(task: Task, asked: Doubling) -> Program | None:
    """The program of a task; None if it has none."""
    from flann.tasks.languages.counters_and_stacks.dyck import Dyck
    from flann.tasks.languages.counters_and_stacks.shuffle_dyck import ShuffleDyck
    from flann.tasks.languages.regular.parity import Parity
    from flann.tasks.languages.regular.semiautomata import StateTask
    from flann.tasks.languages.regular.word_problem import WordProblem

    if isinstance(task, WordProblem):
        return for_group(task, asked)
    if isinstance(task, Parity):
        return counted(task, [0, 1], 2, asked)
    if isinstance(task, Dyck):
        source = brackets.dyck_program(task.symbols, task.depth, task.mode == "recognise")
        return made_for(task, source, asked, brackets.dyck_layers(task.symbols), 1)
    if isinstance(task, ShuffleDyck):
        source = brackets.shuffle_program(task.symbols, task.mode == "recognise")
        return made_for(task, source, asked, 2, 1)
    if isinstance(task, StateTask):
        return for_states(task, asked)
    base = task.name.partition(":")[0]
    for name, claim in claims().items():
        if base in claim["tasks"] and (task.mode == "transduce") == ("?" in task.symbols):
            return from_file(name, task, asked.length) if fits(task) else None
    return None


def fits(task: Task) -> bool:
    """Whether a file's program answers in this mode: recognition of marked words does not."""
    return task.mode in ("tag", "transduce") or task.name.startswith(("majority", "first"))


def for_group(task: Any, asked: Doubling) -> Program:
    """A group's prefix products."""
    group, generators = task.group, [int(g) for g in task.generators]
    method = asked.method or ("doubling" if asked.wanted or not group.is_solvable else "series")
    if method == "series":
        source = groups.solvable_program(group, task.symbols, generators)
        return made_for(task, source, asked, groups.layers_of(group), 1)
    actions = groups.action_of(group)
    source = doubled(task.symbols, [actions[g] for g in generators], asked)
    base, codes = told_apart(actions)
    degree = len(actions[0])
    pairs = ", ".join(f"{code}: {g}" for g, code in enumerate(codes))
    place = groups.code([f"p{point}" for point in base], [degree] * len(base))
    source += f"\nword_problem = {{{pairs}}}[{place}];"
    return made_for(task, source, asked, asked.needed, heads_of(asked))


def told_apart(actions: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """The fewest first points whose images tell all elements apart, and those images as a number.

    >>> told_apart([[0, 1, 2], [1, 0, 2], [2, 1, 0]])
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


def for_states(task: Any, asked: Doubling) -> Program | None:
    """The state of a semiautomaton: a running sum if it is a ring, else by doubling."""
    table = np.asarray(task.machine.table)
    size = len(table)
    moves = [int(table[0, a]) for a in range(table.shape[1])]
    ring = all(
        int(table[q, a]) == (q + move) % size for q in range(size) for a, move in enumerate(moves)
    )
    if ring and not asked.wanted:
        return counted(task, moves, size, asked)
    if size > MOST_STATES:
        return None
    source = doubled(task.symbols, table.T.tolist(), asked) + "\nstate = p0;"
    return made_for(task, source, asked, asked.needed, heads_of(asked))


def counted(task: Task, moves: Sequence[int], modulus: int, asked: Doubling) -> Program:
    """A running sum modulo a number."""
    row = brackets.table(task.symbols, moves)
    source = f"{groups.CSUM}\ncounted = csum({row}[tokens]) % {modulus};"
    return made_for(task, source, asked, 1, 1)


def doubled(symbols: Sequence[str], images: Sequence[Sequence[int]], asked: Doubling) -> str:
    """The program that joins windows."""
    return groups.doubling_program(symbols, images, asked.needed, asked.radix, asked.length)


def heads_of(asked: Doubling) -> int:
    """How many windows are looked for in the layer that looks for most."""
    window, most = 1, 0
    for _ in range(asked.needed):
        most = max(most, sum(window * k < asked.length for k in range(1, asked.radix)))
        window *= asked.radix
    return most


def made_for(task: Task, source: str, asked: Doubling, layers: int, heads: int) -> Program:
    """A program in a task's own numbering."""
    return Program(task.name, source, task.symbols, task.labels, asked.length, layers, heads)


def claims() -> dict[str, dict[str, Any]]:
    """What the programs in files say of themselves."""
    read = json.loads((PROGRAMS / "claims.json").read_text(encoding="utf-8"))
    return cast(dict[str, dict[str, Any]], read)


def from_file(name: str, task: Task | None, max_length: int) -> Program:
    """A program in a file, for a task or over letters of its own."""
    claim = claims()[name]
    if task is None and "symbols" not in claim:
        task = get_task(claim["tasks"][0])
    if task is not None:
        symbols, labels, called = task.symbols, task.labels, task.name
    else:
        symbols, called = tuple(claim["symbols"]), name
        labels = tuple(claim["labels"])
        if claim["labels"] == "counts":
            labels = tuple(map(str, range(max_length + 1)))
    source = read_program(PROGRAMS / f"{name}.rasp")
    return Program(called, source, symbols, labels, max_length, claim["layers"], claim["heads"])
