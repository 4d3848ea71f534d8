"""The short causal convolution that stands before many recurrences: K taps, every channel apart.

::

    y_t[c] = b[c] + Σ_k w[c,0,k] x_{t-K+1+k}[c]             zeros before the first symbol

It lets a symbol see the few before it. As a sum of K shifted products it trains two to seven
times as fast on a CPU as torch's grouped convolution, whose layout of weights it keeps.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flann.errors import UserError


class ShortConvolution(nn.Module):
    """A causal depthwise convolution that can go on from where it stopped.

    Parameters
    ----------
    channels, taps : int
        how many channels, and K.
    bias : bool
        whether there is a b.

    Examples
    --------
    Whole words and single steps are one function, which takes what came just before:

    >>> convolve = ShortConvolution(2, taps=3)
    >>> x = torch.randn(1, 5, 2)
    >>> whole, _ = convolve(x)
    >>> first, recent = convolve(x[:, :4])
    >>> last, _ = convolve(x[:, 4:], recent)
    >>> torch.allclose(torch.cat([first, last], 1), whole)
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

    def start(self, batch_size: int) -> Tensor:
        """What came before the first symbol: K - 1 zeros a channel."""
        return self.weight.new_zeros(batch_size, self.taps - 1, len(self.weight))

    def forward(
        self,
        x: Float[Tensor, "batch length channels"],
        recent: Float[Tensor, "batch before channels"] | None = None,
    ) -> tuple[Float[Tensor, "batch length channels"], Float[Tensor, "batch before channels"]]:
        """The convolution, and the K - 1 last inputs, with which it can go on."""
        window = torch.cat([self.start(len(x)) if recent is None else recent, x], dim=1)
        weight, length = self.weight[:, 0], x.shape[1]
        y = window[:, :length] * weight[:, 0]
        for k in range(1, self.taps):
            y = torch.addcmul(y, window[:, k : k + length], weight[:, k])
        if self.bias is not None:
            y = y + self.bias
        return y, window[:, length:]
