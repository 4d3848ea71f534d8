"""The commands ``flann rasp``: run, show and compile RASP programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from flann.errors import UnknownNameError, UserError

from .parameters import SuggestingGroup

if TYPE_CHECKING:
    from flann.rasp.graph.sops import Node
    from flann.rasp.interpreter.interpreter import Interpreter
    from flann.rasp.interpreter.session import Session

PROMPT, CONTINUATION_PROMPT = ">> ", ".. "
HISTORY = Path("~/.flann_rasp_history").expanduser()
HISTORY_LINES = 1000


@click.group(cls=SuggestingGroup, short_help="Run, show and compile RASP programs.")
def rasp() -> None:
    """Run, show and compile programs in RASP, a language for what a transformer computes.

    \b
      flann rasp repl                              start a session, or run a script from a pipe
      flann rasp run dyck.rasp --name dyck "(()"   run a program on words
      flann rasp show dyck.rasp --word "(()"       show its layers, heads and selectors
      flann rasp compile A5 --max-length 256       compile a program to a transformer's weights
    """


@rasp.command(short_help="Start a session, or run a script from standard input.")
def repl() -> None:
    """Execute statements and print the value of each on a line of its own.

    In a terminal, the command prompts for statements and keeps a history. From a pipe, it reads a
    script and stops at the first error.

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
    with keep_history():
        for source in prompt_statements():
            try:
                for line in session.feed(source):
                    click.echo(line)
            except UserError as error:
                click.echo(f"flann: {error}", err=True)
            if session.finished:
                return


def prompt_statements() -> Iterator[str]:
    """Prompt for statements, and yield the text of each, until Ctrl-D."""
    from flann.rasp.interpreter.session import is_incomplete

    source = ""
    while True:
        try:
            source += input(CONTINUATION_PROMPT if source else PROMPT) + "\n"
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo()
            source = ""
            continue
        if not is_incomplete(source):
            yield source
            source = ""


@contextmanager
def keep_history() -> Iterator[None]:
    """Restore the lines typed in earlier sessions, and save them at the end.

    Where the terminal or the file does not allow it, there is no history.
    """
    try:
        import readline

        readline.read_history_file(HISTORY)
    except (ImportError, OSError):
        pass
    try:
        yield
    finally:
        try:
            import readline

            readline.set_history_length(HISTORY_LINES)
            readline.write_history_file(HISTORY)
        except (ImportError, OSError):
            pass


SPLIT = click.option("--split", is_flag=True, help="Split words into symbols at spaces.")
NAME = click.option("--name", help="The s-op or selector to use. [default: the one defined last]")


@rasp.command("run", short_help="Run a program on words.")
@click.argument("file")
@click.argument("words", nargs=-1, required=True)
@NAME
@SPLIT
def run_program(file: str, words: tuple[str, ...], name: str | None, split: bool) -> None:
    """Run a program on words and print its values, one line for each word.

    FILE is a program file, the name of a program that comes with flann, or a task that a program
    solves.

    \b
      flann rasp run dyck.rasp --name dyck "(()" "())("
      flann rasp run dyck-2 "([)]"
    """
    from flann.rasp.graph.evaluation import run_on_words
    from flann.rasp.graph.sops import SOp
    from flann.rasp.interpreter.formatting import format_value

    interpreter, node = select_node(file, name)
    if not isinstance(node, SOp):
        raise UserError(f"{file}: a selector has no values: expected an s-op; see --name")
    for word in words:
        symbols = word.split() if split else word
        values = run_on_words(node, [symbols], interpreter.spans)[0]
        click.echo(f"= {format_value(values)}")


@rasp.command(short_help="Show the layers, heads and selectors of a program.")
@click.argument("file")
@NAME
@SPLIT
@click.option("--word", help="Draw the selectors on this word.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Draw the selectors as a figure."
)
def show(file: str, name: str | None, split: bool, word: str | None, output: Path | None) -> None:
    """Show the layers and heads that a program requires, and what each head selects on a word.

    FILE is a program file, the name of a program that comes with flann, or a task that a program
    solves.

    \b
      flann rasp show dyck.rasp --word "(())"
      flann rasp show dyck.rasp --word "(())" -o heads.png
    """
    from flann.rasp.interpreter.formatting import format_requirements

    interpreter, node = select_node(file, name)
    if output is not None and word is None:
        raise UserError("--output: expected a --word to draw the selectors on")
    click.echo(format_requirements(interpreter, node if name else None))
    symbols = word.split() if split and word else word
    if symbols is None:
        return
    from flann.rasp.graph.selector_drawing import collect_heads, draw_heads, format_pairs

    heads = collect_heads(node, symbols, interpreter.spans)
    if output is not None:
        click.echo(f"picture: {draw_heads(heads, symbols, output)}")
        return
    for title, pairs in heads:
        click.echo(f"{title}\n{format_pairs(pairs, symbols)}")


def select_node(file: str, name: str | None) -> tuple[Interpreter, Node]:
    """Build a program, and return its interpreter and the s-op or selector of this name.

    Without a name, it is the one that the program defines last.
    """
    from flann.rasp.graph.sops import Node

    session, last = build_session(file)
    names = {
        key: value
        for key, value in session.interpreter.scope.names.items()
        if isinstance(value, Node) and key != "tokens"
    }
    if name is None:
        if not isinstance(last, Node):
            raise UserError(
                f"{file}: no s-op is defined last: expected --name ({', '.join(names)})"
            )
        return session.interpreter, last
    if name not in names:
        raise UnknownNameError(f"s-op of {file}", name, names)
    return session.interpreter, names[name]


def build_session(file: str) -> tuple[Session, object]:
    """Execute a program from a file, or of a name, and return the session and its last value."""
    from flann.rasp.interpreter.program_files import read_source
    from flann.rasp.interpreter.session import Session
    from flann.rasp.language.parser import parse

    path = Path(file)
    is_file = path.is_file() or path.suffix == ".rasp" or path.name != file
    source = read_source(path) if is_file else load_named_source(file)
    session = Session(path.parent if is_file else Path.cwd())
    last: object = None
    for statement in parse(source):
        value = session.interpreter.execute(statement, session.interpreter.scope)
        last = value if value is not None else last
    return session, last


def load_named_source(name: str) -> str:
    """Return the text of a program that comes with flann, by its own name or by its task's."""
    from flann.rasp.interpreter.program_files import load_source
    from flann.rasp.programs.catalogue import load_program

    try:
        return load_source(Path.cwd(), name)
    except UnknownNameError as unknown_program:
        try:
            return load_program(name).source
        except UnknownNameError as error:
            if error.kind == "task":
                raise unknown_program from None
            raise


@rasp.command("compile", short_help="Compile a program to the weights of a transformer.")
@click.argument("name")
@click.option(
    "--max-length", type=int, default=64, show_default=True, help="The longest word, in symbols."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write the weights to this .safetensors file, with JSON beside it.",
)
@click.option(
    "--name", "sop", help="The s-op of a program file to compile. [default: the one defined last]"
)
@click.option("--symbols", help="The alphabet of a program file, as in abc.")
@SPLIT
@click.option(
    "--layers",
    type=int,
    help="Layers of a program by doubling, right up to radix^layers. [default: as needed]",
)
@click.option(
    "--radix", type=int, default=2, show_default=True, help="Windows that a layer composes."
)
@click.option("--method", help="For groups: series or doubling. [default: series if solvable]")
@click.option("--precision", default="float32", show_default=True, help="float32 or float64.")
@click.option(
    "--check", "checks", is_flag=True, help="Compare the network with the program at every length."
)
def compile_command(
    name: str,
    max_length: int,
    output: Path | None,
    sop: str | None,
    symbols: str | None,
    split: bool,
    layers: int | None,
    radix: int,
    method: str | None,
    precision: str,
    checks: bool,
) -> None:
    """Compile a program: NAME is a task, a program that comes with flann, or a program file.

    A program that cannot be compiled exactly is refused, with the reasons.

    \b
      flann rasp compile A5 --max-length 256 -o a5.safetensors
      flann rasp compile dyck-2 --check
      flann rasp compile mine.rasp --symbols '()' --max-length 100
    """
    from flann.progress import Progress
    from flann.rasp.compiler import compile_program, compile_sop, save_network
    from flann.rasp.compiler.check import check
    from flann.rasp.graph.sops import SOp
    from flann.rasp.programs.catalogue import load_program

    if Path(name).suffix == ".rasp":
        interpreter, node = select_node(name, sop)
        if symbols is None:
            raise UserError(f"{name}: expected --symbols, the alphabet that it reads")
        if not isinstance(node, SOp):
            raise UserError(f"{name}: a selector is no network: expected an s-op; see --name")
        alphabet = symbols.split() if split else list(symbols)
        network = compile_sop(
            node, alphabet, max_length, name=Path(name).stem, spans=interpreter.spans,
            precision=cast(Any, precision),  # the compiler refuses other precisions
        )  # fmt: skip
    else:
        program = load_program(
            name, max_length=max_length, layers=layers, radix=radix,
            method=cast(Any, method),
        )  # fmt: skip
        node = program.node
        network = compile_program(program, max_length, cast(Any, precision))
    notes = network.notes
    click.echo(
        f"{network.name}: {notes['layers']} layers of {notes['heads']} heads as {notes['blocks']}"
        f" blocks, width {notes['width']}, {network.parameters:,} parameters, words to"
        f" {max_length}; sharpness {notes['sharpness']:g}, error at most {notes['error']:.2g}"
        f" of {notes['tolerance']:g}"
    )
    if checks:
        progress = Progress()
        try:
            comparison = check(
                node,
                network,
                watch=lambda n: progress.line(f"comparing at length {n} of {max_length}"),
            )
        finally:
            progress.close()
        click.echo(f"check: {comparison}")
        if comparison.wrong is not None:
            raise UserError(
                f"{network.name} is wrong from length {comparison.wrong} on: nothing written"
            )
    if output is not None:
        click.echo(f"weights: {save_network(network, output)}")
