"""The short causal convolution that stands before many recurrences, as a module that can go on.

::

    y_t[c] = SiLU(b[c] + Σ_k w[c,0,k] x_{t-K+1+k}[c])         zeros before the first symbol

It lets a symbol see the few before it. Over a whole word it is a scan of `flann.models.scans`;
at single symbols the K - 1 inputs before are carried. The weights have the layout of torch's
grouped convolution.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flann.errors import UserError
from flann.models.scans import short_convolution


class ShortConvolution(nn.Module):
    """SiLU of a causal depthwise convolution that can go on from where it stopped.

    Parameters
    ----------
    channels, taps : int
        how many channels, and K.
    bias : bool
        whether there is a b.

    Examples
    --------
    Whole words and single symbols are one function, which takes what came just before:

    >>> convolve = ShortConvolution(2, taps=3)
    >>> x = torch.randn(1, 5, 2)
    >>> whole, _ = convolve(x)
    >>> _, recent = convolve(x[:, :4], convolve.start(1))
    >>> last, _ = convolve(x[:, 4:], recent)
    >>> torch.allclose(last, whole[:, 4:])
    True
    """

    def __init__(self, channels: int, taps: int, *, bias: bool = False) -> None:
        super().__init__()
        if taps < 1:
            raise UserError(f"option 'taps': expected 1 or more, got {taps}")
        self.taps = taps
        self.weight = nn.Parameter(torch.empty(channels, 1, taps))
        self.bias = nn.Parameter(torch.empty(channels)) if bias else None
        for parameter in (self.weight, self.bias):
            if parameter is not None:  # as torch's own begins
                nn.init.uniform_(parameter, -(taps**-0.5), taps**-0.5)

    def initial_recent(self, batch_size: int) -> Tensor:
        """What came before the first symbol: K - 1 zeros a channel."""
        return self.weight.new_zeros(batch_size, self.taps - 1, len(self.weight))

    def forward(
        self,
        x: Float[Tensor, "batch length channels"],
        recent: Float[Tensor, "batch before channels"] | None = None,
    ) -> tuple[
        Float[Tensor, "batch length channels"], Float[Tensor, "batch before channels"] | None
    ]:
        """The convolution, and the K - 1 last inputs if those before are given.

        Parameters
        ----------
        x : tensor of shape (batch, length, channels)
        recent : tensor of shape (batch, K - 1, channels), optional
            the inputs before; not given, `x` is a whole word, with which it ends.
        """
        weight = self.weight[:, 0]
        if recent is None:
            bias = torch.zeros_like(weight[:, 0]) if self.bias is None else self.bias
            return short_convolution(x, weight, bias), None
        window, length = torch.cat([recent, x], dim=1), x.shape[1]
        y = window[:, :length] * weight[:, 0]
        for k in range(1, self.taps):
            y = torch.addcmul(y, window[:, k : k + length], weight[:, k])
        return functional.silu(y if self.bias is None else y + self.bias), window[:, length:]
