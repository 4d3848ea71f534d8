"""Files of labelled words: true labels, the same bytes again, whole or not there."""

from __future__ import annotations

import csv
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flann.errors import UserError
from flann.export import words as data
from flann.export.words import WRITERS, write_words
from flann.tasks import NOT_SCORED, Task, get_task

from ..conftest import Here

FORMS = [*WRITERS]
# a tag at every position, a verdict at the last, answers at queries, names with spaces, many labels
TASKS = ["A5", "dyck-2:mode=recognise", "reverse-string", "a-n-b-n", "S5:generators=2"]
Texts = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks, the last one shorter."""
    monkeypatch.setattr(data, "BLOCK", 200)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return str(request.param)


def read(path: Path) -> tuple[dict[str, Any], Texts]:
    """The header and the rows of a text form, by readers that are not ours."""
    if path.suffix == ".parquet":
        from pyarrow import parquet

        table = parquet.read_table(path)
        assert table.column_names == ["word", "labels"]
        rows = [(row["word"], row["labels"]) for row in table.to_pylist()]
        return json.loads(table.schema.metadata[b"flann"]), rows
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".csv":
        names, *cells = csv.reader(lines)
        assert names == ["word", "labels"]
        return json.loads(first.removeprefix("# ")), [(word, labels) for word, labels in cells]
    objects = [json.loads(line) for line in lines]
    assert all(list(row) == ["word", "labels"] for row in objects)
    return json.loads(first)["header"], [(row["word"], row["labels"]) for row in objects]


def header(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        found: dict[str, Any] = json.loads(str(np.load(path)["header"]))
        return found
    return read(path)[0]


def spelled_slowly(task: Task, tokens: np.ndarray, targets: np.ndarray) -> Texts:
    """The oracle: name by name."""

    def name(names: tuple[str, ...], number: int) -> str:
        return "-" if number == NOT_SCORED else "_".join(names[number].split())

    return [
        (
            " ".join(name(task.symbols, token) for token in word),
            " ".join(name(task.labels, target) for target in row),
        )
        for word, row in zip(tokens.tolist(), targets.tolist(), strict=True)
    ]


@pytest.mark.parametrize("name", TASKS)
def test_arrays_hold_true_labels(tmp_path: Path, name: str) -> None:
    task = get_task(name)
    length = task.nearest_length(12)
    arrays = np.load(write_words(task, length, 75, 0, tmp_path / "words.npz"))
    assert arrays["tokens"].shape == (75, length + task.queries(length))
    assert arrays["tokens"].dtype.itemsize == 1
    np.testing.assert_array_equal(arrays["targets"], task.targets(arrays["tokens"]))
    assert tuple(arrays["symbols"]) == task.symbols
    assert tuple(arrays["labels"]) == task.labels


@pytest.mark.parametrize("name", TASKS)
def test_text_tells_the_same_as_the_arrays(tmp_path: Path, form: str, name: str) -> None:
    task = get_task(name)
    length = task.nearest_length(12)
    arrays = np.load(write_words(task, length, 75, 3, tmp_path / "words.npz"))
    path = write_words(task, length, 75, 3, tmp_path / f"words{form}")
    if form != ".npz":
        assert read(path)[1] == spelled_slowly(task, arrays["tokens"], arrays["targets"])


class Awkward(Task):
    """Names that CSV and JSON must protect, and more labels than a signed byte holds."""

    name = "awkward"
    symbols = ("a,b", '"', "\\", "é", "#")
    labels = tuple(f"{n}," for n in range(200))

    def words(self, rng: np.random.Generator, size: int, length: int) -> np.ndarray:
        return rng.integers(5, size=(size, length), dtype=np.uint8)

    def label(self, tokens: np.ndarray) -> np.ndarray:
        targets = self.target_array(tokens)
        targets[...] = tokens.cumsum(1) * 7 % 200
        return targets


@pytest.mark.parametrize("length", [1, 9])
def test_awkward_names_come_back(tmp_path: Path, form: str, length: int) -> None:
    task = Awkward()
    arrays = np.load(write_words(task, length, 60, 0, tmp_path / "words.npz"))
    np.testing.assert_array_equal(arrays["targets"], task.targets(arrays["tokens"]))
    path = write_words(task, length, 60, 0, tmp_path / f"words{form}")
    if form != ".npz":
        assert read(path)[1] == spelled_slowly(task, arrays["tokens"], arrays["targets"])


def test_the_same_request_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    def made(seed: int, name: str) -> bytes:
        return write_words("A5", 8, 90, seed, tmp_path / f"{name}{form}").read_bytes()

    assert made(0, "one") == made(0, "another")
    assert made(0, "one") != made(1, "one")


def test_blocks_and_seeds_have_words_of_their_own() -> None:
    task = get_task("A5")
    parts = [b.tokens.tobytes() for seed in (0, 1) for b in data.blocks(task, 20, 30, seed)]
    assert len(parts) == len(set(parts)) == 6


def test_the_header_makes_the_file_again(tmp_path: Path, form: str, here: Here) -> None:
    path = write_words("regex:(aa|b)*", 8, 90, 5, tmp_path / f"mine{form}")
    program, *words = shlex.split(header(path)["command"])
    assert program == "flann"
    code, out, err = here(*words, "--json")
    assert code == 0, err
    assert (tmp_path / f"words{form}").read_bytes() == path.read_bytes()
    told = json.loads(out)
    assert told["path"] == f"words{form}"
    assert told["bytes"] == path.stat().st_size
    assert told.items() >= header(path).items()


def test_a_task_from_a_file_is_told_by_its_content(tmp_path: Path) -> None:
    machine = tmp_path / "machine.att"
    found = []
    for letters in ("ab", "ba"):
        machine.write_text("0 1 {}\n0 0 {}\n1 0 a\n1 1 b\n0\n".format(*letters))
        path = write_words(f"automaton:{machine}", 4, 3, 0, tmp_path / "words.csv")
        found.append(header(path).pop("source"))
    assert len(set(found)) == 2
    assert "source" not in header(write_words("A5", 4, 3, 0, tmp_path / "words.csv"))


def test_progress_is_told_and_stays_off_standard_output(tmp_path: Path, here: Here) -> None:
    seen: list[tuple[int, int]] = []
    write_words("A5", 20, 25, 0, tmp_path / "w.csv", lambda done, of: seen.append((done, of)))
    assert seen == [(10, 25), (20, 25), (25, 25)]
    _, out, err = here("data", "A5", "--length", "20", "--size", "25", "-o", "w.csv")
    assert out.startswith("w.csv: 25 words of A5 at length 20")
    assert "words/s" in err


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failure_leaves_what_was_there(
    tmp_path: Path, form: str, failure: BaseException | type[BaseException]
) -> None:
    def fail(done: int, of: int) -> None:
        raise failure

    path = tmp_path / f"words{form}"
    for before in ([], [path]):
        for file in before:
            file.write_text("an older file")
        with pytest.raises((KeyboardInterrupt, UserError)):
            write_words("A5", 20, 25, 0, path, fail)
        assert list(tmp_path.iterdir()) == before
    assert path.read_text() == "an older file"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "words.csv").mkdir()
    with pytest.raises(UserError, match=r"cannot write .*: it is a folder"):
        write_words("A5", 4, 4, 0, tmp_path / "words.csv")


class Alike(Awkward):
    """Two names that are one as text."""

    name = "alike"
    symbols = ("a b", "a_b", "c", "d", "e")


def test_names_that_text_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"symbols of alike cannot be told apart"):
        write_words(Alike(), 4, 4, 0, tmp_path / "words.csv")
    assert list(tmp_path.iterdir()) == []
    write_words(Alike(), 4, 4, 0, tmp_path / "words.npz")


def test_without_pyarrow_one_line_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"flann-lab\[parquet\]"):
        write_words("A5", 4, 4, 0, tmp_path / "words.parquet")
    assert list(tmp_path.iterdir()) == []
