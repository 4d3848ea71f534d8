"""What a format is: it stands between a batch of words and the batch of tokens that a model sees.

A format encodes a batch, says how many symbols and labels the model then needs, and decodes what
the model predicts into labels at the task's own positions, where they are scored. Tasks and models
know nothing of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.tasks import Batch, Task

Ids = NDArray[np.integer]


class Predictor(Protocol):
    """A model that predicts labels; `flann.evaluation.predictor` makes one of any callable."""

    def predict(self, tokens: Ids, labels: int) -> NDArray[np.int64]:
        """Return a label id at every position, of the shape of `tokens`."""
        ...

    def generate(
        self, prompts: Ids, steps: int, labels: int, symbol_offset: int
    ) -> NDArray[np.int64]:
        """Return the label ids generated after each prompt, of shape (size, steps).

        The model reads label ``i``, once it is generated, as the symbol ``symbol_offset + i``.
        """
        ...


class Format(ABC):
    """A way of presenting one task to models.

    Attributes
    ----------
    name : str
        `flann.formats.get_format` makes the format again from this name.
    symbols, labels : int
        how many input symbols and labels a model must know.
    """

    name: str
    symbols: int
    labels: int

    def __init__(self, task: Task) -> None:
        self.task = task
        self.symbols, self.labels = len(task.symbols), len(task.labels)

    @abstractmethod
    def encode(self, batch: Batch) -> Batch:
        """Return the task's batch as the model sees it in training."""

    @abstractmethod
    def predict(self, predictor: Predictor, tokens: Ids) -> NDArray[np.int64]:
        """Return the model's labels at the task's own positions; -1 where it gave none.

        Parameters
        ----------
        predictor : Predictor
        tokens : ndarray of int, shape (size, length + queries)
            the task's words.
        """

    def check_model(self, model: Any) -> None:  # noqa: B027  most formats refuse no model
        """Refuse a model that cannot be used with this format."""

    def positions(self, length: int) -> int:
        """Return how many symbols a model reads of a word, the task's queries not counted."""
        return length

    def word_length(self, positions: int) -> int:
        """Return the length of the words that take this many positions with their queries."""
        for length in range(positions, 0, -1):
            if length + self.task.queries(length) == positions:
                return length
        raise UserError(f"no word of {self.task.name} takes {positions} positions")
