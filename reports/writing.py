"""Writing a file so that a reader finds the old one or the whole new one, never half."""

from __future__ import annotations

import os
from pathlib import Path

from flann.errors import UserError


def write_aside(file: Path, content: bytes) -> None:
    """Write beside the file and rename; its folder is made if there is none."""
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        aside.replace(file)
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror}") from error
    finally:
        if aside.exists():
            aside.unlink()
