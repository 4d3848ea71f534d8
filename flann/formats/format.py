"""How a task is put to a model: what stands between a batch of words and a batch of tokens.

A format encodes a batch, says how many symbols and labels the model then needs, and decodes what
the model answers into labels at the task's own positions, where they are scored. So tasks and
models know nothing of it. The formats are::

    direct     the word goes in as it is, a label per position comes out
    cot        after the word the model writes one symbol after another (`chain_of_thought`)
    padding=k  k symbols without meaning give it room to think (`padding`)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError, unknown
from flann.tasks import Batch, Task

Ids = NDArray[np.integer]
NAMES = ("direct", "cot", "padding=2")


class Asked(Protocol):
    """A model as a format asks it: see `flann.evaluation.predictor`."""

    def answers(self, tokens: Ids, labels: int) -> NDArray[np.int64]:
        """Its label ids at every position of these tokens."""
        ...

    def writes(self, prompts: Ids, steps: int, labels: int, first: int) -> NDArray[np.int64]:
        """The label ids it writes after these prompts, reading each as symbol `first` + id."""
        ...


class Format(ABC):
    """How one task is put to models.

    Attributes
    ----------
    name : str
        `get_format` makes it again from this.
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
        """The task's batch as the model sees it in training."""

    @abstractmethod
    def answers(self, model: Asked, tokens: Ids) -> NDArray[np.int64]:
        """The model's labels at the task's own positions; -1 where it gave none."""

    def check(self, model: Any) -> None:  # noqa: B027  most formats refuse none
        """Refuse a model that cannot be asked in this way."""

    def positions(self, length: int) -> int:
        """How many symbols a model reads of a word of this length, without the task's queries."""
        return length

    def word_length(self, positions: int) -> int:
        """How long the word is that takes so many positions with the task's queries."""
        for length in range(positions, 0, -1):
            if length + self.task.queries(length) == positions:
                return length
        raise UserError(f"no word of {self.task.name} takes {positions} positions")


class Direct(Format):
    """The word as it is."""

    name = "direct"

    def encode(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch

    def answers(self, model: Asked, tokens: Ids) -> NDArray[np.int64]:
        """What the model says."""
        return model.answers(tokens, self.labels)


def get_format(name: str, task: Task) -> Format:
    """The format of this name for this task.

    Raises
    ------
    UserError
        for an unknown format, or one that the task cannot be put in.

    >>> from flann.tasks import get_task
    >>> get_format("padding=2", get_task("parity")).symbols
    3
    """
    from .chain_of_thought import ChainOfThought
    from .padding import Padding

    base, equals, value = name.partition("=")
    if base == "padding" and equals:
        try:
            return Padding(task, int(value))
        except ValueError as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"format padding={value}: expected a whole number") from error
    if name == "padding":
        raise UserError("format padding: expected how many symbols, such as padding=2")
    if name not in ("direct", "cot"):
        raise unknown("format", name, NAMES)
    return Direct(task) if name == "direct" else ChainOfThought(task)
