"""Measuring a model on words of many lengths.

Anything that maps words to answers can be measured: one of flann's models, a compiled program,
or a function of the user's own. The test words of a length depend on the task and the length
alone, so that every model is asked the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import torch
from torch import nn

from flann.errors import UserError
from flann.formats.format import get_format
from flann.tasks import Batch, Task, get_task, test_stream
from flann.tasks.core.sampling import Purpose

from .metrics import Score, reach
from .predictor import Answering, Model, WrongOutputError


@dataclass(frozen=True)
class Evaluation:
    """What a model scored.

    Attributes
    ----------
    curve : DataFrame
        a row per length: words, per_word, last_symbol, per_symbol, each with its 95% interval
        (``_low``, ``_high``) and its chance (``chance_``), first_error, and for languages to be
        recognised format_alone, what a check of the mere format scores.
    positions : DataFrame
        a row per length and scored position: accuracy, and how many words first err there.
    refused : dict
        the lengths that the model would not take, with its reason.
    """

    curve: pd.DataFrame
    positions: pd.DataFrame
    refused: dict[int, str]

    @property
    def reach(self) -> int:
        """The greatest tested length to which at least 90% of words are right throughout."""
        measured = self.curve[self.curve.length < min(self.refused, default=float("inf"))]
        return reach(measured.to_dict("records"))


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
    """Accuracy of `model` on `task` at each length.

    Parameters
    ----------
    model : callable
        takes token ids, an int64 tensor [words, positions], and returns logits [words,
        positions, labels] or label ids [words, positions]; tensors or numpy arrays, or an object
        with `logits`. A torch module is measured in its evaluation mode and then put back.
    task : Task or str
    lengths : iterable of int
    size : int
        test words a length.
    format : str
        how the words are put to the model (`flann.formats.format`).
    device : torch.device or str, optional
        where the tokens are placed; by default where a torch module's parameters are.
    watch : callable, optional
        called with each length before it is measured.

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
        raise UserError(f"{model.__name__} is a class: expected a model, made from it")
    put, asked = get_format(format, task), Answering(model, device or device_of(model))
    put.check(model)
    rows, places, refused = [], [], {}
    for length in sorted(set(lengths)):
        if watch:
            watch(length)
        batch = words_for(task, length, size, "test")
        try:
            with measuring(model):
                score = Score.of(put.answers(asked, batch.tokens), batch.targets)
        except WrongOutputError:
            raise
        except UserError as error:
            refused[length] = str(error)
            continue
        baselines = {**chances(task, length), FORMAT_ALONE: task.format_accuracy(length)}
        rows.append({"length": length, **score.metrics(), **baselines})
        places += [{"length": length, **row} for row in score.positions()]
    formatted = any(row[FORMAT_ALONE] is not None for row in rows)
    return Evaluation(
        pd.DataFrame(rows, columns=CURVE_COLUMNS + [FORMAT_ALONE] * formatted),
        pd.DataFrame(places, columns=["length", "position", "accuracy", "first_errors"]),
        refused,
    )


METRICS = ("per_word", "last_symbol", "per_symbol")
FORMAT_ALONE = "format_alone"
CURVE_COLUMNS = [
    "length",
    "words",
    *(f"{metric}{end}" for metric in METRICS for end in ("", "_low", "_high")),
    *(f"chance_{metric}" for metric in METRICS),
    "first_error",
]


def words_for(task: Task, length: int, size: int, purpose: Purpose) -> Batch:
    """The test (or validation) words of one length: a function of the task and the length."""
    return task.sample(test_stream(task.name, length, purpose), size, length)


def chances(task: Task, length: int) -> dict[str, float]:
    """What the best guess that looks at the position only would score."""
    chance = task.chance(length)
    return {f"chance_{metric}": float(getattr(chance, metric)) for metric in METRICS}


def device_of(model: Model) -> torch.device:
    """Where a model's parameters are; the CPU if it has none."""
    parameters = iter(model.parameters()) if isinstance(model, nn.Module) else iter(())
    first = next(parameters, None)
    return torch.device("cpu") if first is None else first.device


@contextmanager
def measuring(model: Model) -> Iterator[None]:
    """A torch module in its evaluation mode; nothing is dropped out of it while it is measured."""
    trained = isinstance(model, nn.Module) and model.training
    try:
        if isinstance(model, nn.Module):
            model.eval()
        yield
    finally:
        if isinstance(model, nn.Module) and trained:
            model.train()
