"""The direct format: the word goes in as it is, and a label comes out at every position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from flann.tasks import Batch

from .format import Format, Ids, Predictor


class Direct(Format):
    """The word as it is."""

    name = "direct"

    @override
    def encode(self, batch: Batch) -> Batch:
        return batch

    @override
    def predict(self, predictor: Predictor, tokens: Ids) -> NDArray[np.int64]:
        return predictor.predict(tokens, self.labels)
