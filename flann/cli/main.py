"""The command ``flann``: its groups of commands, and what a mistake looks like.

Each command imports what it needs when it is called, so that ``flann --help`` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from flann import __version__
from flann.errors import UserError

from .models import models
from .parameters import SuggestingGroup
from .rasp import rasp
from .report import report
from .run import run
from .tasks import classify, data, tasks, theory


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    The exit code is 2 for a mistake, which is reported in one line, and 130 for Ctrl-C.
    """
    sys.path.append(str(Path.cwd()))  # last, so that ``package.module:Name`` is found here too
    try:
        code = cli.main(arguments, prog_name="flann", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 2
    except click.ClickException as error:
        print_error(error.format_message())
        code = 2
    except UserError as error:
        print_error(str(error))
        code = 2
    except (KeyboardInterrupt, click.Abort) as stop:
        print_error(str(stop.__cause__ or stop) or "interrupted")  # click wraps KeyboardInterrupt
        code = 130
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        print_error(
            "out of memory: expected fewer --parameters, a smaller --batch or shorter words"
        )
        code = 2
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out.

    On the CPU torch raises a plain RuntimeError for that, which only its text tells apart.
    """
    texts = ("out of memory", "can't allocate memory")
    return isinstance(error, MemoryError) or any(text in str(error) for text in texts)


def print_error(message: str) -> None:
    """Print one line on standard error."""
    click.echo("flann: " + " ".join(message.split()), err=True)


@click.group(cls=SuggestingGroup, context_settings={"help_option_names": ["-h", "--help"]})
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
      flann report runs/*                    accuracy against length, as a page and a figure
      flann rasp repl                        programs that become transformer weights
    """


for command in (run, report, tasks, data, classify, theory, models, rasp):
    cli.add_command(command)
