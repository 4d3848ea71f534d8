"""A compiled program: the network, the alphabets, and what is known of its exactness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from flann.errors import UserError
from flann.models.core.sequence import SequenceModel
from flann.rasp.graph.analysis import analyse
from flann.rasp.graph.sops import Map, Node, SOp, sort_topologically
from flann.rasp.interpreter.program import Program
from flann.rasp.language.source_span import SourceSpan
from flann.rasp.language.syntax import Atom

from .attending import Lowering
from .numeric import Ratio
from .plan import Plan, TooCoarse
from .refusal import Refused, refusal
from .schedule import schedule
from .signals import Affine
from .weights import build

Precision = Literal["float32", "float64"]
UNITS = {"float32": 2.0**-24, "float64": 2.0**-53}
DTYPES = {"float32": torch.float32, "float64": torch.float64}
LONGEST = 1 << 14
MOST_LABELS = 1 << 14
MOST_PARAMETERS = 50_000_000
NEAR = 0.25  # the greatest error of the number that is read in the end


@dataclass(frozen=True, eq=False)
class Compiled:
    """A network that computes a program.

    Attributes
    ----------
    name : str
    network : SequenceModel
        token ids to logits; refuses longer words than `max_length`.
    symbols, labels : tuple of str
    values : tuple of atoms
        the program's value for each label.
    max_length : int
    notes : dict
        layers and heads of the program, blocks and sizes of the network, sharpness, error.
    """

    name: str
    network: SequenceModel
    symbols: tuple[str, ...]
    labels: tuple[str, ...]
    values: tuple[Atom, ...]
    max_length: int
    notes: Mapping[str, Any]

    def __call__(self, tokens: Any) -> torch.Tensor:
        """Logits [words, positions, labels] of token ids [words, positions]."""
        logits: torch.Tensor = self.network(torch.as_tensor(np.asarray(tokens)).long())
        return logits

    @property
    def parameters(self) -> int:
        """How many numbers the network has."""
        return int(self.network.sizes["parameters"])

    def answers(self, tokens: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Label ids of token ids."""
        with torch.no_grad():
            found: NDArray[np.int64] = self(tokens).argmax(dim=-1).numpy()
        return found


def compile_program(
    program: Program, max_length: int, precision: Precision = "float32", *, rounds: bool = True
) -> Compiled:
    """A reference program as a network.

    Raises
    ------
    UserError
        for what cannot be compiled: every such expression with its place and reason.

    Examples
    --------
    >>> from flann.rasp.programs.catalogue import load_program
    >>> compiled = load_program("parity").compile()
    >>> compiled.answers(np.array([[1, 0, 1, 1]])).tolist()
    [[1, 1, 0, 1]]
    """
    node, places = program.graph
    return compile_sop(
        node, program.symbols, max_length, name=program.name, labels=program.labels,
        values=program.values, places=places, precision=precision, rounds=rounds,
    )  # fmt: skip


def compile_sop(
    node: SOp,
    symbols: Sequence[str],
    max_length: int,
    *,
    name: str = "program",
    labels: Sequence[str] | None = None,
    values: Sequence[Atom] | None = None,
    places: Mapping[int, SourceSpan] | None = None,
    precision: Precision = "float32",
    rounds: bool = True,
) -> Compiled:
    """Any s-op as a network.

    Parameters
    ----------
    node : SOp
    symbols : sequence of str
        the alphabet.
    max_length : int
        the longest word.
    labels, values : sequences, optional
        the names of the answers, and the value of the s-op that stands for each; by default all
        values that it may have.
    rounds : bool
        whether noise is rounded away; without, a network can be trained from (see `Plan`).
    """
    if not 1 <= max_length <= LONGEST:
        raise UserError(f"max_length {max_length}: expected 1 to {LONGEST}")
    if precision not in UNITS:
        raise UserError(f"precision {precision!r}: expected float32 or float64")
    plan = Plan(len(symbols), max_length, UNITS[precision], rounds)
    lowering = Lowering(plan, list(symbols), node)
    try:
        output, values = read_out(lowering, node, values)
    except (Refused, TooCoarse):
        raise refusal(name, everything_refused(lowering, node), places or {}) from None
    made = schedule(output, (plan.word, plan.bos))
    network = build(plan, made, output, len(values), name, DTYPES[precision])
    need = analyse([node])
    notes = {
        "layers": need.layers,
        "heads": need.heads,
        "blocks": len({(time + 1) // 2 for time in made.time.values() if time}),
        "width": made.width,
        "precision": precision,
        "sharpness": plan.sharpness,
        "sink": plan.sharpness,
        "error": output.error,
        "tolerance": 0.5,
    }
    shown = tuple(labels) if labels is not None else tuple(str(value) for value in values)
    return Compiled(name, network, tuple(symbols), shown, tuple(values), max_length, notes)


def read_out(
    lowering: Lowering, node: SOp, values: Sequence[Atom] | None
) -> tuple[Affine, Sequence[Atom]]:
    """The number of the label as an affine, and the labels' values."""
    if lowering.few(node):
        known = lowering.values_of(node)
        values = sorted(known, key=lambda v: (str(type(v)), v)) if values is None else values
        number = {(isinstance(v, str), v): float(i) for i, v in enumerate(values)}
        numbers = {v: number.get((isinstance(v, str), v), 0.0) for v in known}
        output = lowering.scalar(node, numbers)
    else:
        made = lowering.number(node)
        if isinstance(made, Ratio):
            raise Refused(
                node, "a mean of several values has no labels", "compare it with a constant"
            )
        output = made
        if values is None:
            values = list(range(floor(output.low), ceil(output.high) + 1))
            output = output - float(floor(output.low))
        if output.grain.denominator != 1:
            raise Refused(node, "numbers that are not whole have no labels", "round them")
    if len(values) > MOST_LABELS:
        raise Refused(node, f"more than {MOST_LABELS} values")
    if output.error > NEAR:
        output = lowering.plan.rounded(output)
    return output, values


def everything_refused(lowering: Lowering, root: SOp) -> list[Refused]:
    """Every expression that cannot be compiled for a reason of its own."""
    found: list[Refused] = []
    hopeless: set[int] = set()
    for node in sort_topologically([root]):
        if any(part.number in hopeless for part in node.parts):
            hopeless.add(node.number)
            continue
        reason = why_not(lowering, node, root)
        if reason is not None:
            found.append(reason)
            hopeless.add(node.number)
    return found or [Refused(root, "it needs more than the network's arithmetic can tell apart")]


def why_not(lowering: Lowering, node: Node, root: SOp) -> Refused | None:
    """The reason why a node cannot be compiled; None if it can, or nobody asks."""
    try:
        if not isinstance(node, SOp):
            lowering.terms(node)  # type: ignore[arg-type]
        elif node is root:
            read_out(lowering, node, None)
        elif lowering.few(node):
            lowering.cases(node)
        elif isinstance(node, Map) and node.function == "if":
            for part in node.operands[1:]:
                lowering.affine(part)
            lowering.number(node)
        else:
            lowering.number(node)
    except Refused as reason:
        return reason
    except TooCoarse as error:
        return Refused(node, str(error), "a smaller max_length, or float64")
    return None
