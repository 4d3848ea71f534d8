"""Run one experiment, from its names to the folder of a finished run.

    names -> resolve -> train -> evaluate -> run folder -> (report)

A finished run is found again instead of being repeated, and a stopped run is resumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import save

from flann.devices import choose_device, configure_torch
from flann.errors import UserError
from flann.evaluation.evaluate import Evaluation, evaluate
from flann.experiments.experiment import Experiment, ResolvedExperiment
from flann.files import read_json, write_aside, write_json
from flann.interrupt import defer_interrupts
from flann.models import SequenceModel
from flann.models.scans.dispatch import describe_backend as describe_backend
from flann.progress import Progress, format_training_line
from flann.training.checkpoint import copy_tensors
from flann.training.loop import Outcome, Training
from flann.training.overlap import count_overlap

from .environment import describe_environment, find_commit, select_theory
from .reference import measure_reference
from .store import Store, locate_lease, read_curve, renew_lease, write_table

ANNOUNCED: set[str] = set()
"""The lines that this process has shown once and does not repeat."""


@dataclass(frozen=True)
class Result:
    """A finished or stopped run.

    Attributes
    ----------
    path : Path
        the run's folder.
    experiment : ResolvedExperiment
    summary : dict
        the content of ``result.json``: status, reach, parameters, state_size, seconds, ...
    curve : DataFrame
        a row per test length (`flann.evaluation.evaluate.Evaluation`); empty if the run diverged.
    found : bool
        whether the run had been made before.
    """

    path: Path
    experiment: ResolvedExperiment
    summary: dict[str, Any]
    curve: pd.DataFrame
    found: bool = False

    @classmethod
    def read(cls, path: Path, experiment: ResolvedExperiment, *, found: bool = False) -> Result:
        """Read a run folder."""
        return cls(path, experiment, read_json(path / "result.json"), read_curve(path), found)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary and the curve, as ``--json`` prints them."""
        names = ("parameters", "state_size", "seconds", "status", "reach", "message")
        settings = self.experiment.settings
        return {
            "run": str(self.path),
            "task": settings.task,
            "model": settings.model,
            "seed": settings.seed,
            **{name: self.summary[name] for name in names},
            "curve": [select_columns(row) for row in self.curve.to_dict("records")],
        }


def select_columns(row: dict[Any, Any]) -> dict[str, Any]:
    """Return the columns of one length that ``--json`` prints; `chance` is that of per_symbol."""
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
    experiment: Experiment | ResolvedExperiment,
    *,
    runs: Path | str = "runs",
    device: str | None = None,
    time_limit: float | None = None,
    again: bool = False,
    progress: bool = True,
) -> Result:
    """Train and measure one experiment, or return its run if it was made before.

    Parameters
    ----------
    experiment : Experiment
    runs : Path or str
        the folder that holds the runs.
    device : str, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default CUDA where there is one.
    time_limit : float, optional
        seconds of training. A run that needs more is measured as it stands, has status
        ``stopped``, and is resumed by the next call.
    again : bool
        repeat the run even if it was made before.
    progress : bool
        whether to show progress on standard error.

    Returns
    -------
    Result

    Raises
    ------
    UserError
        for a mistake that the user can correct.
    KeyboardInterrupt
        after Ctrl-C; the checkpoint is kept, and the same call resumes from it.

    Examples
    --------
    >>> import flann, tempfile
    >>> tiny = flann.Experiment(task="parity", model="lstm", parameters=2000, steps=5,
    ...                         train_lengths=(1, 4), test_lengths=(4, 8), test_size=16)
    >>> result = flann.run(tiny, runs=tempfile.mkdtemp(), progress=False)
    >>> result.curve.length.tolist(), result.summary["status"]
    ([4, 8], 'done')
    """
    resolved = experiment.resolve()
    display = Progress(shown=progress)
    store = Store(runs)
    finished = store.find(resolved)
    if finished is not None and not again:
        earlier = read_earlier(finished, resolved, display)
        if earlier.summary["status"] != "stopped":
            return earlier
    target = choose_device(device)
    configure_torch(target)
    with store.open(resolved, restart=again) as folder:
        training = Training(resolved, folder, target)
        announce_backend(target, display)  # after what may be refused: a refusal is one line
        outcome = train(training, folder, display, time_limit)
        if outcome.status == "interrupted":
            raise KeyboardInterrupt(f"{outcome.message}: the same command resumes from there")
        evaluation = measure(training, outcome, display)
        write_run(folder, training, outcome, evaluation)
        return Result.read(store.finish(folder), resolved)


def announce_backend(device: torch.device, display: Progress) -> None:
    """Show which backend runs the scans, once in a process."""
    line = describe_backend(device)
    if display.shown and line not in ANNOUNCED:
        ANNOUNCED.add(line)
        display.say(line)


def read_earlier(folder: Path, experiment: ResolvedExperiment, display: Progress) -> Result:
    """Read a run that was made before, and warn if another commit made it."""
    try:
        result = Result.read(folder, experiment, found=True)
        commit = read_json(folder / "environment.json").get("commit")
    except (KeyError, AttributeError) as error:
        raise UserError(f"{folder} is damaged: start over with --again") from error
    except UserError as error:
        raise UserError(f"{error}; start over with --again") from error
    if commit != find_commit():
        display.say(
            f"note: this run was made by commit {commit}, and this is {find_commit()};"
            " --again repeats it"
        )
    return result


def train(training: Training, folder: Path, display: Progress, time_limit: float | None) -> Outcome:
    """Train with a live line of progress; Ctrl-C takes effect at the end of a step."""
    steps = training.experiment.steps
    if training.step:
        display.say(f"resuming from step {training.step} of {steps}")
    first, seconds_before = training.step, training.seconds

    def show(record: dict[str, Any]) -> None:
        pace = (record["seconds"] - seconds_before) / max(1, record["step"] - first)
        display.line(format_training_line(record, steps, pace * (steps - record["step"])))

    heartbeat = partial(renew_lease, locate_lease(folder))
    with defer_interrupts() as interrupted:
        try:
            return training.run(
                time_limit=time_limit, stop=interrupted, watch=show, heartbeat=heartbeat
            )
        finally:
            display.close()


def measure(training: Training, outcome: Outcome, display: Progress) -> Evaluation:
    """Measure the curve; a model that diverged has none."""
    experiment = training.experiment
    lengths = () if outcome.status == "diverged" else experiment.test_lengths
    training.model.eval()
    try:
        return evaluate(
            training.model,
            training.task,
            lengths,
            size=experiment.settings.test_size,
            format=experiment.format.name,
            device=training.device,
            watch=lambda length: display.line(f"measuring at length {length}"),
        )
    finally:
        display.close()


def write_run(folder: Path, training: Training, outcome: Outcome, evaluation: Evaluation) -> None:
    """Write everything that reports read, and delete the checkpoint of a run that is over."""
    experiment, model, task = training.experiment, training.model, training.task
    write_table(folder / "curve.csv", evaluation.curve)
    write_table(folder / "positions.csv", evaluation.positions)
    write_json(folder / "task.json", task.describe())
    write_json(folder / "theory.json", select_theory(task, model, experiment.format.name))
    write_json(folder / "environment.json", describe_environment(experiment, training.device))
    write_aside(folder / "model.safetensors", save(copy_tensors(model.state_dict())))
    write_json(folder / "result.json", summarise(training, outcome, evaluation))
    if outcome.status != "stopped":
        training.checkpoint.unlink(missing_ok=True)
    reference = measure_reference(experiment)
    if reference is not None:
        write_json(folder / "reference.json", reference)


def summarise(training: Training, outcome: Outcome, evaluation: Evaluation) -> dict[str, Any]:
    """Return the content of ``result.json``."""
    experiment, model = training.experiment, training.model
    longest = experiment.test_lengths[-1]
    return {
        "id": experiment.id,
        "status": outcome.status,
        "message": outcome.message,
        "reach": evaluation.reach,
        "parameters": count_parameters(model),
        "state_size": model.state_size(training.format.positions(longest)),
        "state_size_at": longest,
        "sizes": dict(model.sizes),
        "step": training.step,
        "steps": experiment.steps,
        "seconds": round(training.seconds, 3),
        "overlap": count_overlap(training),
        "refused": {str(length): why for length, why in evaluation.refused.items()},
        "rows": len(evaluation.curve),
    }


def count_parameters(model: SequenceModel) -> int:
    """Count the real numbers that training changes."""
    return sum(p.numel() * (2 if torch.is_complex(p) else 1) for p in model.parameters())
