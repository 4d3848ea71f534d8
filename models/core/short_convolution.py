"""The short causal convolution before many recurrences, over whole words or step by step.

::

    y_t[c] = SiLU(b[c] + Σ_k w[c,0,k] x_{t-K+1+k}[c])         zeros before the first symbol

It makes the last few symbols available at each position. Over a whole word it is a scan of
`flann.models.scans`; step by step, the last K - 1 inputs are carried. The weights have the layout
of torch's grouped convolution.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flann.errors import UserError
from flann.models.scans import short_convolution


class ShortConvolution(nn.Module):
    """SiLU of a causal depthwise convolution that can continue from earlier inputs.

    Parameters
    ----------
    channels, taps : int
        Number of channels, and K.
    bias : bool
        Whether there is a bias b.

    Examples
    --------
    A word can be processed in parts, given the inputs just before each part:

    >>> convolve = ShortConvolution(2, taps=3)
    >>> x = torch.randn(1, 5, 2)
    >>> whole, _ = convolve(x)
    >>> _, recent = convolve(x[:, :4], convolve.initial_recent(1))
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
            if parameter is not None:  # as torch initialises its own
                nn.init.uniform_(parameter, -(taps**-0.5), taps**-0.5)

    def initial_recent(self, batch_size: int) -> Tensor:
        """Return the inputs before the first symbol: K - 1 zeros for every channel."""
        return self.weight.new_zeros(batch_size, self.taps - 1, len(self.weight))

    def forward(
        self,
        x: Float[Tensor, "batch length channels"],
        recent: Float[Tensor, "batch before channels"] | None = None,
    ) -> tuple[
        Float[Tensor, "batch length channels"], Float[Tensor, "batch before channels"] | None
    ]:
        """Return the convolution, and the last K - 1 inputs if `recent` is given.

        Parameters
        ----------
        x : tensor of shape (batch, length, channels)
            The inputs.
        recent : tensor of shape (batch, K - 1, channels), optional
            The inputs before `x`; if absent, `x` is a whole word.
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
