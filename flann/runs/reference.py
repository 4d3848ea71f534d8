"""The curve of a task's RASP program, which reports draw beside every trained one."""

from __future__ import annotations

from typing import Any

from flann.errors import UserError
from flann.evaluation.evaluate import evaluate
from flann.experiments.experiment import ResolvedExperiment
from flann.experiments.rasp_models import is_rasp_model
from flann.rasp.compiler import compile_program
from flann.rasp.programs.catalogue import has_program, load_program

WORDS = 64
"""Words measured at each length."""

LONGEST = 512
"""The most positions that are measured, since a compiled network grows with them."""


def measure_reference(experiment: ResolvedExperiment) -> dict[str, Any] | None:
    """Measure the task's program at the experiment's test lengths.

    Returns
    -------
    dict or None
        what ``reference.json`` holds; None if the task has no program, if the program cannot be
        compiled at these lengths, or if the run measures the program itself.
    """
    task = experiment.task
    if is_rasp_model(experiment.settings.model) or not has_program(task):
        return None
    positions = {n: n + task.queries(n) for n in experiment.test_lengths}
    lengths = [n for n, count in positions.items() if count <= LONGEST]
    if not lengths:
        return None
    program = load_program(task, max_length=max(positions[n] for n in lengths))
    try:
        compiled = compile_program(program, program.max_length)
    except UserError:
        return None
    curve = evaluate(compiled.network, task, lengths, size=WORDS).curve
    return {
        "name": f"RASP program, {program.layers} layers",
        "parameters": compiled.parameters,
        "max_length": compiled.max_length,
        "words": WORDS,
        "curve": curve[["length", "per_symbol", "per_word"]].to_dict("records"),
    }
