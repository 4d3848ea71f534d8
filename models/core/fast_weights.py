"""The base class of layers with an outer-product memory, also known as fast weights.

The state of every head is a matrix S (key x value) that each symbol updates once, or
`steps_per_symbol` times::

    S_t = diag(w_t) S_{t-1} - p_t (l_tᵀ S_{t-1}) + k_t v_tᵀ,       y_t = S_tᵀ q_t

Linear attention, the delta rules, Mamba-2, the mLSTM and RWKV-7 differ only in how q, k, v, w, l
and p (`Terms`) are computed from the stream, and how the output is computed from y (see
`flann.models.scans.fast_weights`, and Yang et al. 2024, arXiv:2412.06464, table 2).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from flann.errors import UserError
from flann.models.scans import linear_attention_scan, rank_one_scan

from .layer import Layer, State


class Terms(NamedTuple):
    """The inputs of the recurrence, each of shape (batch, steps, heads, key or value).

    Attributes
    ----------
    q, k, v : Tensor
        Queries, keys and values.
    decay : Tensor or None
        The decay w, whose last axis may have size 1; None means no decay.
    lookup_key, erase_key : Tensor or None
        The key l that is looked up and the key p at which the result is erased; None means that
        nothing is erased.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    decay: Tensor | None = None
    lookup_key: Tensor | None = None
    erase_key: Tensor | None = None


def scan(terms: Terms) -> Float[Tensor, "batch steps heads value"]:
    """Compute every y_t, starting from S_0 = 0."""
    if terms.lookup_key is None or terms.erase_key is None:
        return linear_attention_scan(*terms[:4])
    return rank_one_scan(*terms[:4], terms.lookup_key, terms.erase_key)


def advance(
    S: Float[Tensor, "batch heads key value"], terms: Terms
) -> tuple[Float[Tensor, "batch heads value"], Float[Tensor, "batch heads key value"]]:
    """Advance S by the steps in `terms`; return the last y and the last S.

    >>> import torch
    >>> one = torch.ones(1, 1, 1, 1)
    >>> y, S = advance(torch.full((1, 1, 1, 1), 5.0), Terms(one, one, 2 * one, 0.5 * one))
    >>> y.item(), S.item()
    (4.5, 4.5)
    """
    for t in range(terms.q.shape[1]):
        after = S if terms.decay is None else terms.decay[:, t, :, :, None] * S
        after = after + outer(terms.k[:, t], terms.v[:, t])
        if terms.lookup_key is not None and terms.erase_key is not None:
            after = after - outer(terms.erase_key[:, t], read(S, terms.lookup_key[:, t]))
        S = after
    return read(S, terms.q[:, -1]), S


def outer(key: Tensor, value: Tensor) -> Tensor:
    """Return key valueᵀ for every head."""
    return key[..., :, None] * value[..., None, :]


def read(S: Tensor, key: Tensor) -> Tensor:
    """Return Sᵀ key for every head."""
    return (key[..., None, :] @ S).squeeze(-2)


class FastWeights(Layer):
    """A layer with an outer-product memory.

    A subclass defines `compute_terms`, from the stream to the recurrence, and `compute_output`,
    from y to the stream. Both accept whole words and single symbols. Any further state, such as a
    convolution's window, is called `recent`; it is None before the first symbol of a whole word.

    Parameters
    ----------
    heads, key, value : int
        Number of heads, and the dimensions of each head's matrix.
    steps_per_symbol : int
        Number of steps of the recurrence for each symbol, of which the last gives the output.
    """

    def __init__(self, heads: int, key: int, value: int, *, steps_per_symbol: int = 1) -> None:
        super().__init__()
        self.heads, self.key, self.value = heads, key, value
        self.steps_per_symbol = steps_per_symbol

    def compute_terms(self, x: Tensor, recent: Any) -> tuple[Terms, Any, Any]:
        """Return the terms, what `compute_output` needs beside y, and the new `recent`."""
        raise NotImplementedError

    def compute_output(
        self, y: Float[Tensor, "batch length heads value"], beside: Any
    ) -> Float[Tensor, "batch length width"]:
        """Return the layer's output."""
        raise NotImplementedError

    def initial_recent(self, batch_size: int) -> Any:
        """Return `recent` before the first symbol."""
        return None

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        terms, beside, _ = self.compute_terms(x, None)
        last = slice(self.steps_per_symbol - 1, None, self.steps_per_symbol)
        return self.compute_output(scan(terms)[:, last], beside)

    @override
    def initial_state(self, batch_size: int) -> State:
        """Return the initial `recent` and matrices of zeros."""
        like = next(self.parameters())
        S = like.new_zeros(batch_size, self.heads, self.key, self.value)
        return self.initial_recent(batch_size), S

    @override
    def step(
        self, x: Float[Tensor, "batch width"], state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        recent, S = state
        terms, beside, recent = self.compute_terms(x.unsqueeze(1), recent)
        y, S = advance(S, terms)
        return self.compute_output(y.unsqueeze(1), beside).squeeze(1), (recent, S)

    @override
    def state_size(self, length: int) -> int:
        return self.heads * self.key * self.value + self.recent_size()

    def recent_size(self) -> int:
        """Return how many numbers `recent` holds for one word."""
        return 0

    def split_heads(
        self, x: Float[Tensor, "batch length joined"]
    ) -> Float[Tensor, "batch length heads each"]:
        """Split the channels among the heads."""
        parts: Tensor = x.unflatten(-1, (self.heads, -1))
        return parts


def check_heads(name: str, heads: int) -> int:
    """Return `heads` if it is positive.

    Raises
    ------
    UserError
        If it is not; the message names the model.
    """
    if heads < 1:
        raise UserError(f"{name}, option 'heads': expected 1 or more, got {heads}")
    return heads
