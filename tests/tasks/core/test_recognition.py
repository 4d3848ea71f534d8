"""Non-members: the published mixture and the near misses, against enumeration."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare

from flann.errors import UserError
from flann.tasks import Task, get_task
from flann.tasks.automata.expressions import from_expression
from flann.tasks.core.recognition import Recognition, edit_words, move_symbol, replace_symbol
from flann.tasks.languages.regular.regular_language import RegularLanguage

LEAST_P = 1e-4

Law = dict[tuple[int, ...], Fraction]


def list_replacements(word: tuple[int, ...], alphabet: int) -> Law:
    """Return every replacement of one symbol, equally likely."""
    law: Law = Counter()
    for position, other in product(range(len(word)), range(alphabet)):
        if other != word[position]:
            law[(*word[:position], other, *word[position + 1 :])] += Fraction(
                1, len(word) * (alphabet - 1)
            )
    return law


def list_moves(word: tuple[int, ...], alphabet: int) -> Law:
    """Return every removal followed by an insertion, performed on a list."""
    law: Law = Counter()
    length = len(word)
    for removed, inserted, symbol in product(range(length), range(length), range(alphabet)):
        left = list(word)
        del left[removed]
        left.insert(inserted, symbol)
        law[tuple(left)] += Fraction(1, length * length * alphabet)
    return law


def apply_edit(law: Law, alphabet: int) -> Law:
    after: Law = Counter()
    for word, share in law.items():
        for list_edits in (list_replacements, list_moves):
            for changed, odds in list_edits(word, alphabet).items():
                after[changed] += share * odds / 2
    return after


def check_distribution(words: np.ndarray, law: Law) -> None:
    counted = Counter(map(tuple, words.T.tolist()))
    assert set(counted) <= set(law)
    expected = np.array([float(p) for p in law.values()])
    frequencies = np.array([counted[word] for word in law])
    rare = expected * frequencies.sum() < 5
    frequencies = np.append(frequencies[~rare], frequencies[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    kept = expected > 0
    chi = chisquare(frequencies[kept], expected[kept] / expected[kept].sum() * frequencies.sum())
    assert chi.pvalue > LEAST_P


@pytest.mark.parametrize("change", [(replace_symbol, list_replacements), (move_symbol, list_moves)])
def test_single_edits(change, rng: np.random.Generator) -> None:  # type: ignore[no-untyped-def]
    edit, oracle = change
    word = (0, 2, 1, 1)
    words = np.repeat(np.array(word, np.uint8)[:, None], 100_000, axis=1)
    edit(rng, words, np.ones(100_000, bool), 3)
    check_distribution(words, oracle(word, 3))


def test_only_the_selected_words_are_edited(rng: np.random.Generator) -> None:
    words = np.zeros((5, 100), np.uint8)
    replace_symbol(rng, words, np.arange(100) < 50, 4)
    assert (words[:, :50].any(axis=0)).all()
    assert not words[:, 50:].any()


def test_the_number_of_edits_is_geometric(rng: np.random.Generator) -> None:
    """The distribution of a word after K edits with probability 2^-K, up to twelve edits."""
    word = (0, 0, 1)
    law, once, total = Counter(), {word: Fraction(1)}, Fraction(0)
    for k in range(1, 13):
        once = apply_edit(once, 2)
        for changed, share in once.items():
            law[changed] += share / 2**k
        total += Fraction(1, 2**k)
    words = np.repeat(np.array(word, np.uint8)[:, None], 200_000, axis=1)
    check_distribution(edit_words(rng, words, 2), {w: p / total for w, p in law.items()})


def build_language(**options) -> RegularLanguage:  # type: ignore[no-untyped-def]
    return RegularLanguage("test", from_expression("(aa|b)*"), mode="recognise", **options)


def test_half_are_members(rng: np.random.Generator) -> None:
    targets = build_language().sample(rng, 100_000, 6).targets
    assert abs((targets[:, -1] == 1).mean() - 0.5) < 0.005


def test_the_mixture_of_non_members(rng: np.random.Generator) -> None:
    task, length = build_language(), 3
    inside = [w for w in product(range(2), repeat=length) if task.automaton.accepts(w)]
    outside = [w for w in product(range(2), repeat=length) if w not in inside]
    law: Law = {w: Fraction(1, 2 * len(outside)) for w in outside}
    edits, once = Counter(), {w: Fraction(1, len(inside)) for w in inside}
    for k in range(1, 13):
        once = apply_edit(once, 2)
        for word, share in once.items():
            edits[word] += share / 2**k
    kept = sum(p for w, p in edits.items() if w not in inside)
    for word in outside:
        law[word] += edits[word] / kept / 2
    tokens, targets = task.sample(rng, 100_000, length)
    check_distribution(tokens[targets[:, -1] == 0].T, law)


def test_near_misses_are_one_replacement_away(rng: np.random.Generator) -> None:
    task, length = build_language(negatives="near"), 5
    inside = [w for w in product(range(2), repeat=length) if task.automaton.accepts(w)]
    law: Law = Counter()
    for word in inside:
        for changed, odds in list_replacements(word, 2).items():
            if changed not in inside:
                law[changed] += odds / len(inside)
    tokens, targets = task.sample(rng, 50_000, length)
    total = sum(law.values())
    check_distribution(tokens[targets[:, -1] == 0].T, {w: p / total for w, p in law.items()})


def test_near_misses_have_the_right_format(rng: np.random.Generator) -> None:
    form = from_expression("(..)*b", "ab")
    task = build_language(negatives="near", form=form)
    tokens, targets = task.sample(rng, 1000, 5)
    assert task.in_format(tokens[targets[:, -1] == 0]).all()
    assert task.format_accuracy(5) < 0.75
    assert build_language(form=form).format_accuracy(5) > task.format_accuracy(5)


def test_the_format_alone_can_score_well() -> None:
    task = RegularLanguage(
        "test",
        from_expression("[ab]{3}c[ab]{3}"),
        mode="recognise",
        form=from_expression("[ab]*c[ab]*"),
    )
    assert task.format_accuracy(7) > 0.7
    assert build_language().format_accuracy(6) == pytest.approx(
        0.5, abs=0.02
    )  # without a format all are accepted


def test_every_format_baseline_is_a_share(task: Task) -> None:
    """The baseline is None unless the task is a recognition task with a format."""
    share = task.format_accuracy(task.nearest_length(12))
    assert share is None or (task.mode == "recognise" and 0.4 < share <= 1)


def test_rare_non_members_are_drawn(rng: np.random.Generator) -> None:
    """All words but one are members, so edits hardly ever leave the language."""
    task = RegularLanguage("test", from_expression("[ab]*a[ab]*"), mode="recognise")
    tokens, targets = task.sample(rng, 2000, 12)
    outside = tokens[targets[:, -1] == 0]
    assert 900 < len(outside) < 1100


def test_a_language_without_near_misses_is_refused() -> None:
    with pytest.raises(UserError, match="no length of 1 or more with both a member and another"):
        build_language(negatives="near", form=from_expression("(aa|b)*"))


def test_rare_near_misses_are_drawn(rng: np.random.Generator) -> None:
    """In a long word of five runs, hardly any replacement removes a run."""
    task = get_task("abcde-runs:mode=recognise,negatives=near")
    tokens, targets = task.sample(rng, 100, 100)
    assert task.in_format(tokens).all()
    assert 20 < (targets[:, -1] == 0).sum() < 80


def test_without_an_automaton_uniform_words_are_redrawn(rng: np.random.Generator) -> None:
    class Equal(Recognition):
        name, symbols = "equal", ("0", "1")

        def members(self, rng: np.random.Generator, size: int, length: int) -> np.ndarray:
            return np.repeat(rng.integers(2, size=(1, size), dtype=np.uint8), length, axis=0)

        def contains(self, tokens: np.ndarray) -> np.ndarray:
            return (tokens == tokens[:, :1]).all(axis=1)

    task = Equal()
    outside = task.draw_non_members(rng, 50_000, 3)
    law = {w: Fraction(1, 6) for w in product(range(2), repeat=3) if len(set(w)) > 1}
    check_distribution(outside, law)
    assert task.sample(rng, 100, 3).targets.shape == (100, 3)
    assert Recognition.draw_near_misses(task, rng, 100, 4).shape == (4, 100)
    task.in_format = lambda tokens: np.zeros(len(tokens), bool)
    with pytest.raises(UserError, match="hardly any near miss of length 5"):
        task.draw_near_misses(rng, 1, 5)
