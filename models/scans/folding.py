"""The vmap rule of the scans: the mapped dimension joins the batch.

The scans are parallel over the batch, so mapping one over several models is the same scan on a
batch that is that many times larger: no loop, and kernels written in place stay as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor


def fold(tensor: Tensor, dim: int | None, axis: int, size: int) -> Tensor:
    """Merge the mapped dimension, or `size` copies of the tensor, into the batch axis."""
    if dim is None:
        stacked = tensor.unsqueeze(axis).expand(*tensor.shape[:axis], size, *tensor.shape[axis:])
    else:
        stacked = torch.movedim(tensor, dim, axis)
    return stacked.flatten(axis, axis + 1)


def unfold(tensor: Tensor, axis: int, size: int) -> Tensor:
    """Take the mapped dimension out of the batch axis again, as axis 0."""
    return torch.movedim(tensor.unflatten(axis, (size, -1)), axis, 0)
