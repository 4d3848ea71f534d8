"""An experiment: everything that decides a result, and nothing else.

Two experiments with the same fields have the same id and the same result. What does not decide
the result (device, runs folder, time limit) is an argument of `flann.run`, not a field here.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from flann.errors import UserError, unknown
from flann.names import slug
from flann.registry import is_import

from . import rasp_models as compiled

SCHEMA = 1  # raised when the same fields come to mean something else
Schedule = Literal["flat", "cosine"]
RECOMMENDED = ("lr", "steps")  # fields whose default is the architecture's own,
ASK: Any = None  # and what stands in them until it is asked
LATER = (
    "train_words",
    "start",
)  # fields that came later: not in the id unless set, so that old ids hold
LONGEST_GRID = 8  # default test lengths reach this many times the longest training length


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One model, trained on one task, measured at many lengths.

    Names are put into their canonical spelling and lengths are snapped to those that the task
    has, so that two ways of saying the same thing are equal.

    Parameters
    ----------
    task, model : str
        names by the grammar of `flann.names`.
    format : str
        how the task is put to the model (`flann.formats.format`).
    depth : int
        layers.
    parameters : int
        the budget that the model's width is solved for, met within 1%.
    train_lengths : (int, int)
        shortest and longest training word.
    growth : float
        the share of the steps over which the longest length grows, linearly in steps and alike
        for every model; 0 trains on all lengths from the start.
    gate : float, optional
        grow when the validation accuracy per symbol passes this instead. Quicker for a model
        that fits, unfair in a comparison: one that fails at length 3 never sees length 4.
    batch : int
        words a step; one length a batch.
    train_words : int, optional
        train on so many distinct words and no others (`flann.training.words`); by default every
        word is fresh.
    steps, lr : int and float, optional
        how many steps, and the peak rate of AdamW; by default what `flann.models` recommends
        for the architecture. Who compares architectures gives all the same number of steps.
    beta2, weight_decay, clip : float
        AdamW's second beta, its decay, and the bound on the gradient's norm.
    warmup : int
        steps over which the rate rises from 0.
    schedule : {"flat", "cosine"}
        after the warm-up: flat for 60% of the steps and then falling to 0, or falling all along.
    stop_at : float, optional
        stop once the validation accuracy per word at the longest length reaches this.
    loss : {"cross-entropy"}
        per scored position.
    start : str, optional
        what training starts from, where that is not drawn: ``"witness"``, exact weights for the
        architecture, or ``"rasp"``, a transformer with those of the task's program
        (`flann.experiments.initial_weights`).
    seed : int
        of the initial weights and the training words. Test words never depend on it.
    precision : {"float32"}
        of the training arithmetic; TF32 is off.
    test_lengths : sequence of int
        by default powers of two to 8 times the longest training length.
    test_size : int
        test words a length.

    Examples
    --------
    >>> experiment = Experiment(task="parity", model="lstm", train_lengths=(3, 40))
    >>> experiment.test_lengths
    (2, 4, 8, 16, 32, 40, 64, 128, 256, 320)
    >>> Experiment.from_json(experiment.to_json()) == experiment
    True
    >>> experiment.command()
    'flann run --task parity --model lstm --train-lengths 3:40'
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
    steps: int = ASK
    lr: float = ASK
    beta2: float = 0.98
    weight_decay: float = 0.0
    clip: float = 1.0
    warmup: int = 100
    schedule: Schedule = "flat"
    stop_at: float | None = None
    loss: str = "cross-entropy"
    seed: int = 0
    precision: str = "float32"
    test_lengths: tuple[int, ...] = ()
    test_size: int = 512
    start: str | None = None
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        self._check()
        from flann.formats.format import get_format
        from flann.tasks import get_task, task_registry

        settle = object.__setattr__  # the dataclass is frozen to everybody else
        settle(self, "task", task_registry.canonical(self.task, imports=True))
        settle(self, "model", canonical_model(self.model))
        if self.start is not None:
            settle(self, "start", canonical_start(self.start))
        for name in RECOMMENDED:
            if getattr(self, name) is None:
                settle(self, name, recommended(self.model, self.start, name))
        settle(self, "train_lengths", (int(self.train_lengths[0]), int(self.train_lengths[1])))
        settle(self, "test_lengths", self._settled_test_lengths())
        task = get_task(self.task, imports=True)
        settle(self, "format", get_format(self.format, task).name)
        if self.start is not None or compiled.is_compiled(self.model):
            from .initial_weights import check

            check(self, task)

    def _check(self) -> None:
        """Refuse values that mean nothing, before anything slow is imported."""
        for name in ("task", "model"):
            if not isinstance(getattr(self, name), str):
                raise UserError(f"{name} {getattr(self, name)!r}: expected a name")
        if len(self.train_lengths) != 2:
            raise UserError(f"train lengths {self.train_lengths}: expected shortest and longest")
        low, high = self.train_lengths
        if not 1 <= low <= high:
            raise UserError(f"train lengths {low}:{high}: expected 1 <= shortest <= longest")
        for name in ("depth", "parameters", "batch", "test_size", "train_words"):
            value = getattr(self, name)
            _at_least(name, 1 if value is None else value, 1)
        for name in ("steps", "warmup", "seed"):
            _at_least(name, getattr(self, name) or 0, 0)
        for name in ("growth", "gate", "stop_at", "beta2"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise UserError(f"{_spoken(name)} {value}: expected a number from 0 to 1")
        for name, positive in (("lr", True), ("clip", True), ("weight_decay", False)):
            value = getattr(self, name)
            if value is not None and not (value > 0 if positive else value >= 0):
                raise UserError(f"{_spoken(name)} {value}: expected a positive number")
        for length in self.test_lengths:
            _at_least("test length", length, 1)
        _one_of("schedule", self.schedule, get_args(Schedule))
        _one_of("loss", self.loss, ["cross-entropy"])
        _one_of("precision", self.precision, ["float32"])
        if self.schema != SCHEMA:
            raise UserError(f"experiment of schema {self.schema}: this flann reads {SCHEMA}")

    def _settled_test_lengths(self) -> tuple[int, ...]:
        from flann.tasks import get_task

        task = get_task(self.task, imports=True)
        if self.test_lengths:
            valid = set(task.valid_lengths(min(self.test_lengths), max(self.test_lengths)))
            for length in self.test_lengths:
                if length not in valid:
                    raise UserError(f"{self.task} has no word of length {length}")
            return tuple(sorted(set(map(int, self.test_lengths))))
        return default_test_lengths(task, self.train_lengths[1])

    # -- identity ------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of all fields: a default that changes makes another id.

        Of a task that is read from a file, the file's content counts too: its name says little.
        """
        from flann.tasks import get_task

        decides = {n: v for n, v in asdict(self).items() if v is not None or n not in LATER}
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode())
        source = get_task(self.task, imports=True).source
        if source is not None:
            digest.update(source.read_bytes())
        return digest.hexdigest()[:12]

    @property
    def folder(self) -> str:
        """The name of its run folder."""
        put = "" if self.format == "direct" else f"-{slug(self.format)}"
        return f"{slug(self.task)}-{slug(self.model)}{put}-seed{self.seed}-{self.id}"

    def with_seed(self, seed: int) -> Experiment:
        """The same experiment with another seed: the same test words, so runs are paired."""
        return replace(self, seed=seed)

    def _chosen(self) -> dict[str, Any]:
        """The fields that are not at their default, and those that have none."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self)}
        return {n: v for n, v in chosen.items() if n in ("task", "model") or v != _DEFAULTS[n]}

    # -- JSON both ways ------------------------------------------------------------------------

    def to_json(self) -> str:
        """All fields as JSON; the inverse of :meth:`from_json`."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """Read what :meth:`to_json` wrote. Names that would import code are refused."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise UserError(f"not an experiment: {error}") from error
        known = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or not {"task", "model"} <= data.keys():
            raise UserError("not an experiment: expected a JSON object with task and model")
        for name in data:
            if name not in known:
                raise unknown("field of an experiment", name, sorted(known))
        for name in ("task", "model"):
            if is_import(str(data[name])):
                raise UserError(
                    f"{data[name]!r} would import code: accepted when typed, never from a file"
                )
        try:
            for name in ("train_lengths", "test_lengths"):
                data[name] = tuple(data.get(name, _DEFAULTS[name]))
            return cls(**data)
        except TypeError as error:
            raise UserError(f"not an experiment: {error}") from error

    def command(self) -> str:
        """The command line that makes this experiment again."""
        words = ["flann", "run"]
        derived = (*RECOMMENDED, "test_lengths")  # their defaults follow from the other fields
        chosen, plain = self._chosen(), Experiment(**self._without(*derived))
        for name in derived:
            if getattr(self, name) == getattr(plain, name):
                del chosen[name]
        for name, value in chosen.items():
            words += [f"--{name.replace('_', '-')}", spoken_value(name, value)]
        return shlex.join(words)

    def _without(self, *names: str) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in names}


_DEFAULTS = {f.name: f.default for f in fields(Experiment)}


def default_test_lengths(task: Any, longest: int) -> tuple[int, ...]:
    """Powers of two to `LONGEST_GRID` times the longest training length, and both ends."""
    top = LONGEST_GRID * longest
    wanted = {longest, top, *(2**n for n in range(1, top.bit_length()) if 2**n <= top)}
    valid = list(task.valid_lengths(1, top + 1))
    return tuple(sorted({min(valid, key=lambda v: (abs(v - w), v)) for w in wanted}))


def canonical_model(name: str) -> str:
    """The one spelling of a model's name."""
    from flann.models import model_registry

    if compiled.is_compiled(name):
        return compiled.canonical(name)
    return model_registry.canonical(name, imports=True)


def canonical_start(name: str) -> str:
    """The one spelling of what training starts from."""
    return compiled.canonical(name) if compiled.is_compiled(name) else name


def recommended(model: str, start: str | None, setting: str) -> float:
    """What the architecture recommends for its training: ``"lr"`` or ``"steps"``."""
    from flann.models import model_registry

    if compiled.is_compiled(start or model):
        return compiled.RECIPE[setting]
    return model_registry.create(model, imports=True).recipe[setting]


def spoken_value(name: str, value: object) -> str:
    """A field's value as the command line takes it."""
    if isinstance(value, tuple):
        return (":" if name == "train_lengths" else ",").join(map(str, value))
    return str(value)


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise UserError(f"{_spoken(name)} {value}: expected {least} or more")


def _one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise unknown(name, value, known)
