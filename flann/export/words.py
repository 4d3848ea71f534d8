"""Labelled words for others: one file of one length, which says how to make it again.

The suffix of the file chooses its form; every form begins with, or carries, the same header.

``.npz``      arrays ``tokens`` and ``targets`` of shape (size, length + queries), -100 where not
              scored; ``symbols`` and ``labels``, what the ids mean; ``header``, a JSON string
``.csv``      ``# {header}``, then the columns ``word`` and ``labels``
              (``pandas.read_csv(path, skiprows=1, dtype=str)``)
``.jsonl``    ``{"header": {...}}``, then ``{"word": ..., "labels": ...}`` a line
``.parquet``  the columns ``word`` and ``labels``; the header is the schema's metadata ``flann``

As text a word is its symbols joined by spaces, with one label per position and ``-`` where none
is scored. White space within a name is written ``_``.

Words are drawn and written a block at a time, so memory does not grow with the file. The
generator of a block follows from the seed and the block's number, and a block's size from the
length: the same request gives the same bytes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from jaxtyping import Integer

from flann import __version__
from flann.errors import UserError, unknown
from flann.streams import stream
from flann.tasks import NOT_SCORED, Batch, Task, get_task

BLOCK = 1 << 18  # symbols in a block of words
UNSCORED = "-"  # in place of a label, in text

Header = dict[str, Any]
Watch = Callable[[int, int], None]
Write = Callable[[IO[bytes], Task, Header, Iterator[Batch]], None]


def write_words(
    task: Task | str,
    length: int,
    size: int,
    seed: int,
    path: Path | str,
    watch: Watch | None = None,
) -> Path:
    """Write labelled words of one length to a file; the same arguments give the same bytes.

    Parameters
    ----------
    task : Task or str
        the task or its name.
    length : int
        of every word, without its queries.
    size : int
        how many words, 1 or more.
    seed : int
        0 or more.
    path : Path or str
        its suffix chooses the form: ``.npz``, ``.csv``, ``.jsonl`` or ``.parquet``. It is written
        aside and renamed, so it is there whole or not at all.
    watch : callable, optional
        called with (words written, size) after every block.

    Returns
    -------
    Path
        where the words are.

    Raises
    ------
    UserError
        for another suffix, a length with no word, a file that cannot be written, or a task whose
        names cannot be told apart as text.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> print(write_words("parity", 3, 2, 0, folder / "words.csv").read_text())
    # {"task": "parity", "length": 3, "size": 2, "seed": 0, "flann": "...", "command": "..."}
    word,labels
    0 1 1,even odd even
    0 0 1,even even odd
    <BLANKLINE>
    """
    path = Path(path)
    task = get_task(task) if isinstance(task, str) else task
    if path.suffix not in WRITERS:
        raise unknown("suffix", path.suffix, WRITERS)
    for name, value, least in (("size", size, 1), ("seed", seed, 0)):
        if value < least:
            raise UserError(f"{name} {value}: expected {least} or more")
    task.check_length(length)
    header = file_header(task, length, size, seed, path)
    try:
        with_file(path, lambda file: WRITERS[path.suffix](
            file, task, header, blocks(task, length, size, seed, watch)
        ))  # fmt: skip
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def file_header(task: Task, length: int, size: int, seed: int, path: Path) -> Header:
    """What makes a file again. Where it lies is left out: it would change the bytes."""
    return header_of(task, length, size, seed, f"-o words{path.suffix}")


def header_of(task: Task, length: int, size: int, seed: int, ending: str) -> Header:
    """What makes the words again; `ending` is how the command ends, behind the seed."""
    words = ["flann", "data", task.name, "--length", length, "--size", size, "--seed", seed]
    source = {} if task.source is None else {"source": sha256(task.source.read_bytes()).hexdigest()}
    return {
        "task": task.name,
        **source,  # of a task read from a file: its content, for the name tells only where it lay
        "length": length,
        "size": size,
        "seed": seed,
        "flann": __version__,
        "command": f"{shlex.join(map(str, words))} {ending}",
    }


def with_file(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write aside and rename; whatever goes wrong, nothing is left and an older file stands."""
    if path.is_dir():
        raise IsADirectoryError(0, "it is a folder")  # found now, not after the last block
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            write(file)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def blocks(
    task: Task, length: int, size: int, seed: int, watch: Watch | None = None
) -> Iterator[Batch]:
    """The words, a block at a time; `watch` hears of a block when the next is asked for."""
    most = max(1, BLOCK // (length + task.queries(length)))
    for number, start in enumerate(range(0, size, most)):
        count = min(most, size - start)
        yield task.sample(stream(seed, "data", number), count, length)
        if watch is not None:
            watch(start + count, size)


# -- arrays --------------------------------------------------------------------------------------


def write_npz(file: IO[bytes], task: Task, header: Header, batches: Iterator[Batch]) -> None:
    """The arrays of `numpy.savez`, written in pieces; members have no date, so bytes repeat.

    A zip archive takes one member at a time, so targets wait in a file until tokens are done.
    """
    first = next(batches)
    shape = (header["size"], first.tokens.shape[1])
    folder = Path(file.name).parent
    with zipfile.ZipFile(file, "w") as archive, TemporaryFile(dir=folder) as waiting:
        with member(archive, "tokens") as out:
            start_array(out, shape, first.tokens.dtype)
            for batch in chain([first], batches):
                out.write(raw(batch.tokens))
                waiting.write(raw(batch.targets))
        waiting.seek(0)
        with member(archive, "targets") as out:
            start_array(out, shape, first.targets.dtype)
            shutil.copyfileobj(waiting, out, 1 << 20)
        told = {"symbols": task.symbols, "labels": task.labels, "header": json.dumps(header)}
        for name, value in told.items():
            with member(archive, name) as out:
                np.lib.format.write_array(out, np.array(value), allow_pickle=False)


def member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A member of the archive to write to, dated 1980 as `zipfile` does by itself."""
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


def start_array(out: IO[bytes], shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
    """What stands before the numbers of an array in numpy's file format."""
    descr = np.lib.format.dtype_to_descr(dtype.newbyteorder("<"))
    about = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, about)


def raw(array: Integer[np.ndarray, "size positions"]) -> bytes:
    """The numbers in C order, little-endian on every machine."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


# -- text ----------------------------------------------------------------------------------------


class Spelling:
    """A block of words as text: ``head word middle labels tail`` for each.

    Every piece that can occur is made into bytes once, and a block is one lookup by number and
    one join.

    Parameters
    ----------
    task : Task
    head, middle, tail : str
        what stands before, between and after word and labels.
    escape : callable
        a name as the form writes it.
    """

    def __init__(
        self,
        task: Task,
        head: str,
        middle: str,
        tail: str,
        escape: Callable[[str], str] = lambda name: name,
    ) -> None:
        self.symbols = [escape(name) for name in spelled(task, "symbols")]
        self.labels = [escape(name) for name in (UNSCORED, *spelled(task, "labels"))]
        pieces = [head, middle, tail]
        for names in (self.symbols, self.labels):
            pieces += [*names, *(f" {name}" for name in names)]  # first in its word, and later
        self.pieces = np.array([piece.encode() for piece in pieces], dtype=object)

    def __call__(self, batch: Batch) -> bytes:
        """The block's text."""
        size, width = batch.tokens.shape
        numbers = np.empty((size, 2 * width + 3), np.intp)
        numbers[:, 0], numbers[:, width + 1], numbers[:, -1] = 0, 1, 2
        word, labels = numbers[:, 1 : width + 1], numbers[:, width + 2 : -1]
        word[...] = batch.tokens
        labels[...] = batch.targets
        labels += 1  # the first name is that of a position not scored
        labels[batch.targets == NOT_SCORED] = 0
        word[:, 1:] += len(self.symbols)
        labels[:, 1:] += len(self.labels)
        word += 3
        labels += 3 + 2 * len(self.symbols)
        return b"".join(self.pieces[numbers.ravel()].tolist())


def spelled(task: Task, kind: str) -> list[str]:
    """The task's symbols or labels as text without white space; refused if two became one."""
    names = [re.sub(r"\s", "_", name) for name in getattr(task, kind)]
    taken = [UNSCORED] if kind == "labels" else []
    if "" in names or len({*names, *taken}) < len(names) + len(taken):
        raise UserError(f"the {kind} of {task.name} cannot be told apart as text: expected .npz")
    return names


def write_csv(file: IO[bytes], task: Task, header: Header, batches: Iterator[Batch]) -> None:
    """Comma-separated, a field in quotes where one of its names has a comma or a quote."""
    word, labels = (
        '"' if any(set(name) & set(',"') for name in names) else ""
        for names in (task.symbols, task.labels)
    )
    spell = Spelling(
        task, word, f"{word},{labels}", f"{labels}\n", lambda name: name.replace('"', '""')
    )
    file.write(f"# {json.dumps(header)}\nword,labels\n".encode())
    for batch in batches:
        file.write(spell(batch))


def write_jsonl(file: IO[bytes], task: Task, header: Header, batches: Iterator[Batch]) -> None:
    """One JSON object a line."""
    spell = Spelling(
        task, '{"word": "', '", "labels": "', '"}\n', lambda name: json.dumps(name)[1:-1]
    )
    file.write(json.dumps({"header": header}).encode() + b"\n")
    for batch in batches:
        file.write(spell(batch))


def write_parquet(file: IO[bytes], task: Task, header: Header, batches: Iterator[Batch]) -> None:
    """Two columns of text, a row group per block."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(
            "cannot write .parquet: pyarrow is missing: pip install 'flann-lab[parquet]'"
        ) from error
    text = pa.string()
    schema = pa.schema([("word", text), ("labels", text)], {"flann": json.dumps(header)})
    spell = Spelling(task, "", "\t", "\n")  # no name has white space, so lines come apart again
    with parquet.ParquetWriter(file, schema) as writer:
        for batch in batches:
            rows = [line.split("\t") for line in spell(batch).decode().split("\n")[:-1]]
            columns = [pa.array(column, text) for column in zip(*rows, strict=True)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


WRITERS: dict[str, Write] = {
    ".npz": write_npz,
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}
