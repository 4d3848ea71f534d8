"""Shuffle-Dyck: members are uniform, and words that are not dead are prefixes of members."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare

from flann.errors import UserError
from flann.tasks import get_task
from flann.tasks.languages.counters_and_stacks.shuffle_dyck import ShuffleDyck, count_members

LEAST_P = 1e-4


def list_members(task: ShuffleDyck, length: int) -> list[tuple[int, ...]]:
    words = np.array(list(product(range(len(task.symbols)), repeat=length)))
    return list(map(tuple, words[task.contains(words)].tolist()))


@pytest.mark.parametrize(("kinds", "length"), [(2, 2), (2, 4), (2, 6), (3, 4), (3, 6)])
def test_members_are_uniform(kinds: int, length: int, rng: np.random.Generator) -> None:
    task = ShuffleDyck(f"shuffle-dyck-{kinds}", mode="recognise")
    members = list_members(task, length)
    assert len(members) == count_members(kinds, length // 2)
    drawn = Counter(map(tuple, task.members(rng, 50 * len(members), length).T.tolist()))
    assert set(drawn) <= set(members)
    assert chisquare([drawn[word] for word in members]).pvalue > LEAST_P


def test_living_words_are_prefixes_of_uniform_members(rng: np.random.Generator) -> None:
    task = ShuffleDyck("shuffle-dyck-2")
    continued = Counter(word[:3] for word in list_members(task, 6))
    drawn = Counter(map(tuple, task.draw_prefixes(rng, 50_000, 3, 6).T.tolist()))
    assert set(drawn) <= set(continued)
    shares = np.array(list(continued.values())) / continued.total()
    assert chisquare([drawn[word] for word in continued], shares * 50_000).pvalue > LEAST_P


def test_long_words(rng: np.random.Generator) -> None:
    task = get_task("shuffle-dyck-3:mode=recognise")
    assert abs(task.sample(rng, 200, 500).targets[:, -1].mean() - 0.5) < 0.2
    assert (get_task("shuffle-dyck-2").sample(rng, 100, 400).targets >= 0).all()


@pytest.mark.parametrize("name", ["shuffle-dyck-1", "shuffle-dyck-9", "shuffle-dyck-02"])
def test_numbers_of_kinds(name: str) -> None:
    with pytest.raises(UserError, match="expected shuffle-dyck-2 to shuffle-dyck-8"):
        get_task(name)
