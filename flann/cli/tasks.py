"""``flann tasks``, ``data``, ``classify`` and ``theory``: commands about a task alone."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from flann.errors import UserError

from .console import format_names, format_options, format_statements, format_task
from .parameters import AS_JSON


@click.command(short_help="The problems, with exact answers.")
@click.argument("name", required=False)
@click.option(
    "--draw",
    type=click.Path(path_type=Path),
    help="Draw the task's automaton or Cayley graph to an SVG, PNG or PDF file.",
)
@click.option("--theory", "with_theory", is_flag=True, help="Also print every statement of theory.")
@AS_JSON
def tasks(name: str | None, draw: Path | None, with_theory: bool, as_json: bool) -> None:
    """List the tasks, or describe one: its symbols, its labels, an example and its class.

    \b
      flann tasks
      flann tasks A4xZ5:generators=2
      flann tasks parity --theory
      flann tasks 'regex:(aa|b)*' --draw automaton.svg
    """
    from flann.tasks import get_task, task_names, task_registry

    if name is None:
        for option, value in (("--draw", draw), ("--theory", with_theory)):
            if value:
                raise UserError(f"{option}: expected the name of one task")
        click.echo(
            json.dumps([get_task(each).describe() for each in task_names()], indent=2)
            if as_json
            else format_names(task_registry)
        )
        return
    description = get_task(name, imports=True).describe()
    if draw is not None:
        draw_task(description, draw)
    if as_json:
        click.echo(json.dumps(description, indent=2))
        return
    click.echo(format_task(description))
    click.echo(format_options(task_registry, name))
    if with_theory:
        click.echo(format_statements(description["theory"]))
    else:
        click.echo("--theory prints every statement of theory with its source")


def draw_task(description: dict[str, Any], path: Path) -> None:
    """Draw a task's automaton or Cayley graph, or refuse a task that has neither."""
    from flann.tasks.automata.drawing import draw

    structure = description.get("structure")
    if not structure:
        raise UserError(f"{description['name']} has no automaton or Cayley graph to draw")
    try:
        draw(structure, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


@click.command(short_help="Write labelled words to a file, for other programs.")
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
    from flann.export.huggingface import TEST_SIZE, build_folder_header, write_folder
    from flann.export.words import build_file_header, write_words
    from flann.progress import Progress, format_writing_line
    from flann.tasks import get_task

    task = get_task(name, imports=True)
    progress, start = Progress(), time.monotonic()

    def watch(done: int, of: int) -> None:
        progress.line(format_writing_line(done, of, time.monotonic() - start))

    try:
        if output.suffix:
            if test_size is not None:
                raise UserError("--test-size is for a folder: expected -o without a suffix")
            write_words(task, length, size, seed, output, watch)
            files, header = [output], build_file_header(task, length, size, seed, output)
        else:
            test_size = TEST_SIZE if test_size is None else test_size
            write_folder(task, length, size, test_size, seed, output, watch)
            files = sorted(output.iterdir())
            header = build_folder_header(task, length, size, test_size, seed, output)
    finally:
        progress.close()
    made = {"path": str(output), "bytes": sum(file.stat().st_size for file in files), **header}
    text = f"{output}: {size:,} words of {task.name} at length {length}, {made['bytes']:,} bytes"
    click.echo(json.dumps(made, indent=2) if as_json else text)


@click.command(short_help="Which classes a regular language is in, decided from its automaton.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--regex", help="A regular expression, as in '(aa|b)*'.")
@click.option("--task", help="A regular task; see `flann tasks`.")
@click.option("--eggbox", "eggbox", is_flag=True, help="The semigroup too, as text.")
@click.option("--seconds", type=float, default=30.0, show_default=True, help="Then: not known.")
@AS_JSON
def classify(
    file: Path | None,
    regex: str | None,
    task: str | None,
    eggbox: bool,
    seconds: float,
    as_json: bool,
) -> None:
    """Decide which classes a regular language is in, from its automaton alone.

    Locally and piecewise testable, on a tier or not, star-free, R-trivial and so on, and the
    circuit class; with the width of the window, the words that violate an equation, or what
    stopped the decision. FILE is an automaton: AT&T text or JSON.

    
      flann classify --regex '(ab)*'
      flann classify --task tomita-3 --eggbox
      flann classify machine.att --json
    """
    from flann.tasks.algebra import classify_machine, classify_task, draw_eggbox, require_machine
    from flann.tasks.core.task import Task

    from .classify import format_table, load_language, report_progress

    if not seconds > 0:
        raise UserError(f"--seconds {seconds:g}: expected a positive number of seconds")
    language = load_language(regex, task, file)
    boxes = ""
    if eggbox:  # first, as it may be refused
        boxes = draw_eggbox(require_machine(language) if isinstance(language, Task) else language)
    with report_progress() as progress:
        if isinstance(language, Task):
            found = classify_task(language, seconds=seconds, progress=progress)
        else:
            found = classify_machine(language, seconds=seconds, progress=progress)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
    else:
        click.echo(format_table(str(task or regex or file), found))
    if boxes:
        click.echo("\n" + boxes, err=as_json)


@click.command(short_help="What is known of an architecture on a task, and why.")
@click.option("--task", "tasks", multiple=True, required=True, help="A task; see `flann tasks`.")
@click.option("--model", "models", multiple=True, required=True, help="See `flann models`.")
@AS_JSON
def theory(tasks: tuple[str, ...], models: tuple[str, ...], as_json: bool) -> None:
    """Show what an architecture is known to be able to do on a task, in every regime.

    Three lines each: what the task's algebra is and hence its circuit class; what the
    architecture's family is known to do, and who showed it; what follows.

    
      flann theory --task A5 --model mamba --model lstm
      flann theory --task 'regex:(aa|b)*' --model transformer:position=none --json
    """
    from flann.tasks import get_task
    from flann.theory_report import find_family, format_argument, join_theory

    families = {model: find_family(model) for model in models}
    joined = [
        join_theory(get_task(task, imports=True), model, family)
        for task in tasks
        for model, family in families.items()
    ]
    if as_json:
        click.echo(json.dumps(joined[0] if len(joined) == 1 else joined, indent=2))
    else:
        click.echo("\n\n".join(map(format_argument, joined)))
