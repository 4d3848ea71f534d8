"""Program files: the library, the programs that come with flann, and the user's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flann.errors import UnknownNameError, UserError
from flann.rasp.language import syntax
from flann.rasp.language.parser import parse

from .interpreter import Interpreter

PROGRAMS = Path(__file__).parents[1] / "programs"
"""The folder of the programs that come with flann."""

LARGEST_FILE = 1 << 20  # bytes


@cache
def load_library() -> tuple[syntax.Statement, ...]:
    """Return the statements of the library."""
    return tuple(parse((PROGRAMS / "library.rasp").read_text(encoding="utf-8")))


def create_interpreter(folder: Path | None = None) -> Interpreter:
    """Return an interpreter that knows the library.

    Parameters
    ----------
    folder : Path, optional
        where ``load`` looks for files; without one, ``load`` is refused.
    """
    load = None if folder is None else lambda name: load_source(folder, name)
    interpreter = Interpreter(load)
    interpreter.add_library(load_library())
    interpreter.steps = 0
    return interpreter


def load_source(folder: Path, name: str) -> str:
    """Return the text of a program in a folder, or of one that comes with flann.

    Raises
    ------
    UserError
        for a name that is a path, or of no program.
    """
    if not name or Path(name).name != name:
        raise UserError(f"load {name!r}: expected the name of a file in the same folder")
    file = name if name.endswith(".rasp") else f"{name}.rasp"
    for directory in (folder, PROGRAMS):
        if (directory / file).is_file():
            return read_source(directory / file)
    known = sorted(path.stem for path in PROGRAMS.glob("*.rasp"))
    raise UnknownNameError("program to load", name, known)


def read_source(path: Path) -> str:
    """Return the text of a program file."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(f"{path} is larger than {LARGEST_FILE} bytes: expected a program")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a program: expected text in UTF-8") from error
