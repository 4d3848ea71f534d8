"""The command line. It imports what a command needs when the command is called, so that
``flann --help`` answers at once.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__
from .arguments import LengthRange, Lengths, Suggesting
from .compiled import is_compiled
from .console import (
    cost_table,
    curve_text,
    model_page,
    name_list,
    option_table,
    size_table,
    task_page,
    theory_lines,
)
from .errors import UserError
from .rasp_commands import rasp

if TYPE_CHECKING:
    from .experiment import Experiment
    from .running import Result


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


cli.add_command(rasp)

AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON for machines.")


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
    from .experiment import Experiment
    from .running import run as run_experiment

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
    from .runs import read_json

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

    from .runs import write_table

    try:
        curves = curve_table(read_runs(folders)).drop(columns="setting")
        if curves[FORMAT_ALONE].isna().all():
            curves = curves.drop(columns=FORMAT_ALONE)
        write_table(table, curves)
    except OSError as error:
        raise UserError(f"cannot write {table}: {error.strerror}") from error


@cli.command(short_help="The problems, with exact answers.")
@click.argument("name", required=False)
@click.option("--draw", type=click.Path(path_type=Path), help="Its automaton or Cayley graph.")
@AS_JSON
def tasks(name: str | None, draw: Path | None, as_json: bool) -> None:
    """List the tasks, or describe one: its symbols, labels, an example and what theory says.

    \b
      flann tasks
      flann tasks A4xZ5:generators=2
      flann tasks 'regex:(aa|b)*' --draw automaton.svg
    """
    from flann.tasks import get_task, task_names, task_registry

    if name is None:
        if draw is not None:
            raise UserError("--draw: expected the name of one task to draw")
        click.echo(
            json.dumps([get_task(each).describe() for each in task_names()], indent=2)
            if as_json
            else name_list(task_registry)
        )
        return
    described = get_task(name, imports=True).describe()
    if draw is not None:
        draw_task(described, draw)
    click.echo(json.dumps(described, indent=2) if as_json else task_page(described))
    if not as_json:
        click.echo(option_table(task_registry, name))


def draw_task(described: dict[str, Any], path: Path) -> None:
    """The picture of a task's automaton or group, if it has one."""
    from flann.tasks.drawing import draw

    structure = described.get("structure")
    if not structure:
        raise UserError(f"{described['name']} has no automaton or Cayley graph to draw")
    try:
        draw(structure, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


@cli.command(short_help="Write labelled words to a file, for other programs.")
@click.argument("name")
@click.option("--length", type=int, required=True, help="Of every word, without its queries.")
@click.option("--size", type=int, default=10_000, show_default=True, help="How many words.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same gives the same.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The file: .npz, .csv, .jsonl or .parquet; or a new folder.",
)
@click.option("--test-size", type=int, help="Of a folder: how many test words. [1000]")
@AS_JSON
def data(
    name: str,
    length: int,
    size: int,
    seed: int,
    output: Path,
    test_size: int | None,
    as_json: bool,
) -> None:
    """Write labelled words of a task to a file, with a header that makes them again.

    The suffix chooses the form: arrays of ids (.npz), or a word's symbols and its labels as text,
    joined by spaces, - where a position is not scored (.csv, .jsonl, .parquet). The same command
    gives the same bytes, and an interrupted one leaves nothing. Without a suffix it is a folder
    with a training and a test split, which Hugging Face's load_dataset reads. That and .parquet
    need pip install 'flann-lab[parquet]'.

    \b
      flann data A5 --length 20 --size 1000000 -o words.npz
      flann data dyck-2:mode=recognise --length 40 --size 5000 --seed 1 -o dyck.csv
      flann data 'regex:(aa|b)*' --length 16 -o words.jsonl
      flann data A5 --length 20 --size 100000 --test-size 5000 -o A5-20
    """
    from flann.tasks import get_task

    from .data import file_header, write_words
    from .data_folder import TEST_SIZE, folder_header, write_folder
    from .progress import Progress, writing_line

    task = get_task(name, imports=True)
    progress, start = Progress(), time.monotonic()

    def watch(done: int, of: int) -> None:
        progress.line(writing_line(done, of, time.monotonic() - start))

    try:
        if output.suffix:
            if test_size is not None:
                raise UserError("--test-size is for a folder: expected -o without a suffix")
            write_words(task, length, size, seed, output, watch)
            files, header = [output], file_header(task, length, size, seed, output)
        else:
            test_size = TEST_SIZE if test_size is None else test_size
            write_folder(task, length, size, test_size, seed, output, watch)
            files = sorted(output.iterdir())
            header = folder_header(task, length, size, test_size, seed, output)
    finally:
        progress.close()
    made = {"path": str(output), "bytes": sum(file.stat().st_size for file in files), **header}
    text = f"{output}: {size:,} words of {task.name} at length {length}, {made['bytes']:,} bytes"
    click.echo(json.dumps(made, indent=2) if as_json else text)


@cli.command(short_help="Which classes a regular language is in, decided from its automaton.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--regex", help="A regular expression, as in '(aa|b)*'.")
@click.option("--task", help="A regular task; see `flann tasks`.")
@click.option("--eggbox", "draw_eggbox", is_flag=True, help="The semigroup too, as text.")
@click.option("--seconds", type=float, default=30.0, show_default=True, help="Then: not known.")
@AS_JSON
def classify(
    file: Path | None,
    regex: str | None,
    task: str | None,
    draw_eggbox: bool,
    seconds: float,
    as_json: bool,
) -> None:
    """Say which classes a regular language is in, from its automaton alone.

    Locally and piecewise testable, on a tier or not, star-free, R-trivial and so on, and the
    circuit class; with the width of the window, the words that violate an equation, or what
    stopped the decision. FILE is an automaton: AT&T text or JSON.

    \b
      flann classify --regex '(ab)*'
      flann classify --task tomita-3 --eggbox
      flann classify machine.att --json
    """
    from flann.tasks.algebra import classify_machine, classify_task, eggbox, machine_of
    from flann.tasks.task import Task

    from .classes import asked, deciding, page

    if not seconds > 0:
        raise UserError(f"--seconds {seconds:g}: expected a positive number of seconds")
    language = asked(regex, task, file)
    boxes = ""
    if draw_eggbox:  # first, as it may be refused
        boxes = eggbox(machine_of(language) if isinstance(language, Task) else language)
    with deciding() as progress:
        if isinstance(language, Task):
            found = classify_task(language, seconds=seconds, progress=progress)
        else:
            found = classify_machine(language, seconds=seconds, progress=progress)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
    else:
        click.echo(page(str(task or regex or file), found))
    if boxes:
        click.echo("\n" + boxes, err=as_json)


@cli.command(short_help="What is known of an architecture on a task, and why.")
@click.option("--task", "tasks", multiple=True, required=True, help="A task; see `flann tasks`.")
@click.option("--model", "models", multiple=True, required=True, help="See `flann models`.")
@AS_JSON
def theory(tasks: tuple[str, ...], models: tuple[str, ...], as_json: bool) -> None:
    """Say what an architecture is known to be able to do on a task, in every regime.

    Three lines each: what the task's algebra is and hence its circuit class; what the
    architecture's family is known to do, and who showed it; what follows.

    \b
      flann theory --task A5 --model mamba --model lstm
      flann theory --task 'regex:(aa|b)*' --model transformer:position=none --json
    """
    from flann.tasks import get_task

    from .verdicts import argument, family_of, join

    families = {model: family_of(model) for model in models}
    joined = [
        join(get_task(task, imports=True), model, family)
        for task in tasks
        for model, family in families.items()
    ]
    if as_json:
        click.echo(json.dumps(joined[0] if len(joined) == 1 else joined, indent=2))
    else:
        click.echo("\n\n".join(map(argument, joined)))


@cli.command(short_help="The architectures, at matched size, and what they cost.")
@click.argument("names", nargs=-1)
@click.option("--parameters", "--budget", "parameters", type=int, help="Budget. [100000]")
@click.option("--depth", type=int, help="Layers. [1]")
@click.option("--cost", is_flag=True, help="Measure time and memory against length.")
@click.option("--lengths", type=Lengths(), help="Of --cost. [64,256,1024]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="--cost's CSV. [costs.csv]")
@AS_JSON
def models(
    names: tuple[str, ...],
    parameters: int | None,
    depth: int | None,
    cost: bool,
    lengths: tuple[int, ...] | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """List the architectures, or describe one: its options, family, and sizes at a budget.

    With --budget or --depth and no name, or several names, the table of all at that size: what is
    carried after T symbols, operations and memory for each symbol of a training step. With --cost,
    time and memory of training on one word and of generating, measured on this machine, as a table
    (CSV) and a figure beside it; lengths up to 16384 take some minutes.

    \b
      flann models
      flann models mamba:eigenvalues=negative --parameters 1000000 --depth 2
      flann models --budget 100000 --depth 2
      flann models lstm mamba transformer --cost --lengths 64,256,1024,4096,16384
    """
    from flann.models import model_registry

    size = {"parameters": parameters or 100_000, "depth": 1 if depth is None else depth}
    if cost:
        show_costs(list(names), size, lengths, output or Path("costs.csv"), as_json)
    elif lengths or output:
        raise UserError("--lengths and --output belong to --cost")
    elif len(names) == 1:
        described = describe_model(names[0], **size)
        click.echo(json.dumps(described, indent=2) if as_json else model_page(described))
        if not as_json:
            click.echo(option_table(model_registry, names[0]))
    elif names or parameters is not None or depth is not None:
        from .costs import matched

        rows = matched(list(names), **size)
        click.echo(json.dumps(rows, indent=2) if as_json else size_table(rows))
    else:
        listed = [{"name": e.name, "summary": e.summary} for e in model_registry.index.values()]
        click.echo(json.dumps(listed, indent=2) if as_json else name_list(model_registry))


def show_costs(
    names: list[str], size: dict[str, int], lengths: tuple[int, ...] | None, path: Path, quiet: bool
) -> None:
    """Measure, and write the table, the figure, and what was found."""
    import pandas as pd

    from flann.reports import draw_costs

    from .costs import LENGTHS, measured, write_costs
    from .progress import Progress

    write_costs([], path)
    progress = Progress()

    def watch(name: str, length: int, what: str) -> None:
        progress.line(f"{name}: {what}, length {length:,}")

    try:
        rows = measured(names, **size, lengths=lengths or LENGTHS, watch=watch)
    finally:
        progress.close()
    write_costs(rows, path)
    figure = draw_costs(pd.DataFrame(rows), path.with_suffix(".png"))
    click.echo(json.dumps(rows, indent=2) if quiet else cost_table(rows))
    if not quiet:
        click.echo(f"table: {path}\nfigure: {figure}")


def describe_model(name: str, parameters: int, depth: int) -> dict[str, Any]:
    """An architecture at a budget, for a task of 60 symbols and 60 labels such as A5."""
    from flann.models import build_model

    from .running import parameter_count

    model = build_model(
        name, symbols=60, labels=60, depth=depth, parameters=parameters, imports=True
    )
    return {
        "name": model.name,
        "family": model.family,
        "causal": model.causal,
        "longest": model.longest,
        "depth": depth,
        "budget": parameters,
        "parameters": parameter_count(model),
        "sizes": dict(model.sizes),
        "state_size": {str(length): model.state_size(length) for length in (16, 256)},
    }
