"""The root-mean-square norm, which precedes every layer.

::

    y = g ⊙ x / √(mean(x²) + ε)

It is no recurrence, but torch has no fused one for the CPU: a dozen passes over the stream, forward
and backward, cost a third of a small recurrent network's training step. Zhang & Sennrich 2019,
arXiv:1910.07467.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from .dispatch import find_operation, promote_to_state_type


def rms_norm(
    x: Float[Tensor, "batch length *heads width"], gain: Float[Tensor, " width"]
) -> Float[Tensor, "batch length *heads width"]:
    """Divide every position by its root mean square, and multiply it by the gains; ε is 1e-5.

    Examples
    --------
    >>> import torch
    >>> rms_norm(torch.tensor([[[3.0, -3.0]]]), torch.tensor([1.0, 2.0])).flatten().tolist()
    [0.9999..., -1.9999...]
    """
    lines, gain = promote_to_state_type(x.flatten(1, -2), gain[None])
    y: Tensor = find_operation("rms", x)(lines, gain)
    return y.view_as(x).to(x.dtype)
