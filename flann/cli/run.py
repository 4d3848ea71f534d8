"""``flann run``: train models on tasks, measure them at many lengths, and report."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flann.errors import UserError

from .console import format_curve, format_theory
from .parameters import AS_JSON, LengthRange, Lengths

if TYPE_CHECKING:
    from flann.experiments.experiment import ResolvedExperiment
    from flann.runs.run import Result


@click.command(short_help="Train a model on short words and measure it on long ones.")
@click.option("--task", "tasks", multiple=True, required=True, help="A task; see `flann tasks`.")
@click.option("--model", "models", multiple=True, required=True, help="See `flann models`.")
@click.option(
    "--start", help="Start from exact weights: witness or rasp. [default: drawn by the seed]"
)
@click.option(
    "--seed",
    "seeds",
    type=int,
    multiple=True,
    help="Random seed of the initial weights and the training words. [default: 0]",
)
@click.option(
    "--parameters", type=int, help="Number of parameters, met within 1%. [default: 100000]"
)
@click.option("--depth", type=int, help="Number of layers. [default: 1]")
@click.option(
    "--train-lengths",
    type=LengthRange(),
    help="Shortest and longest training word. [default: 2:40]",
)
@click.option(
    "--test-lengths",
    type=Lengths(),
    help="Lengths to measure. [default: powers of two to 8 times the longest training word]",
)
@click.option("--test-size", type=int, help="Test words at each length. [default: 512]")
@click.option("--steps", type=int, help="Training steps. [default: the architecture's own]")
@click.option("--batch", type=int, help="Words per training step. [default: 64]")
@click.option(
    "--train-words",
    type=int,
    help="Train on this many distinct words. [default: every word is fresh]",
)
@click.option("--lr", type=float, help="Peak learning rate. [default: the architecture's own]")
@click.option("--beta2", type=float, help="AdamW's second beta. [default: 0.98]")
@click.option("--weight-decay", type=float, help="AdamW's weight decay. [default: 0]")
@click.option("--clip", type=float, help="Bound on the gradient's norm. [default: 1]")
@click.option("--warmup", type=int, help="Steps over which the rate rises from 0. [default: 100]")
@click.option(
    "--schedule", help="flat (constant, then falling) or cosine (falling). [default: flat]"
)
@click.option(
    "--growth",
    type=float,
    help="Share of the steps over which training words grow longer. [default: 0.5]",
)
@click.option(
    "--gate",
    type=float,
    help="Let words grow longer at this accuracy instead. Do not use it to compare models.",
)
@click.option("--stop-at", type=float, help="Stop at this validation accuracy per word.")
@click.option(
    "--format",
    help="How words are presented: direct, cot (chain of thought), padding=K. [default: direct]",
)
@click.option("--loss", help="The training loss. [default: cross-entropy]")
@click.option("--precision", help="Precision of the arithmetic. [default: float32]")
@click.option("--runs", default="runs", show_default=True, help="Folder that holds the runs.")
@click.option("--device", help="cpu, cuda or cuda:1. [default: cuda if there is one]")
@click.option(
    "--time-limit",
    type=float,
    help="Stop after this many seconds; run the same command again to resume.",
)
@click.option("--again", is_flag=True, help="Repeat the run even if it was made before.")
@AS_JSON
def run(
    tasks: tuple[str, ...],
    models: tuple[str, ...],
    seeds: tuple[int, ...],
    runs: str,
    device: str | None,
    time_limit: float | None,
    again: bool,
    as_json: bool,
    **fields: Any,
) -> None:
    """Train a model on short words, measure it on long ones, and draw the curve.

    Repeat --task, --model or --seed to run every combination; the report then shows them together.
    When comparing architectures, set the same --steps for all.
    A run that was made before is found and shown. Ctrl-C keeps a checkpoint, and the same command
    resumes from it.

    \b
      flann run --task A5 --model ids4:state_norm=true
      flann run --task parity --model lstm --model s4d --train-lengths 3:40 --seed 0 --seed 1
      flann run --task A5 --model mamba:eigenvalues=negative --depth 4 --time-limit 60
      flann run --task A5 --model rasp:layers=4      a compiled RASP program; nothing is trained
    """
    if time_limit is not None and time_limit <= 0:
        raise UserError(f"time limit {time_limit}: expected a positive number of seconds")
    from flann.runs.run import run as run_experiment

    experiments = resolve_combinations(tasks, models, seeds or (0,), fields)
    results = []
    for experiment in experiments:
        if len(experiments) > 1:
            click.echo(format_title(experiment), err=True)
        results.append(
            run_experiment(experiment, runs=runs, device=device, time_limit=time_limit, again=again)
        )
        if not as_json:
            print_result(results[-1])
    page = write_page([result.path for result in results], Path(runs))
    if as_json:
        rows = [{**result.to_dict(), "report": str(page)} for result in results]
        click.echo(json.dumps(rows[0] if len(rows) == 1 else rows, indent=2, allow_nan=False))
    else:
        click.echo(f"report: {page}")


def resolve_combinations(
    tasks: tuple[str, ...], models: tuple[str, ...], seeds: tuple[int, ...], fields: dict[str, Any]
) -> list[ResolvedExperiment]:
    """Resolve every combination before the first is run, so that a mistake costs no time."""
    from flann.experiments.experiment import Experiment

    given = {name: value for name, value in fields.items() if value is not None}
    return [
        Experiment(task=task, model=model, seed=seed, **given).resolve()
        for task, model, seed in itertools.product(tasks, models, seeds)
    ]


def print_result(result: Result) -> None:
    """Print the curve as a table, with the status of the run and what theory says."""
    from flann.files import read_json

    summary = result.summary
    if result.found:
        click.echo(f"found: {result.path} (--again repeats the run)")
    click.echo(format_headline(result.experiment, summary))
    click.echo(format_theory(read_json(result.path / "theory.json")))
    if summary["message"]:
        click.echo(f"{summary['status']}: {summary['message']}")
    if len(result.curve):
        click.echo(format_curve(result.curve, result.experiment.settings.train_lengths[1]))
    for length, why in summary["refused"].items():
        click.echo(f"length {length}: not measured: {why}")


def format_title(experiment: ResolvedExperiment) -> str:
    """Format one line that names a run among several."""
    settings = experiment.settings
    return f"{settings.task} · {settings.model} · seed {settings.seed}"


def format_headline(experiment: ResolvedExperiment, summary: dict[str, Any]) -> str:
    """Format one line: what was run, its size, how it was trained, and its reach."""
    settings = experiment.settings
    low, high = settings.train_lengths
    training = f"trained on lengths {low} to {high} for {summary['seconds']:.0f} s"
    if not experiment.steps:
        training = "not trained" if experiment.architecture else "compiled, not trained"
    return (
        f"{settings.task} · {settings.model} · {summary['parameters']:,} parameters"
        f" · {training} · reach {summary['reach']}"
    )


def write_page(paths: list[Path], runs: Path) -> Path:
    """Write the report of these runs: in the run's own folder, or beside the runs if several."""
    from flann.reports import write_report

    page = (paths[0] if len(paths) == 1 else runs) / "report.html"
    return Path(write_report(paths, page).page)
