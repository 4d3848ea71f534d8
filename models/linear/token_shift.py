"""The token shift of RWKV: the stream mixed with the stream at the previous symbol.

With a trained share μ for each use of the mixed stream (keys, values, ...)::

    x'_t = μ ⊙ x_t + (1 - μ) ⊙ x_{t-1}                      `share` is μ; x_0 = 0

Peng et al. 2023, arXiv:2305.13048, §3.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override


def shift(
    x: Float[Tensor, "batch length width"], last: Float[Tensor, "batch width"] | None = None
) -> Float[Tensor, "batch length width"]:
    """Return x one position later, with `last` (zeros if None) at the first position.

    >>> shift(torch.tensor([[[1.0], [2.0], [3.0]]])).flatten().tolist()
    [0.0, 1.0, 2.0]
    """
    before = torch.zeros_like(x[:, 0]) if last is None else last
    return torch.cat([before[:, None], x[:, :-1]], dim=1)


class TokenShift(nn.Module):
    """The token shift, with one share μ for each of several uses.

    Parameters
    ----------
    width, uses : int
        Width of the stream and number of shares.
    layer, depth : int
        Index of the layer and number of layers; initially, deeper layers mix in less of the
        previous symbol.
    """

    undecayed = ("share",)

    def __init__(self, width: int, uses: int, layer: int, depth: int) -> None:
        super().__init__()
        shares = (torch.arange(width) / width) ** (1 - layer / depth)
        self.share = nn.Parameter(shares.repeat(uses, 1))

    @override
    def forward(self, x: Tensor, last: Tensor | None) -> list[Tensor]:
        """Return one mixed stream for each use.

        Parameters
        ----------
        x : Tensor of shape (batch, length, width)
        last : Tensor of shape (batch, width) or None
            Stream before the first position; None for zeros.
        """
        before = shift(x, last)
        return [torch.lerp(before, x, share) for share in self.share.unbind()]
