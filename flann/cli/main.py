"""The command line. It imports what a command needs when the command is called, so that
``flann --help`` answers at once.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flann import __version__
from flann.errors import UserError
from flann.experiments.rasp_models import is_compiled

from .console import curve_text, theory_lines
from .models import models
from .parameters import AS_JSON, LengthRange, Lengths, Suggesting
from .rasp import rasp
from .tasks import classify, data, tasks, theory

if TYPE_CHECKING:
    from flann.experiments.experiment import Experiment
    from flann.runs.run import Result


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: exit code 2 and one line for a mistake, 130 for Ctrl-C."""
    sys.path.append(str(Path.cwd()))  # last, so that ``package.module:Name`` may lie here
    try:
        code = cli.main(arguments, prog_name="flann", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 2
    except click.ClickException as error:
        complain(error.format_message())
        code = 2
    except UserError as error:
        complain(str(error))
        code = 2
    except (KeyboardInterrupt, click.Abort) as stop:
        complain(str(stop.__cause__ or stop) or "interrupted")  # click wraps what Ctrl-C raised
        code = 130
    except (MemoryError, RuntimeError) as error:
        if not is_about_memory(error):
            raise
        complain("out of memory: expected fewer --parameters, a smaller --batch or shorter words")
        code = 2
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def is_about_memory(error: BaseException) -> bool:
    """Whether memory ran out; torch has no class of its own for that on the CPU."""
    words = ("out of memory", "can't allocate memory")
    return isinstance(error, MemoryError) or any(text in str(error) for text in words)


def complain(message: str) -> None:
    """One line on standard error."""
    click.echo("flann: " + " ".join(message.split()), err=True)


@click.group(cls=Suggesting, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flann")
def cli() -> None:
    """What can a sequence architecture express, and does what it learns hold at lengths it never
    saw?

    \b
      flann run --task A5 --model mamba      train on short words, measure on long ones
      flann tasks                            the problems, with exact answers
      flann models                           the architectures, at matched size
      flann data A5 --length 20 -o a5.csv    labelled words for other programs
      flann classify --regex '(ab)*'         the classes of a regular language
      flann theory --task A5 --model mamba   what is known to be possible, and why
      flann report runs/*                    accuracy against length, as a page and a picture
      flann rasp repl                        programs that become transformer weights
    """


for command in (tasks, data, classify, theory, models, rasp):
    cli.add_command(command)


@cli.command(short_help="Train a model on short words and measure it on long ones.")
@click.option("--task", "tasks", multiple=True, required=True, help="A task; see `flann tasks`.")
@click.option("--model", "models", multiple=True, required=True, help="See `flann models`.")
@click.option("--start", help="witness or rasp: from exact weights. [drawn by the seed]")
@click.option("--seed", "seeds", type=int, multiple=True, help="Of weights and training words. [0]")
@click.option("--parameters", type=int, help="Size, met within 1%. [100000]")
@click.option("--depth", type=int, help="Layers. [1]")
@click.option("--train-lengths", type=LengthRange(), help="Shortest and longest. [2:40]")
@click.option("--test-lengths", type=Lengths(), help="[powers of two to 8 times the longest]")
@click.option("--test-size", type=int, help="Test words a length. [512]")
@click.option("--steps", type=int, help="Training steps. [the architecture's own]")
@click.option("--batch", type=int, help="Words a step. [64]")
@click.option("--train-words", type=int, help="Train on so many distinct words. [always fresh]")
@click.option("--lr", type=float, help="Peak learning rate. [the architecture's own]")
@click.option("--beta2", type=float, help="AdamW's second beta. [0.98]")
@click.option("--weight-decay", type=float, help="[0]")
@click.option("--clip", type=float, help="Bound on the gradient's norm. [1]")
@click.option("--warmup", type=int, help="Steps of rising rate. [100]")
@click.option("--schedule", help="flat (then falling) or cosine. [flat]")
@click.option("--growth", type=float, help="Share of steps over which length grows. [0.5]")
@click.option("--gate", type=float, help="Grow at this accuracy instead; unfair to compare.")
@click.option("--stop-at", type=float, help="Stop at this accuracy per word.")
@click.option("--format", help="direct, cot (it writes its way), padding=2. [direct]")
@click.option("--loss", help="[cross-entropy]")
@click.option("--precision", help="[float32]")
@click.option("--runs", default="runs", show_default=True, help="Folder of the runs.")
@click.option("--device", help="cpu, cuda, cuda:1. [cuda if there is one]")
@click.option("--time-limit", type=float, help="Seconds of training; asked again, it goes on.")
@click.option("--again", is_flag=True, help="Make it anew even if it was made before.")
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
    To compare models, give all the same --steps.
    The same command finds the run that it made before. Ctrl-C keeps a checkpoint, and the same
    command goes on from it.

    \b
      flann run --task A5 --model ids4:state_norm=true
      flann run --task parity --model lstm --model s4d --train-lengths 3:40 --seed 0 --seed 1
      flann run --task A5 --model mamba:eigenvalues=negative --depth 4 --time-limit 60
      flann run --task A5 --model rasp:layers=4      a RASP program, compiled; nothing is trained
    """
    chosen = {name: value for name, value in fields.items() if value is not None}
    if time_limit is not None and time_limit <= 0:
        raise UserError(f"time limit {time_limit}: expected a positive number of seconds")
    from flann.experiments.experiment import Experiment
    from flann.runs.run import run as run_experiment

    experiments = [
        Experiment(task=task, model=model, seed=seed, **chosen)
        for task, model, seed in itertools.product(tasks, models, seeds or (0,))
    ]
    results = []
    for experiment in experiments:
        if len(experiments) > 1:
            title = f"{experiment.task} · {experiment.model} · seed {experiment.seed}"
            click.echo(title, err=True)
        results.append(
            run_experiment(experiment, runs=runs, device=device, time_limit=time_limit, again=again)
        )
        if not as_json:
            show(results[-1])
    page = report_on([result.path for result in results], Path(runs))
    if as_json:
        rows = [{**result.to_dict(), "report": str(page)} for result in results]
        click.echo(json.dumps(rows[0] if len(rows) == 1 else rows, indent=2, allow_nan=False))
    else:
        click.echo(f"report: {page}")


def show(result: Result) -> None:
    """The curve as a table, with what was found and what theory says."""
    from flann.runs.store import read_json

    summary, experiment = result.summary, result.experiment
    if result.found:
        click.echo(f"made before: {result.path} (--again makes it anew)")
    click.echo(headline(experiment, summary))
    click.echo(theory_lines(read_json(result.path / "theory.json")))
    if summary["message"]:
        click.echo(f"{summary['status']}: {summary['message']}")
    if len(result.curve):
        click.echo(curve_text(result.curve, experiment.train_lengths[1]))
    for length, why in summary["refused"].items():
        click.echo(f"length {length}: not measured: {why}")


def headline(experiment: Experiment, summary: dict[str, Any]) -> str:
    """One line: what was run, how large, how long, how far it holds."""
    low, high = experiment.train_lengths
    trained = f"trained on lengths {low} to {high} for {summary['seconds']:.0f} s"
    if not experiment.steps:
        trained = "compiled, not trained" if is_compiled(experiment.model) else "not trained"
    return (
        f"{experiment.task} · {experiment.model} · {summary['parameters']:,} parameters"
        f" · {trained} · reach {summary['reach']}"
    )


def report_on(paths: list[Path], runs: Path) -> Path:
    """Write the page: in the run's own folder, or beside the runs if there are several."""
    from flann.reports import write_report

    page = (paths[0] if len(paths) == 1 else runs) / "report.html"
    return Path(write_report(paths, page).page)


@cli.command(short_help="Draw run folders as a page and a picture.")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The page. [report.html]")
@click.option("--table", type=click.Path(path_type=Path), help="All curves as one tidy CSV too.")
@AS_JSON
def report(
    folders: tuple[Path, ...], output: Path | None, table: Path | None, as_json: bool
) -> None:
    """Draw accuracy against length for one or more run folders.

    Writes a self-contained page and, beside it, the picture as PNG.

    \b
      flann report runs/A5-lstm-seed0-* -o lstm.html
    """
    from flann.reports import write_report

    paths = write_report(list(folders), output or Path("report.html"))
    made = {"page": str(paths.page), "picture": str(paths.picture)}
    if table is not None:
        write_curves(folders, table)
        made["table"] = str(table)
    text = "\n".join(f"{name}: {path}" for name, path in made.items())
    click.echo(json.dumps(made) if as_json else text)


def write_curves(folders: tuple[Path, ...], table: Path) -> None:
    """Every run's curve in one CSV."""
    from flann.reports import curve_table, read_runs
    from flann.reports.runs import FORMAT_ALONE
    from flann.runs.store import write_table

    try:
        curves = curve_table(read_runs(folders)).drop(columns="setting")
        if curves[FORMAT_ALONE].isna().all():
            curves = curves.drop(columns=FORMAT_ALONE)
        write_table(table, curves)
    except OSError as error:
        raise UserError(f"cannot write {table}: {error.strerror}") from error
