"""Atomic writing: the target holds the old or the new content, and no temporary file stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from flann.errors import UserError
from flann.files import open_aside, read_json, write_aside, write_json


def test_streamed_content_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("old")
    with open_aside(path) as file:
        file.write(b"new ")
        file.write(b"content")
        assert path.read_text() == "old"
    assert path.read_text() == "new content"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), ValueError("bad row")])
def test_a_failing_block_keeps_the_old_content(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "words.csv"
    path.write_text("old")
    with pytest.raises(type(failure)), open_aside(path):
        raise failure
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_of_the_file_system_become_one_line(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    with pytest.raises(UserError, match=r"cannot write .*: No space left"), open_aside(path):
        raise OSError(28, "No space left on device")
    missing = tmp_path / "missing" / "a.txt"
    with pytest.raises(UserError, match=r"cannot write .*: No such file"), open_aside(missing):
        pass
    path.write_text("a file")
    child = path / "a.txt"
    with pytest.raises(UserError, match=r"cannot write .*: Not a directory"), open_aside(child):
        pass
    with pytest.raises(UserError, match=r"cannot write .*: it is a folder"):
        write_aside(tmp_path, "text")
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_is_not_entered_for_a_folder(tmp_path: Path) -> None:
    entered = False
    with pytest.raises(UserError), open_aside(tmp_path):
        entered = True
    assert not entered


def test_json_is_written_in_a_new_folder_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_json(path, {"a": [1, 2]})
    assert read_json(path) == {"a": [1, 2]}
    path.write_text("{")
    with pytest.raises(UserError, match=r"a\.json is damaged: expected JSON"):
        read_json(path)
