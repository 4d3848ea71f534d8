"""The store of runs: the folder of a run in progress, and the folder of a finished one.

A run works in ``runs/.partial/<folder>/``, which is renamed to ``runs/<folder>/`` at the end, so a
folder there is complete. Every file is written under a temporary name and renamed. A run in
progress holds a lease: a file lock, which the kernel releases when the process dies, and in the
same file the host, the process and a heartbeat, for processes on other machines that share the
disk.
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

from flann.errors import UserError
from flann.experiments.experiment import ResolvedExperiment
from flann.files import read_json, write_aside

PARTIAL = ".partial"
HEARTBEAT_TIMEOUT = 300.0
"""Seconds without a heartbeat after which a process on another host counts as dead."""


class Store:
    """The runs under one folder.

    Parameters
    ----------
    root : Path or str
        the folder; it is created when the first run starts.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def find(self, experiment: ResolvedExperiment) -> Path | None:
        """Return the folder of this experiment's finished run, or None."""
        folder = self.root / experiment.folder
        return folder if folder.is_dir() else None

    @contextmanager
    def open(self, experiment: ResolvedExperiment, *, restart: bool = False) -> Iterator[Path]:
        """Open the folder that a run works in, locked for this process alone.

        Parameters
        ----------
        experiment : ResolvedExperiment
        restart : bool
            start over, instead of resuming a stopped run. A finished run stays in place until
            `finish` replaces it.

        Raises
        ------
        UserError
            if another process makes this run, or the folder cannot be written.
        """
        folder = self.root / PARTIAL / experiment.folder
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with hold_lease(locate_lease(folder)):
                self._prepare(folder, experiment, restart)
                yield folder
        except OSError as error:
            path = error.filename or self.root
            raise UserError(f"cannot write the runs folder: {path}: {error.strerror}") from error

    def _prepare(self, folder: Path, experiment: ResolvedExperiment, restart: bool) -> None:
        if restart and folder.exists():
            shutil.rmtree(folder)
        finished = self.find(experiment)
        if finished is not None and not restart and not folder.exists():
            finished.rename(folder)
        folder.mkdir(exist_ok=True)
        write_aside(folder / "experiment.json", experiment.settings.to_json())

    def finish(self, folder: Path) -> Path:
        """Move a finished run to where reports find it, in place of an earlier one."""
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
def hold_lease(lease: Path) -> Iterator[None]:
    """Hold a lease while a run works; refuse if another process holds it."""
    with lease.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refuse_lease(lease) from None
        if is_held_elsewhere(lease):
            raise refuse_lease(lease)
        renew_lease(lease)
        try:
            yield
        finally:
            file.truncate(0)  # released; the file stays, since others may be waiting for it


def locate_lease(folder: Path) -> Path:
    """Return the path of a working folder's lease."""
    return folder.with_name(folder.name + ".lease")


def renew_lease(lease: Path) -> None:
    """Write a heartbeat into the lease: this process is alive."""
    holder = {"host": socket.gethostname(), "process": os.getpid(), "heartbeat": time.time()}
    lease.write_text(json.dumps(holder), encoding="utf-8")


def is_held_elsewhere(lease: Path) -> bool:
    """Return whether a process on another host has written a recent heartbeat."""
    holder = read_holder(lease)
    if holder.get("host", socket.gethostname()) == socket.gethostname():
        return False
    return time.time() - float(holder.get("heartbeat", 0)) < HEARTBEAT_TIMEOUT


def read_holder(lease: Path) -> dict[str, Any]:
    """Return who holds the lease; empty if the lease is free or damaged."""
    try:
        holder = json.loads(lease.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return holder if isinstance(holder, dict) else {}


def refuse_lease(lease: Path) -> UserError:
    """Return the error that names the holder of the lease."""
    holder = read_holder(lease)
    who = f"process {holder.get('process', '?')} on {holder.get('host', 'this machine')}"
    return UserError(f"this run is being made by {who}: wait for it, or stop it first")


def read_curve(folder: Path) -> pd.DataFrame:
    """Read the curve of a finished run.

    Raises
    ------
    UserError
        if the file is missing or damaged.
    """
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
    """Write a table as CSV, with enough digits that every number reads back the same."""
    write_aside(path, table.to_csv(index=False, lineterminator="\n"))
