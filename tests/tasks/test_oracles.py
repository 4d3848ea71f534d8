"""Every task against a second, slow, obviously right labelling of its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flann.tasks import NOT_SCORED, Task, get_task, task_names

Word = Sequence[str]
Oracle = Callable[[Task, Word], list[str]]  # the label after every prefix, of symbols by name


def parity(task: Task, word: Word) -> list[str]:
    return [task.labels[word[: t + 1].count("1") % 2] for t in range(len(word))]


def first(task: Task, word: Word) -> list[str]:
    return [task.labels[word[0] == "1"] for _ in word]


def majority(task: Task, word: Word) -> list[str]:
    prefixes = [word[: t + 1] for t in range(len(word))]
    return [task.labels[p.count("1") > p.count("0")] for p in prefixes]


def flip_flop(task: Task, word: Word) -> list[str]:
    prefixes = [word[: t + 1] for t in range(len(word))]
    return [(["0"] + [s for s in p if s != "hold"])[-1] for p in prefixes]


def dyck(task: Task, word: Word) -> list[str]:
    pairs = dict(zip(task.symbols[::2], task.symbols[1::2], strict=True))
    limit = float("inf") if ":" not in task.name or "depth" not in task.name else task.depth
    labels, expected, dead = [], [], False
    for symbol in word:
        if symbol in pairs:
            expected.append(pairs[symbol])
        else:
            dead = dead or not expected or expected.pop() != symbol
        dead = dead or len(expected) > limit
        if task.mode == "recognise":
            labels.append("rejected" if dead or expected else "accepted")
        else:
            labels.append("dead" if dead else "prefix" if expected else "accepted")
    return labels


def word_problem(task: Task, word: Word) -> list[str]:
    """Permutations of points as tuples, quaternions as formulas, products as pairs."""
    group = task.name.partition(":")[0]
    factors = [factor_elements(name) for name in group.split("x")]
    product = ["identity"] * len(factors)
    labels = []
    for symbol in word:
        parts = symbol.split("|") if len(factors) > 1 else [symbol]
        for i, ((elements, multiply), part) in enumerate(zip(factors, parts, strict=True)):
            element = elements[part]
            before = product[i]
            product[i] = element if before == "identity" else multiply(before, element)
        names = [
            next(name for name, element in elements.items() if element == value)
            for (elements, _), value in zip(factors, product, strict=True)
        ]
        labels.append("|".join(names))
    return labels


def factor_elements(name: str) -> tuple[dict[str, object], Callable]:
    """The elements of one factor by the names that the task gives them, and its product."""
    if name == "Q8":
        units = {
            "1": [[1, 0], [0, 1]],
            "i": [[1j, 0], [0, -1j]],
            "j": [[0, 1], [-1, 0]],
            "k": [[0, 1j], [1j, 0]],
        }
        matrices = {u: np.array(m) for u, m in units.items()}
        matrices |= {"-" + u: -m for u, m in matrices.items()}
        as_key = {u: tuple(m.ravel() + 0) for u, m in matrices.items()}
        return as_key, lambda a, b: tuple(
            (np.array(a).reshape(2, 2) @ np.array(b).reshape(2, 2)).ravel() + 0
        )
    family, n = name[0], int(name[1:])

    def then(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(b[image] for image in a)

    if family == "Z":
        return {str(k): k for k in range(n)}, lambda a, b: (a + b) % n
    if family == "D":
        turns = {f"r{k}": tuple((x + k) % n for x in range(n)) for k in range(1, n)}
        flips = {f"s{k}": tuple((k - x) % n for x in range(n)) for k in range(n)}
        return {"e": tuple(range(n)), **turns, **flips}, then
    every = list(permutations(range(n)))
    if family == "A":
        every = [p for p in every if sum(a > b for i, a in enumerate(p) for b in p[i:]) % 2 == 0]
    return {in_cycles(p): p for p in every}, then


def in_cycles(permutation: tuple[int, ...]) -> str:
    left, text = set(range(len(permutation))), ""
    while left:
        point = min(left)
        cycle = ""
        while point in left:
            left.remove(point)
            cycle += str(point)
            point = permutation[point]
        text += f"({cycle})" if len(cycle) > 1 else ""
    return text or "e"


def language(task: Task, word: Word) -> list[str]:
    """Python's regular expressions, or a formula of the language; next symbols by trying words."""
    base, _, rest = task.name.partition(":")
    member = re.compile(rest).fullmatch if base.startswith("regex") else MEMBERS[base]
    return [task.labels[bool(member("".join(word[: t + 1])))] for t in range(len(word))]


MEMBERS: dict[str, Callable[[str], object]] = {}


ORACLES: dict[str, Oracle] = {
    "Language": language,
    "Parity": parity,
    "First": first,
    "Majority": majority,
    "FlipFlop": flip_flop,
    "Dyck": dyck,
    "WordProblem": word_problem,
}


def expected(task: Task, word: Word) -> list[str]:
    labels = ORACLES[type(task).__name__](task, word)
    return labels if task.mode == "tag" else ["."] * (len(word) - 1) + labels[-1:]


def test_every_task_has_an_oracle() -> None:
    missing = {type(get_task(name)).__name__ for name in task_names()} - set(ORACLES)
    assert not missing, f"write an independent oracle for {missing}"


def test_sampled_words(task: Task, rng: np.random.Generator) -> None:
    for length in task.valid_lengths(1, 10):
        tokens, targets = task.sample(rng, 15, length)
        for row, labels in zip(tokens, targets, strict=True):
            word = task.spell(row, task.symbols)
            assert task.spell(labels, task.labels) == expected(task, word), word


def test_any_words(task: Task, rng: np.random.Generator) -> None:
    """Words that the task itself would hardly draw."""
    for length in task.valid_lengths(1, 10):
        tokens = rng.integers(len(task.symbols), size=(15, length))
        for row, labels in zip(tokens, task.targets(tokens), strict=True):
            word = task.spell(row, task.symbols)
            assert task.spell(labels, task.labels) == expected(task, word), word


@given(st.data())
def test_constant_and_arbitrary_words(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*task_names(), "dyck-2:depth=2", "S5:generators=3"]))
    task = get_task(name)
    ids = st.integers(0, len(task.symbols) - 1)
    word = data.draw(st.lists(ids, min_size=1, max_size=40) | ids.map(lambda i: [i] * 30))
    labels = task.targets(np.array([word]))[0]
    assert task.spell(labels, task.labels) == expected(task, [task.symbols[i] for i in word])


def test_the_oracle_can_find_a_mistake(rng: np.random.Generator) -> None:
    task = get_task("parity")
    tokens, targets = task.sample(rng, 1, 10)
    targets[0, 5] ^= 1
    word = task.spell(tokens[0], task.symbols)
    assert task.spell(targets[0], task.labels) != expected(task, word)


@pytest.mark.parametrize("name", ["parity:mode=recognise", "A5:label=last"])
def test_only_the_last_position_is_scored(name: str, rng: np.random.Generator) -> None:
    assert (get_task(name).sample(rng, 4, 5).targets[:, :-1] == NOT_SCORED).all()
