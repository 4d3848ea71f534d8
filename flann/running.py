"""The main job: one experiment from its names to an ended run folder.

    task and model by name -> training -> evaluation -> run folder -> (report)

A run that was made before is found and shown, one that was stopped goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import save

from flann.models import SequenceModel
from flann.models.scans.backends import told as scans_told

from .checkpoint import apart
from .compiled import reference
from .devices import choose_device, prepare
from .errors import UserError
from .evaluation import Evaluation, evaluate
from .experiment import Experiment
from .interrupt import interruptible
from .overlap import count_overlap
from .progress import Progress, training_line
from .record import commit, environment, theory_of
from .runs import Store, beat, read_curve, read_json, write_aside, write_json, write_table
from .training import Outcome, Training

TOLD: set[str] = set()
"""What this process has said already."""


@dataclass(frozen=True)
class Result:
    """An ended run.

    Attributes
    ----------
    path : Path
        its folder.
    experiment : Experiment
    summary : dict
        what ``result.json`` holds: status, reach, parameters, state_size, seconds, ...
    curve : DataFrame
        a row per test length (see `flann.evaluation.Evaluation`); empty if the run diverged.
    found : bool
        whether it had been made before.
    """

    path: Path
    experiment: Experiment
    summary: dict[str, Any]
    curve: pd.DataFrame
    found: bool = False

    @classmethod
    def read(cls, path: Path, experiment: Experiment, *, found: bool = False) -> Result:
        """What lies in a run folder."""
        return cls(path, experiment, read_json(path / "result.json"), read_curve(path), found)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``: the summary and the curve."""
        names = ("parameters", "state_size", "seconds", "status", "reach", "message")
        return {
            "run": str(self.path),
            "task": self.experiment.task,
            "model": self.experiment.model,
            "seed": self.experiment.seed,
            **{name: self.summary[name] for name in names},
            "curve": [point(row) for row in self.curve.to_dict("records")],
        }


def point(row: dict[Any, Any]) -> dict[str, Any]:
    """One length of the curve, as ``--json`` gives it: `chance` is that of per_symbol."""
    return {
        "length": int(row["length"]),
        "per_word": row["per_word"],
        "low": row["per_word_low"],
        "high": row["per_word_high"],
        "last_symbol": row["last_symbol"],
        "per_symbol": row["per_symbol"],
        "chance": row["chance_per_symbol"],
    }


def run(
    experiment: Experiment,
    *,
    runs: Path | str = "runs",
    device: str | None = None,
    time_limit: float | None = None,
    again: bool = False,
    progress: bool = True,
) -> Result:
    """Train, measure and keep one experiment; or find it, if it was made before.

    Parameters
    ----------
    experiment : Experiment
    runs : Path or str
        the folder that holds the runs.
    device : str, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default CUDA where there is one.
    time_limit : float, optional
        seconds of training; a run that needs more is measured as it stands, has status
        ``stopped``, and goes on when it is asked for again.
    again : bool
        make it anew even if it was made before.
    progress : bool
        whether to show progress on standard error.

    Raises
    ------
    UserError
        for whatever the user can mend.
    KeyboardInterrupt
        after Ctrl-C; the checkpoint is kept, and the same call goes on from it.

    Examples
    --------
    >>> import flann, tempfile
    >>> tiny = flann.Experiment(task="parity", model="lstm", parameters=2000, steps=5,
    ...                         train_lengths=(1, 4), test_lengths=(4, 8), test_size=16)
    >>> result = flann.run(tiny, runs=tempfile.mkdtemp(), progress=False)
    >>> result.curve.length.tolist(), result.summary["status"]
    ([4, 8], 'done')
    """
    shown = Progress(shown=progress)
    store = Store(runs)
    known = store.ended(experiment)
    if known is not None and not again:
        earlier = found(known, experiment, shown)
        if earlier.summary["status"] != "stopped":
            return earlier
    place = choose_device(device)
    prepare(place)
    with store.work(experiment, anew=again) as folder:
        training = Training(experiment, folder, place)
        tell_backend(place, shown)  # not before: a refusal is one line
        outcome = train(training, folder, shown, time_limit)
        if outcome.status == "interrupted":
            raise KeyboardInterrupt(f"{outcome.message}: the same command goes on from there")
        measured = measure(training, outcome, shown)
        keep(folder, training, outcome, measured)
        keep_reference(folder, training)
        return Result.read(store.end(folder), experiment)


def tell_backend(device: torch.device, shown: Progress) -> None:
    """Say which backend runs the scans, once a process."""
    line = scans_told(device)
    if shown.shown and line not in TOLD:
        TOLD.add(line)
        shown.say(line)


def found(folder: Path, experiment: Experiment, shown: Progress) -> Result:
    """A run that was made before, with a warning if other code made it."""
    try:
        result = Result.read(folder, experiment, found=True)
        made_by = read_json(folder / "environment.json").get("commit")
    except (KeyError, AttributeError) as error:
        raise UserError(f"{folder} is damaged: start over with --again") from error
    except UserError as error:
        raise UserError(f"{error}; start over with --again") from error
    if made_by != commit():
        shown.say(f"note: made by commit {made_by}, this is {commit()}; --again makes it anew")
    return result


def train(training: Training, folder: Path, shown: Progress, time_limit: float | None) -> Outcome:
    """Train with a live line, taking Ctrl-C at the end of a step."""
    experiment = training.experiment
    if training.step:
        shown.say(f"going on from step {training.step} of {experiment.steps}")
    started, before = training.step, training.seconds

    def show(record: dict[str, Any]) -> None:
        pace = (record["seconds"] - before) / max(1, record["step"] - started)
        left = pace * (experiment.steps - record["step"])
        shown.line(training_line(record, experiment.steps, left))

    lease = folder.with_name(folder.name + ".lease")
    with interruptible() as asked:
        try:
            return training.run(
                time_limit=time_limit, stop=asked, watch=show, beat=partial(beat, lease)
            )
        finally:
            shown.close()


def measure(training: Training, outcome: Outcome, shown: Progress) -> Evaluation:
    """The curve; of a model that diverged there is none."""
    experiment = training.experiment
    lengths = () if outcome.status == "diverged" else experiment.test_lengths
    training.model.eval()
    try:
        return evaluate(
            training.model,
            training.task,
            lengths,
            size=experiment.test_size,
            format=experiment.format,
            device=training.device,
            watch=lambda length: shown.line(f"measuring at length {length}"),
        )
    finally:
        shown.close()


def keep(folder: Path, training: Training, outcome: Outcome, measured: Evaluation) -> None:
    """Write everything that reports read, and drop the checkpoint of a run that is over."""
    experiment, model, task = training.experiment, training.model, training.task
    write_table(folder / "curve.csv", measured.curve)
    write_table(folder / "positions.csv", measured.positions)
    write_json(folder / "task.json", task.describe())
    write_json(folder / "theory.json", theory_of(task, model, experiment.format))
    write_json(folder / "environment.json", environment(experiment, training.device))
    write_aside(folder / "model.safetensors", save(apart(model.state_dict())))
    write_json(folder / "result.json", summary(training, outcome, measured))
    if outcome.status != "stopped":
        training.checkpoint.unlink(missing_ok=True)


def keep_reference(folder: Path, training: Training) -> None:
    """Write the curve of the task's RASP program, if it has one."""
    curve = reference(training.experiment, training.task)
    if curve is not None:
        write_json(folder / "reference.json", curve)


def summary(training: Training, outcome: Outcome, measured: Evaluation) -> dict[str, Any]:
    """What ``result.json`` holds."""
    experiment, model = training.experiment, training.model
    longest = experiment.test_lengths[-1]
    carried = model.state_size(training.format.positions(longest))
    return {
        "id": experiment.id,
        "status": outcome.status,
        "message": outcome.message,
        "reach": measured.reach,
        "parameters": parameter_count(model),
        "state_size": carried,
        "state_size_at": longest,
        "sizes": dict(model.sizes),
        "step": training.step,
        "steps": experiment.steps,
        "seconds": round(training.seconds, 3),
        "overlap": count_overlap(training),
        "refused": {str(length): why for length, why in measured.refused.items()},
        "rows": len(measured.curve),
    }


def parameter_count(model: SequenceModel) -> int:
    """All numbers that training changes."""
    return sum(p.numel() * (2 if torch.is_complex(p) else 1) for p in model.parameters())
