"""The sequence model that every architecture is: embedding, layers, norm, head.

::

    x_t      = E[token_t]                       embedding
    x        = layer(x)       for each layer    residual, normalised (see `Residual`)
    logits_t = W norm(x_t) + b                  head

A layer is parallel (`Layer.forward`, all positions at once) and, where the architecture is a
recurrence, also sequential (`Layer.step`, one position, with the state that it carries). The two
compute the same function; a test holds every registered architecture to it.

Norm: RMSNorm, Zhang & Sennrich 2019, arXiv:1910.07467. Pre-norm: Xiong et al. 2020,
arXiv:2002.04745.
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
    """What a model says of itself.

    Attributes
    ----------
    name : str
        canonical: building it again gives the same architecture.
    family : str
        what theory speaks of: ``"lstm"``, ``"nonnegative-ssm"``, ``"transformer"``, ...
    causal : bool
        whether an output depends on no later symbol.
    longest : int or None
        the greatest length it can read, if there is one.
    recipe : mapping
        training settings that suit it: ``{"lr": 0.003}``.
    sizes : mapping
        width, second knob, depth, parameters.
    """

    name: str
    family: str
    causal: bool = True
    longest: int | None = None
    recipe: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


class SequenceModel(nn.Module):
    """A sequence architecture: tokens in, a score for every label at every position out.

    Parameters
    ----------
    symbols, labels : int
        how many token ids come in and how many label ids go out.
    width : int
        of the residual stream.
    layers : sequence of Layer
        what lies between the embedding and the last norm.
    description : Description
        what the model says of itself; its fields are attributes of the model.
    final_norm : bool
        whether a norm stands before the head.
    norm_kind : NormKind
        which norm it is.
    bos : bool
        whether a symbol of the model's own stands before every word; its output is dropped.

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
        """The logits of every label at every position.

        Raises
        ------
        UserError
            if the word is longer than the model can read.
        """
        self._check_length(tokens.shape[1])
        x = self._embed(self._with_bos(tokens))
        for layer in self.layers:
            x = layer(x)
        logits: Tensor = self.head(self.norm(x))
        return logits[:, 1:] if self.bos else logits

    # -- one position at a time ----------------------------------------------------------------

    def initial_state(self, batch_size: int) -> State:
        """What is carried before the first symbol of each of `batch_size` words."""
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
        """The logits after one more symbol, and what is carried on; `state` is left as it was."""
        self._check_step()
        self._check_length(state[0] + 1)
        return self._step(tokens, state)

    def state_size(self, length: int) -> int | None:
        """How many numbers are carried from step to step, per word, after `length` symbols.

        None where nobody can tell: of a model that is not flann's.
        """
        return sum(layer.state_size(length + self.bos) for layer in self._stack)

    @contextmanager
    def fix_length(self, length: int) -> Iterator[None]:
        """Within it, what depends on a word's length is as in a word of this length.

        So are the loops of a model whose depth grows with the length, and places that are drawn:
        outputs on a prefix are then the prefix of the outputs, and it can go step by step. Of other
        models nothing changes.
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
        """The layers' own losses from the last forward pass, added up."""
        return sum((layer.auxiliary_loss() for layer in self._stack), start=0.0)

    def parameter_groups(self, lr: float, weight_decay: float = 0.0) -> list[dict[str, Any]]:
        """Groups for an optimiser, by what weight decay and what rate each parameter bears.

        Matrices are decayed; embeddings, norms, biases and state-space dynamics are not. The
        dynamics of S4 and its kin learn at no more than `SLOW_RATE`.
        """
        decayed, undecayed, slow = [], [], []
        met: set[Tensor] = set()  # one parameter can be in several modules
        for module in self.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if parameter in met:
                    continue
                met.add(parameter)
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
        return list(self.layers)  # type: ignore[arg-type]  # a ModuleList forgets its type

    def _embed(self, tokens: Tensor) -> Tensor:
        # Data comes in the smallest integer type that holds it; torch indexes with int32 or int64.
        x: Tensor = self.embedding(tokens if tokens.dtype == torch.int32 else tokens.long())
        return x

    def _with_bos(self, tokens: Tensor) -> Tensor:
        if not self.bos:
            return tokens
        first = tokens.new_full((tokens.shape[0], 1), self.symbols, dtype=torch.long)
        return torch.cat([first, tokens.long()], dim=1)

    def _step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        place, states = state
        x, following = self._embed(tokens), []
        for layer, carried in zip(self._stack, states, strict=True):
            x, carried = layer.step(x, carried)
            following.append(carried)
        return self.head(self.norm(x)), (place + 1, following)

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
