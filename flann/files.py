"""Atomic writing of files, and reading of JSON with errors that name the damaged file.

A file is written under a temporary name beside its target and then renamed, which POSIX makes
atomic: a reader finds the old content or the new content, never a part of either.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .errors import UserError


@contextmanager
def open_aside(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for streamed writing that replaces its target only when the block succeeds.

    Parameters
    ----------
    path : Path
        the file to write or replace; its folder must exist.

    Yields
    ------
    file
        a binary file under a temporary name in the same folder. It is renamed to `path` when the
        block ends, and deleted if the block raises.

    Raises
    ------
    UserError
        if the file cannot be written. An earlier file then stands as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_aside(Path(folder) / "a.txt") as file:
    ...         _ = file.write(b"first part, ")
    ...         _ = file.write(b"second part")
    ...     (Path(folder) / "a.txt").read_text()
    'first part, second part'
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_dir():  # refused before the content is computed
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary.exists():  # unlink(missing_ok=True) raises where a parent is no folder
            temporary.unlink()


def write_aside(path: Path, content: bytes | str) -> None:
    """Write a file atomically, and make its folder if there is none.

    Parameters
    ----------
    path : Path
        the file to write or replace.
    content : bytes or str
        what it is to hold; text is encoded as UTF-8.

    Raises
    ------
    UserError
        if the file cannot be written. An earlier file then stands as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_aside(Path(folder) / "a.txt", "one line")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    with open_aside(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, data: Any) -> None:
    """Write data as indented JSON, atomically."""
    write_aside(path, json.dumps(data, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    UserError
        if the file cannot be read or does not hold JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged: expected JSON ({error})") from error
