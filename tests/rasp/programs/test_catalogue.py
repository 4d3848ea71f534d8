"""The reference programs: correct on their tasks, with the layers and heads that they claim."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from flann.errors import UserError
from flann.rasp import load_program
from flann.rasp.programs.catalogue import has_program, load_claims
from flann.rasp.programs.group_actions import find_coset_action
from flann.rasp.programs.solvable_groups import (
    compute_derived_series,
    count_layers,
    find_factors,
)
from flann.tasks import Task, get_task, task_names
from flann.tasks.groups.cayley_tables import get_group

GROUPS = ["Z60", "S3", "D4", "Q8", "A4", "S4", "A4xZ5", "A5"]
BRACKETS = ["dyck-1", "dyck-2", "dyck-3", "shuffle-dyck-2", "dyck-2:depth=3", "dyck-1:depth=2"]
BRACKETS += ["dyck-2:mode=recognise", "dyck-1:mode=recognise", "shuffle-dyck-3:mode=recognise"]
OTHERS = ["parity", "parity:mode=recognise", "majority", "majority:mode=recognise", "first"]
OTHERS += ["reverse-string", "copy", "copy-unique", "duplicate-string", "bucket-sort"]
OTHERS += ["most-frequent", "cyclic", "cycle-navigation", "gridworld", "abab", "adder"]
OTHERS += ["permutation-reset", "A5:generators=2", "S4:generators=swaps", "Z4xZ6", "D5xS3"]
NAMES = [*GROUPS, *BRACKETS, *OTHERS]


def count_wrong(name: str, tokens: np.ndarray, max_length: int) -> int:
    """Return how many scored answers of the program differ from the task's targets."""
    answers, targets = (
        load_program(name, max_length=max_length)(tokens),
        get_task(name).targets(tokens),
    )
    return int(((answers != targets) & (targets != -100)).sum())


def list_special_words(task: Task, length: int) -> list[np.ndarray]:
    """Return constant, alternating and almost balanced words."""
    usable = len(task.symbols) - (task.mode == "transduce")
    if task.mode == "transduce":
        return []
    rows = [np.full(length, symbol) for symbol in range(min(usable, 8))]
    rows += [np.arange(length) % 2, np.arange(length) % usable]
    rows += [np.repeat([0, 1], [(length + 1) // 2, length // 2])]  # ((( ... )))
    almost = rows[-1].copy()
    almost[-1] = 0
    return [np.array([*rows, almost])]


@pytest.mark.parametrize("name", NAMES)
def test_programs_answer_as_their_tasks(name: str) -> None:
    task = get_task(name)
    for length in (1, 2, 3, 8, 21, 64):
        length = task.nearest_length(length)
        tokens = task.sample(np.random.default_rng(length), 60, length).tokens
        for batch in (tokens, *list_special_words(task, length)):
            assert count_wrong(name, batch, max(64, tokens.shape[1])) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_programs_on_many_words_and_long_ones(name: str) -> None:
    task = get_task(name)
    lengths = sorted({task.nearest_length(n) for n in range(1, 65)})
    for length in lengths:
        tokens = task.sample(np.random.default_rng(length), 10_000 // 64 + 1, length).tokens
        for batch in (tokens, *list_special_words(task, length)):
            assert count_wrong(name, batch, tokens.shape[1]) == 0
    if task.valid_lengths(1000, 1000):
        tokens = task.sample(np.random.default_rng(0), 100, 1000).tokens
        for batch in (tokens, *list_special_words(task, 1000)):
            assert count_wrong(name, batch, tokens.shape[1]) == 0


def enumerate_words(symbols: int, length: int) -> np.ndarray:
    """Return all words of a length."""
    return np.array(list(product(range(symbols), repeat=length)))


@pytest.mark.parametrize(
    ("name", "longest"), [("dyck-1", 10), ("dyck-2", 6), ("dyck-2:depth=2", 6)]
)
def test_brackets_on_every_short_word(name: str, longest: int) -> None:
    symbols = len(get_task(name).symbols)
    for length in range(1, longest + 1):
        assert count_wrong(name, enumerate_words(symbols, length), longest) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dyck-1", "dyck-1:depth=3", "dyck-2", "dyck-2:depth=3"])
def test_brackets_on_every_word_to_length_12(name: str) -> None:
    symbols = len(get_task(name).symbols)
    for length in range(1, 13):
        heads = (
            enumerate_words(symbols, max(0, length - 8)) if length > 8 else np.zeros((1, 0), int)
        )
        tails = enumerate_words(symbols, min(length, 8))
        for head in heads:
            words = np.concatenate([np.tile(head, (len(tails), 1)), tails], axis=1)
            assert count_wrong(name, words, 12) == 0


@pytest.mark.parametrize("name", [*NAMES, *load_claims()])
def test_claims_are_what_the_analysis_finds(name: str) -> None:
    program = load_program(name, max_length=64)
    assert (program.requirements.layers, program.requirements.heads) == (
        program.layers,
        program.heads,
    )


@pytest.mark.parametrize(
    ("name", "layers"),
    [("Z60", 1), ("S3", 2), ("D4", 2), ("Q8", 2), ("A4", 2), ("S4", 3), ("A4xZ5", 2)],
)
def test_layers_of_solvable_groups_are_their_derived_length(name: str, layers: int) -> None:
    assert count_layers(get_group(name)) == layers == load_program(name).layers


def test_derived_series_is_sympys() -> None:
    from sympy.combinatorics.named_groups import SymmetricGroup

    expected = [int(group.order()) for group in SymmetricGroup(4).derived_series()]
    assert [len(members) for members in compute_derived_series(get_group("S4"))] == expected


def test_unsolvable_groups_have_no_series() -> None:
    with pytest.raises(UserError, match="A5 is not solvable"):
        load_program("A5", method="series")


@pytest.mark.parametrize("radix", [2, 3, 4, 5, 8])
def test_doubling_by_radix(radix: int) -> None:
    length = 64
    program = load_program("A5", max_length=length, radix=radix)
    layers = {2: 6, 3: 4, 4: 3, 5: 3, 8: 2}[radix]
    assert (program.layers, program.heads) == (layers, radix - 1)
    assert program.requirements.layers == layers
    task = get_task("A5")
    batch = task.sample(np.random.default_rng(radix), 50, length)
    assert (program(batch.tokens) == batch.targets).all()


def test_too_few_layers_fall_off_a_cliff() -> None:
    program, task = load_program("A5", max_length=64, layers=4), get_task("A5")
    batch = task.sample(np.random.default_rng(0), 200, 64)
    right = (program(batch.tokens) == batch.targets).mean(axis=0)
    assert (right[:16] == 1).all()
    assert right[20:].max() < 0.1


@pytest.mark.parametrize("name", ["Q8", "D4", "A4", "S4"])
def test_doubling_of_solvable_groups(name: str) -> None:
    program, task = load_program(name, max_length=32, method="doubling"), get_task(name)
    batch = task.sample(np.random.default_rng(0), 50, 32)
    assert (program(batch.tokens) == batch.targets).all()


@pytest.mark.parametrize("name", ["Q8", "D4", "A4", "S3"])
def test_coset_actions_are_faithful(name: str) -> None:
    group = get_group(name)
    images = find_coset_action(group)
    assert len({tuple(row) for row in images}) == group.order
    for a in range(group.order):
        for b in range(group.order):
            then = [images[b][point] for point in images[a]]
            assert then == images[group.table[a, b]]


def test_factors_are_stated_by_the_name() -> None:
    assert [g.name for g in find_factors(get_group("A4xZ5"))] == ["A4", "Z5"]


def draw_words(length: int, symbols: int, size: int = 40) -> np.ndarray:
    return np.random.default_rng(length).integers(symbols, size=(size, length))


@pytest.mark.parametrize("length", [1, 2, 9, 40])
def test_programs_without_a_task(length: int) -> None:
    words = draw_words(length, 5)
    same = words[:, :, None] == words[:, None, :]
    histogram = load_program("histogram", max_length=length)
    assert (histogram(words) == same.sum(axis=2)).all()
    assert (load_program("sort", max_length=length)(words) == np.sort(words, axis=1)).all()
    assert (load_program("reverse", max_length=length)(words) == words[:, ::-1]).all()
    marked = np.concatenate([np.zeros((len(words), 1), int), words + 1], axis=1)
    bos = load_program("histogram-bos", max_length=length + 1)(marked)
    assert (bos[:, 1:] == same.sum(axis=2)).all()
    double = load_program("double-histogram", max_length=length)(words)
    for row, word in zip(double, words.tolist(), strict=True):
        counts = {symbol: word.count(symbol) for symbol in word}
        assert row.tolist() == [list(counts.values()).count(counts[s]) for s in word]


def test_which_tasks_have_programs() -> None:
    solved = {name for name in task_names() if has_program(get_task(name))}
    assert {"A5", "parity", "dyck-2", "majority", "reverse-string", "gridworld"} <= solved
    assert not {"modular-arithmetic", "solve-equation", "tomita-3"} & solved
    assert not has_program(get_task("reverse-string")) or not has_program(
        get_task("bucket-sort:mode=recognise")
    )


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tomita-3", {}, "no RASP program solves tomita-3"),
        ("A6", {"radix": 1}, "radix 1"),
        ("A5", {"layers": 0}, "layers 0"),
        ("A5", {"max_length": 0}, "max_length 0"),
        ("A5", {"method": "magic"}, "unknown method"),
        ("partiy", {}, "did you mean 'parity'"),
    ],
)
def test_what_is_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_program(name, **options)  # type: ignore[arg-type]


def test_invalid_ids_are_refused() -> None:
    with pytest.raises(UserError, match="ids from 0 to 1"):
        load_program("parity")(np.array([[2]]))
    with pytest.raises(UserError, match="whole numbers"):
        load_program("parity")(np.array([[0.5]]))
