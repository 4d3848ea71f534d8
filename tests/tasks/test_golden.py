"""The same generator gives the same bytes, on every machine and in every version.

The hashes are in golden.json. A changed hash means that published curves were measured on other
words: change one only on purpose, with

    python tests/tasks/test_golden.py
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from flann.tasks import Task, get_task

GOLDEN = Path(__file__).with_name("golden.json")


def fingerprint(task: Task) -> str:
    """A hash of words of three lengths and of their targets."""
    rng, digest = np.random.Generator(np.random.PCG64(2024)), hashlib.sha256()
    for length in (task.shortest, task.valid_lengths(10, 20)[0], task.valid_lengths(60, 70)[-1]):
        for array in task.sample(rng, 100, length):
            little_endian = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
            digest.update(little_endian.tobytes())
    return digest.hexdigest()[:32]


def test_golden_hash(task: Task) -> None:
    known = json.loads(GOLDEN.read_text())
    assert task.name in known, f"a new task: run python {Path(__file__).name} to add its hash"
    assert fingerprint(task) == known[task.name]


def test_a_changed_word_would_be_found(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    task = get_task("A5")
    before = fingerprint(task)
    words = task.words

    def changed(rng: np.random.Generator, size: int, length: int) -> np.ndarray:
        tokens = words(rng, size, length)
        tokens[-1, -1] ^= 1
        return tokens

    monkeypatch.setattr(task, "words", changed)
    assert fingerprint(task) != before


def write() -> None:
    """Write the hashes of every task that the laws run over."""
    import importlib.util

    place = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("laws", place)
    assert spec
    assert spec.loader
    laws = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(laws)
    hashes = {}
    for name in [*laws.task_names(), *laws.OPTIONS]:
        task = get_task(name)
        hashes[task.name] = fingerprint(task)
    GOLDEN.write_text(json.dumps(hashes, indent=2) + "\n")


if __name__ == "__main__":
    write()
