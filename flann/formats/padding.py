"""Padding: symbols without meaning that give a model room, and nothing to read.

::

    tag         w_1 _ _ w_2 _ _ ...      k after each symbol; its label stands at the last of them
    recognise   w_1 ... w_T _ _          the label stands at the last
    transduce   w_1 ... w_T _ _ ? ? ?    before the queries

A transformer of fixed depth computes no more in sequence for it, but more at once: with padding of
polynomial length it reaches all of TC0 (Merrill & Sabharwal 2025, arXiv:2505.18948).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.evaluation.metrics import UNSCORED
from flann.tasks import Batch, Task

from .format import Asked, Format, Ids


class Padding(Format):
    """`count` padding symbols after each symbol when tagging, and after the word otherwise."""

    def __init__(self, task: Task, count: int) -> None:
        super().__init__(task)
        if count < 1:
            raise UserError(f"format padding={count}: expected 1 or more")
        self.name, self.count = f"padding={count}", count
        self.pad = len(task.symbols)
        self.symbols += 1

    def encode(self, batch: Batch) -> Batch:
        """The tokens with padding between, each target where its answer is asked for."""
        size, positions = batch.tokens.shape
        targets = np.full((size, self.padded(positions)), UNSCORED, np.int64)
        targets[:, self.asked_at(positions)] = batch.targets
        return Batch(self.tokens(batch.tokens), targets)

    def answers(self, model: Asked, tokens: Ids) -> NDArray[np.int64]:
        """What the model says at the places that are asked."""
        given = model.answers(self.tokens(tokens), self.labels)
        return given[:, self.asked_at(tokens.shape[1])]

    def positions(self, length: int) -> int:
        """The word and its padding."""
        return length * (self.count + 1) if self.task.mode == "tag" else length + self.count

    def tokens(self, tokens: Ids) -> NDArray[np.int64]:
        """The tokens with padding between."""
        size, positions = tokens.shape
        padded = np.full((size, self.padded(positions)), self.pad, np.int64)
        padded[:, self.stands_at(positions)] = tokens
        return padded

    def padded(self, positions: int) -> int:
        """How many there are with padding."""
        return positions * (self.count + 1) if self.task.mode == "tag" else positions + self.count

    def stands_at(self, positions: int) -> NDArray[np.int64]:
        """Where each of the task's positions goes."""
        place = np.arange(positions)
        if self.task.mode == "tag":
            return place * (self.count + 1)
        return place + self.count * (place >= self.word_length(positions))

    def asked_at(self, positions: int) -> NDArray[np.int64]:
        """Where the answer of each of the task's positions is asked for."""
        place = self.stands_at(positions)
        if self.task.mode == "tag":
            return place + self.count
        if self.task.mode == "recognise":
            place[-1] += self.count
        return place
