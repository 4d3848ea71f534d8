"""A mixture of experts: several feed-forward parts, a few of which process each symbol.

With E experts, of which the top k process a symbol::

    p = softmax(W_r x)                               `router`
    c = the k experts of largest p
    y = Σ_{e in c} p_e D_e (silu(G_e x) ⊙ U_e x)     `gate` holds the G_e, `into` U_e, `out` D_e

or, without gating, D_e φ(U_e x) with φ relu or gelu; there are no biases. A balance loss keeps all
experts in use. It is returned once after each forward pass in training (`Layer.auxiliary_loss`)::

    balance · E Σ_e f_e P_e          f_e: share of the choices that fell on e;  P_e: mean of p_e

and equals ``balance`` if all experts are used equally, and more otherwise.

The experts are computed as one wide feed-forward part whose hidden blocks are scaled by p, or by 0
where they are not chosen. This is E / k times the work, but no shape depends on the data, so that
the layer can be mapped over models and captured in a CUDA graph; for a few small experts it is also
faster. No symbol is ever dropped, so outputs depend neither on the batch nor on later symbols.

Shazeer et al. 2017, arXiv:1701.06538. Balance loss: Fedus, Zoph & Shazeer 2021, arXiv:2101.03961,
§2.2. Use beside Mamba and attention: Lieber et al. 2024, arXiv:2403.19887.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from flann.errors import UserError

from .feedforward import Activation, get_nonlinearity
from .layer import Stateless


@dataclass(frozen=True)
class Mixture:
    """The number of experts in a feed-forward part, and how they are used.

    Attributes
    ----------
    experts : int
        E; 0 if the feed-forward part is not a mixture.
    top_k : int
        k, the number of experts that each symbol uses.
    balance : float
        Weight of the balance loss.

    Examples
    --------
    >>> Mixture(4).build_layer(8, 16)
    Experts(...)
    """

    experts: int = 0
    top_k: int = 2
    balance: float = 0.01

    def check(self, name: str) -> None:
        """Refuse invalid values, in terms of the options of the architecture called `name`.

        Raises
        ------
        UserError
            For a single expert, a `top_k` out of range, a negative balance, or options of a mixture
            without experts.
        """
        if not self.experts:
            if self != NO_EXPERTS:
                raise UserError(
                    f"{name}: options 'top_k' and 'balance' are for a mixture: expected experts=2"
                    " or more with them"
                )
            return
        if not (self.experts >= 2 and 1 <= self.top_k <= self.experts):
            raise UserError(
                f"{name}: expected 2 experts or more and a top_k from 1 to their number, got"
                f" experts={self.experts},top_k={self.top_k}"
            )
        if not self.balance >= 0:
            raise UserError(f"{name}, option 'balance': expected 0 or more, got {self.balance}")

    def build_layer(self, width: int, inner: int, activation: Activation = "swiglu") -> Experts:
        """Build the mixture, with `inner` hidden units in each expert."""
        return Experts(
            width,
            inner,
            experts=self.experts,
            top_k=self.top_k,
            balance=self.balance,
            activation=activation,
        )


NO_EXPERTS = Mixture()


class Experts(Stateless):
    """A mixture of experts; with one expert, a plain feed-forward part.

    Parameters
    ----------
    width, inner : int
        Width of the stream, and of one expert's hidden layer.
    experts, top_k : int
        E and k.
    balance : float
        Weight of the balance loss.
    activation : Activation
        Activation of each expert: gated, or one nonlinearity between two matrices.

    Examples
    --------
    >>> part = Experts(4, 8, experts=3, top_k=2, balance=0.01)
    >>> part(torch.randn(2, 5, 4)).shape, bool(part.auxiliary_loss() > 0)
    (torch.Size([2, 5, 4]), True)
    >>> part.auxiliary_loss()  # the loss is returned once
    0.0
    """

    def __init__(
        self,
        width: int,
        inner: int,
        *,
        experts: int = 1,
        top_k: int = 1,
        balance: float = 0.0,
        activation: Activation = "swiglu",
    ) -> None:
        super().__init__()
        if not 1 <= top_k <= experts:
            raise UserError(f"experts: expected a top_k from 1 to {experts}, got {top_k}")
        self.inner, self.experts, self.top_k, self.balance = inner, experts, top_k, balance
        gated = activation == "swiglu"
        self.activation = functional.silu if gated else get_nonlinearity(activation)
        self.gate = nn.Linear(width, experts * inner, bias=False) if gated else None
        self.into = nn.Linear(width, experts * inner, bias=False)
        self.out = nn.Linear(experts * inner, width, bias=False)
        self.router = nn.Linear(width, experts, bias=False) if experts > 1 else None
        # Initialise every expert's output matrix as if the expert stood alone.
        nn.init.uniform_(self.out.weight, -(inner**-0.5), inner**-0.5)
        self.penalty: Tensor | float = 0.0

    @override
    def forward(
        self, x: Float[Tensor, "batch length width"]
    ) -> Float[Tensor, "batch length width"]:
        hidden = self.into(x)
        if self.gate is None:
            hidden = self.activation(hidden)
        else:
            hidden = self.activation(self.gate(x)) * hidden
        if self.router is not None:
            hidden = hidden.unflatten(-1, (self.experts, self.inner))
            hidden = (hidden * self._route(self.router(x))[..., None]).flatten(-2)
        y: Tensor = self.out(hidden)
        return y

    @override
    def auxiliary_loss(self) -> Tensor | float:
        """Return the balance loss of the last forward pass in training, and reset it."""
        penalty, self.penalty = self.penalty, 0.0
        return penalty

    def __getstate__(self) -> dict[str, Any]:
        # The penalty belongs to an autograd graph, which can be neither copied nor pickled.
        return {**self.__dict__, "penalty": 0.0}

    def _route(self, scores: Tensor) -> Tensor:
        """Return p at the chosen experts and 0 elsewhere, of shape (batch, length, experts)."""
        p = torch.softmax(scores, dim=-1)
        indices = p.topk(self.top_k, dim=-1).indices
        is_used = torch.zeros_like(p).scatter(-1, indices, 1.0)
        if self.training and self.balance:
            fraction, mean = is_used.mean((0, 1)) / self.top_k, p.mean((0, 1))
            self.penalty = self.balance * self.experts * (fraction * mean).sum()
        return p * is_used
