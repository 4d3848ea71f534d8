"""A program as a function of words: its source, the alphabet that it reads, and its labels.

A program's values stand for labels: they are the strings of the labels, or their numbers; True is
label 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.rasp.graph.analysis import Requirements, analyse
from flann.rasp.graph.evaluation import run_on_ids
from flann.rasp.graph.sops import SOp
from flann.rasp.language.parser import parse
from flann.rasp.language.source_span import SourceSpan
from flann.rasp.language.syntax import Atom

from .program_files import PROGRAMS, create_interpreter


@dataclass(frozen=True)
class Program:
    """A program with the alphabet that it reads and the labels that it answers with.

    Attributes
    ----------
    name : str
        the name of its task, or its own.
    source : str
        the program's text.
    symbols, labels : tuple of str
        what token ids and label ids mean.
    max_length : int
        the longest word, queries included, that it is meant for.
    folder : Path
        the folder in which its ``load`` statements look for files.

    Examples
    --------
    >>> reverse = Program("reverse", "aggregate(select(indices, length-1-indices, ==), tokens);",
    ...                   ("a", "b"), ("a", "b"), 8)
    >>> reverse(np.array([[0, 0, 1]])).tolist()
    [[1, 0, 0]]
    """

    name: str
    source: str
    symbols: tuple[str, ...]
    labels: tuple[str, ...]
    max_length: int
    folder: Path = PROGRAMS

    @cached_property
    def graph(self) -> tuple[SOp, dict[int, SourceSpan]]:
        """The s-op that the program defines last, and the source span of each node.

        Raises
        ------
        UserError
            for a program that cannot be built, or whose last statement defines no s-op.
        """
        interpreter = create_interpreter(self.folder)
        last = interpreter.run(parse(self.source))
        if not isinstance(last, SOp):
            raise UserError(f"{self.name}: expected a program that ends with an s-op")
        return last, interpreter.spans

    @property
    def node(self) -> SOp:
        """The s-op that the program defines last."""
        return self.graph[0]

    @property
    def spans(self) -> dict[int, SourceSpan]:
        """The source span of each node of the graph, by the node's number."""
        return self.graph[1]

    @property
    def requirements(self) -> Requirements:
        """The layers and heads that the program requires."""
        return analyse([self.node])

    @property
    def values(self) -> list[Atom]:
        """The value of the s-op that stands for each label."""
        kind = self.node.type
        if kind == "text":
            return list(self.labels)
        return [False, True] if kind == "bool" else list(range(len(self.labels)))

    def __call__(self, tokens: Any) -> NDArray[np.int64]:
        """Return label ids for token ids, both of shape (size, positions).

        An answer is -1 where the program's value stands for no label.
        """
        ids = np.asarray(tokens)
        if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
            raise UserError(f"tokens: expected whole numbers [words, positions], got {ids.dtype}")
        if ids.size and not 0 <= ids.min() <= ids.max() < len(self.symbols):
            raise UserError(f"tokens: expected ids from 0 to {len(self.symbols) - 1}")
        return run_on_ids(self.node, ids, self.symbols, self.values, self.spans)
