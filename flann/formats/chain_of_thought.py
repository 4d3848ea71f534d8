"""Chain of thought: after the word the model writes what it needs, one symbol after another.

The word is followed by a symbol to begin at, ``>``; what the model writes there and after is put in
front of it again as the next symbol. What it writes is::

    tag         w_1 ... w_T > y_1 y_2 ... y_T        the labels in turn
    transduce   w_1 ... w_T > a_1 a_2 ... a_n        the answers in turn, without queries
    recognise   w_1 ... w_T > q_1 q_2 ... q_T y      the automaton's states, then the label

so that the number of steps is linear in the length, with which a transformer recognises every
regular language (Merrill & Sabharwal 2024, arXiv:2310.07923, §4). It is trained on the true
sequence (teacher forcing) and scored on its own: every symbol is written by the model, an error
stays in front of it, and only the task's own positions count.

A position that the task does not score is written as a blank, which is learned and not scored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.evaluation.metrics import UNSCORED
from flann.tasks import Batch, Task

from .format import Asked, Format, Ids


class ChainOfThought(Format):
    """The word, and then symbols that the model writes.

    A written id is a label's; after the labels come the automaton's states if the task is to
    recognise a language, or else the blank.
    """

    name = "cot"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.table: NDArray[np.int64] | None = None
        if task.mode == "recognise":
            self.table, self.start = automaton_of(task)
        self.blank = self.first_state = len(task.labels)
        self.labels = len(task.labels) + (1 if self.table is None else len(self.table))
        self.begin = len(task.symbols)
        self.first = self.begin + 1
        self.symbols = self.first + self.labels

    def check(self, model: Any) -> None:
        """Refuse a model that would see in training what it has yet to write."""
        if not getattr(model, "causal", True):
            raise UserError(
                f"format cot: {model.name} sees later symbols, and so what it has yet to write:"
                " expected a causal model"
            )

    def encode(self, batch: Batch) -> Batch:
        """The word, the begin symbol, and what is to be written, one behind its targets."""
        prompts, written = self.prompts(batch.tokens), self.written(batch)
        tokens = np.concatenate([prompts, written[:, :-1] + self.first], axis=1)
        targets = np.full(tokens.shape, UNSCORED, np.int64)
        targets[:, prompts.shape[1] - 1 :] = written
        return Batch(tokens, targets)

    def answers(self, model: Asked, tokens: Ids) -> NDArray[np.int64]:
        """What the model writes on its own, read at the task's positions."""
        prompts = self.prompts(tokens)
        steps = self.steps(tokens.shape[1])
        return self.decode(model.writes(prompts, steps, self.labels, self.first), tokens.shape[1])

    def positions(self, length: int) -> int:
        """The word, the begin symbol, and all that is written but the last."""
        return length + self.steps(length + self.task.queries(length))

    def prompts(self, tokens: Ids) -> NDArray[np.int64]:
        """The words without queries, each with the begin symbol after it."""
        length = self.word_length(tokens.shape[1])
        prompts = np.full((len(tokens), length + 1), self.begin, np.int64)
        prompts[:, :length] = tokens[:, :length]
        return prompts

    def steps(self, positions: int) -> int:
        """How many symbols are written."""
        if self.task.mode == "transduce":
            return positions - self.word_length(positions)
        return positions + (self.task.mode == "recognise")

    def written(self, batch: Batch) -> NDArray[np.int64]:
        """The ids of what is to be written, (size, steps)."""
        targets = np.asarray(batch.targets, np.int64)
        if self.table is not None:
            states = self.states(batch.tokens) + self.first_state
            return np.concatenate([states, targets[:, -1:]], axis=1)
        asked = targets[:, targets.shape[1] - self.steps(targets.shape[1]) :]
        return np.where(asked == UNSCORED, self.blank, asked)

    def states(self, tokens: Ids) -> NDArray[np.int64]:
        """The automaton's state after every symbol."""
        assert self.table is not None
        states = np.empty(tokens.shape, np.int64)
        state = np.full(len(tokens), self.start)
        for t in range(tokens.shape[1]):
            states[:, t] = state = self.table[state, tokens[:, t]]
        return states

    def decode(self, written: Ids, positions: int) -> NDArray[np.int64]:
        """Labels at the task's positions; -1 where none is asked or what was written is none."""
        answers = np.full((len(written), positions), -1, np.int64)
        if self.task.mode == "recognise":
            answers[:, -1] = written[:, -1]
        else:
            answers[:, positions - written.shape[1] :] = written
        return np.where(answers < len(self.task.labels), answers, -1)


def automaton_of(task: Task) -> tuple[NDArray[np.int64], int]:
    """The table of next states, (states, symbols), and the start state, of what a task describes.

    >>> from flann.tasks import get_task
    >>> automaton_of(get_task("parity:mode=recognise"))[0].tolist()
    [[0, 1], [1, 0]]
    """
    structure = task.structure or {}
    if structure.get("kind") == "automaton":
        return np.array(structure["table"], np.int64), int(structure["start"])
    if structure.get("kind") == "group":
        return np.array(structure["table"], np.int64)[:, structure["generators"]], 0
    raise UserError(
        f"format cot: {task.name} has no small automaton whose states could be written: expected a"
        " regular language, or a task with more than one answer"
    )
