"""Stack manipulation: the final stack after pushes and pops.

A word is a nonempty initial stack of 0 and 1 from the bottom up, followed by actions ``PUSH0``,
``PUSH1`` and ``POP``. ``POP`` on an empty stack is ignored. The answer is the final stack from the
top down, then END; positions after END are not scored (Delétang et al. 2022, arXiv 2207.02098,
appendix A).

The height of the initial stack is uniform from 1 to the length of the word; its symbols and the
actions are uniform. The language of correct final stacks is in
`flann.tasks.languages.counters_and_stacks.stack_language`.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override

from flann.tasks.core.task import NOT_SCORED, Targets
from flann.tasks.core.transduction import Transduction, Words
from flann.tasks.sampling import draw_uniform
from flann.tasks.theory.properties import TaskProperties

POP, PUSH0 = 2, 3
END = 2


class StackManipulation(Transduction):
    """The final stack, from the top, after pushes and pops.

    Examples
    --------
    >>> task = StackManipulation()
    >>> word = [task.symbols.index(s) for s in ("0", "1", "POP", "PUSH1", "PUSH0")]
    >>> task.spell(task.answers(np.array([word]))[0], task.labels)
    ['0', '1', '0', 'END', '.', '.']
    """

    known_properties = TaskProperties(
        "TC0", "counting matches every pop with its push", stack=True, remembers=True
    )

    def __init__(self) -> None:
        alphabet = ("0", "1", "POP", "PUSH0", "PUSH1")
        super().__init__("stack-manipulation", alphabet, ("0", "1", "END"))

    @override
    def queries(self, length: int) -> int:
        return length + 1

    @override
    def draw(self, rng: np.random.Generator, size: int, length: int) -> Words:
        height = 1 + draw_uniform(rng, length, (size,)).astype(np.int64)
        words = POP + draw_uniform(rng, 3, (length, size))
        on_stack = np.arange(length)[:, None] < height
        words[on_stack] = draw_uniform(rng, 2, (int(on_stack.sum()),))
        return words.T

    @override
    def count_words(self, length: int) -> int:
        return sum(int(2**h * 3 ** (length - h)) for h in range(1, length + 1))

    @override
    def answers(self, words: Words) -> Targets:
        size, length = words.shape
        is_bit = words < POP
        self.require(
            bool(is_bit[:, 0].all() and (is_bit[:, 1:] <= is_bit[:, :-1]).all()),
            "at least one 0 or 1, and then actions",
        )
        stack = np.zeros((length + 1, size), np.int8).ravel()
        height, column = np.zeros(size, np.int64), np.arange(size)
        for symbol in words.T:
            pops = symbol == POP
            # a pop writes above the top of the stack, where the next push overwrites it
            stack[height * size + column] = np.where(symbol >= PUSH0, symbol - PUSH0, symbol)
            height += np.where(pops, -(height > 0).astype(np.int64), 1)
        position = np.arange(length + 1)[:, None]
        source = np.clip(height - 1 - position, 0, None)
        answers = np.take_along_axis(stack.reshape(length + 1, size), source, axis=0)
        answers[position == height] = END
        answers[position > height] = NOT_SCORED
        return answers.T
