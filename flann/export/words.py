"""Export of labelled words: one file of words of one length, with the command that reproduces it.

The suffix of the file selects its format; every format carries the same header.

``.npz``      arrays ``tokens`` and ``targets`` of shape (size, length + queries), -100 where not
              scored; ``symbols`` and ``labels``, the names of the ids; ``header``, a JSON string
``.csv``      ``# {header}``, then the columns ``word`` and ``labels``
              (``pandas.read_csv(path, skiprows=1, dtype=str)``)
``.jsonl``    ``{"header": {...}}``, then one line ``{"word": ..., "labels": ...}`` per word
``.parquet``  the columns ``word`` and ``labels``; the header is in the schema's metadata under the
              key ``flann``

In the text formats a word is its symbols joined by spaces, and its labels are one per position,
with ``-`` at positions that are not scored. White space within a name is written as ``_``.

Words are drawn and written one block at a time, so memory does not grow with the file. The
generator of a block is determined by the seed and the block's number, and the size of a block by
the length, so the same arguments give the same bytes.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal

import numpy as np
from jaxtyping import Integer

from flann import __version__
from flann.errors import UnknownNameError, UserError
from flann.files import open_aside
from flann.streams import open_stream
from flann.tasks import NOT_SCORED, Batch, Task, get_task

BLOCK_SYMBOLS = 1 << 18  # symbols in a block of words
UNSCORED = "-"  # the text of a label that is not scored

Header = dict[str, Any]
ReportProgress = Callable[[int, int], None]  # called with (words written, size)
Write = Callable[[IO[bytes], Task, Header, Iterator[Batch]], None]


def write_words(
    task: Task | str,
    length: int,
    size: int,
    seed: int,
    path: Path | str,
    report: ReportProgress | None = None,
) -> Path:
    """Write labelled words of one length to a file.

    The same arguments give the same bytes.

    Parameters
    ----------
    task : Task or str
        the task or its name.
    length : int
        the length of every word, without its queries.
    size : int
        the number of words, at least 1.
    seed : int
        the random seed, at least 0.
    path : Path or str
        the file; its suffix selects the format: ``.npz``, ``.csv``, ``.jsonl`` or ``.parquet``.
        It is written under a temporary name and then renamed, so a partial file never appears.
    report : callable, optional
        called with (words written, size) after every block.

    Returns
    -------
    Path
        the path of the file.

    Raises
    ------
    UserError
        if the suffix is unknown, the task has no word of this length, the file cannot be written,
        or two names of the task would be the same in a text format.

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
        raise UnknownNameError("suffix", path.suffix, WRITERS)
    for name, value, least in (("size", size, 1), ("seed", seed, 0)):
        if value < least:
            raise UserError(f"{name} {value}: expected {least} or more")
    task.check_length(length)
    header = build_file_header(task, length, size, seed, path)
    with open_aside(path) as file:
        WRITERS[path.suffix](file, task, header, draw_blocks(task, length, size, seed, report))
    return path


def build_file_header(task: Task, length: int, size: int, seed: int, path: Path) -> Header:
    """Return the header of a file.

    The command names the file ``words`` whatever its path, so that the bytes do not depend on it.
    """
    return build_header(task, length, size, seed, f"-o words{path.suffix}")


def build_header(task: Task, length: int, size: int, seed: int, ending: str) -> Header:
    """Return the arguments that reproduce the words, and the command line that does it.

    `ending` is the part of the command line after the seed.
    """
    words = ["flann", "data", task.name, "--length", length, "--size", size, "--seed", seed]
    source = {} if task.source is None else {"source": sha256(task.source.read_bytes()).hexdigest()}
    return {
        "task": task.name,
        **source,  # a hash of the content, where the name of the task is the path of a file
        "length": length,
        "size": size,
        "seed": seed,
        "flann": __version__,
        "command": f"{shlex.join(map(str, words))} {ending}",
    }


def draw_blocks(
    task: Task, length: int, size: int, seed: int, report: ReportProgress | None = None
) -> Iterator[Batch]:
    """Yield the words one block at a time, and report each block once it has been consumed."""
    block_size = count_block_words(task, length)
    for number, start in enumerate(range(0, size, block_size)):
        count = min(block_size, size - start)
        yield task.sample(open_stream(seed, "data", number), count, length)
        if report is not None:
            report(start + count, size)


def count_block_words(task: Task, length: int) -> int:
    """Return the number of words in a block of words of one length."""
    return max(1, BLOCK_SYMBOLS // (length + task.queries(length)))


# -- arrays --------------------------------------------------------------------------------------


def write_npz(file: IO[bytes], task: Task, header: Header, batches: Iterator[Batch]) -> None:
    """Write the arrays in the format of `numpy.savez`, one block at a time.

    All members carry the same date, so the bytes are reproducible. A zip archive takes one member
    at a time, so the targets are kept in a temporary file until all tokens are written.
    """
    first = next(batches)
    shape = (header["size"], first.tokens.shape[1])
    folder = Path(file.name).parent
    with zipfile.ZipFile(file, "w") as archive, TemporaryFile(dir=folder) as target_bytes:
        with open_member(archive, "tokens") as out:
            write_array_start(out, shape, first.tokens.dtype)
            for batch in chain([first], batches):
                out.write(encode_array(batch.tokens))
                target_bytes.write(encode_array(batch.targets))
        target_bytes.seek(0)
        with open_member(archive, "targets") as out:
            write_array_start(out, shape, first.targets.dtype)
            shutil.copyfileobj(target_bytes, out, 1 << 20)
        names = {"symbols": task.symbols, "labels": task.labels, "header": json.dumps(header)}
        for name, value in names.items():
            with open_member(archive, name) as out:
                np.lib.format.write_array(out, np.array(value), allow_pickle=False)


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open a member of the archive for writing, with the default date of `zipfile`, 1980."""
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


def write_array_start(out: IO[bytes], shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
    """Write the header of an array in the npy format."""
    descr = np.lib.format.dtype_to_descr(dtype.newbyteorder("<"))
    description = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, description)


def encode_array(array: Integer[np.ndarray, "size positions"]) -> bytes:
    """Return the numbers in C order, little-endian on every machine."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


# -- text ----------------------------------------------------------------------------------------


class RowFormatter:
    """The text of a block of words, one row ``head word middle labels tail`` per word.

    Every piece of text that can occur is encoded once; a block is then one array lookup and one
    join.

    Parameters
    ----------
    task : Task
        the task whose symbols and labels are written.
    head, middle, tail : str
        the text before the word, between the word and its labels, and after the labels.
    escape : callable
        maps a name to its escaped form in the file format.
    """

    def __init__(
        self,
        task: Task,
        head: str,
        middle: str,
        tail: str,
        escape: Callable[[str], str] = lambda name: name,
    ) -> None:
        self.symbols = [escape(name) for name in list_text_names(task, "symbols")]
        self.labels = [escape(name) for name in (UNSCORED, *list_text_names(task, "labels"))]
        pieces = [head, middle, tail]
        for names in (self.symbols, self.labels):
            pieces += [
                *names,
                *(f" {name}" for name in names),
            ]  # at the first position, and at later ones
        self.pieces = np.array([piece.encode() for piece in pieces], dtype=object)

    def __call__(self, batch: Batch) -> bytes:
        """Return the encoded rows of a block."""
        size, width = batch.tokens.shape
        numbers = np.empty((size, 2 * width + 3), np.intp)
        numbers[:, 0], numbers[:, width + 1], numbers[:, -1] = 0, 1, 2
        word, labels = numbers[:, 1 : width + 1], numbers[:, width + 2 : -1]
        word[...] = batch.tokens
        labels[...] = batch.targets
        labels += 1  # name 0 is that of a position that is not scored
        labels[batch.targets == NOT_SCORED] = 0
        word[:, 1:] += len(self.symbols)
        labels[:, 1:] += len(self.labels)
        word += 3
        labels += 3 + 2 * len(self.symbols)
        return b"".join(self.pieces[numbers.ravel()].tolist())


def list_text_names(task: Task, kind: Literal["symbols", "labels"]) -> list[str]:
    """Return the names of a task's symbols or labels, with white space replaced by ``_``.

    Raises
    ------
    UserError
        if two names become equal, a name is empty, or a label is ``-``.
    """
    names = [re.sub(r"\s", "_", name) for name in getattr(task, kind)]
    taken = [UNSCORED] if kind == "labels" else []
    if "" in names or len({*names, *taken}) < len(names) + len(taken):
        raise UserError(f"the {kind} of {task.name} cannot be told apart as text: expected .npz")
    return names


def write_csv(file: IO[bytes], task: Task, header: Header, batches: Iterator[Batch]) -> None:
    """Write comma-separated values; a column is quoted if a name has a comma or a quote."""
    word, labels = (
        '"' if any(set(name) & set(',"') for name in names) else ""
        for names in (task.symbols, task.labels)
    )
    format_rows = RowFormatter(
        task, word, f"{word},{labels}", f"{labels}\n", lambda name: name.replace('"', '""')
    )
    file.write(f"# {json.dumps(header)}\nword,labels\n".encode())
    for batch in batches:
        file.write(format_rows(batch))


def write_jsonl(file: IO[bytes], task: Task, header: Header, batches: Iterator[Batch]) -> None:
    """Write one JSON object per line."""
    format_rows = RowFormatter(
        task, '{"word": "', '", "labels": "', '"}\n', lambda name: json.dumps(name)[1:-1]
    )
    file.write(json.dumps({"header": header}).encode() + b"\n")
    for batch in batches:
        file.write(format_rows(batch))


def write_parquet(file: IO[bytes], task: Task, header: Header, batches: Iterator[Batch]) -> None:
    """Write two columns of text, with one row group per block."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(
            "cannot write .parquet: pyarrow is missing: pip install 'flann-lab[parquet]'"
        ) from error
    text = pa.string()
    schema = pa.schema([("word", text), ("labels", text)], {"flann": json.dumps(header)})
    format_rows = RowFormatter(task, "", "\t", "\n")  # names have no white space, so rows split
    with parquet.ParquetWriter(file, schema) as writer:
        for batch in batches:
            rows = [line.split("\t") for line in format_rows(batch).decode().split("\n")[:-1]]
            columns = [pa.array(column, text) for column in zip(*rows, strict=True)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


WRITERS: dict[str, Write] = {
    ".npz": write_npz,
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}
