"""Causal convolution with a kernel as long as the word, one kernel for every channel.

::

    y_t[d] = Σ_{s ≤ t} k[d, t - s] x_s[d]

Words of up to `TOEPLITZ_LENGTH` symbols are multiplied by the Toeplitz matrix T[t, s] = k[t - s];
longer ones are convolved by FFT, zero-padded to twice their length against wrap-around.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

TOEPLITZ_LENGTH = 64


def convolve_causally(
    x: Float[Tensor, "batch length width"], kernel: Float[Tensor, "width length"]
) -> Float[Tensor, "batch length width"]:
    """Convolve every channel with its kernel.

    Examples
    --------
    >>> x = torch.tensor([[[1.0], [0.0], [2.0]]])
    >>> convolve_causally(x, torch.tensor([[1.0, 10.0, 100.0]])).flatten().tolist()
    [1.0, 10.0, 102.0]
    """
    convolve = convolve_by_toeplitz if x.shape[1] <= TOEPLITZ_LENGTH else convolve_by_fft
    return convolve(x, kernel)


def convolve_by_toeplitz(x: Tensor, kernel: Tensor) -> Tensor:
    """Convolve as a product with one (length, length) matrix for every channel."""
    length = x.shape[1]
    # Window t of the padded kernel is row t of the Toeplitz matrix, read from right to left.
    rows = functional.pad(kernel, (length - 1, 0)).unfold(1, length, 1)
    return torch.bmm(rows, x.flip(1).permute(2, 1, 0)).permute(2, 1, 0)


def convolve_by_fft(x: Tensor, kernel: Tensor) -> Tensor:
    """Convolve as a product of spectra."""
    length = x.shape[1]
    spectrum = torch.fft.rfft(x, 2 * length, dim=1) * torch.fft.rfft(kernel.T, 2 * length, dim=0)
    y: Tensor = torch.fft.irfft(spectrum, 2 * length, dim=1)
    return y[:, :length]
