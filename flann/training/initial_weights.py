"""The model that an experiment trains, with its initial weights.

They are drawn by the seed, or built exactly: from the architecture's witness or from the task's
RASP program (`flann.experiments.starts`).
"""

from __future__ import annotations

from flann.errors import UserError
from flann.experiments import rasp_models
from flann.experiments.experiment import ResolvedExperiment
from flann.experiments.starts import WITNESS, find_witnessed
from flann.models import SequenceModel, build_model
from flann.rasp import Program, load_program
from flann.rasp.compiler import compile_program
from flann.streams import derive_weight_seed


def build_initial_model(experiment: ResolvedExperiment) -> SequenceModel:
    """Build the experiment's model before its first training step.

    Raises
    ------
    UserError
        for a budget that cannot be met, a model that the format refuses, or steps for a model that
        cannot be trained.
    """
    settings, task = experiment.settings, experiment.task
    if settings.start == WITNESS:
        from flann.models.witnesses import build_witness

        return build_witness(settings.model, find_witnessed(task), labels=len(task.labels))
    if settings.start or rasp_models.is_rasp_model(settings.model):
        return build_program_network(experiment)
    model = build_model(
        settings.model,
        symbols=experiment.format.symbols,
        labels=experiment.format.labels,
        depth=settings.depth,
        parameters=settings.parameters,
        seed=derive_weight_seed(settings.seed),
        imports=True,
    )
    experiment.format.check_model(model)
    if experiment.steps and not getattr(model, "trainable", True):
        raise UserError(f"{model.name!r} is measured as it stands, not trained: expected --steps 0")
    return model


def build_program_network(experiment: ResolvedExperiment) -> SequenceModel:
    """Compile the task's program for every word of the experiment, or up to its ``max_length``."""
    settings, task = experiment.settings, experiment.task
    longest = max(*experiment.test_lengths, settings.train_lengths[1])
    options = rasp_models.parse_options(settings.start or settings.model)
    length = options.pop("max_length") or longest + task.queries(longest)
    program = load_program(task, max_length=length, **options)
    network = compile_network(program, trainable=settings.start is not None)
    network.name = settings.model
    return network


def compile_network(program: Program, *, trainable: bool) -> SequenceModel:
    """Return the program's network, without rounding steps where it is to be trained.

    A network that is too noisy without rounding is compiled with it even then.
    """
    if trainable:
        try:
            return compile_program(program, program.max_length, rounds=False).network
        except UserError:
            pass
    return compile_program(program, program.max_length).network
