"""A mixture of experts: several feed-forward parts, of which each symbol uses a few.

With E experts, of which k are chosen for each symbol::

    p = softmax(W_r x)                               `router`
    c = the k experts of greatest p
    y = Σ_{e in c} p_e D_e (silu(G_e x) ⊙ U_e x)     `gate` holds the G_e, `into` U_e, `out` D_e

or, of experts that are not gated, D_e φ(U_e x) with φ relu or gelu; none has biases. And, so that
no expert is left without work, a loss of its own, handed over once after a forward pass in training
(`Layer.auxiliary_loss`)::

    balance · E Σ_e f_e P_e          f_e: share of the choices that fell on e;  P_e: mean of p_e

which is ``balance`` where all are used alike, and more otherwise. The experts are computed as one
wide feed-forward part whose hidden blocks are scaled by p, or by 0 where they are not chosen: E / k
times the work, and no shape that depends on the data, so that it can be mapped over models and
captured in a CUDA graph; at the few small experts of these models that is also the faster way. No
symbol is ever dropped, so outputs depend neither on the batch nor on what comes later.

Shazeer et al. 2017, arXiv:1701.06538. The balance loss: Fedus, Zoph & Shazeer 2021,
arXiv:2101.03961, §2.2. Its use beside Mamba and attention: Lieber et al. 2024, arXiv:2403.19887.
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

from .feedforward import Activation, nonlinearity
from .layer import Stateless


@dataclass(frozen=True)
class Mixture:
    """How many experts a feed-forward part has, and how they are used.

    Attributes
    ----------
    experts : int
        E; 0 where a feed-forward part is no mixture.
    chosen : int
        k, how many of them a symbol uses.
    balance : float
        weight of the balance loss.

    Examples
    --------
    >>> Mixture(4).layer(8, 16)
    Experts(...)
    """

    experts: int = 0
    chosen: int = 2
    balance: float = 0.01

    def check(self, name: str) -> None:
        """Refuse what is no mixture, in the words of the architecture's options.

        Raises
        ------
        UserError
            for fewer than two experts, more chosen than there are, a negative balance, or a choice
            among no experts.
        """
        if not self.experts:
            if self != NO_EXPERTS:
                raise UserError(
                    f"{name}: options 'chosen' and 'balance' are for a mixture: expected experts=2"
                    " or more with them"
                )
            return
        if not (self.experts >= 2 and 1 <= self.chosen <= self.experts):
            raise UserError(
                f"{name}: expected 2 experts or more, of which 1 or more are chosen, got"
                f" experts={self.experts},chosen={self.chosen}"
            )
        if not self.balance >= 0:
            raise UserError(f"{name}, option 'balance': expected 0 or more, got {self.balance}")

    def layer(self, width: int, inner: int, activation: Activation = "swiglu") -> Experts:
        """The mixture, `inner` wide in each expert."""
        return Experts(
            width,
            inner,
            experts=self.experts,
            chosen=self.chosen,
            balance=self.balance,
            activation=activation,
        )


NO_EXPERTS = Mixture()


class Experts(Stateless):
    """A mixture of experts; with one, a plain feed-forward part.

    Parameters
    ----------
    width, inner : int
        of the stream, and of one expert's hidden layer.
    experts, chosen : int
        E and k.
    balance : float
        weight of the balance loss.
    activation : Activation
        of each expert: gated, or one nonlinearity between two matrices.

    Examples
    --------
    >>> part = Experts(4, 8, experts=3, chosen=2, balance=0.01)
    >>> part(torch.randn(2, 5, 4)).shape, bool(part.auxiliary_loss() > 0)
    (torch.Size([2, 5, 4]), True)
    >>> part.auxiliary_loss()  # handed over once
    0.0
    """

    def __init__(
        self,
        width: int,
        inner: int,
        *,
        experts: int = 1,
        chosen: int = 1,
        balance: float = 0.0,
        activation: Activation = "swiglu",
    ) -> None:
        super().__init__()
        if not 1 <= chosen <= experts:
            raise UserError(f"experts: expected 1 to {experts} chosen of {experts}, got {chosen}")
        self.inner, self.experts, self.chosen, self.balance = inner, experts, chosen, balance
        gated = activation == "swiglu"
        self.activation = functional.silu if gated else nonlinearity(activation)
        self.gate = nn.Linear(width, experts * inner, bias=False) if gated else None
        self.into = nn.Linear(width, experts * inner, bias=False)
        self.out = nn.Linear(experts * inner, width, bias=False)
        self.router = nn.Linear(width, experts, bias=False) if experts > 1 else None
        nn.init.uniform_(self.out.weight, -(inner**-0.5), inner**-0.5)  # each as if alone
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
            hidden = (hidden * self._shares(self.router(x))[..., None]).flatten(-2)
        y: Tensor = self.out(hidden)
        return y

    @override
    def auxiliary_loss(self) -> Tensor | float:
        penalty, self.penalty = self.penalty, 0.0
        return penalty

    def __getstate__(self) -> dict[str, Any]:
        # The penalty belongs to a graph of operations, which can be neither copied nor pickled.
        return {**self.__dict__, "penalty": 0.0}

    def _shares(self, scores: Tensor) -> Tensor:
        """p of those that are chosen, 0 of the others: (batch, length, experts)."""
        p = torch.softmax(scores, dim=-1)
        places = p.topk(self.chosen, dim=-1).indices
        used = torch.zeros_like(p).scatter(-1, places, 1.0)
        if self.training and self.balance:
            fraction, mean = used.mean((0, 1)) / self.chosen, p.mean((0, 1))
            self.penalty = self.balance * self.experts * (fraction * mean).sum()
        return p * used
