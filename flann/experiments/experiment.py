"""An experiment as plain data, and the record that it resolves to.

An `Experiment` holds what decides a result and nothing else. Making one reads no file and builds
no task. `Experiment.resolve` builds the task, the format and the architecture once, fills in every
default, and returns the record that training, evaluation and the store of runs take. Two
experiments that resolve to the same fields have the same id and the same result. What does not
decide the result (device, folder of the runs, time limit) is an argument of `flann.run`.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from flann.errors import UnknownNameError, UserError
from flann.formats import Format, get_format
from flann.models import model_registry
from flann.names import make_slug
from flann.registry import is_import
from flann.tasks import Task, get_task

from . import rasp_models
from .checks import Schedule, check_fields
from .starts import check_start

if TYPE_CHECKING:
    from flann.models import Architecture

SCHEMA = 2
"""Raised when the same fields come to mean something else, or make another id."""

READABLE_SCHEMAS = (1, 2)

DERIVED_FIELDS = ("steps", "lr", "test_lengths")
"""Fields whose default follows from the others."""

GRID_FACTOR = 8
"""Default test lengths reach this many times the longest training length."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One model, trained on one task and measured at many lengths.

    Parameters
    ----------
    task, model : str
        names by the grammar of `flann.names`.
    format : str
        how the task is presented to the model (`flann.formats`).
    depth : int
        number of layers.
    parameters : int
        the budget that the model's width is solved for, met within 1%.
    train_lengths : (int, int)
        shortest and longest training word.
    growth : float
        the share of the steps over which the longest length grows, linearly in steps and alike
        for every model; 0 trains on all lengths from the start.
    gate : float, optional
        grow when the validation accuracy per symbol passes this instead. This is quicker for a
        model that fits, and unfair in a comparison: a model that fails at length 3 never sees
        length 4.
    batch : int
        words per step; all words of a batch have one length.
    train_words : int, optional
        train on this many distinct words and no others (`flann.training.words`); by default every
        word is fresh.
    steps : int, optional
        number of training steps; by default what the architecture recommends. When comparing
        architectures, set the same number for all.
    lr : float, optional
        peak learning rate of AdamW; by default what the architecture recommends.
    beta2, weight_decay, clip : float
        AdamW's second beta, its decay, and the bound on the gradient's norm.
    warmup : int
        steps over which the rate rises from 0.
    schedule : {"flat", "cosine"}
        after the warm-up: constant for 60% of the steps and then falling to 0, or falling
        throughout.
    stop_at : float, optional
        stop once the validation accuracy per word at the longest length reaches this.
    loss : {"cross-entropy"}
        the loss, averaged over scored positions.
    seed : int
        seed of the initial weights and the training words. Test words never depend on it.
    precision : {"float32"}
        precision of the training arithmetic; TF32 is off.
    test_lengths : tuple of int, optional
        by default powers of two up to 8 times the longest training length.
    test_size : int
        number of test words at each length.
    start : str, optional
        what training starts from if not from weights drawn by the seed: ``"witness"``, exact
        weights for the architecture, or ``"rasp"``, a transformer with the weights of the task's
        program (`flann.experiments.starts`).
    schema : int
        version of these fields.

    Raises
    ------
    UserError
        for a value outside its range. Names are checked when the experiment is resolved.

    Examples
    --------
    >>> experiment = Experiment(task="parity", model="lstm", train_lengths=(3, 40))
    >>> experiment.steps is None, experiment.resolve().steps
    (True, 8000)
    >>> experiment.resolve().test_lengths
    (2, 4, 8, 16, 32, 40, 64, 128, 256, 320)
    >>> Experiment.from_json(experiment.to_json()) == experiment
    True
    """

    task: str
    model: str
    format: str = "direct"
    depth: int = 1
    parameters: int = 100_000
    train_lengths: tuple[int, int] = (2, 40)
    growth: float = 0.5
    gate: float | None = None
    batch: int = 64
    train_words: int | None = None
    steps: int | None = None
    lr: float | None = None
    beta2: float = 0.98
    weight_decay: float = 0.0
    clip: float = 1.0
    warmup: int = 100
    schedule: Schedule = "flat"
    stop_at: float | None = None
    loss: str = "cross-entropy"
    seed: int = 0
    precision: str = "float32"
    test_lengths: tuple[int, ...] | None = None
    test_size: int = 512
    start: str | None = None
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        check_fields(asdict(self))
        if self.schema != SCHEMA:
            raise UserError(f"experiment of schema {self.schema}: expected schema {SCHEMA}")

    def resolve(self) -> ResolvedExperiment:
        """Build what the names stand for and fill in every default.

        Raises
        ------
        UserError
            for an unknown name, a length that the task has no words of, or a start that does not
            fit the rest.
        """
        task = get_task(self.task, imports=True)
        format = get_format(self.format, task)
        steps, lr = self.steps, self.lr
        architecture: Architecture | None = None
        recipe: Mapping[str, float] = rasp_models.RECIPE
        if not rasp_models.is_rasp_model(self.model):
            architecture = model_registry.create(self.model, imports=True)
            recipe = rasp_models.RECIPE if is_rasp(self.start) else architecture.recipe
        settings = replace(
            self,
            task=task.name,
            model=canonicalise_model(self.model),
            format=format.name,
            start=canonicalise_start(self.start),
            steps=int(recipe["steps"]) if steps is None else steps,
            lr=recipe["lr"] if lr is None else lr,
            train_lengths=(int(self.train_lengths[0]), int(self.train_lengths[1])),
            test_lengths=resolve_test_lengths(task, self.test_lengths, self.train_lengths[1]),
        )
        id = hash_settings(settings, task)
        resolved = ResolvedExperiment(settings, task, format, architecture, id)
        check_start(
            settings.start,
            model=settings.model,
            task=task,
            depth=settings.depth,
            steps=resolved.steps,
            format=settings.format,
        )
        return resolved

    def with_seed(self, seed: int) -> Experiment:
        """Return the same experiment with another seed; its test words are the same."""
        return replace(self, seed=seed)

    # -- JSON both ways ------------------------------------------------------------------------

    def to_json(self) -> str:
        """Return all fields as JSON; the inverse of `from_json`."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """Read what `to_json` wrote, by this schema or an earlier one.

        Raises
        ------
        UserError
            for anything else, and for a name that would import code.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise UserError(f"not an experiment: {error}") from error
        known = {field.name for field in fields(cls)}
        if not isinstance(data, dict) or not {"task", "model"} <= data.keys():
            raise UserError("not an experiment: expected a JSON object with task and model")
        for name in data:
            if name not in known:
                raise UnknownNameError("field of an experiment", name, sorted(known))
        for name in ("task", "model"):
            if is_import(str(data[name])):
                raise UserError(
                    f"{data[name]!r} would import code: accepted when typed, never from a file"
                )
        schema = data.pop("schema", SCHEMA)
        if schema not in READABLE_SCHEMAS:
            raise UserError(f"experiment of schema {schema}: this flann reads 1 to {SCHEMA}")
        try:
            for name in ("train_lengths", "test_lengths"):
                if data.get(name) is not None:
                    data[name] = tuple(data[name])
            return cls(**data)
        except TypeError as error:
            raise UserError(f"not an experiment: {error}") from error


@dataclass(frozen=True, eq=False)
class ResolvedExperiment:
    """An experiment whose names are canonical and whose defaults are all filled in.

    Attributes
    ----------
    settings : Experiment
        every field, none of them left to a default.
    task : Task
    format : Format
        how the task is presented to the model.
    architecture : Architecture or None
        None for a compiled program, which has no architecture of its own.
    id : str
        twelve hexadecimal digits of a hash of all fields (`hash_settings`).
    """

    settings: Experiment
    task: Task
    format: Format
    architecture: Architecture | None
    id: str

    def resolve(self) -> ResolvedExperiment:
        """Return this record: it is resolved already."""
        return self

    @property
    def steps(self) -> int:
        """The number of training steps."""
        assert self.settings.steps is not None
        return self.settings.steps

    @property
    def lr(self) -> float:
        """The peak learning rate."""
        assert self.settings.lr is not None
        return self.settings.lr

    @property
    def test_lengths(self) -> tuple[int, ...]:
        """The test lengths, ascending."""
        assert self.settings.test_lengths is not None
        return self.settings.test_lengths

    @property
    def folder(self) -> str:
        """The name of the run's folder."""
        settings = self.settings
        parts = [make_slug(settings.task), make_slug(settings.model)]
        if settings.format != "direct":
            parts.append(make_slug(settings.format))
        return "-".join([*parts, f"seed{settings.seed}", self.id])

    @property
    def command(self) -> str:
        """The command line that makes this experiment again.

        >>> experiment = Experiment(task="parity", model="lstm", train_lengths=(3, 40))
        >>> experiment.resolve().command
        'flann run --task parity --model lstm --train-lengths 3:40'
        """
        words = ["flann", "run"]
        unset: dict[str, Any] = dict.fromkeys(DERIVED_FIELDS)
        defaults = replace(self.settings, **unset).resolve().settings
        for field in fields(Experiment):
            value = getattr(self.settings, field.name)
            derived = field.name in DERIVED_FIELDS
            default = getattr(defaults, field.name) if derived else field.default
            if value != default:
                words += [f"--{field.name.replace('_', '-')}", spell_value(field.name, value)]
        return shlex.join(words)


def hash_settings(settings: Experiment, task: Task) -> str:
    """Return an experiment's id: twelve hexadecimal digits of a hash of its resolved fields.

    A default that changes makes another id. Of a task that was read from a file, the content of
    the file counts too, because its name says little.
    """
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode())
    if task.source is not None:
        digest.update(task.source.read_bytes())
    return digest.hexdigest()[:12]


def resolve_test_lengths(
    task: Task, lengths: Sequence[int] | None, longest: int
) -> tuple[int, ...]:
    """Return the test lengths in ascending order, the default ones if none are given.

    By default they are powers of two up to `GRID_FACTOR` times the longest training length, and
    both of these ends, each moved to the nearest length that the task has words of.
    """
    if lengths:
        for length in lengths:
            if task.valid_lengths(length, length) != [length]:
                raise UserError(f"{task.name} has no word of length {length}")
        return tuple(sorted(set(map(int, lengths))))
    top = GRID_FACTOR * longest
    wanted = {longest, top, *(2**n for n in range(1, top.bit_length()) if 2**n <= top)}
    valid = task.valid_lengths(1, top + 1)
    return tuple(sorted({min(valid, key=lambda v: (abs(v - w), v)) for w in wanted}))


def is_rasp(start: str | None) -> bool:
    """Return whether training starts from a compiled program."""
    return start is not None and rasp_models.is_rasp_model(start)


def canonicalise_model(name: str) -> str:
    """Return the one spelling of a model's name."""
    if rasp_models.is_rasp_model(name):
        return rasp_models.canonicalise(name)
    return model_registry.canonical(name, imports=True)


def canonicalise_start(name: str | None) -> str | None:
    """Return the one spelling of what training starts from."""
    return rasp_models.canonicalise(name) if name is not None and is_rasp(name) else name


def spell_value(name: str, value: object) -> str:
    """Return a field's value as the command line takes it.

    >>> spell_value("train_lengths", (2, 40)), spell_value("test_lengths", (8, 16))
    ('2:40', '8,16')
    """
    if isinstance(value, tuple):
        return (":" if name == "train_lengths" else ",").join(map(str, value))
    return str(value)
