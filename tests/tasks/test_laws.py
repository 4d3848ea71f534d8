"""The laws of every task; a new file is tested with no edit here."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from flann.errors import UserError
from flann.tasks import NOT_SCORED, Task, get_task, task_names
from flann.tasks.automata.moore_machine import MooreMachine


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def lengths(task: Task, high: int = 12) -> list[int]:
    return task.valid_lengths(1, high)


def test_same_generator_same_bytes(task: Task) -> None:
    length = lengths(task)[-1]
    one, other = (task.sample(generator(3), 50, length) for _ in range(2))
    assert one.tokens.tobytes() == other.tokens.tobytes()
    assert one.targets.tobytes() == other.targets.tobytes()
    different = task.sample(generator(4), 50, length)
    assert task.count_words(length) == 1 or one.tokens.tobytes() != different.tokens.tobytes()


def test_samples_carry_the_truth(task: Task) -> None:
    for length in lengths(task):
        batch = task.sample(generator(length), 100, length)
        np.testing.assert_array_equal(batch.targets, task.targets(batch.tokens))


@pytest.mark.parametrize("size", [1, 10_000])
def test_shapes_and_ranges(task: Task, size: int) -> None:
    for length in (*lengths(task, 4), lengths(task, 33)[-1]):
        tokens, targets = task.sample(generator(length), size, length)
        assert tokens.shape == targets.shape == (size, length + task.queries(length))
        assert tokens.max() < len(task.symbols)
        scored = targets[targets != NOT_SCORED]
        assert scored.size
        assert scored.min() >= 0
        assert scored.max() < len(task.labels)


def test_types_are_the_smallest(task: Task) -> None:
    tokens, targets = task.sample(generator(), 3, lengths(task)[0])
    assert tokens.dtype == np.min_scalar_type(len(task.symbols) - 1)
    smallest = [t for t in (np.int8, np.int16, np.int32) if len(task.labels) <= np.iinfo(t).max + 1]
    assert targets.dtype == smallest[0]


def test_every_symbol_and_label_is_reached(task: Task) -> None:
    """At one length; where a label is a count, at the lengths up to the greatest."""
    wanted = lengths(task, 64) if "histogram" in task.name else lengths(task, 33)[-1:]
    symbols, labels = set(), set()
    for length in wanted:
        tokens, targets = task.sample(generator(), 10_000, length)
        symbols |= set(np.unique(tokens))
        labels |= set(np.unique(targets[targets != NOT_SCORED]))
    assert symbols == set(range(len(task.symbols)))
    assert labels == set(range(len(task.labels)))


def test_what_is_scored_follows_the_mode(task: Task) -> None:
    length = lengths(task)[-1]
    scored = task.sample(generator(), 20, length).targets != NOT_SCORED
    if task.mode == "tag":
        assert scored.all()
    elif task.mode == "recognise":
        assert scored[:, -1].all()
        assert not scored[:, :-1].any()
    else:
        assert not scored[:, :length].any()
        assert task.queries(length) > 0


def test_the_name_is_canonical(task: Task) -> None:
    again = get_task(task.name)
    assert again.name == task.name
    assert (again.mode, again.symbols, again.labels) == (task.mode, task.symbols, task.labels)
    one, other = (t.sample(generator(), 5, lengths(task)[-1]).tokens for t in (task, again))
    np.testing.assert_array_equal(one, other)


def test_tokens_of_any_type_and_strides_are_labelled_alike(task: Task) -> None:
    tokens, targets = task.sample(generator(), 30, lengths(task)[-1])
    for same in (np.ascontiguousarray(tokens), np.asfortranarray(tokens), tokens.astype(np.int64)):
        np.testing.assert_array_equal(task.targets(same), targets)
    np.testing.assert_array_equal(task.targets(tokens[::2]), targets[::2])


def test_words_are_labelled_one_by_one(task: Task) -> None:
    tokens, targets = task.sample(generator(), 20, lengths(task)[-1])
    for row in range(20):
        np.testing.assert_array_equal(task.targets(tokens[row : row + 1])[0], targets[row])


def test_blocks_do_not_show(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many words are labelled a block at a time; few blocks or many, the labels are the same."""
    tokens, targets = task.sample(generator(), 4000, lengths(task)[-1])
    for module in ("automata.semiautomaton", "languages.counters_and_stacks.dyck"):
        monkeypatch.setattr(f"flann.tasks.{module}.BLOCK", 1)
        monkeypatch.setattr(f"flann.tasks.{module}.FEWEST_WORDS", 7)
    np.testing.assert_array_equal(task.targets(tokens), targets)


def check_machine(task: Task, machine: MooreMachine) -> None:
    """Compare the machine's labels with the task's targets wherever a position is scored."""
    for length in {task.nearest_length(n) for n in (1, 2, 7, 16)}:
        batch = task.sample(generator(length), 64, length)
        labels = machine.labels[machine.states(batch.tokens[:, :length])]
        if task.mode == "transduce":
            labels = np.concatenate([np.full_like(labels, NOT_SCORED), labels[:, -1:]], axis=1)
        scored = batch.targets != NOT_SCORED
        np.testing.assert_array_equal(labels[scored], batch.targets[scored])
        if task.mode == "tag":
            np.testing.assert_array_equal(labels >= 0, scored)


def distinguish_by_words(machine: MooreMachine) -> int:
    """Count the states that words up to a length tell apart, by brute force."""
    rows = [(int(label),) for label in machine.labels]
    if machine.members is not None:
        rows = [(*row, bool(m)) for row, m in zip(rows, machine.members, strict=True)]
    while True:
        numbers = {row: number for number, row in enumerate(dict.fromkeys(rows))}
        rows = [
            (numbers[rows[q]], *(numbers[rows[p]] for p in machine.table[q].tolist()))
            for q in range(machine.size)
        ]
        if len(set(rows)) == len(numbers):
            return len(numbers)


def test_the_machine_gives_the_targets_and_is_minimal(task: Task) -> None:
    machine = task.machine
    if machine is None or machine.size > 200:
        return
    check_machine(task, machine)
    assert distinguish_by_words(machine) == machine.size
    reached = {machine.start, *machine.table[np.arange(machine.size)].ravel().tolist()}
    assert reached == set(range(machine.size))


def test_a_wrong_machine_is_noticed() -> None:
    task = get_task("tomita-4")
    assert task.machine is not None
    wrong = replace(task.machine, table=task.machine.table[:, ::-1].copy())
    with pytest.raises(AssertionError):
        check_machine(task, wrong)
    doubled = replace(
        task.machine,
        table=np.concatenate([task.machine.table + task.machine.size, task.machine.table]),
        labels=np.tile(task.machine.labels, 2),
        members=None,
    )
    check_machine(task, doubled)
    assert distinguish_by_words(doubled) < doubled.size


def test_bad_tokens_are_refused(task: Task) -> None:
    for bad in ([[len(task.symbols)]], [[-1]], [0, 0], [[0.5]], [[[0]]]):
        with pytest.raises(UserError, match="tokens: expected"):
            task.targets(np.array(bad))


def test_invalid_lengths_and_sizes_are_refused(task: Task) -> None:
    with pytest.raises(UserError, match="size 0"):
        task.sample(generator(), 0, lengths(task)[0])
    for wrong in {0, -1, *range(1, 12)} - set(lengths(task)):
        with pytest.raises(UserError, match=f"no words of length {wrong}"):
            task.sample(generator(), 1, wrong)


def test_valid_lengths_are_what_can_be_sampled(task: Task) -> None:
    assert task.valid_lengths(5, 4) == []
    assert task.valid_lengths(-3, 0) == []
    assert task.shortest == lengths(task)[0]
    assert task.valid_lengths(4, 9) == [n for n in lengths(task) if 4 <= n <= 9]


def test_words_are_not_more_than_counted(task: Task) -> None:
    for length in lengths(task, 4):
        count = task.count_words(length)
        if count is None or count > 5000:
            continue
        tokens = task.sample(generator(), 40 * count, length).tokens
        assert len(np.unique(tokens, axis=0)) == count


def test_chance_is_a_chance(task: Task) -> None:
    for length in (lengths(task)[0], lengths(task)[-1]):
        chance = task.chance(length)
        assert all(0 < c <= 1 for c in chance)
        assert chance.per_word <= chance.last_symbol + 0.02


def test_chance_is_what_the_best_guess_scores(task: Task) -> None:
    """The exact chance against the frequencies of a large sample."""
    length = lengths(task, 6)[-1]
    targets = task.sample(generator(), 40_000, length).targets
    right = sum(
        np.bincount(column[column != NOT_SCORED], minlength=1).max() for column in targets.T
    )
    chance = task.chance(length)
    assert chance.per_symbol == pytest.approx(right / (targets != NOT_SCORED).sum(), abs=0.01)
    last = targets.shape[1] - 1 - (targets[:, ::-1] != NOT_SCORED).argmax(axis=1)
    ends = np.stack([last, targets[np.arange(len(targets)), last]], axis=1)
    places, counts = np.unique(ends, axis=0, return_counts=True)
    guesses = [counts[places[:, 0] == place].max() for place in np.unique(last)]
    assert chance.last_symbol == pytest.approx(sum(guesses) / len(targets), abs=0.02)
    rows = np.unique(targets, axis=0, return_counts=True)[1].max() / len(targets)
    assert chance.per_word == pytest.approx(rows, abs=0.02)


def test_description_is_plain_json(task: Task) -> None:
    described = task.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["name"] == task.name
    assert described["summary"].endswith((".", "?"))
    word, labels = described["example"]["word"], described["example"]["labels"]
    assert set(word) <= set(task.symbols)
    assert set(labels) <= {*task.labels, "."}
    assert len(word) == len(labels)


def test_structure_agrees_with_the_labels(task: Task) -> None:
    """A small automaton or Cayley table that reports draw labels as the task does."""
    structure = task.structure
    if structure is None or task.mode != "tag" or task.label_sets is not None:
        pytest.skip("nothing to draw, or not a label at every position")
    tokens, targets = task.sample(generator(), 20, lengths(task)[-1])
    for word, labels in zip(tokens.tolist(), targets.tolist(), strict=True):
        state, states = 0, []
        for symbol in word:
            if structure["kind"] == "group":
                symbol = structure["generators"][symbol]
            state = structure["table"][state][symbol]
            states.append(state)
        if structure["kind"] == "group":
            assert states == labels
        elif set(structure["states"]) == set(task.labels):
            names = [structure["states"][state] for state in states]
            assert names == [task.labels[label] for label in labels]
        elif not structure["accepting"] or len(task.labels) > 2:
            assert [task.machine.labels[state] for state in states] == labels
        else:
            assert [int(s in structure["accepting"]) for s in states] == labels


def test_every_name_has_a_summary() -> None:
    from flann.tasks import task_summaries

    assert set(task_summaries()) == set(task_names())
    assert all(len(text) > 10 for text in task_summaries().values())
