"""Linear attention: with a kernel in place of the softmax, causal attention is a recurrence.

For every head, with queries q, keys k and values v::

    φ(u) = elu(u) + 1                                     positive features, so positive weights
    S_t  = S_{t-1} + φ(k_t) v_tᵀ,    z_t = z_{t-1} + φ(k_t)
    y_t  = W_o [ S_tᵀ φ(q_t) / z_tᵀ φ(q_t) ]

z is computed as an additional column of S, with all values 1. The memory does not decay, and the
state does not depend on the order of the symbols, as no position encodings are added. A layer is
attention followed by a feed-forward layer, each on the residual stream.

Katharopoulos, Vyas, Pappas & Fleuret 2020, arXiv:2006.16236, §3.3-3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.models.core.architecture import Sizes
from flann.models.core.fast_weights import FastWeights, Terms, check_heads
from flann.models.core.feedforward import FeedForward
from flann.models.core.layer import Layer
from flann.models.core.registry import register
from flann.models.core.residual_stack import ResidualStack


class LinearAttention(FastWeights):
    """Multi-head linear attention.

    Parameters
    ----------
    width, heads : int
        Width of the stream and number of heads that divide it.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(heads, width // heads, width // heads + 1)
        self.query = nn.Linear(width, width)
        self.keys = nn.Linear(width, width)
        self.values = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    @override
    def compute_terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        """Return the recurrence's terms: φ(q), φ(k), and v with a column of ones appended."""
        q, k = (functional.elu(self.split_heads(m(x))) + 1 for m in (self.query, self.keys))
        v = functional.pad(self.split_heads(self.values(x)), (0, 1), value=1.0)
        return Terms(q, k, v), None, None

    @override
    def compute_output(self, y: Tensor, beside: Any) -> Tensor:
        mixed: Tensor = self.out((y[..., :-1] / y[..., -1:]).flatten(2))
        return mixed


@register("linear-attention")
class LinearTransformer(ResidualStack):
    """Linear attention, kernel elu + 1, and feed-forward (Katharopoulos et al. 2020).

    Parameters
    ----------
    heads : int
        Number of heads of a layer.
    """

    family = "linear-attention"
    second_size_name = "feedforward"
    recipe = MappingProxyType({"lr": 3e-3, "steps": 4000})

    def __init__(self, *, heads: int = 4) -> None:
        self.heads = self.width_step = check_heads("linear-attention", heads)

    @override
    def default_second_size(self, width: int) -> int:
        """Return four times the width of the stream."""
        return 4 * width

    @override
    def build_mixers(self, sizes: Sizes, index: int) -> Sequence[Layer]:
        return [
            LinearAttention(sizes.width, self.heads),
            FeedForward(sizes.width, sizes.second_size, "gelu"),
        ]
