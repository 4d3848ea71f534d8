"""The distribution of words in tasks of memory and of counting."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from flann.errors import UserError
from flann.tasks import get_task

LEAST_P = 1e-4


@pytest.mark.parametrize("ignore", ["0.1", "0.8", "0.98"])
def test_instructions_have_the_requested_frequencies(ignore: str, rng: np.random.Generator) -> None:
    task = get_task(f"flip-flop-language:ignore={ignore}")
    tokens = task.sample(rng, 20_000, 40).tokens
    kinds = tokens[:, 2:-2:2]
    share = float(ignore)
    expected = np.array([(1 - share) / 2, (1 - share) / 2, share]) * kinds.size
    assert chisquare(np.bincount(kinds.ravel(), minlength=3), expected).pvalue > LEAST_P
    assert (tokens[:, 0] == 0).all()
    assert (tokens[:, -2] == 1).all()
    free = tokens[:, 1::2][tokens[:, ::2] != 1]
    assert chisquare(np.bincount(free, minlength=5)[3:]).pvalue > LEAST_P


@pytest.mark.parametrize("ignore", ["1", "-0.1", "much"])
def test_a_share_out_of_range_is_refused(ignore: str) -> None:
    with pytest.raises(UserError, match=r"expected (from 0 to below 1|a number)"):
        get_task(f"flip-flop-language:ignore={ignore}")


def test_the_default_share_has_one_name() -> None:
    assert get_task("flip-flop-language:ignore=0.8").name == "flip-flop-language"


@pytest.mark.parametrize("name", ["a-n-b-n", "a-n-b-n-c-n", "a-n-b-n-c-n-d-n"])
def test_the_first_run_is_uniform(name: str, rng: np.random.Generator) -> None:
    task = get_task(name)
    tokens, targets = task.sample(rng, 60_000, 12)
    firsts = np.bincount((tokens == 0).sum(axis=1), minlength=13)
    least = 12 // len(task.symbols)
    assert not firsts[:least].any()
    assert chisquare(firsts[least:]).pvalue > LEAST_P
    assert (targets >= 0).all()


def test_the_last_key_occurs_before(rng: np.random.Generator) -> None:
    tokens = get_task("associative-recall").sample(rng, 60_000, 5).tokens
    first, second, last = tokens[:, 0], tokens[:, 2], tokens[:, 4]
    assert ((last == first) | (last == second)).all()
    two = first != second
    assert abs((last == first)[two].mean() - 0.5) < 0.01
    assert chisquare(np.bincount(last, minlength=8)[:8]).pvalue > LEAST_P


@pytest.mark.parametrize(
    ("word", "says"),
    [(["k0", "k1", "k0"], "alternating keys and values"), (["k0", "v1", "k1"], "occurs before")],
)
def test_words_without_an_answer_are_refused(word: list[str], says: str) -> None:
    task = get_task("associative-recall")
    with pytest.raises(UserError, match=says):
        task.targets(np.array([[task.symbols.index(s) for s in [*word, "?"]]]))


@pytest.mark.parametrize(
    "name", ["a-n-b-n:negatives=near", "tomita-1:negatives=near", "odds-first:negatives=near"]
)
def test_near_misses_are_for_recognition(name: str) -> None:
    with pytest.raises(UserError, match="negatives=near is for mode=recognise"):
        get_task(name)
