"""Words that are no members: the published mix and the near misses, against enumeration."""

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


def replacements(word: tuple[int, ...], alphabet: int) -> Law:
    """Every replacement of one symbol, equally likely."""
    law: Law = Counter()
    for place, other in product(range(len(word)), range(alphabet)):
        if other != word[place]:
            law[(*word[:place], other, *word[place + 1 :])] += Fraction(
                1, len(word) * (alphabet - 1)
            )
    return law


def moves(word: tuple[int, ...], alphabet: int) -> Law:
    """Every removal and insertion, on a list."""
    law: Law = Counter()
    length = len(word)
    for removed, inserted, symbol in product(range(length), range(length), range(alphabet)):
        left = list(word)
        del left[removed]
        left.insert(inserted, symbol)
        law[tuple(left)] += Fraction(1, length * length * alphabet)
    return law


def one_edit(law: Law, alphabet: int) -> Law:
    after: Law = Counter()
    for word, share in law.items():
        for way in (replacements, moves):
            for changed, odds in way(word, alphabet).items():
                after[changed] += share * odds / 2
    return after


def check(words: np.ndarray, law: Law) -> None:
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


@pytest.mark.parametrize("change", [(replace_symbol, replacements), (move_symbol, moves)])
def test_single_edits(change, rng: np.random.Generator) -> None:  # type: ignore[no-untyped-def]
    ours, oracle = change
    word = (0, 2, 1, 1)
    words = np.repeat(np.array(word, np.uint8)[:, None], 100_000, axis=1)
    ours(rng, words, np.ones(100_000, bool), 3)
    check(words, oracle(word, 3))


def test_only_the_chosen_words_are_edited(rng: np.random.Generator) -> None:
    words = np.zeros((5, 100), np.uint8)
    replace_symbol(rng, words, np.arange(100) < 50, 4)
    assert (words[:, :50].any(axis=0)).all()
    assert not words[:, 50:].any()


def test_how_many_edits(rng: np.random.Generator) -> None:
    """K edits with probability 2^-K: the law of a word after them, to twelve edits."""
    word = (0, 0, 1)
    law, once, total = Counter(), {word: Fraction(1)}, Fraction(0)
    for k in range(1, 13):
        once = one_edit(once, 2)
        for changed, share in once.items():
            law[changed] += share / 2**k
        total += Fraction(1, 2**k)
    words = np.repeat(np.array(word, np.uint8)[:, None], 200_000, axis=1)
    check(edit_words(rng, words, 2), {w: p / total for w, p in law.items()})


def language(**options) -> RegularLanguage:  # type: ignore[no-untyped-def]
    return RegularLanguage("test", from_expression("(aa|b)*"), mode="recognise", **options)


def test_half_are_members(rng: np.random.Generator) -> None:
    targets = language().sample(rng, 100_000, 6).targets
    assert abs((targets[:, -1] == 1).mean() - 0.5) < 0.005


def test_the_mix_of_words_outside(rng: np.random.Generator) -> None:
    task, length = language(), 3
    inside = [w for w in product(range(2), repeat=length) if task.automaton.accepts(w)]
    outside = [w for w in product(range(2), repeat=length) if w not in inside]
    law: Law = {w: Fraction(1, 2 * len(outside)) for w in outside}
    edits, once = Counter(), {w: Fraction(1, len(inside)) for w in inside}
    for k in range(1, 13):
        once = one_edit(once, 2)
        for word, share in once.items():
            edits[word] += share / 2**k
    kept = sum(p for w, p in edits.items() if w not in inside)
    for word in outside:
        law[word] += edits[word] / kept / 2
    tokens, targets = task.sample(rng, 100_000, length)
    check(tokens[targets[:, -1] == 0].T, law)


def test_near_misses_are_one_replacement_away(rng: np.random.Generator) -> None:
    task, length = language(negatives="near"), 5
    inside = [w for w in product(range(2), repeat=length) if task.automaton.accepts(w)]
    law: Law = Counter()
    for word in inside:
        for changed, odds in replacements(word, 2).items():
            if changed not in inside:
                law[changed] += odds / len(inside)
    tokens, targets = task.sample(rng, 50_000, length)
    total = sum(law.values())
    check(tokens[targets[:, -1] == 0].T, {w: p / total for w, p in law.items()})


def test_near_misses_have_the_right_format(rng: np.random.Generator) -> None:
    form = from_expression("(..)*b", "ab")
    task = language(negatives="near", form=form)
    tokens, targets = task.sample(rng, 1000, 5)
    assert task.in_format(tokens[targets[:, -1] == 0]).all()
    assert task.format_accuracy(5) < 0.75
    assert language(form=form).format_accuracy(5) > task.format_accuracy(5)


def test_the_format_alone_can_score_well() -> None:
    task = RegularLanguage(
        "test",
        from_expression("[ab]{3}c[ab]{3}"),
        mode="recognise",
        form=from_expression("[ab]*c[ab]*"),
    )
    assert task.format_accuracy(7) > 0.7
    assert language().format_accuracy(6) == pytest.approx(0.5, abs=0.02)  # no format: all accepted


def test_every_format_baseline_is_a_share(task: Task) -> None:
    """None but for languages to be recognised that have a format."""
    share = task.format_accuracy(task.nearest_length(12))
    assert share is None or (task.mode == "recognise" and 0.4 < share <= 1)


def test_words_outside_are_found_where_they_are_rare(rng: np.random.Generator) -> None:
    """All words but one are members: edits hardly ever leave the language."""
    task = RegularLanguage("test", from_expression("[ab]*a[ab]*"), mode="recognise")
    tokens, targets = task.sample(rng, 2000, 12)
    outside = tokens[targets[:, -1] == 0]
    assert 900 < len(outside) < 1100


def test_no_near_miss_is_one_clear_line() -> None:
    with pytest.raises(UserError, match="no length of 1 or more with both a member and another"):
        language(negatives="near", form=from_expression("(aa|b)*"))


def test_near_misses_that_are_rare_are_found(rng: np.random.Generator) -> None:
    """Five runs, and one of them gone: in a long word hardly any replacement does that."""
    task = get_task("abcde-runs:mode=recognise,negatives=near")
    tokens, targets = task.sample(rng, 100, 100)
    assert task.in_format(tokens).all()
    assert 20 < (targets[:, -1] == 0).sum() < 80


def test_without_an_automaton_uniform_words_are_drawn_again(rng: np.random.Generator) -> None:
    class Equal(Recognition):
        name, symbols = "equal", ("0", "1")

        def members(self, rng: np.random.Generator, size: int, length: int) -> np.ndarray:
            return np.repeat(rng.integers(2, size=(1, size), dtype=np.uint8), length, axis=0)

        def contains(self, tokens: np.ndarray) -> np.ndarray:
            return (tokens == tokens[:, :1]).all(axis=1)

    task = Equal()
    outside = task.draw_non_members(rng, 50_000, 3)
    law = {w: Fraction(1, 6) for w in product(range(2), repeat=3) if len(set(w)) > 1}
    check(outside, law)
    assert task.sample(rng, 100, 3).targets.shape == (100, 3)
    assert Recognition.draw_near_misses(task, rng, 100, 4).shape == (4, 100)
    task.in_format = lambda tokens: np.zeros(len(tokens), bool)
    with pytest.raises(UserError, match="hardly any near miss of length 5"):
        task.draw_near_misses(rng, 1, 5)
