"""Where a docstring says uniform, it is: chi-square over every word, or every member.

At each length with at most `MOST` of them, as many as 20 times their number are drawn, and those
that never came up count as drawn zero times. How many there are is counted here a second time, by
trying every word where these are few and by a formula where they are not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import chisquare

from flann.tasks import Task, get_task
from flann.tasks.core.recognition import Recognition
from flann.tasks.languages.counters_and_stacks.dyck import Dyck
from flann.tasks.languages.regular.regular_language import RegularLanguage

MOST = 5_000  # words or members of one length
LEAST_P = 1e-5  # some 2,000 tests; the seeds are fixed, so each passes always or never
TRIED = 60_000  # words, to count members by trying
LONGEST = 80


def check_uniform(words: np.ndarray, count: int) -> None:
    """`words`, of shape (drawn, positions), against the uniform law over `count` words."""
    whole = np.ascontiguousarray(words)
    rows = whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
    seen = np.unique(rows, return_counts=True)[1]
    assert len(seen) <= count
    frequencies = np.concatenate([seen, np.zeros(count - len(seen), int)])
    assert count == 1 or chisquare(frequencies).pvalue > LEAST_P


# -- members -------------------------------------------------------------------------------------


def kinds_of(task: Task) -> int:
    return len(task.symbols) // 2


@cache
def brackets(length: int, depth: int) -> int:
    """Dyck paths of at most this height, by walking."""
    ways = {0: 1}
    for _ in range(length):
        after: dict[int, int] = {}
        for height, count in ways.items():
            for there in (height - 1, height + 1):
                if 0 <= there <= depth:
                    after[there] = after.get(there, 0) + count
        ways = after
    return ways.get(0, 0)


def dyck(task: Task, length: int) -> int:
    depth = task.depth or length  # type: ignore[attr-defined]
    return brackets(length, depth) * kinds_of(task) ** (length // 2)


@cache
def shuffles(kinds: int, length: int) -> int:
    """Words of shuffle-dyck: walks of as many counters, all back at 0."""
    ways = {(0,) * kinds: 1}
    for _ in range(length):
        after: dict[tuple[int, ...], int] = {}
        for state, count in ways.items():
            for kind, step in product(range(kinds), (-1, 1)):
                there = (*state[:kind], state[kind] + step, *state[kind + 1 :])
                if there[kind] >= 0:
                    after[there] = after.get(there, 0) + count
        ways = after
    return ways.get((0,) * kinds, 0)


@cache
def expressions(operands: int, to_come: int, length: int) -> int:
    """Words of boolean-n that fill so many places."""
    if to_come == 0 or length == 0:
        return int(to_come == length)
    operators = sum(
        expressions(operands, to_come - 1 + k, length - 1) for k in range(1, operands + 1)
    )
    return operators + 2 * expressions(operands, to_come - 1, length - 1)


MEMBERS: dict[str, Callable[[Task, int], int]] = {
    "dyck-1": dyck,
    "dyck-2": dyck,
    "shuffle-dyck-2": lambda task, t: shuffles(2, t),
    "boolean-3": lambda task, t: expressions(3, 1, t),
    "marked-reversal": lambda task, t: 2 ** (t // 2),
    "marked-copy": lambda task, t: 2 ** (t // 2),
    "odds-first": lambda task, t: 2 ** (t // 2),
    "bucket-sort": lambda task, t: 5 ** (t // 2),
    "unmarked-reversal": lambda task, t: 2 ** (t // 2),
    "missing-duplicate": lambda task, t: t * 2 ** (t // 2 - 1),
    "a-n-b-n": lambda task, t: 1,
    "a-n-b-n-c-n": lambda task, t: 1,
}
STATED = ("binary-addition", "binary-multiplication", "compute-sqrt")  # another distribution


def members_by_trying(task: Task, length: int) -> int | None:
    if len(task.symbols) ** length > TRIED:
        return None
    words = np.array(list(product(range(len(task.symbols)), repeat=length)))
    return int((label_of_members(task, words) == 1).sum())


def label_of_members(task: Task, words: np.ndarray) -> np.ndarray:
    return get_task(task.name.replace(",negatives=near", "")).targets(words)[:, -1]


def count_members(task: Task, length: int) -> int | None:
    """By trying, by the automaton or by a formula; all that can be done agree."""
    tried = members_by_trying(task, length)
    if isinstance(task, RegularLanguage):
        told: int | None = task.inside.count(length)
    else:
        formula = MEMBERS.get(task.name.partition(":")[0])
        told = formula(task, length) if formula else None
    assert None in (tried, told) or tried == told
    return tried if told is None else told


def test_members(task: Task) -> None:
    if not isinstance(task, Recognition | Dyck) or task.mode != "recognise":
        pytest.skip("not a language to recognise")
    if task.name.partition(":")[0] in STATED:
        pytest.skip("members have another law, tested in test_equations")
    found = 0
    for length in task.valid_lengths(1, LONGEST):
        count = count_members(task, length)
        if count is None or count > MOST:
            break
        found += 1
        rng = np.random.Generator(np.random.PCG64(length))
        drawn = task.members(rng, 20 * count, length).T
        assert (label_of_members(task, drawn) == 1).all()
        check_uniform(drawn, count)
    assert found


# -- words ---------------------------------------------------------------------------------------

NOT_UNIFORM = {
    "parity:ones=uniform": "the number of ones is",
    "parity:mode=recognise,ones=uniform": "the number of ones is",
    "stack-manipulation": "the height of the first stack is",
    "abab": "the place where the pattern is left is",
}


def test_words(task: Task) -> None:
    mixed = isinstance(task, Recognition) and task.mode == "recognise"
    if mixed or task.name in NOT_UNIFORM:
        pytest.skip("its docstring states another distribution")
    if isinstance(task, RegularLanguage) and not (task.asks_next or task.automaton.live.all()):
        pytest.skip("half of the words have a symbol replaced")
    for length in task.valid_lengths(1, LONGEST):
        count = task.count_words(length)
        if count is None:
            pytest.skip("not uniform, or not counted")
        if count > MOST:
            break
        rng = np.random.Generator(np.random.PCG64(length))
        check_uniform(task.sample(rng, 20 * count, length).tokens, count)


# -- these tests can fail ------------------------------------------------------------------------


def test_what_is_not_uniform_would_be_found(rng: np.random.Generator) -> None:
    task = get_task("stack-manipulation")
    count = task.count_words(5)
    with pytest.raises(AssertionError):
        check_uniform(task.sample(rng, 20 * count, 5).tokens, count)


def test_a_member_that_never_comes_would_be_found(rng: np.random.Generator) -> None:
    words = rng.integers(2, size=(20_000, 8), dtype=np.uint8)
    check_uniform(words, 256)
    with pytest.raises(AssertionError):
        check_uniform(words[words.any(axis=1)], 256)


def test_a_wrong_formula_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEMBERS, "dyck-1", lambda task, t: comb(t, t // 2))
    with pytest.raises(AssertionError):
        count_members(get_task("dyck-1:mode=recognise"), 4)
