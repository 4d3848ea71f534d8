"""Measuring a model on words of many lengths.

Anything that maps words to answers can be measured: one of flann's models, a compiled program,
or a function of the user's own. The test words of a length depend on the task and the length
alone, so that every model is asked the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from flann.tasks import Batch, Task, get_task, test_stream
from flann.tasks.sampling import Purpose

from .errors import UserError
from .formats import Format, get_format
from .metrics import Score, reach

SYMBOLS_AT_ONCE = 2**15  # of one forward pass, and
PAIRS_AT_ONCE = 2**25  # pairs of positions, for attention: so memory is bounded at any length
Model = Callable[[Any], Any]


class WrongOutputError(UserError):
    """A model whose answers cannot be read, at whatever length."""


class NotFiniteError(UserError):
    """A model whose logits overflowed: no answer, and never a wrong one."""


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
    device: torch.device | str = "cpu",
    watch: Callable[[int], None] | None = None,
) -> Evaluation:
    """Accuracy of `model` on `task` at each length.

    Parameters
    ----------
    model : callable
        takes token ids, an int64 tensor [words, positions], and returns logits [words,
        positions, labels] or label ids [words, positions]; tensors or numpy arrays.
    task : Task or str
    lengths : iterable of int
    size : int
        test words a length.
    format, device
        how the words are put to the model, and where the tokens are placed.
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
    put = get_format(format)
    rows, places, refused = [], [], {}
    for length in sorted(set(lengths)):
        if watch:
            watch(length)
        batch = put.encode(words_for(task, length, size, "test"))
        try:
            score = Score.of(answers(model, batch.tokens, put, task, device), batch.targets)
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


def answers(
    model: Model,
    tokens: NDArray[np.integer],
    put: Format,
    task: Task,
    device: torch.device | str,
) -> NDArray[np.int64]:
    """The model's label ids for these tokens, a few rows at a time."""
    words = torch.from_numpy(np.ascontiguousarray(tokens).astype(np.int64)).to(device)
    given = [labels_of(model(part), part.shape, put.labels(task)) for part in in_parts(words)]
    return np.concatenate(given)


def in_parts(words: torch.Tensor) -> Iterator[torch.Tensor]:
    """Rows of `words` in parts that fit into memory; at least one row at a time."""
    length = words.shape[1]
    rows = max(1, min(SYMBOLS_AT_ONCE // length, PAIRS_AT_ONCE // length**2))
    with torch.no_grad():
        yield from words.split(rows)


def labels_of(output: Any, shape: torch.Size, labels: int) -> NDArray[np.int64]:
    """Label ids from what a model returned: logits or label ids."""
    answer = torch.as_tensor(output).detach()
    if answer.ndim == 3 and answer.shape == (*shape, labels):
        if not torch.isfinite(answer).all():
            raise NotFiniteError("the model's logits are not finite")
        return answer.argmax(dim=-1).cpu().numpy()
    if answer.shape == shape and not answer.is_floating_point():
        return answer.cpu().numpy().astype(np.int64)
    raise WrongOutputError(
        f"the model returned shape {tuple(answer.shape)} of {answer.dtype}: expected logits"
        f" {(*shape, labels)} or label ids {tuple(shape)}"
    )
