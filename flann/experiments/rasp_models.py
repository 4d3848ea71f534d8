"""Models that are compiled from a RASP program: the names ``rasp`` and ``rasp:layers=4``.

``--model rasp`` measures the program of the task as it stands; it is not trained. ``--start rasp``
trains the network of the program from its weights, under the name of the transformer that it is.
Networks that only fetch (doubling) keep their accuracy under small steps. One with running sums
does not: whatever a step adds to the value of BOS is multiplied by e^B, so it learns anew.

Every run of a task that has a program also keeps the program's own curve, ``reference.json``, for
reports to draw beside the trained one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from flann.errors import UserError
from flann.names import format_name, parse_name
from flann.registry import options_of, read_options

if TYPE_CHECKING:
    from flann.models import SequenceModel
    from flann.rasp.programs.catalogue import Program
    from flann.tasks import Task

    from .experiment import Experiment

NAME = "rasp"
RECIPE = {"lr": 1e-5, "steps": 0}
REFERENCE_WORDS = 64  # a length
REFERENCE_LONGEST = 512  # positions


def rasp(
    *,
    layers: int | None = None,
    radix: int = 2,
    method: Literal["series", "doubling"] | None = None,
    max_length: int | None = None,
) -> dict[str, Any]:
    """The options of the name ``rasp``; see `flann.rasp.load_program`."""
    return {"layers": layers, "radix": radix, "method": method, "max_length": max_length}


def is_compiled(name: str) -> bool:
    """Whether a model's name asks for a compiled program.

    >>> is_compiled("rasp:layers=4"), is_compiled("transformer")
    (True, False)
    """
    return name.partition(":")[0] == NAME


def options(name: str) -> dict[str, Any]:
    """The options of such a name, defaults included."""
    return rasp(**read_options(rasp, parse_name(name)[1], f"model {NAME!r}"))


def canonical(name: str) -> str:
    """The one spelling of such a name.

    >>> canonical("rasp:radix=2,layers=4")
    'rasp:layers=4'
    """
    chosen = options(name)
    kept = {o.name: chosen[o.name] for o in options_of(rasp) if chosen[o.name] != o.default}
    return format_name(NAME, kept)


def check(experiment: Experiment, task: Task) -> None:
    """Refuse what cannot be compiled, or makes no sense, before anything is written."""
    from flann.rasp import load_program

    name = experiment.start or experiment.model
    if experiment.start and experiment.model != "transformer":
        raise UserError(
            f"--start {experiment.start}: the network is the program's, a transformer: expected"
            f" --model transformer, got {experiment.model}"
        )
    if is_compiled(experiment.model) and experiment.steps:
        raise UserError(
            f"--model {experiment.model} is not trained: expected no --steps; to train from it,"
            f" --model transformer --start {experiment.model}"
        )
    if experiment.format != "direct":
        raise UserError(
            f"format {experiment.format}: a compiled program reads plain words: expected direct"
        )
    chosen = options(name)
    length = chosen.pop("max_length")
    if length is not None and length < 1:
        raise UserError(f"model {NAME!r}, option 'max_length': expected 1 or more, got {length}")
    load_program(task, max_length=2, **chosen)


def build_compiled(experiment: Experiment, task: Task) -> SequenceModel:
    """The network of the task's program, for all words of the experiment unless told otherwise."""
    from flann.rasp import load_program

    name = experiment.start or experiment.model
    longest = max(*experiment.test_lengths, experiment.train_lengths[1])
    chosen = options(name)
    length = chosen.pop("max_length") or longest + task.queries(longest)
    network = network_of(load_program(task, max_length=length, **chosen), experiment)
    network.name = experiment.model
    return network


def network_of(program: Program, experiment: Experiment) -> SequenceModel:
    """The program's network: exact, or one that can be trained where that is asked for."""
    from flann.rasp.compiler import compile_program

    if experiment.start:
        try:
            return compile_program(program, program.max_length, rounds=False).network
        except UserError:  # too much noise without rounding
            pass
    return compile_program(program, program.max_length).network


def reference(experiment: Experiment, task: Task) -> dict[str, Any] | None:
    """The curve of the task's program; None if it has none, or the run is the program's own."""
    from flann.evaluation.evaluate import evaluate
    from flann.rasp.programs.catalogue import has_program, load_program

    if is_compiled(experiment.model) or not has_program(task):
        return None
    positions = {n: n + task.queries(n) for n in experiment.test_lengths}
    lengths = [n for n, places in positions.items() if places <= REFERENCE_LONGEST]
    if not lengths:
        return None
    program = load_program(task, max_length=max(positions[n] for n in lengths))
    try:
        compiled = program.compile()
    except UserError:
        return None
    curve = evaluate(compiled.network, task, lengths, size=REFERENCE_WORDS).curve
    return {
        "name": f"RASP program, {program.layers} layers",
        "parameters": compiled.parameters,
        "max_length": compiled.max_length,
        "words": REFERENCE_WORDS,
        "curve": curve[["length", "per_symbol", "per_word"]].to_dict("records"),
    }
