"""Compilation as a whole: from a program to a `ProgramNetwork`, or a refusal that lists every
reason.

The passes run in the order `Lowering` (program to signals), `build_schedule` (times and dimensions)
and `build_network` (weights).
"""

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

from .aggregates import Lowering
from .numeric import Ratio
from .plan import MORE_PRECISION, Plan, PrecisionError
from .refusal import RefusalError, combine_refusals
from .schedule import build_schedule
from .signals import Affine
from .weights import build_network

Precision = Literal["float32", "float64"]
UNIT_ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}
DTYPES = {"float32": torch.float32, "float64": torch.float64}
LONGEST = 1 << 14
MOST_LABELS = 1 << 14
MOST_PARAMETERS = 50_000_000
MOST_OUTPUT_ERROR = 0.25  # beyond it, the number that the head reads is denoised


@dataclass(frozen=True, eq=False)
class ProgramNetwork:
    """A network that computes a program.

    Attributes
    ----------
    name : str
    network : SequenceModel
        The network, from token ids to logits. It refuses words longer than `max_length`.
    symbols, labels : tuple of str
        The meaning of token ids and of label ids.
    values : tuple of Atom
        The value of the program that each label stands for.
    max_length : int
        The length of the longest word.
    notes : dict
        The layers and heads of the program; the blocks, width, precision, sharpness and error
        bound of the network.
    """

    name: str
    network: SequenceModel
    symbols: tuple[str, ...]
    labels: tuple[str, ...]
    values: tuple[Atom, ...]
    max_length: int
    notes: Mapping[str, Any]

    def __call__(self, tokens: Any) -> torch.Tensor:
        """Return the logits [words, positions, labels] of token ids [words, positions]."""
        logits: torch.Tensor = self.network(torch.as_tensor(np.asarray(tokens)).long())
        return logits

    @property
    def parameters(self) -> int:
        """The number of parameters of the network."""
        return int(self.network.sizes["parameters"])

    def predict(self, tokens: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the label ids that the network computes for token ids."""
        with torch.no_grad():
            refusals: NDArray[np.int64] = self(tokens).argmax(dim=-1).numpy()
        return refusals


def compile_program(
    program: Program, max_length: int, precision: Precision = "float32", *, rounds: bool = True
) -> ProgramNetwork:
    """Compile a reference program.

    Raises
    ------
    UserError
        If the program cannot be compiled, with every offending expression, its location and reason.

    Examples
    --------
    >>> from flann.rasp import load_program
    >>> network = load_program("parity").compile()
    >>> network.predict(np.array([[1, 0, 1, 1]])).tolist()
    [[1, 1, 0, 1]]
    """
    node, spans = program.graph
    return compile_sop(
        node, program.symbols, max_length, name=program.name, labels=program.labels,
        values=program.values, spans=spans, precision=precision, rounds=rounds,
    )  # fmt: skip


def compile_sop(
    node: SOp,
    symbols: Sequence[str],
    max_length: int,
    *,
    name: str = "program",
    labels: Sequence[str] | None = None,
    values: Sequence[Atom] | None = None,
    spans: Mapping[int, SourceSpan] | None = None,
    precision: Precision = "float32",
    rounds: bool = True,
) -> ProgramNetwork:
    """Compile any s-op.

    Parameters
    ----------
    node : SOp
    symbols : sequence of str
        The alphabet.
    max_length : int
        The length of the longest word.
    name : str
        The name of the network.
    labels, values : sequences, optional
        The names of the labels, and the value of the s-op that each stands for; by default all
        values that the s-op may take.
    spans : mapping, optional
        Where each node stands in the source, for error messages.
    precision : str
        ``float32`` or ``float64``.
    rounds : bool
        Whether noise is rounded away; without rounding the network can be trained (see `Plan`).

    Raises
    ------
    UserError
        If the program cannot be compiled, with every offending expression, its location and reason.
    """
    if not 1 <= max_length <= LONGEST:
        raise UserError(f"max_length {max_length}: expected 1 to {LONGEST}")
    if precision not in UNIT_ROUNDOFF:
        raise UserError(f"precision {precision!r}: expected float32 or float64")
    plan = Plan(len(symbols), max_length, UNIT_ROUNDOFF[precision], rounds)
    lowering = Lowering(plan, list(symbols), node)
    try:
        output, values = lower_output(lowering, node, values)
    except (RefusalError, PrecisionError):
        raise combine_refusals(name, collect_refusals(lowering, node), spans or {}) from None
    schedule = build_schedule(output, (plan.word, plan.bos))
    network = build_network(plan, schedule, output, len(values), name, DTYPES[precision])
    need = analyse([node])
    notes = {
        "layers": need.layers,
        "heads": need.heads,
        "blocks": len({(time + 1) // 2 for time in schedule.time.values() if time}),
        "width": schedule.width,
        "precision": precision,
        "sharpness": plan.sharpness,
        "sink": plan.sharpness,
        "error": output.error,
        "tolerance": 0.5,
    }
    label_names = tuple(labels) if labels is not None else tuple(str(value) for value in values)
    return ProgramNetwork(
        name, network, tuple(symbols), label_names, tuple(values), max_length, notes
    )


def lower_output(
    lowering: Lowering, node: SOp, values: Sequence[Atom] | None
) -> tuple[Affine, Sequence[Atom]]:
    """Return the label's number as an affine combination of signals, and the labels' values."""
    if lowering.is_categorical(node):
        known = lowering.list_values(node)
        values = sorted(known, key=lambda v: (str(type(v)), v)) if values is None else values
        number = {(isinstance(v, str), v): float(i) for i, v in enumerate(values)}
        numbers = {v: number.get((isinstance(v, str), v), 0.0) for v in known}
        output = lowering.encode(node, numbers)
    else:
        lowered = lowering.lower_number(node)
        if isinstance(lowered, Ratio):
            raise RefusalError(
                node, "a mean of several values has no labels", "compare it with a constant"
            )
        output = lowered
        if values is None:
            values = list(range(floor(output.low), ceil(output.high) + 1))
            output = output - float(floor(output.low))
        if output.grain.denominator != 1:
            raise RefusalError(node, "numbers that are not whole have no labels", "round them")
    if len(values) > MOST_LABELS:
        raise RefusalError(node, f"more than {MOST_LABELS} values")
    if output.error > MOST_OUTPUT_ERROR:
        output = lowering.plan.denoise(output)
    return output, values


def collect_refusals(lowering: Lowering, root: SOp) -> list[RefusalError]:
    """Return every expression that cannot be compiled for a reason of its own."""
    refusals: list[RefusalError] = []
    blocked: set[int] = set()
    for node in sort_topologically([root]):
        if any(part.number in blocked for part in node.parts):
            blocked.add(node.number)
            continue
        reason = find_refusal(lowering, node, root)
        if reason is not None:
            refusals.append(reason)
            blocked.add(node.number)
    return refusals or [
        RefusalError(root, "it needs more precision than the network's arithmetic has")
    ]


def find_refusal(lowering: Lowering, node: Node, root: SOp) -> RefusalError | None:
    """Return why a node cannot be compiled, or None if it can or its value is not needed."""
    try:
        if not isinstance(node, SOp):
            lowering.expand_selector(node)  # type: ignore[arg-type]
        elif node is root:
            lower_output(lowering, node, None)
        elif lowering.is_categorical(node):
            lowering.list_cases(node)
        elif isinstance(node, Map) and node.function == "if":
            for part in node.operands[1:]:
                lowering.lower_affine(part)
            lowering.lower_number(node)
        else:
            lowering.lower_number(node)
    except RefusalError as reason:
        return reason
    except PrecisionError as error:
        return RefusalError(node, str(error), MORE_PRECISION)
    return None
