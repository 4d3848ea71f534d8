"""A folder of labelled words that Hugging Face's ``datasets.load_dataset(folder)`` reads.

    A5-20/README.md       what it is, the splits, and the commands that make it again
    A5-20/train.parquet   words drawn from the seed
    A5-20/test.parquet    the task's own test words of this length, those that runs are measured on

Columns are as in `flann.export.words`. No training word is a test word: one that is is passed over.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.evaluation.held_out_words import draw_held_out_words, pack_rows
from flann.streams import stream
from flann.tasks import Batch, Task

from .words import BLOCK, Header, Watch, header_of, spelled, write_parquet

TEST_SIZE = 1000  # words, where nothing else is asked for
FRUITLESS = 100  # blocks in a row of test words alone

CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: train.parquet
  - split: test
    path: test.parquet
---
# {name}, length {length}

{summary}

{size} words to train on, drawn with seed {seed}, and the {tested} test words of this length;
none is in both. A row is a `word`, its symbols joined by spaces, and its `labels`, one for each
position, `-` where none is asked for. Symbols: `{symbols}`. Labels: `{labels}`.

Made by flann {flann}; made again, byte for byte, by

    {command}
"""


def write_folder(
    task: Task,
    length: int,
    size: int,
    test_size: int,
    seed: int,
    path: Path,
    watch: Watch | None = None,
) -> Path:
    """Write training and test words of one length as a folder; see the module.

    Parameters
    ----------
    task : Task
    length : int
        of every word, without its queries.
    size, test_size : int
        how many training and test words.
    seed : int
        of the training words; test words have none.
    path : Path
        a folder that does not exist. It is written aside and renamed: there whole or not at all.
    watch : callable, optional
        called with (training words written, size).

    Raises
    ------
    UserError
        for a folder that is there already or cannot be written, a length with no word, or one whose
        words are nearly all test words.
    """
    if path.exists():
        raise UserError(f"{path} is there already: expected the name of a new folder")
    for name, value, least in (("size", size, 1), ("test size", test_size, 1), ("seed", seed, 0)):
        if value < least:
            raise UserError(f"{name} {value}: expected {least} or more")
    task.check_length(length)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.mkdir()
        header = folder_header(task, length, size, test_size, seed, path)
        test = draw_held_out_words(task, length, test_size, "test")
        train = apart(task, length, size, seed, pack_rows(test.tokens), watch)
        for split, batches in (("test", iter([test])), ("train", train)):
            with (aside / f"{split}.parquet").open("wb") as file:
                write_parquet(file, task, {**header, "split": split}, batches)
        (aside / "README.md").write_text(card(task, header), encoding="utf-8")
        aside.rename(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return path


def folder_header(
    task: Task, length: int, size: int, test_size: int, seed: int, path: Path
) -> Header:
    """What makes the folder again, under its own name and wherever one is."""
    ending = shlex.join(["--test-size", str(test_size), "-o", path.name])
    return {**header_of(task, length, size, seed, ending), "test_size": test_size}


def apart(
    task: Task,
    length: int,
    size: int,
    seed: int,
    tested: NDArray[np.void],
    watch: Watch | None = None,
) -> Iterator[Batch]:
    """Training words, a block at a time, test words passed over."""
    most = max(1, BLOCK // (length + task.queries(length)))
    written = number = fruitless = 0
    while written < size:
        drawn = task.sample(stream(seed, "data", number), min(most, size), length)
        kept = np.flatnonzero(~np.isin(pack_rows(drawn.tokens), tested))[: size - written]
        fruitless = 0 if len(kept) else fruitless + 1
        if fruitless == FRUITLESS:
            raise UserError(
                f"nearly every word of {task.name} of length {length} is a test word: expected a"
                " smaller test size or a greater length"
            )
        number, written = number + 1, written + len(kept)
        if len(kept):
            yield Batch(drawn.tokens[kept], drawn.targets[kept])
            if watch is not None:
                watch(written, size)


def card(task: Task, header: Header) -> str:
    """The README: what Hugging Face reads of it, and what a person does."""
    return CARD.format(
        **{**header, "name": task.name, "size": f"{header['size']:,}"},
        tested=f"{header['test_size']:,}",
        summary=task.summary,
        symbols=" ".join(spelled(task, "symbols")),
        labels=" ".join(spelled(task, "labels")),
    )
