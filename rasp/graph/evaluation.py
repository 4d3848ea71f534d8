"""S-ops and selectors run on words, given as Python values or as ids of symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flann.rasp.language.source_span import SourceSpan
from flann.rasp.language.syntax import Atom

from .evaluator import Evaluator
from .sops import Selector, SOp
from .word_batch import InputWord, WordBatch

Spans = Mapping[int, SourceSpan]
"""The source span of each node, by its number."""


def run_on_words(
    sop: SOp, words: Sequence[InputWord], spans: Spans | None = None
) -> list[list[Atom]]:
    """Return the values of an s-op on words of one length, one list for each word.

    Examples
    --------
    >>> from flann.rasp import indices
    >>> run_on_words((indices + 1).node, ["abc"])
    [[1, 2, 3]]
    """
    rows: list[list[Atom]] = []
    for batch in WordBatch(words).split():
        evaluator = Evaluator(batch, spans)
        rows += evaluator.convert_to_atoms(evaluator.evaluate(sop))
    return rows


def run_selector(
    selector: Selector, word: InputWord, spans: Spans | None = None
) -> list[list[bool]]:
    """Return the pairs that a selector selects on a word: a row for each query."""
    pairs = Evaluator(WordBatch([word]), spans).evaluate_pairs(selector)
    return pairs[0].tolist()  # type: ignore[no-any-return]


def run_on_ids(
    sop: SOp,
    ids: NDArray[np.integer[Any]],
    symbols: Sequence[Atom],
    labels: Sequence[Atom],
    spans: Spans | None = None,
) -> NDArray[np.int64]:
    """Return the values of an s-op as ids of labels.

    Parameters
    ----------
    sop : SOp
    ids : array of int, (words, positions)
        ids of symbols.
    symbols, labels : sequences of atoms
        what the ids of symbols and of labels stand for.
    spans : mapping, optional

    Returns
    -------
    array of int64, (words, positions)
        -1 for a value that is no label.
    """
    number = {(isinstance(label, str), label): i for i, label in enumerate(labels)}
    result = np.empty(np.shape(ids), np.int64)
    first = 0
    for batch in WordBatch.from_ids(ids, symbols).split():
        evaluator = Evaluator(batch, spans)
        values = evaluator.evaluate(sop)
        distinct, inverse = np.unique(values.data, return_inverse=True)
        strings = list(evaluator.strings.numbers) if values.type == "text" else []
        atoms = [strings[i] for i in distinct] if strings else distinct.tolist()
        label_ids = np.array([number.get((isinstance(v, str), v), -1) for v in atoms], np.int64)
        rows = len(batch.ids)
        result[first : first + rows] = label_ids[inverse].reshape(values.data.shape)
        first += rows
    return result
