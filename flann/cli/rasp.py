"""``flann rasp``: programs run, shown and compiled from the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from flann.errors import UserError, unknown

from .parameters import SuggestingGroup

if TYPE_CHECKING:
    from flann.rasp.graph.sops import Node
    from flann.rasp.interpreter.interpreter import Interpreter
    from flann.rasp.interpreter.session import Session

PROMPT, MORE = ">> ", ".. "
HISTORY = Path("~/.flann_rasp_history").expanduser()


@click.group(cls=SuggestingGroup, short_help="RASP programs: run, shown, compiled to weights.")
def rasp() -> None:
    """Programs in RASP, the language of what a transformer computes.

    \b
      flann rasp repl                              a session; or a script on standard input
      flann rasp run dyck.rasp --name dyck "(()"   a program on words
      flann rasp show dyck.rasp --word "(()"       what it needs: layers, heads, selectors
      flann rasp compile A5 --max-length 256       a program as the weights of a transformer
    """


@rasp.command(short_help="A session, or a script on standard input.")
def repl() -> None:
    """Read statements and print the value of each on a line of its own.

    From a terminal it asks for statements and keeps a history; from a pipe it reads a script and
    ends at its first error.

    \b
      echo 'reverse = aggregate(select(indices, length-indices-1, ==), tokens); reverse("abc");' |
        flann rasp repl
    """
    from flann.rasp.interpreter.session import Session

    session = Session(Path.cwd())
    if not sys.stdin.isatty():
        for line in session.feed(sys.stdin.read()):
            click.echo(line)
        return
    with history():
        for source in typed():
            try:
                for line in session.feed(source):
                    click.echo(line)
            except UserError as error:
                click.echo(f"flann: {error}", err=True)
            if session.over:
                return


def typed() -> Iterator[str]:
    """What is typed, statement by statement; ends at Ctrl-D."""
    from flann.rasp.interpreter.session import unfinished

    waiting = ""
    while True:
        try:
            waiting += input(MORE if waiting else PROMPT) + "\n"
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo()
            waiting = ""
            continue
        if not unfinished(waiting):
            yield waiting
            waiting = ""


class history:  # noqa: N801  # used as a verb: with history(): ...
    """The lines typed in earlier sessions, where the terminal can bring them back."""

    def __enter__(self) -> None:
        try:
            import readline

            readline.read_history_file(HISTORY)
        except (ImportError, OSError):
            pass

    def __exit__(self, *raised: object) -> None:
        try:
            import readline

            readline.set_history_length(1000)
            readline.write_history_file(HISTORY)
        except (ImportError, OSError):
            pass


SPLIT = click.option("--split", is_flag=True, help="Symbols of a word stand between spaces.")
NAME = click.option("--name", help="What of the program; by default what it defines last.")


@rasp.command("run", short_help="A program on words.")
@click.argument("file")
@click.argument("words", nargs=-1, required=True)
@NAME
@SPLIT
def run_program(file: str, words: tuple[str, ...], name: str | None, split: bool) -> None:
    """Run a program on words and print the values, a line for each word.

    FILE is a program of your own, one that comes with flann, or a task that has one.

    \b
      flann rasp run dyck.rasp --name dyck "(()" "())("
      flann rasp run dyck-2 "([)]"
    """
    from flann.rasp.graph.evaluation import on_words
    from flann.rasp.graph.sops import SOp
    from flann.rasp.interpreter.session import spelled

    interpreter, node = chosen(file, name)
    if not isinstance(node, SOp):
        raise UserError(f"{file}: what it defines last is a selector: expected an s-op; see --name")
    for word in words:
        symbols = word.split() if split else word
        click.echo(f"= {spelled(on_words(node, [symbols], interpreter.places)[0])}")


@rasp.command(short_help="Layers, heads and selectors of a program.")
@click.argument("file")
@NAME
@SPLIT
@click.option("--word", help="Draw the selectors on this word.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Draw them as a figure.")
def show(file: str, name: str | None, split: bool, word: str | None, output: Path | None) -> None:
    """Show what a program needs: layers, heads, and what each head selects on a word.

    \b
      flann rasp show dyck.rasp --word "(())"
      flann rasp show dyck.rasp --word "(())" -o heads.png
    """
    from flann.rasp.interpreter.report import heads_of, report_on

    interpreter, node = chosen(file, name)
    if output is not None and word is None:
        raise UserError("--output: expected a --word to draw the selectors on")
    click.echo(report_on(interpreter, node if name else None))
    symbols = word.split() if split and word else word
    if symbols is None:
        return
    from flann.rasp.graph.drawing import as_text, draw_heads

    heads = heads_of(node, symbols, interpreter.places)
    if output is not None:
        click.echo(f"picture: {draw_heads(heads, symbols, output)}")
        return
    for title, pairs in heads:
        click.echo(f"{title}\n{as_text(pairs, symbols)}")


def chosen(file: str, name: str | None) -> tuple[Interpreter, Node]:
    """A program's interpreter, and the s-op or selector that is asked for."""
    from flann.rasp.graph.sops import Node
    from flann.rasp.interpreter.session import Session

    session, last = read(file)
    names = {
        key: value
        for key, value in session.interpreter.scope.names.items()
        if isinstance(value, Node) and key != "tokens"
    }
    assert isinstance(session, Session)
    if name is None:
        if not isinstance(last, Node):
            raise UserError(
                f"{file}: no s-op is defined last: expected --name ({', '.join(names)})"
            )
        return session.interpreter, last
    if name not in names:
        raise unknown(f"s-op of {file}", name, names)
    return session.interpreter, names[name]


def known_program(name: str) -> str:
    """The text of a program that comes with flann, by its own name or by its task's."""
    from flann.rasp.interpreter.session import loaded
    from flann.rasp.programs.catalogue import load_program

    try:
        return loaded(Path.cwd(), name)
    except UserError:
        try:
            return load_program(name).source
        except UserError as error:
            if "unknown task" not in str(error):
                raise
        raise


def read(file: str) -> tuple[Session, object]:
    """A program from a file, or of those that come with flann; and the last value it makes."""
    from flann.rasp.interpreter.session import Session, read_program
    from flann.rasp.language.parser import parse

    path = Path(file)
    there = path.is_file() or path.suffix == ".rasp" or path.name != file
    source = read_program(path) if there else known_program(file)
    session = Session(path.parent if there else Path.cwd())
    last: object = None
    for statement in parse(source):
        value = session.interpreter.statement(statement, session.interpreter.scope)
        last = value if value is not None else last
    return session, last


@rasp.command("compile", short_help="A program as the weights of a transformer.")
@click.argument("name")
@click.option("--max-length", type=int, default=64, show_default=True, help="The longest word.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="NAME.safetensors, JSON beside it."
)
@click.option("--name", "of", help="Of a program in a file: which s-op. [the last]")
@click.option("--symbols", help="Of a program in a file: its alphabet, as in abc.")
@SPLIT
@click.option("--layers", type=int, help="Of doubling: right up to radix^layers. [as needed]")
@click.option("--radix", type=int, default=2, show_default=True, help="Windows joined at a time.")
@click.option("--method", help="series or doubling, for groups.")
@click.option("--precision", default="float32", show_default=True, help="float32 or float64.")
@click.option("--check", "checked", is_flag=True, help="Compare with the program at every length.")
def compile_command(
    name: str,
    max_length: int,
    output: Path | None,
    of: str | None,
    symbols: str | None,
    split: bool,
    layers: int | None,
    radix: int,
    method: str | None,
    precision: str,
    checked: bool,
) -> None:
    """Compile a program: NAME is a task, a program that comes with flann, or a file.

    What cannot be compiled exactly is refused, with the reasons.

    \b
      flann rasp compile A5 --max-length 256 -o a5.safetensors
      flann rasp compile dyck-2 --check
      flann rasp compile mine.rasp --symbols '()' --max-length 100
    """
    from flann.progress import Progress
    from flann.rasp.compiler import compile_sop, save_network
    from flann.rasp.compiler.check import check
    from flann.rasp.graph.sops import SOp

    if Path(name).suffix == ".rasp":
        interpreter, node = chosen(name, of)
        if symbols is None:
            raise UserError(f"{name}: expected --symbols, the alphabet that it reads")
        if not isinstance(node, SOp):
            raise UserError(f"{name}: a selector is no network: expected an s-op; see --name")
        alphabet = symbols.split() if split else list(symbols)
        made = compile_sop(
            node, alphabet, max_length, name=Path(name).stem, places=interpreter.places,
            precision=cast(Any, precision),  # what it is not is refused there
        )  # fmt: skip
    else:
        from flann.rasp import load_program
        from flann.rasp.compiler import compile_program

        program = load_program(
            name, max_length=max_length, layers=layers, radix=radix,
            method=cast(Any, method),
        )  # fmt: skip
        node = program.node
        made = compile_program(program, max_length, cast(Any, precision))
    notes = made.notes
    click.echo(
        f"{made.name}: {notes['layers']} layers of {notes['heads']} heads as {notes['blocks']}"
        f" blocks, width {notes['width']}, {made.parameters:,} parameters, words to {max_length};"
        f" sharpness {notes['sharpness']:g}, error at most {notes['error']:.2g}"
        f" of {notes['tolerance']:g}"
    )
    if checked:
        progress = Progress()
        try:
            found = check(
                node,
                made,
                watch=lambda n: progress.line(f"comparing at length {n} of {max_length}"),
            )
        finally:
            progress.close()
        click.echo(f"check: {found}")
        if found.wrong is not None:
            raise UserError(f"{made.name} is wrong from length {found.wrong} on: nothing written")
    if output is not None:
        click.echo(f"weights: {save_network(made, output)}")
