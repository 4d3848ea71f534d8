"""The interface of a construction of exact weights."""

from __future__ import annotations

from typing import Protocol

from flann.errors import UserError
from flann.models.core.architecture import Architecture
from flann.models.core.sequence import SequenceModel

from .machines import Counter, MooreTable


class NoWitnessError(UserError):
    """No known construction applies to the language and the architecture."""


class Construction(Protocol):
    """A function that builds a model with exact weights for a language."""

    def __call__(
        self, architecture: Architecture, name: str, language: MooreTable | Counter, labels: int, /
    ) -> SequenceModel:
        """Build the model.

        Parameters
        ----------
        architecture : Architecture
            Architecture of the model.
        name : str
            Canonical name of the architecture.
        language : MooreTable or Counter
            Definition of the correct label at every position.
        labels : int
            Number of label ids of the model.

        Raises
        ------
        NoWitnessError
            If the construction does not apply, with the reason.
        """
        ...
