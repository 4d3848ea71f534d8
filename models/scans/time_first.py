"""Tensors with the batch first in shape and time first in memory, so that a step is contiguous."""

from __future__ import annotations

from torch import Tensor


def allocate_time_first(like: Tensor, batch: int, length: int, *rest: int) -> Tensor:
    """Allocate an empty (batch, length, ...) tensor of the type and device of `like`.

    >>> import torch
    >>> allocate_time_first(torch.ones(1), 2, 3, 4).stride()
    (4, 8, 1)
    """
    return like.new_empty(length, batch, *rest).transpose(0, 1)
