"""Groups in files: the named ones again, and one clear line for what is no group."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from flann.errors import UserError
from flann.tasks import get_task


def write(path: Path, found: object) -> str:
    file = path / "mine.json"
    file.write_text(json.dumps(found))
    return f"group:{file}"


def test_a_named_group_by_its_permutations(tmp_path: Path) -> None:
    """A5 by a three-cycle and a five-cycle: the same numbers, other names."""
    mine = get_task(write(tmp_path, {"permutations": [[0, 1, 3, 4, 2], [1, 2, 3, 4, 0]]}))
    named = get_task("A5:generators=2")
    np.testing.assert_array_equal(mine.group.table, named.group.table)  # type: ignore[attr-defined]
    assert mine.symbols == ("(2 3 4)", "(0 1 2 3 4)")
    words = np.random.default_rng(0).integers(2, size=(50, 20))
    np.testing.assert_array_equal(mine.targets(words), named.targets(words))
    assert mine.theory.circuit_class == "NC1-complete"
    assert get_task(mine.name).name == mine.name


def test_a_named_group_by_its_table(tmp_path: Path) -> None:
    named = get_task("Q8")
    table = named.group.table.tolist()  # type: ignore[attr-defined]
    found = {"table": table, "elements": list(named.labels), "generators": [2, 4]}
    mine = get_task(write(tmp_path, found))
    assert mine.symbols == ("i", "j")
    assert mine.labels == named.labels
    words = np.random.default_rng(0).integers(2, size=(50, 20))
    np.testing.assert_array_equal(mine.targets(words), named.targets(2 + 2 * words))
    assert mine.describe()["structure"]["kind"] == "group"


def test_products_of_permutations_one_by_one(tmp_path: Path) -> None:
    lists = [[1, 2, 3, 0, 4, 5], [0, 1, 2, 3, 5, 4], [3, 2, 1, 0, 4, 5]]
    task = get_task(write(tmp_path, {"permutations": lists}))
    assert len(task.labels) == 16
    by_images: dict[tuple[int, ...], str] = {}
    for word in product(range(3), repeat=5):
        points = list(range(6))
        for symbol in word:
            points = [lists[symbol][p] for p in points]
        label = task.labels[task.targets(np.array([word]))[0, -1]]
        assert by_images.setdefault(tuple(points), label) == label
    assert len(set(by_images.values())) == len(by_images)


LATIN = [[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "expected the key"),
        ({}, "expected the key"),
        ({"permutations": []}, "a list of lists"),
        ({"permutations": [[0, 0]]}, "is no permutation"),
        ({"permutations": [[1, 0], [0, 1, 2]]}, "is no permutation"),
        ({"permutations": [[1.0, 0]]}, "is no permutation"),
        ({"permutations": [[0, 1]]}, "one beside the identity"),
        ({"permutations": [[1, 2, 3, 4, 5, 6, 7, 0], [1, 0, 2, 3, 4, 5, 6, 7]]}, "too large"),
        ({"table": [[0]]}, "2 to 5040 rows"),
        ({"table": [[0, 1], [1]]}, "row 1"),
        ({"table": [[0, 1], [0, 1]]}, "in every column"),
        ({"table": [[1, 0], [0, 1]]}, "element 0 to be the identity"),
        ({"table": LATIN}, "not associative"),
        ({"table": [[0, 1], [1, 0]], "elements": ["e"]}, "2 different names"),
        ({"table": [[0, 1], [1, 0]], "generators": [2]}, "different numbers from 0 to 1"),
        ({"table": [[0, 1], [1, 0]], "generators": [0]}, "they reach 1 elements of 2"),
    ],
)
def test_mistakes(found: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says) as caught:
        get_task(write(tmp_path, found))
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        get_task(f"group:{tmp_path / 'none'}")
    (tmp_path / "text").write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        get_task(f"group:{tmp_path / 'text'}")
    with pytest.raises(UserError, match="expected a file"):
        get_task("group:")
