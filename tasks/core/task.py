"""What a task is: words of symbols go in, a label comes out at every position.

A task maps a word w_1 ... w_T over a finite alphabet to one target per position. A target of
-100 (`NOT_SCORED`) is not scored, so that every kind of problem has the same shape:

- ``tag``         a label at every position (the prefix product of a group word)
- ``recognise``   one label for the whole word, at its last position (is it in the language?)
- ``transduce``   the word is followed by one query symbol per output position, and the answers
                  stand at the queries

Nothing here knows how a model is trained. A new task is one file with a subclass of `Task` that
says how to draw words (`words`) and how to label them (`label`), and one decorator::

    @register("first")
    class First(Task):
        "The first symbol of the word, asked for at every position."
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Integer

from flann.errors import UserError
from flann.registry import Registry
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.groups.cayley_tables import Group
from flann.tasks.sampling import choose_signed, test_stream
from flann.tasks.theory.properties import UNKNOWN, TaskProperties
from flann.tasks.theory.statements import Theory

NOT_SCORED = -100
"""The target of a position that is not scored; torch's own ignore_index."""

MOST_DRAWN = 120
"""The most states or group elements that a report draws."""

Mode = Literal["tag", "recognise", "transduce"]
Tokens = Integer[np.ndarray, "size positions"]
Targets = Int[np.ndarray, "size positions"]

task_registry: Registry[Task] = Registry("task", "flann.tasks", Path(__file__).parents[1])
register = task_registry.register


class Batch(NamedTuple):
    """Words of one length and their labels, both of shape (size, length + queries), of any strides."""

    tokens: Tokens
    targets: Targets


class Chance(NamedTuple):
    """The accuracy of the best guess that sees only the position, by each metric."""

    per_symbol: float
    last_symbol: float
    per_word: float


class Task:
    """A formal-language problem: symbols, labels, words and their true targets.

    Subclasses set `symbols` and `labels` and write `words` and `label`; the rest follows.

    Attributes
    ----------
    name : str
        the canonical name: ``get_task(task.name)`` is the same task.
    mode : {"tag", "recognise", "transduce"}
        which positions are scored.
    symbols, labels : tuple of str
        what token ids and target ids mean.
    label_sets : ndarray of bool, shape (labels, symbols), or None
        for tasks that ask which symbols may come next: a label stands for a set of symbols.
    group, generators : Group and ndarray of int, or None
        for the word problem of a group: the group, and the element that each symbol stands for.
    source : Path or None
        the file that the task was read from, if it was read from one.
    """

    name: str = "unnamed"
    mode: Mode = "tag"
    symbols: tuple[str, ...]
    labels: tuple[str, ...]
    label_sets: Bool[np.ndarray, "labels symbols"] | None = None
    group: Group | None = None
    generators: Int[np.ndarray, " symbols"] | None = None
    source: Path | None = None

    CHANCE_WORDS: ClassVar[int] = 10_000  # drawn to estimate chance, and
    CHANCE_SYMBOLS: ClassVar[int] = 1 << 22  # at great lengths as many as make this many symbols

    # -- what a subclass writes ------------------------------------------------------------------

    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words of shape (size, length + queries), a pure function of the generator."""
        raise NotImplementedError

    def label(self, tokens: Tokens) -> Targets:
        """Return the targets of valid tokens; `targets` validates them first."""
        raise NotImplementedError

    def queries(self, length: int) -> int:
        """Return how many query symbols follow a word of this length."""
        return 0

    def valid_lengths(self, low: int, high: int) -> list[int]:
        """Return the lengths between `low` and `high`, both included, that the task has words of."""
        return list(range(max(low, 1), high + 1))

    def count_words(self, length: int) -> int | None:
        """Return how many different words of this length `sample` can draw, or None if unknown."""
        return None

    @property
    def machine(self) -> MooreMachine | None:
        """The minimal Moore machine of the task, or None if no finite automaton solves it.

        After any word, the label of the machine's state is the task's target: at the word's last
        position in the modes ``tag`` and ``recognise``, and at the query in ``transduce``.
        """
        return None

    @cached_property
    def properties(self) -> TaskProperties:
        """What the theorems ask about the task; `theory` follows from it.

        It is derived from the group or the machine. Tasks that have neither state it, as far as it
        is known.
        """
        # The decision procedures are imported when they are needed: `import flann.tasks` is light.
        from flann.tasks.theory.regular_properties import (
            derive_group_properties,
            derive_machine_properties,
        )

        if self.group is not None and self.generators is not None:
            return derive_group_properties(self.group, self.generators, self.mode)
        if self.machine is not None:
            return derive_machine_properties(self.machine, self.mode)
        return UNKNOWN

    # -- what a user calls -----------------------------------------------------------------------

    def sample(self, rng: np.random.Generator, size: int, length: int) -> Batch:
        """Draw labelled words of one length; the same generator gives the same bytes.

        Parameters
        ----------
        rng : numpy.random.Generator
            the only source of randomness.
        size : int
            how many words, 1 or more.
        length : int
            of the word, without its queries.

        Returns
        -------
        Batch
            tokens in the smallest unsigned type, targets in the smallest signed one, both of
            shape (size, length + queries).

        Raises
        ------
        UserError
            for a length that the task has no words of.
        """
        if size < 1:
            raise UserError(f"size {size} is too small: expected 1 or more words")
        self.check_length(length)
        tokens = self.words(rng, size, length)
        return Batch(tokens, self.label(tokens))

    def targets(self, tokens: Tokens) -> Targets:
        """Return the true targets of any words, of shape (size, length + queries)."""
        tokens = np.asarray(tokens)
        if tokens.ndim != 2 or not np.issubdtype(tokens.dtype, np.integer):
            raise UserError(
                f"tokens: expected whole numbers of shape (size, length),"
                f" got {tokens.dtype} of shape {tokens.shape}"
            )
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < len(self.symbols):
            raise UserError(
                f"tokens: expected ids from 0 to {len(self.symbols) - 1},"
                f" got {tokens.min()} to {tokens.max()}"
            )
        return self.label(tokens)

    def chance(self, length: int) -> Chance:
        """Return the accuracy of the best guess that sees only the position.

        Each number is the best for its own metric. This general form estimates them from up to
        `CHANCE_WORDS` words of a fixed stream: the most frequent label of each position, and for
        `per_word` the most frequent row of labels, which is coarse where rows hardly ever
        repeat. Tasks whose chance can be worked out exactly do that instead.
        """
        words = min(self.CHANCE_WORDS, max(1000, self.CHANCE_SYMBOLS // length))
        targets = self.sample(test_stream(self.name, length, "chance"), words, length).targets
        scored = targets != NOT_SCORED
        columns = [targets[here, t] for t, here in enumerate(scored.T) if here.any()]
        last = scored.shape[1] - 1 - scored[:, ::-1].argmax(axis=1)
        at_last = targets[np.arange(words), last]
        rows = np.unique(targets, axis=0, return_counts=True)[1]
        return Chance(
            sum(np.bincount(column).max() for column in columns) / float(scored.sum()),
            float(sum(np.bincount(at_last[last == t]).max() for t in np.unique(last)) / words),
            float(rows.max() / words),
        )

    def format_accuracy(self, length: int) -> float | None:
        """Return the accuracy of a check of the mere format, or None if words have no format."""
        return None

    @cached_property
    def theory(self) -> Theory:
        """What is known of each family of architectures on this task, with citations."""
        from flann.tasks.theory.literature import derive_theory

        return derive_theory(self.properties)

    # -- for reports -----------------------------------------------------------------------------

    @property
    def shortest(self) -> int:
        """The smallest valid length."""
        return self.valid_lengths(1, 1000)[0]

    def nearest_length(self, wanted: int) -> int:
        """Return the least valid length from `wanted` on, or else the greatest below it."""
        above = self.valid_lengths(wanted, wanted + 1000)
        return above[0] if above else self.valid_lengths(1, wanted)[-1]

    @property
    def summary(self) -> str:
        """One line on the task: the first line of its class's docstring."""
        return (type(self).__doc__ or "").partition("\n")[0]

    @property
    def structure(self) -> dict[str, Any] | None:
        """The Cayley table or the machine as plain JSON; None if it is too large to be drawn."""
        if self.group is not None and self.generators is not None:
            if self.group.order > MOST_DRAWN:
                return None
            return {
                "kind": "group",
                "elements": list(self.group.elements),
                "generators": [int(g) for g in self.generators],
                "table": self.group.table.tolist(),
            }
        if self.machine is None or self.machine.size > MOST_DRAWN:
            return None
        return self.machine.as_dict()

    def check_length(self, length: int) -> None:
        """Refuse a length that the task has no words of."""
        if self.valid_lengths(length, length) != [length]:
            near = self.valid_lengths(max(length, 1), max(length, 1) + 1000)
            hint = f": expected for example {near[0]}" if near else ""
            raise UserError(f"{self.name} has no words of length {length}{hint}")

    def spell(self, row: Integer[np.ndarray, " positions"], meaning: tuple[str, ...]) -> list[str]:
        """Return a row of ids as the symbols or labels that they stand for, ``.`` where not scored."""
        return ["." if number == NOT_SCORED else meaning[number] for number in row.tolist()]

    def describe(self) -> dict[str, Any]:
        """Return the description of the task as plain JSON: what ``flann tasks NAME`` shows."""
        example_length = self.nearest_length(8)
        rng = test_stream(self.name, example_length, "chance")
        tokens, targets = self.sample(rng, 1, example_length)
        at_16 = self.nearest_length(16)
        return {
            "name": self.name,
            "summary": self.summary,
            "mode": self.mode,
            "symbols": list(self.symbols),
            "labels": list(self.labels),
            "shortest": self.shortest,
            "valid_lengths": self.valid_lengths(1, 40),
            "chance": {"length": at_16, **self.chance(at_16)._asdict()},
            "format_alone": self.format_accuracy(at_16),
            "example": {
                "word": self.spell(tokens[0], self.symbols),
                "labels": self.spell(targets[0], self.labels),
            },
            "structure": self.structure,
            "theory": self.theory.as_dict(),
        }

    def allocate_targets(self, tokens: Tokens) -> Targets:
        """Allocate a target array for these tokens, position-major in memory.

        Labels are computed position by position for all words at once, so that position-major
        memory makes each step contiguous.

        Labels are worked out position by position for all words at once, so position-major
        memory keeps each of these steps in one piece.
        """
        size, length = tokens.shape
        return np.empty((length, size), choose_signed(len(self.labels))).T

    def score_last(
        self, verdicts: Bool[np.ndarray, " size"] | Integer[np.ndarray, " size"], tokens: Tokens
    ) -> Targets:
        """Return targets that score the last position alone."""
        targets = self.allocate_targets(tokens)
        targets[...] = NOT_SCORED
        targets[:, -1] = verdicts
        return targets
