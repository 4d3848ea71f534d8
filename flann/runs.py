"""The store of runs: where a run lives while it works, and where it lies when it has ended.

A run works in ``runs/.partial/<folder>/`` and is renamed to ``runs/<folder>/`` when it has ended,
so what lies there is whole. Every file is written aside and renamed. While it works, it holds a
lease: a file lock, which the kernel drops when the process dies, and beside it the host, the
process and a heartbeat, for processes on other machines that share the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from .errors import UserError
from .experiment import Experiment

PARTIAL = ".partial"
SILENT = 300.0  # seconds without a heartbeat after which another host's run counts as dead
ENDED_FILES = ("experiment.json", "result.json", "environment.json", "task.json", "theory.json")


def write_aside(path: Path, content: bytes | str) -> None:
    """Write a file so that it is either the old one or the whole new one, never half."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, data: Any) -> None:
    """JSON, indented, atomically."""
    write_aside(path, json.dumps(data, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """JSON, or one line that says which file is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged: expected JSON ({error})") from error


class Store:
    """The runs under one folder.

    Parameters
    ----------
    root : Path or str
        made when the first run starts.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def ended(self, experiment: Experiment) -> Path | None:
        """The folder of this experiment's ended run, or None."""
        folder = self.root / experiment.folder
        return folder if folder.is_dir() else None

    @contextmanager
    def work(self, experiment: Experiment, *, anew: bool = False) -> Iterator[Path]:
        """The folder to work in, held for this process alone.

        A run that was stopped is taken up where it was left; `anew` starts over, and leaves the
        ended run in place until :meth:`end` puts the new one there.
        """
        folder = self.root / PARTIAL / experiment.folder
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with held(folder.with_name(folder.name + ".lease")):
                self._lay_out(folder, experiment, anew)
                yield folder
        except OSError as error:
            place = error.filename or self.root
            raise UserError(f"cannot write the runs folder: {place}: {error.strerror}") from error

    def _lay_out(self, folder: Path, experiment: Experiment, anew: bool) -> None:
        if anew and folder.exists():
            shutil.rmtree(folder)
        ended = self.ended(experiment)
        if ended is not None and not anew and not folder.exists():
            ended.rename(folder)
        folder.mkdir(exist_ok=True)
        write_aside(folder / "experiment.json", experiment.to_json())

    def end(self, folder: Path) -> Path:
        """Move a run that has ended to where reports find it, in place of an earlier one."""
        final = self.root / folder.name
        if final.exists():
            old = folder.with_name(f"{folder.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            final.rename(old)
            folder.rename(final)
            shutil.rmtree(old)
        else:
            folder.rename(final)
        return final


@contextmanager
def held(lease: Path) -> Iterator[None]:
    """Hold a lease while a run works; refuse if another process does."""
    with lease.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken(lease) from None
        if lives_elsewhere(lease):
            raise taken(lease)
        beat(lease)
        try:
            yield
        finally:
            file.truncate(0)  # held by nobody; the file stays, for others may be waiting on it


def beat(lease: Path) -> None:
    """Note in the lease that this process is alive."""
    holder = {"host": socket.gethostname(), "process": os.getpid(), "heartbeat": time.time()}
    lease.write_text(json.dumps(holder), encoding="utf-8")


def lives_elsewhere(lease: Path) -> bool:
    """Whether a process on another host gave a sign of life not long ago."""
    holder = holder_of(lease)
    if holder.get("host", socket.gethostname()) == socket.gethostname():
        return False
    return time.time() - float(holder.get("heartbeat", 0)) < SILENT


def holder_of(lease: Path) -> dict[str, Any]:
    """Who holds the lease; empty if it is damaged or free."""
    try:
        holder = json.loads(lease.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return holder if isinstance(holder, dict) else {}


def taken(lease: Path) -> UserError:
    """The refusal that names the holder."""
    holder = holder_of(lease)
    who = f"process {holder.get('process', '?')} on {holder.get('host', 'this machine')}"
    return UserError(f"this run is being made by {who}: wait for it, or stop it first")


def read_curve(folder: Path) -> pd.DataFrame:
    """The curve of an ended run."""
    path = folder / "curve.csv"
    try:
        curve = pd.read_csv(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}") from error
    result = read_json(folder / "result.json")
    if len(curve) != result.get("rows", len(curve)) or "per_word" not in curve:
        raise UserError(f"{path} is damaged: expected {result.get('rows')} rows, got {len(curve)}")
    return curve


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A table as CSV, numbers with all the digits that read back to the same number."""
    write_aside(path, table.to_csv(index=False, lineterminator="\n"))
