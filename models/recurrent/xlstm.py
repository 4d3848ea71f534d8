"""What the two cells of the xLSTM share: exponential gates and maps by head.

The mLSTM (`flann.models.recurrent.mlstm`) and the sLSTM (`flann.models.recurrent.slstm`) keep a
cell c and a normaliser n, and output c / n. With gate pre-activations ĩ and f̃::

    i = exp(ĩ),    f = σ(f̃), or exp(f̃) with ``forget=exponential``
    c_t = f c_{t-1} + i (new content),    n_t = f n_{t-1} + i

A scale e^{-m} is factored out of c and n alike, so that no exponential overflows.

Beck et al. 2024, arXiv:2405.04517, §2.2-2.3 and the blocks of figures 10 and 11. The sigmoid as
default forget gate and the initial gate biases follow the authors' code.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.scans.slstm import Forget


class HeadwiseLinear(nn.Module):
    """A block-diagonal linear map, with one block for each head.

    Parameters
    ----------
    heads, size, out : int
        Number of blocks, and input and output channels of each.
    """

    def __init__(self, heads: int, size: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(heads, size, out))
        nn.init.uniform_(self.weight, -(size**-0.5), size**-0.5)

    @override
    def forward(
        self, x: Float[Tensor, "batch length channels"]
    ) -> Float[Tensor, "batch length heads out"]:
        return torch.einsum("bthi,hio->btho", x.unflatten(-1, (len(self.weight), -1)), self.weight)


def compute_log_forget(pre_activation: Tensor, forget: Forget) -> Tensor:
    """Return log f for the pre-activation f̃ of the forget gate."""
    return functional.logsigmoid(pre_activation) if forget == "sigmoid" else pre_activation
