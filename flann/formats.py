"""How a task is put to a model: what stands between a batch of words and a batch of tokens.

A format encodes a batch, says how many symbols and labels the model then needs, and so leaves
both tasks and models unaware of it. There is one so far:

``direct``  the word goes in as it is, a label per position comes out.
"""

from __future__ import annotations

from typing import Protocol

from flann.tasks import Batch, Task

from .errors import unknown


class Format(Protocol):
    """What a format does; see the module's text."""

    def symbols(self, task: Task) -> int:
        """How many input symbols the model must know."""
        ...

    def labels(self, task: Task) -> int:
        """How many labels the model must tell apart."""
        ...

    def encode(self, batch: Batch) -> Batch:
        """The task's batch as the model sees it."""
        ...


class Direct:
    """The word as it is."""

    def symbols(self, task: Task) -> int:
        """The task's own symbols."""
        return len(task.symbols)

    def labels(self, task: Task) -> int:
        """The task's own labels."""
        return len(task.labels)

    def encode(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch


FORMATS: dict[str, type[Format]] = {"direct": Direct}


def get_format(name: str) -> Format:
    """The format of this name.

    >>> type(get_format("direct")).__name__
    'Direct'
    """
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    return FORMATS[name]()
