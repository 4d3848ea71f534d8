"""Held-out words: the test and validation words of a length, which no training setting changes.

They depend on the task and the length alone, so that every model and every seed is measured on the
same words and runs are paired.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flann.tasks import Batch, Task, test_stream
from flann.tasks.sampling import Purpose


def draw_held_out_words(task: Task, length: int, size: int, purpose: Purpose) -> Batch:
    """Draw the test or validation words of one length, a function of the task and the length.

    >>> from flann.tasks import get_task
    >>> draw_held_out_words(get_task("parity"), 4, 2, "test").tokens.shape
    (2, 4)
    """
    return task.sample(test_stream(task.name, length, purpose), size, length)


def pack_rows(tokens: NDArray[np.unsignedinteger]) -> NDArray[np.void]:
    """Return each row of tokens as one value, so that rows can be compared and sorted as a whole.

    >>> rows = pack_rows(np.array([[0, 1], [1, 1], [0, 1]], np.uint8))
    >>> bool(rows[0] == rows[2]), len(np.unique(rows))
    (True, 2)
    """
    whole = np.ascontiguousarray(tokens)
    return whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
