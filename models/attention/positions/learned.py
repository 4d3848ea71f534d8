"""Learned positions: x_t + P[t], with a trained table P."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from .added import AddedPositions


class Learned(AddedPositions):
    """A trained vector for each of `longest` positions, added to the stream."""

    undecayed = ("table",)

    def __init__(self, longest: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(longest, width))
        nn.init.normal_(self.table, std=0.02)

    @override
    def compute_vectors(self, first: int, last: int, like: Tensor) -> Tensor:
        return self.table[self.position_map.index(first, last, like.device)]
