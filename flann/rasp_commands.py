"""``flann rasp``: programs run, shown and compiled from the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .arguments import Suggesting
from .errors import UserError, unknown

if TYPE_CHECKING:
    from flann.rasp.interpreter import Interpreter
    from flann.rasp.session import Session
    from flann.rasp.sops import Node

PROMPT, MORE = ">> ", ".. "
HISTORY = Path("~/.flann_rasp_history").expanduser()


@click.group(cls=Suggesting, short_help="RASP programs: run, shown, compiled to weights.")
def rasp() -> None:
    """Programs in RASP, the language of what a transformer computes.

    \b
      flann rasp repl                              a session; or a script on standard input
      flann rasp run dyck.rasp --name dyck "(()"   a program on words
      flann rasp show dyck.rasp --word "(()"       what it needs: layers, heads, selectors
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
    from flann.rasp.session import Session

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
    from flann.rasp.session import unfinished

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

    FILE is a program of your own, or one that comes with flann.

    \b
      flann rasp run dyck.rasp --name dyck "(()" "())("
    """
    from flann.rasp.running import on_words
    from flann.rasp.session import spelled
    from flann.rasp.sops import SOp

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
    from flann.rasp.report import heads_of, report_on

    interpreter, node = chosen(file, name)
    if output is not None and word is None:
        raise UserError("--output: expected a --word to draw the selectors on")
    click.echo(report_on(interpreter, node if name else None))
    symbols = word.split() if split and word else word
    if symbols is None:
        return
    from flann.rasp.drawing import as_text, draw_heads

    heads = heads_of(node, symbols, interpreter.places)
    if output is not None:
        click.echo(f"picture: {draw_heads(heads, symbols, output)}")
        return
    for title, pairs in heads:
        click.echo(f"{title}\n{as_text(pairs, symbols)}")


def chosen(file: str, name: str | None) -> tuple[Interpreter, Node]:
    """A program's interpreter, and the s-op or selector that is asked for."""
    from flann.rasp.session import Session
    from flann.rasp.sops import Node

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


def read(file: str) -> tuple[Session, object]:
    """A program from a file, or of those that come with flann; and the last value it makes."""
    from flann.rasp.parser import parse
    from flann.rasp.session import Session, loaded, read_program

    path = Path(file)
    there = path.is_file() or path.suffix == ".rasp" or path.name != file
    source = read_program(path) if there else loaded(Path.cwd(), file)
    session = Session(path.parent if there else Path.cwd())
    last: object = None
    for statement in parse(source):
        value = session.interpreter.statement(statement, session.interpreter.scope)
        last = value if value is not None else last
    return session, last
