"""Measuring: exact for a model that knows the truth, and the same in however many parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import flann
from flann.errors import UserError
from flann.evaluation import predictor
from flann.evaluation.held_out_words import draw_held_out_words
from flann.tasks import get_task, task_names

LENGTHS = [4, 9, 33]


@pytest.mark.parametrize("name", task_names())
def test_the_truth_scores_one(name: str) -> None:
    task = get_task(name)
    lengths = [min(task.valid_lengths(n, n + 3)) for n in LENGTHS]
    measured = flann.evaluate(lambda words: task.targets(words.numpy()).clip(0), task, lengths)
    metrics = measured.curve[["per_word", "last_symbol", "per_symbol"]]
    assert (metrics == 1.0).all(axis=None)
    assert measured.reach == max(lengths)
    assert not measured.refused


def test_chance_is_what_a_guess_scores() -> None:
    always = flann.evaluate(lambda words: np.zeros(words.shape, int), "A5", [32], size=4000)
    row = always.curve.iloc[0]
    assert row.per_symbol_low <= row.chance_per_symbol <= row.per_symbol_high


def test_parts_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def model(words: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(words.cumsum(1) % 3 % 2, 2).float()

    whole = flann.evaluate(model, "parity", LENGTHS)
    seen = []
    monkeypatch.setattr(predictor, "SYMBOLS_AT_ONCE", 100)
    parts = flann.evaluate(
        lambda words: (seen.append(words.numel()), model(words))[1], "parity", LENGTHS
    )
    assert max(seen) <= 100
    assert parts.curve.equals(whole.curve)


def test_a_length_that_the_model_refuses_is_left_out_with_its_reason() -> None:
    def short(words: torch.Tensor) -> torch.Tensor:
        if words.shape[1] > 8:
            raise UserError("longest word: 8")
        return torch.zeros_like(words)

    measured = flann.evaluate(short, "parity", [4, 16])
    assert measured.curve.length.tolist() == [4]
    assert measured.refused == {16: "longest word: 8"}


def test_a_length_that_is_refused_leaves_torch_as_it_was() -> None:
    def short(words: torch.Tensor) -> torch.Tensor:
        raise UserError("no word at all")

    kept = []
    try:
        flann.evaluate(short, "parity", [4])
        predictor.Predictor(short, "cpu").predict(np.zeros((2, 3), int), 2)
    except UserError as error:
        kept.append(error)  # and with it all that was going on
    assert torch.is_grad_enabled()
    assert kept


def test_logits_that_are_not_finite_are_never_a_low_accuracy() -> None:
    def broken(words: torch.Tensor) -> torch.Tensor:
        return torch.full((*words.shape, 2), float("nan"))

    measured = flann.evaluate(broken, "parity", [4])
    assert measured.curve.empty
    assert "not finite" in measured.refused[4]


@pytest.mark.parametrize("shape", [(512, 4, 3), (512, 5), (4, 512), (512,)])
def test_answers_of_the_wrong_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="expected logits"):
        flann.evaluate(lambda words: torch.zeros(shape, dtype=torch.int64), "parity", [4])


def test_test_words_are_the_same_for_everyone() -> None:
    seen: list[torch.Tensor] = []
    for _ in range(2):
        flann.evaluate(lambda words: (seen.append(words.clone()), words * 0)[1], "A5", [8], size=64)
    assert torch.equal(seen[0], seen[1])


def test_validation_words_are_not_the_test_words() -> None:
    task = get_task("A5")
    test, validation = (draw_held_out_words(task, 8, 64, p) for p in ("test", "validation"))
    assert not np.array_equal(test.tokens, validation.tokens)


def test_a_language_to_recognise_has_the_baseline_of_its_format() -> None:
    import flann

    def accept(tokens: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(tokens)

    curve = flann.evaluate(accept, "marked-copy", lengths=[9, 21]).curve
    assert (curve.format_alone > 0.9).all()
    assert (curve.per_word < 0.6).all()
    assert "format_alone" not in flann.evaluate(accept, "parity", lengths=[9]).curve
