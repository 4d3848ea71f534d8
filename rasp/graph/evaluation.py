"""S-ops and selectors, run on words: as Python's values, or on ids of symbols as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flann.rasp.language.source_span import Place
from flann.rasp.language.syntax import Atom

from .sops import Selector, SOp
from .values import Run, Word, Words

Places = Mapping[int, Place]


def on_words(sop: SOp, words: Sequence[Word], places: Places | None = None) -> list[list[Atom]]:
    """The values of an s-op on words of one length, a list for each word.

    Examples
    --------
    >>> from .face import indices
    >>> on_words((indices + 1).node, ["abc"])
    [[1, 2, 3]]
    """
    rows: list[list[Atom]] = []
    for part in Words(words).parts():
        run = Run(part, places)
        rows += run.atoms(run.sequence(sop))
    return rows


def pairs_on(selector: Selector, word: Word, places: Places | None = None) -> list[list[bool]]:
    """What a selector selects on one word: a row for each query, a column for each key."""
    return Run(Words([word]), places).pairs(selector)[0].tolist()  # type: ignore[no-any-return]


def on_ids(
    sop: SOp,
    ids: NDArray[np.integer[Any]],
    symbols: Sequence[Atom],
    labels: Sequence[Atom],
    places: Places | None = None,
) -> NDArray[np.int64]:
    """The values of an s-op as ids of labels, for words given as ids of symbols.

    A value that is no label is -1.
    """
    number = {(isinstance(label, str), label): i for i, label in enumerate(labels)}
    found = np.empty(np.shape(ids), np.int64)
    first = 0
    for part in Words.of_ids(ids, symbols).parts():
        run = Run(part, places)
        column = run.sequence(sop)
        distinct, inverse = np.unique(column.data, return_inverse=True)
        texts = list(run.texts.known) if column.type == "text" else []
        values = [texts[i] for i in distinct] if texts else distinct.tolist()
        ids_of = np.array([number.get((isinstance(v, str), v), -1) for v in values], np.int64)
        rows = len(part.ids)
        found[first : first + rows] = ids_of[inverse].reshape(column.data.shape)
        first += rows
    return found
