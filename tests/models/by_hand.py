"""Helpers of the tests that write out a layer's equations by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flann.models.core.short_convolution import ShortConvolution

WIDTH, HEADS = 8, 2


def build_random(kind: Any, *arguments: Any, **options: Any) -> Any:
    """Build a layer with random parameters, none of which has no effect by being zero or one."""
    torch.manual_seed(0)
    layer = kind(*arguments, **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return layer


def make_word(length: int = 9) -> Tensor:
    return torch.randn(length, WIDTH, generator=torch.Generator().manual_seed(1)).double()


def convolve_at(convolution: ShortConvolution, x: Tensor, t: int) -> Tensor:
    """Return the SiLU of the convolution at t, tap by tap."""
    total = torch.zeros_like(x[0])
    for back in range(min(t + 1, convolution.taps)):
        total = total + convolution.weight[:, 0, convolution.taps - 1 - back] * x[t - back]
    if convolution.bias is not None:
        total = total + convolution.bias
    return total * torch.sigmoid(total)
