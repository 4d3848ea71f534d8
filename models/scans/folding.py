"""Autograd functions whose vmap rule lets the mapped dimension join the batch.

The scans are parallel over the batch, so mapping one over several models is the same scan on a
batch that is that many times larger: no loop, and kernels written in place stay as they are.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.autograd import Function


class FoldedFunction(Function):
    """A function of tensors with a batch axis each, mapped by folding into that axis.

    A subclass says which axis is the batch of each tensor argument, in order (`fold_axes`; the
    arguments after these are not tensors) and of each result (`out_axes`).
    """

    fold_axes: ClassVar[tuple[int, ...]]
    out_axes: ClassVar[tuple[int, ...]]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Nothing is kept: the function is not differentiated again."""

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Refuses: the backward passes have no derivative of their own."""
        raise NotImplementedError("the scans can be differentiated once, not twice")

    @classmethod
    def run(cls, *arguments: Any) -> Any:
        """`apply`, which torch leaves untyped."""
        return cls.apply(*arguments)  # type: ignore[no-untyped-call]

    @classmethod
    def vmap(cls, info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> Any:
        """Fold, apply, unfold."""
        size, folded = info.batch_size, []
        for place, (argument, dim) in enumerate(zip(arguments, in_dims, strict=True)):
            if place < len(cls.fold_axes):
                argument = fold(argument, dim, cls.fold_axes[place], size)
            folded.append(argument)
        found = cls.run(*folded)
        if isinstance(found, Tensor):
            return unfold(found, cls.out_axes[0], size), 0
        unfolded = tuple(unfold(t, a, size) for t, a in zip(found, cls.out_axes, strict=True))
        return unfolded, (0,) * len(unfolded)


def fold(tensor: Tensor, dim: int | None, axis: int, size: int) -> Tensor:
    """The mapped dimension (or `size` copies of the tensor) merged in front of the batch axis."""
    if dim is None:
        stacked = tensor.unsqueeze(axis).expand(*tensor.shape[:axis], size, *tensor.shape[axis:])
    else:
        stacked = torch.movedim(tensor, dim, axis)
    return stacked.flatten(axis, axis + 1)


def unfold(tensor: Tensor, axis: int, size: int) -> Tensor:
    """The mapped dimension taken out of the batch axis again, as axis 0."""
    return torch.movedim(tensor.unflatten(axis, (size, -1)), axis, 0)
