"""The word problem of a finite group: the product of each prefix of a word.

A word is g_1 g_2 ... g_T over elements of a group G; the label at position t is the number of the
product g_1 · g_2 · ... · g_t, composed from left to right. Z60 (abelian), A4xZ5 (solvable, not
abelian) and A5 (not solvable) all have 60 elements, so only their algebra differs (Merrill, Petty
and Sabharwal 2024, arXiv 2404.08819, section 5). With all elements as symbols the words are
uniform over all words, and so is the label at every position.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Int
from typing_extensions import override

from flann.errors import UserError
from flann.tasks.automata.moore_machine import MooreMachine
from flann.tasks.automata.semiautomaton import Semiautomaton
from flann.tasks.core.task import Chance, Targets, Task, Tokens, register
from flann.tasks.groups.cayley_tables import Group, get_group
from flann.tasks.groups.generators import choose_generating_set, list_transpositions
from flann.tasks.sampling import draw_uniform


@register(
    "Z60", "A4xZ5", "A5", "S5", "D4", "Q8", pattern=r"[ZSADQ]\d.*"
)  # loose, so that the error for a wrong group says what is wrong
class WordProblem(Task):
    """The product of each prefix of a word over a finite group.

    Parameters
    ----------
    group : str
        ``Zn Sn An Dn Q8`` or a product of them, numbered as in
        `flann.tasks.groups.cayley_tables`.
    generators : int or "swaps", optional
        words over that many generators (`flann.tasks.groups.generators` says which), or over the
        transpositions of ``Sn``, instead of over all elements.
    label : {"all", "last"}
        score the product of every prefix, or the last position alone.

    Examples
    --------
    >>> task = WordProblem("Z5")
    >>> task.targets(np.array([[1, 1, 4, 3]])).tolist()
    [[1, 2, 1, 4]]
    """

    def __init__(
        self,
        group: str,
        *,
        generators: int | Literal["swaps"] | None = None,
        label: Literal["all", "last"] = "all",
    ) -> None:
        found = get_group(group)
        self.set_group(found, choose_generators(found, generators), label)
        self.name = group

    def set_group(
        self, group: Group, generators: Int[np.ndarray, " symbols"], label: Literal["all", "last"]
    ) -> None:
        """Set the group, and the elements that are symbols."""
        self.group: Group = group
        self.generators: Int[np.ndarray, " symbols"] = generators
        self.semiautomaton = Semiautomaton(group.table[:, generators])  # starts at the identity
        self.mode = "tag" if label == "all" else "recognise"
        self.symbols = tuple(group.elements[g] for g in generators)
        self.labels = group.elements

    @override
    def words(self, rng: np.random.Generator, size: int, length: int) -> Tokens:
        """Draw words uniform over all words."""
        return draw_uniform(rng, len(self.symbols), (length, size)).T

    @override
    def count_words(self, length: int) -> int:
        return int(len(self.symbols) ** length)

    @override
    def label(self, tokens: Tokens) -> Targets:
        targets = self.allocate_targets(tokens)
        self.semiautomaton.run(tokens, targets)
        return targets if self.mode == "tag" else self.score_last(targets[:, -1], tokens)

    @override
    def chance(self, length: int) -> Chance:
        """Return the exact chance, from a Markov chain over the group.

        Different words have different rows of labels, all equally likely, so the best guess of
        a whole row is right for one word of |symbols|^length.
        """
        before = self.group.table[:, self.group.inverses[self.generators]]  # h g^-1, for each g
        here = np.zeros(self.group.order)
        here[0] = 1.0
        best = []
        for _ in range(length):
            here = here[before].mean(axis=1)
            best.append(float(here.max()))
        if self.mode == "recognise":
            return Chance(best[-1], best[-1], best[-1])
        return Chance(float(np.mean(best)), best[-1], float(len(self.symbols)) ** -length)

    @cached_property
    @override
    def machine(self) -> MooreMachine:
        """The Cayley graph of the generators; every element is a label of its own."""
        table = self.semiautomaton.table
        return MooreMachine.minimal(
            self.symbols, table, np.arange(len(table)), names=self.group.elements
        )


def choose_generators(
    group: Group, generators: int | Literal["swaps"] | None
) -> Int[np.ndarray, " symbols"]:
    """Return the elements that are symbols."""
    if generators is None:
        return np.arange(group.order)
    if generators == "swaps":
        return np.array(list_transpositions(group))
    if generators < 1:
        raise UserError(f"generators={generators}: expected 1 or more")
    return np.array(choose_generating_set(group, generators))
