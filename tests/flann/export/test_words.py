"""Exported files of words: correct labels, reproducible bytes and atomic writing."""

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
# labels at every position, at the last, or at queries; names with spaces; many labels
TASKS = ["A5", "dyck-2:mode=recognise", "reverse-string", "a-n-b-n", "S5:generators=2"]
Texts = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make blocks so small that a file has several, the last one shorter."""
    monkeypatch.setattr(data, "BLOCK_SYMBOLS", 200)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return str(request.param)


def read(path: Path) -> tuple[dict[str, Any], Texts]:
    """Return the header and the rows of a text format, read by independent libraries."""
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


def read_header(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        header: dict[str, Any] = json.loads(str(np.load(path)["header"]))
        return header
    return read(path)[0]


def format_slowly(task: Task, tokens: np.ndarray, targets: np.ndarray) -> Texts:
    """Format words and labels name by name, as an oracle."""

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
def test_arrays_hold_correct_labels(tmp_path: Path, name: str) -> None:
    task = get_task(name)
    length = task.nearest_length(12)
    arrays = np.load(write_words(task, length, 75, 0, tmp_path / "words.npz"))
    assert arrays["tokens"].shape == (75, length + task.queries(length))
    assert arrays["tokens"].dtype.itemsize == 1
    np.testing.assert_array_equal(arrays["targets"], task.targets(arrays["tokens"]))
    assert tuple(arrays["symbols"]) == task.symbols
    assert tuple(arrays["labels"]) == task.labels


@pytest.mark.parametrize("name", TASKS)
def test_text_agrees_with_the_arrays(tmp_path: Path, form: str, name: str) -> None:
    task = get_task(name)
    length = task.nearest_length(12)
    arrays = np.load(write_words(task, length, 75, 3, tmp_path / "words.npz"))
    path = write_words(task, length, 75, 3, tmp_path / f"words{form}")
    if form != ".npz":
        assert read(path)[1] == format_slowly(task, arrays["tokens"], arrays["targets"])


class Awkward(Task):
    """A task whose names CSV and JSON must escape, with more labels than a signed byte holds."""

    name = "awkward"
    symbols = ("a,b", '"', "\\", "é", "#")
    labels = tuple(f"{n}," for n in range(200))

    def words(self, rng: np.random.Generator, size: int, length: int) -> np.ndarray:
        return rng.integers(5, size=(size, length), dtype=np.uint8)

    def label(self, tokens: np.ndarray) -> np.ndarray:
        targets = self.allocate_targets(tokens)
        targets[...] = tokens.cumsum(1) * 7 % 200
        return targets


@pytest.mark.parametrize("length", [1, 9])
def test_awkward_names_are_read_back(tmp_path: Path, form: str, length: int) -> None:
    task = Awkward()
    arrays = np.load(write_words(task, length, 60, 0, tmp_path / "words.npz"))
    np.testing.assert_array_equal(arrays["targets"], task.targets(arrays["tokens"]))
    path = write_words(task, length, 60, 0, tmp_path / f"words{form}")
    if form != ".npz":
        assert read(path)[1] == format_slowly(task, arrays["tokens"], arrays["targets"])


def test_the_same_request_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    def write(seed: int, name: str) -> bytes:
        return write_words("A5", 8, 90, seed, tmp_path / f"{name}{form}").read_bytes()

    assert write(0, "one") == write(0, "another")
    assert write(0, "one") != write(1, "one")


def test_blocks_and_seeds_have_distinct_words() -> None:
    task = get_task("A5")
    parts = [b.tokens.tobytes() for seed in (0, 1) for b in data.draw_blocks(task, 20, 30, seed)]
    assert len(parts) == len(set(parts)) == 6


def test_the_command_in_the_header_reproduces_the_file(
    tmp_path: Path, form: str, here: Here
) -> None:
    path = write_words("regex:(aa|b)*", 8, 90, 5, tmp_path / f"mine{form}")
    program, *words = shlex.split(read_header(path)["command"])
    assert program == "flann"
    code, out, err = here(*words, "--json")
    assert code == 0, err
    assert (tmp_path / f"words{form}").read_bytes() == path.read_bytes()
    reported = json.loads(out)
    assert reported["path"] == f"words{form}"
    assert reported["bytes"] == path.stat().st_size
    assert reported.items() >= read_header(path).items()


def test_a_task_from_a_file_is_identified_by_its_content(tmp_path: Path) -> None:
    machine = tmp_path / "machine.att"
    sources = []
    for letters in ("ab", "ba"):
        machine.write_text("0 1 {}\n0 0 {}\n1 0 a\n1 1 b\n0\n".format(*letters))
        path = write_words(f"automaton:{machine}", 4, 3, 0, tmp_path / "words.csv")
        sources.append(read_header(path).pop("source"))
    assert len(set(sources)) == 2
    assert "source" not in read_header(write_words("A5", 4, 3, 0, tmp_path / "words.csv"))


def test_progress_is_reported_and_stays_off_standard_output(tmp_path: Path, here: Here) -> None:
    reports: list[tuple[int, int]] = []
    write_words("A5", 20, 25, 0, tmp_path / "w.csv", lambda done, of: reports.append((done, of)))
    assert reports == [(10, 25), (20, 25), (25, 25)]
    _, out, err = here("data", "A5", "--length", "20", "--size", "25", "-o", "w.csv")
    assert out.startswith("w.csv: 25 words of A5 at length 20")
    assert "words/s" in err


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failure_keeps_the_older_file(
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


def test_a_folder_is_refused_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "words.csv").mkdir()
    with pytest.raises(UserError, match=r"cannot write .*: it is a folder"):
        write_words("A5", 4, 4, 0, tmp_path / "words.csv")


class Ambiguous(Awkward):
    """A task with two symbols that become equal without white space."""

    name = "ambiguous"
    symbols = ("a b", "a_b", "c", "d", "e")


def test_names_that_become_equal_as_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"symbols of ambiguous cannot be told apart"):
        write_words(Ambiguous(), 4, 4, 0, tmp_path / "words.csv")
    assert list(tmp_path.iterdir()) == []
    write_words(Ambiguous(), 4, 4, 0, tmp_path / "words.npz")


def test_without_pyarrow_one_line_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"flann-lab\[parquet\]"):
        write_words("A5", 4, 4, 0, tmp_path / "words.parquet")
    assert list(tmp_path.iterdir()) == []
