"""Exported folders: disjoint splits, atomic writing, and loading by Hugging Face's datasets."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from flann.errors import UserError
from flann.evaluation.held_out_words import draw_held_out_words, pack_rows
from flann.export import words
from flann.export.huggingface import draw_training_words, write_folder
from flann.tasks import get_task

from ..conftest import Here

parquet = pytest.importorskip("pyarrow.parquet")


def read_split(folder: Path, name: str) -> list[dict[str, str]]:
    return parquet.read_table(folder / f"{name}.parquet").to_pylist()


def test_splits_are_disjoint_and_labels_are_right(tmp_path: Path) -> None:
    task = get_task("parity")
    folder = write_folder(task, 9, 300, 200, 3, tmp_path / "parity-9")
    train, test = read_split(folder, "train"), read_split(folder, "test")
    assert (len(train), len(test)) == (300, 200)
    assert not {row["word"] for row in train} & {row["word"] for row in test}
    for row in train + test:
        tokens = np.array([[task.symbols.index(s) for s in row["word"].split()]])
        assert task.spell(task.targets(tokens)[0], task.labels) == row["labels"].split()
    official = draw_held_out_words(task, 9, 200, "test").tokens
    assert [row["word"] for row in test] == [" ".join(map(str, word)) for word in official]


def test_the_same_command_makes_the_same_folder(here: Here) -> None:
    words = ["data", "A5", "--length", "6", "--size", "400", "--test-size", "50", "-o", "first"]
    assert here(*words)[0] == 0
    header = json.loads(
        parquet.read_schema(Path("first/train.parquet")).metadata[b"flann"].decode()
    )
    assert header["split"] == "train"
    card = Path("first/README.md").read_text()
    (command,) = re.findall(r"^    (flann data .*)$", card, re.MULTILINE)
    assert header["command"] == command
    Path("first").rename("kept")
    assert here(*shlex.split(command)[1:])[0] == 0
    for name in ("train.parquet", "test.parquet", "README.md"):
        assert Path("first", name).read_bytes() == Path("kept", name).read_bytes()


def test_hugging_face_loads_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="of the extra 'outside'")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    task = get_task("dyck-2:mode=recognise")
    folder = write_folder(task, 8, 120, 40, 0, tmp_path / "dyck")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 120, "test": 40}
    assert list(loaded["train"]) == read_split(folder, "train")
    assert list(loaded["test"]) == read_split(folder, "test")


def test_user_errors_leave_no_files(here: Here) -> None:
    words = ["data", "parity", "--length", "3", "--size", "50", "-o", "words"]
    code, _, err = here(*words)
    assert code == 2
    assert "nearly every word of parity of length 3 is a test word" in err
    assert not list(Path().iterdir())
    Path("words").mkdir()
    for change, says in (
        ([], "words exists already"),
        (["-o", "words.csv", "--test-size", "3"], "--test-size is for a folder"),
        (["-o", "other", "--test-size", "0"], "test size 0: expected 1 or more"),
        (["-o", "none/other"], "cannot write none/other: No such file"),
    ):
        code, _, err = here(*words, *change)
        assert (code, err.count("\n")) == (2, 1)
        assert says in err
    assert [path.name for path in Path().iterdir()] == ["words"]


def test_an_interrupted_export_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(get_task("A5"), 6, 100, 10, 0, tmp_path / "a5", stop)
    assert not list(tmp_path.iterdir())


def test_training_words_that_are_test_words_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "BLOCK_SYMBOLS", 40)
    task = get_task("parity")
    test_rows = pack_rows(np.array([[0, 0], [0, 1], [1, 1]], np.uint8))
    batches = draw_training_words(task, 2, 30, 0, test_rows)
    drawn = np.concatenate([batch.tokens for batch in batches])
    assert drawn.tolist() == [[1, 0]] * 30
    every = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8)
    with pytest.raises(UserError, match="nearly every word"):
        list(draw_training_words(task, 2, 1, 0, pack_rows(every)))
