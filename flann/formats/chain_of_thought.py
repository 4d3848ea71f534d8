"""Chain of thought: the model generates intermediate symbols before its answer.

The word is followed by a begin symbol, ``>``. What the model generates there and after is appended
to its input as the next symbol. It generates::

    tag         w_1 ... w_T > y_1 y_2 ... y_T        the labels in turn
    transduce   w_1 ... w_T > a_1 a_2 ... a_n        the answers in turn, without queries
    recognise   w_1 ... w_T > q_1 q_2 ... q_T y      the machine's states, then the label

so that the number of steps is linear in the length. With that many steps a transformer recognises
every regular language (Merrill & Sabharwal 2024, arXiv:2310.07923, section 4). The model is trained
on the true sequence (teacher forcing) and scored on the sequence that it generates itself: an error
stays in its input, and only the task's own positions count.

A position that the task does not score is generated as a blank, which is learned and not scored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from flann.errors import UserError
from flann.tasks import NOT_SCORED, Batch, Task

from .format import Format, Ids, Predictor


class ChainOfThought(Format):
    """The word, and then the symbols that the model generates.

    A generated id is a label's. After the labels come the states of the task's machine if the task
    is recognition, or else the blank.

    Raises
    ------
    UserError
        for a recognition task without a machine, whose states could be generated.
    """

    name = "cot"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.machine = None
        if task.mode == "recognise":
            self.machine = task.machine
            if self.machine is None:
                raise UserError(
                    f"format cot: {task.name} has no automaton whose states could be generated:"
                    " expected a regular language, or a task with more than one answer"
                )
        self.blank = self.first_state = len(task.labels)
        self.labels = len(task.labels) + (1 if self.machine is None else self.machine.size)
        self.begin = len(task.symbols)
        self.symbol_offset = self.begin + 1
        self.symbols = self.symbol_offset + self.labels

    @override
    def check_model(self, model: Any) -> None:
        if not getattr(model, "causal", True):
            raise UserError(
                f"format cot: {model.name} sees later symbols, and so what it has yet to generate:"
                " expected a causal model"
            )

    @override
    def encode(self, batch: Batch) -> Batch:
        prompts, thoughts = self.prompts(batch.tokens), self.true_thoughts(batch)
        tokens = np.concatenate([prompts, thoughts[:, :-1] + self.symbol_offset], axis=1)
        targets = np.full(tokens.shape, NOT_SCORED, np.int64)
        targets[:, prompts.shape[1] - 1 :] = thoughts
        return Batch(tokens, targets)

    @override
    def predict(self, predictor: Predictor, tokens: Ids) -> NDArray[np.int64]:
        positions = tokens.shape[1]
        thoughts = predictor.generate(
            self.prompts(tokens), self.steps(positions), self.labels, self.symbol_offset
        )
        return self.decode(thoughts, positions)

    @override
    def positions(self, length: int) -> int:
        return length + self.steps(length + self.task.queries(length))

    def prompts(self, tokens: Ids) -> NDArray[np.int64]:
        """Return the words without queries, each followed by the begin symbol."""
        length = self.word_length(tokens.shape[1])
        prompts = np.full((len(tokens), length + 1), self.begin, np.int64)
        prompts[:, :length] = tokens[:, :length]
        return prompts

    def steps(self, positions: int) -> int:
        """Return how many symbols are generated."""
        if self.task.mode == "transduce":
            return positions - self.word_length(positions)
        return positions + (self.task.mode == "recognise")

    def true_thoughts(self, batch: Batch) -> NDArray[np.int64]:
        """Return the ids that are to be generated, of shape (size, steps)."""
        targets = np.asarray(batch.targets, np.int64)
        if self.machine is not None:
            states = self.machine.states(batch.tokens) + self.first_state
            return np.concatenate([states, targets[:, -1:]], axis=1)
        answers = targets[:, targets.shape[1] - self.steps(targets.shape[1]) :]
        return np.where(answers == NOT_SCORED, self.blank, answers)

    def decode(self, thoughts: Ids, positions: int) -> NDArray[np.int64]:
        """Return labels at the task's positions; -1 where no label was generated or none is due."""
        answers = np.full((len(thoughts), positions), -1, np.int64)
        if self.task.mode == "recognise":
            answers[:, -1] = thoughts[:, -1]
        else:
            answers[:, positions - thoughts.shape[1] :] = thoughts
        return np.where(answers < len(self.task.labels), answers, -1)
