"""What the tests that write a layer's equations out by hand have in common."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flann.models.core.short_convolution import ShortConvolution

WIDTH, HEADS = 8, 2


def made(kind: Any, *arguments: Any, **options: Any) -> Any:
    """A layer whose every parameter is drawn, so that none hides by being zero or one."""
    torch.manual_seed(0)
    layer = kind(*arguments, **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return layer


def word(length: int = 9) -> Tensor:
    return torch.randn(length, WIDTH, generator=torch.Generator().manual_seed(1)).double()


def convolved(convolution: ShortConvolution, x: Tensor, t: int) -> Tensor:
    """SiLU of the convolution at t, tap by tap."""
    total = torch.zeros_like(x[0])
    for back in range(min(t + 1, convolution.taps)):
        total = total + convolution.weight[:, 0, convolution.taps - 1 - back] * x[t - back]
    if convolution.bias is not None:
        total = total + convolution.bias
    return total * torch.sigmoid(total)
