"""The sequence model common to all architectures: embedding, layers, norm, head.

::

    x_t      = E[token_t]                       embedding
    x        = layer(x)       for each layer    residual, normalised (`Residual`)
    logits_t = W norm(x_t) + b                  head

The model can be evaluated on whole words (`SequenceModel.forward`) and, if all of its layers can,
one symbol at a time (`SequenceModel.step`); see `flann.models.core.layer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from flann.errors import UserError

from .layer import SLOW_RATE, Layer, State
from .norms import NormKind, build_norm


@dataclass(frozen=True)
class Description:
    """The properties that a model declares.

    Attributes
    ----------
    name : str
        Canonical name, from which the same architecture can be built.
    family : str
        The family that theory speaks of: ``"lstm"``, ``"nonnegative-ssm"``, ``"transformer"``, ...
    causal : bool
        Whether every output is independent of later symbols.
    longest : int or None
        The length of the longest word that the model reads, or None if there is no limit.
    recipe : mapping
        Training settings that suit the model, such as ``{"lr": 0.003}``.
    sizes : mapping
        Width, second size, depth and number of parameters.
    """

    name: str
    family: str
    causal: bool = True
    longest: int | None = None
    recipe: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


class SequenceModel(nn.Module):
    """A sequence model, from tokens to the logits of all labels at every position.

    Parameters
    ----------
    symbols, labels : int
        Number of input symbols and of output labels.
    width : int
        Width of the residual stream.
    layers : sequence of Layer
        The layers between the embedding and the final norm.
    description : Description
        The properties that the model declares; its fields become attributes of the model.
    final_norm : bool
        Whether a norm is applied before the head.
    norm_kind : NormKind
        Which norm is applied.
    bos : bool
        Whether every word is preceded by a symbol of the model's own, whose output is dropped.

    Examples
    --------
    >>> from flann.models import build_model
    >>> model = build_model("gru", symbols=3, labels=5, depth=1, parameters=5_000)
    >>> model(torch.tensor([[0, 1, 2, 2]])).shape
    torch.Size([1, 4, 5])
    """

    def __init__(
        self,
        *,
        symbols: int,
        labels: int,
        width: int,
        layers: Sequence[Layer],
        description: Description,
        final_norm: bool = True,
        norm_kind: NormKind = "rms",
        bos: bool = False,
    ) -> None:
        super().__init__()
        self.symbols, self.labels, self.bos = symbols, labels, bos
        self.name, self.family = description.name, description.family
        self.causal, self.longest = description.causal, description.longest
        self.recipe, self.sizes = dict(description.recipe), dict(description.sizes)
        self.embedding = nn.Embedding(symbols + bos, width)
        self.layers = nn.ModuleList(layers)
        self.norm = build_norm(norm_kind, width) if final_norm else nn.Identity()
        self.head = nn.Linear(width, labels)
        self.has_step = self.causal and all(layer.has_step for layer in layers)
        self.sizes["parameters"] = sum(p.numel() for p in self.parameters())

    # -- all positions at once -----------------------------------------------------------------

    def forward(
        self, tokens: Integer[Tensor, "batch length"]
    ) -> Float[Tensor, "batch length labels"]:
        """Return the logits of all labels at every position.

        Raises
        ------
        UserError
            If the words are longer than the model can read.
        """
        self._check_length(tokens.shape[1])
        x = self._embed(self._with_bos(tokens))
        for layer in self.layers:
            x = layer(x)
        logits: Tensor = self.head(self.norm(x))
        return logits[:, 1:] if self.bos else logits

    # -- one position at a time ----------------------------------------------------------------

    def initial_state(self, batch_size: int) -> State:
        """Return the state before the first symbol of each of `batch_size` words."""
        self._check_step()
        state = (0, [layer.initial_state(batch_size) for layer in self._stack])
        if self.bos:
            first = self.head.weight.new_full((batch_size,), self.symbols, dtype=torch.long)
            _, (_, inner) = self._step(first, state)
            state = (0, inner)
        return state

    def step(
        self, tokens: Integer[Tensor, " batch"], state: State
    ) -> tuple[Float[Tensor, "batch labels"], State]:
        """Return the logits after one more symbol, and the next state; `state` is not modified."""
        self._check_step()
        self._check_length(state[0] + 1)
        return self._step(tokens, state)

    def state_size(self, length: int) -> int | None:
        """Return how many numbers the state of one word holds after `length` symbols.

        None means that the size is unknown, as for external models.
        """
        return sum(layer.state_size(length + self.bos) for layer in self._stack)

    @contextmanager
    def fix_length(self, length: int) -> Iterator[None]:
        """Return a context in which the model behaves as for words of `length` symbols.

        This fixes the number of loops of a model whose depth grows with the length, and randomised
        positions, so that the outputs on a prefix are the prefix of the outputs and the model can
        be evaluated step by step. Other models are not affected.
        """
        could_step = self.has_step
        try:
            for layer in self._stack:
                layer.set_length(length + self.bos)
            self.has_step = could_step or (self.causal and all(x.has_step for x in self._stack))
            yield
        finally:
            for layer in self._stack:
                layer.set_length(None)
            self.has_step = could_step

    # -- training ------------------------------------------------------------------------------

    def auxiliary_loss(self) -> Tensor | float:
        """Return the sum of the layers' own losses from the last forward pass."""
        return sum((layer.auxiliary_loss() for layer in self._stack), start=0.0)

    def parameter_groups(self, lr: float, weight_decay: float = 0.0) -> list[dict[str, Any]]:
        """Return an optimiser's parameter groups, by weight decay and learning rate.

        Matrices have weight decay; embeddings, norms, biases and state-space dynamics do not. The
        learning rate of state-space dynamics is at most `SLOW_RATE`.
        """
        decayed, undecayed, slow = [], [], []
        visited: set[Tensor] = set()  # several modules can share a parameter
        for module in self.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if parameter in visited:
                    continue
                visited.add(parameter)
                if name in getattr(module, "slow", ()):
                    slow.append(parameter)
                elif (
                    parameter.ndim < 2
                    or isinstance(module, nn.Embedding)
                    or name.startswith("bias")
                    or name in getattr(module, "undecayed", ())
                ):
                    undecayed.append(parameter)
                else:
                    decayed.append(parameter)
        groups = [
            {"params": decayed, "lr": lr, "weight_decay": weight_decay},
            {"params": undecayed, "lr": lr, "weight_decay": 0.0},
            {"params": slow, "lr": min(lr, SLOW_RATE), "weight_decay": 0.0},
        ]
        return [group for group in groups if group["params"]]

    # -- inside --------------------------------------------------------------------------------

    @property
    def _stack(self) -> list[Layer]:
        return list(self.layers)  # type: ignore[arg-type]  # a ModuleList does not know its type

    def _embed(self, tokens: Tensor) -> Tensor:
        # Tokens have the smallest sufficient integer type; torch indexes with int32 or int64.
        x: Tensor = self.embedding(tokens if tokens.dtype == torch.int32 else tokens.long())
        return x

    def _with_bos(self, tokens: Tensor) -> Tensor:
        if not self.bos:
            return tokens
        first = tokens.new_full((tokens.shape[0], 1), self.symbols, dtype=torch.long)
        return torch.cat([first, tokens.long()], dim=1)

    def _step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        position, states = state
        x, next_states = self._embed(tokens), []
        for layer, layer_state in zip(self._stack, states, strict=True):
            x, layer_state = layer.step(x, layer_state)
            next_states.append(layer_state)
        return self.head(self.norm(x)), (position + 1, next_states)

    def _check_length(self, length: int) -> None:
        if self.longest is not None and length > self.longest:
            raise UserError(
                f"{self.name} reads at most {self.longest} symbols, and no"
                f" longer word: got {length}"
            )

    def _check_step(self) -> None:
        if not self.has_step:
            raise UserError(
                f"{self.name} has no step form: its outputs depend on"
                f" {'the length of the word' if self.causal else 'later symbols'}"
            )
