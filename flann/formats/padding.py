"""Padding: symbols without meaning that give a model room to compute and nothing to read.

::

    tag         w_1 _ _ w_2 _ _ ...      k after each symbol; its label stands at the last of them
    recognise   w_1 ... w_T _ _          the label stands at the last
    transduce   w_1 ... w_T _ _ ? ? ?    before the queries

A transformer of fixed depth computes no more in sequence with padding, but more in parallel: with
padding of polynomial length it reaches all of TC0 (Merrill & Sabharwal 2025, arXiv:2505.18948).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from flann.errors import UserError
from flann.tasks import NOT_SCORED, Batch, Task

from .format import Format, Ids, Predictor


class Padding(Format):
    """`count` padding symbols after each symbol when tagging, and after the word otherwise."""

    def __init__(self, task: Task, count: int | None) -> None:
        super().__init__(task)
        if count is None:
            raise UserError("format padding: expected how many symbols, such as padding=2")
        if count < 1:
            raise UserError(f"format padding={count}: expected 1 or more")
        self.name, self.count = f"padding={count}", count
        self.pad = len(task.symbols)
        self.symbols += 1

    @override
    def encode(self, batch: Batch) -> Batch:
        size, positions = batch.tokens.shape
        targets = np.full((size, self.padded_length(positions)), NOT_SCORED, np.int64)
        targets[:, self.answer_positions(positions)] = batch.targets
        return Batch(self.pad_tokens(batch.tokens), targets)

    @override
    def predict(self, predictor: Predictor, tokens: Ids) -> NDArray[np.int64]:
        labels = predictor.predict(self.pad_tokens(tokens), self.labels)
        return labels[:, self.answer_positions(tokens.shape[1])]

    @override
    def positions(self, length: int) -> int:
        return self.padded_length(length)

    def pad_tokens(self, tokens: Ids) -> NDArray[np.int64]:
        """Return the tokens with padding symbols between or after them."""
        size, positions = tokens.shape
        padded = np.full((size, self.padded_length(positions)), self.pad, np.int64)
        padded[:, self.symbol_positions(positions)] = tokens
        return padded

    def padded_length(self, positions: int) -> int:
        """Return how many positions there are with padding."""
        return positions * (self.count + 1) if self.task.mode == "tag" else positions + self.count

    def symbol_positions(self, positions: int) -> NDArray[np.int64]:
        """Return where each of the task's positions lies among the padded ones."""
        position = np.arange(positions)
        if self.task.mode == "tag":
            return position * (self.count + 1)
        return position + self.count * (position >= self.word_length(positions))

    def answer_positions(self, positions: int) -> NDArray[np.int64]:
        """Return where the label of each of the task's positions is read off."""
        position = self.symbol_positions(positions)
        if self.task.mode == "tag":
            return position + self.count
        if self.task.mode == "recognise":
            position[-1] += self.count
        return position
