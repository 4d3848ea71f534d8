"""Files written whole or not at all, and JSON read with a message that names the damaged file.

A file is written under a temporary name beside its target and then renamed, which POSIX makes
atomic: a reader finds the old content or the new content, never a part of either.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .errors import UserError


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
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    finally:
        if temporary.exists():  # unlink(missing_ok=True) raises where a parent is no folder
            temporary.unlink()


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
