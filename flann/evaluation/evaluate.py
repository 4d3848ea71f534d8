"""Measure a model on words of many lengths.

Anything that maps words to answers can be measured: one of flann's models, a compiled program, or a
function of the user's own. All are measured on the same words (`held_out_words`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import torch
from torch import nn

from flann.curve_schema import CURVE_COLUMNS, FORMAT_ALONE, METRICS, POSITION_COLUMNS
from flann.errors import UserError
from flann.formats import get_format
from flann.tasks import Task, get_task

from .held_out_words import draw_held_out_words
from .metrics import Score, compute_reach
from .predictor import Model, Predictor, WrongOutputError


@dataclass(frozen=True)
class Evaluation:
    """The accuracies of a model at each length.

    Attributes
    ----------
    curve : DataFrame
        a row per length, with the columns of `flann.curve_schema`; ``format_alone`` only for
        recognition tasks whose words have a format.
    positions : DataFrame
        a row per length and scored position: the accuracy there, and how many words have their
        first error there.
    refused : dict
        the lengths that the model refused, with its reason.
    """

    curve: pd.DataFrame
    positions: pd.DataFrame
    refused: dict[int, str]

    @property
    def reach(self) -> int:
        """The greatest tested length up to which at least 90% of words are right throughout."""
        measured = self.curve[self.curve.length < min(self.refused, default=float("inf"))]
        return compute_reach(measured.to_dict("records"))


def evaluate(
    model: Model,
    task: Task | str,
    lengths: Iterable[int],
    *,
    size: int = 512,
    format: str = "direct",
    device: torch.device | str | None = None,
    watch: Callable[[int], None] | None = None,
) -> Evaluation:
    """Measure the accuracy of a model on a task at each length.

    Parameters
    ----------
    model : callable
        takes token ids, an int64 tensor [words, positions], and returns logits [words,
        positions, labels] or label ids [words, positions]; tensors or numpy arrays, or an object
        with `logits`. A torch module is measured in its evaluation mode and then put back.
    task : Task or str
    lengths : iterable of int
    size : int
        number of test words at each length.
    format : str
        how the words are presented to the model (`flann.formats`).
    device : torch.device or str, optional
        where the tokens are placed; by default where a torch module's parameters are.
    watch : callable, optional
        called with each length before it is measured.

    Raises
    ------
    UserError
        for a class in place of a model, a model that the format refuses, or an output that is
        neither logits nor label ids.

    Examples
    --------
    A model that always answers the first label is right half the time on parity:

    >>> import torch, flann
    >>> always_even = lambda tokens: torch.zeros_like(tokens)
    >>> flann.evaluate(always_even, "parity", lengths=[8]).curve.per_symbol.round(1).item()
    0.5
    """
    task = get_task(task, imports=True) if isinstance(task, str) else task
    if isinstance(model, type):
        raise UserError(f"{model.__name__} is a class: expected an instance of it")
    presented = get_format(format, task)
    presented.check_model(model)
    predictor = Predictor(model, device or find_device(model))
    rows, positions, refused = [], [], {}
    for length in sorted(set(lengths)):
        if watch:
            watch(length)
        batch = draw_held_out_words(task, length, size, "test")
        try:
            with enter_evaluation_mode(model):
                score = Score.of(presented.predict(predictor, batch.tokens), batch.targets)
        except WrongOutputError:
            raise
        except UserError as error:
            refused[length] = str(error)
            continue
        baselines = {**measure_chance(task, length), FORMAT_ALONE: task.format_accuracy(length)}
        rows.append({"length": length, **score.metrics(), **baselines})
        positions += [{"length": length, **row} for row in score.positions()]
    formatted = any(row[FORMAT_ALONE] is not None for row in rows)
    return Evaluation(
        pd.DataFrame(rows, columns=[*CURVE_COLUMNS, *[FORMAT_ALONE] * formatted]),
        pd.DataFrame(positions, columns=list(POSITION_COLUMNS)),
        refused,
    )


def measure_chance(task: Task, length: int) -> dict[str, float]:
    """Return what the best guess that sees only the position scores, by each metric."""
    chance = task.chance(length)
    return {f"chance_{metric}": float(getattr(chance, metric)) for metric in METRICS}


def find_device(model: Model) -> torch.device:
    """Return the device of a model's parameters; the CPU if it has none."""
    parameters = iter(model.parameters()) if isinstance(model, nn.Module) else iter(())
    first = next(parameters, None)
    return torch.device("cpu") if first is None else first.device


@contextmanager
def enter_evaluation_mode(model: Model) -> Iterator[None]:
    """Put a torch module into evaluation mode, and back into the mode that it was in."""
    trained = isinstance(model, nn.Module) and model.training
    try:
        if isinstance(model, nn.Module):
            model.eval()
        yield
    finally:
        if isinstance(model, nn.Module) and trained:
            model.train()
