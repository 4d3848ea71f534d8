"""Models that somebody else wrote, asked for as ``package.module:Name``.

Three kinds of things can stand there:

- an `Architecture`: one like flann's own, solved for a budget, with a family that theory knows;
- a constructor: anything callable that takes ``symbols`` and ``labels`` (and ``depth`` and
  ``parameters``, if it wants them) and returns a `torch.nn.Module` from token ids [words,
  positions] to logits [words, positions, labels], or to an object with `logits`: it is trained;
- a model as it stands, a module or any other callable from token ids to logits or label ids: it is
  measured, and not trained.

A model may say of itself ``causal`` (taken to be true), ``longest`` (any) and ``family``; theory is
silent about families that it does not know.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from jaxtyping import Integer
from torch import Tensor, nn
from typing_extensions import override

from flann.errors import UserError

from .architecture import Architecture, Sizes
from .layer import Layer
from .sequence import SequenceModel

TAKEN = ("symbols", "labels", "depth", "parameters")
SIGNATURE = (
    "expected a constructor (*, symbols: int, labels: int) of a torch.nn.Module, with depth or"
    " parameters too if it wants them, or a model that maps token ids [words, positions] to logits"
    " [words, positions, labels]"
)


class ExternalArchitecture(Architecture):
    """What makes a model of somebody else's, or is one.

    Parameters
    ----------
    name : str
        as it was typed.
    thing : callable
        what lies there.
    """

    family = "outside"

    def __init__(self, name: str, thing: Callable[..., Any]) -> None:
        self.name, self.thing = name, thing
        self.is_constructor = is_constructor(thing)
        steps = 4000 if self.is_constructor else 0
        self.recipe = MappingProxyType({"lr": 1e-3, "steps": steps})

    @override
    def build_layers(self, sizes: Sizes) -> list[Layer]:
        raise NotImplementedError

    def instantiate(
        self, *, symbols: int, labels: int, depth: int, parameters: int
    ) -> ExternalModel:
        """The model, with weights from torch's generator."""
        inner = self.thing
        if self.is_constructor:
            offered = dict(zip(TAKEN, (symbols, labels, depth, parameters), strict=True))
            wanted = inspect.signature(self.thing).parameters
            inner = self.thing(**{name: offered[name] for name in TAKEN if name in wanted})
            if not isinstance(inner, nn.Module):
                raise UserError(
                    f"{self.name!r} made a {type(inner).__name__}: expected a torch.nn.Module"
                )
        return ExternalModel(self, inner, symbols=symbols, labels=labels)


class ExternalModel(SequenceModel):
    """Somebody else's model as flann asks its own.

    Parameters
    ----------
    architecture : ExternalArchitecture
        where it comes from.
    inner : callable
        the model itself.
    symbols, labels : int
        how many token ids come in and label ids go out.
    """

    def __init__(
        self,
        architecture: ExternalArchitecture,
        inner: Callable[..., Any],
        *,
        symbols: int,
        labels: int,
    ) -> None:
        nn.Module.__init__(self)  # of a SequenceModel it has the face and not the parts
        self.inner = inner
        self.layers = nn.ModuleList()
        self.symbols, self.labels, self.bos = symbols, labels, False
        self.name, self.recipe = architecture.name, dict(architecture.recipe)
        self.trainable, self.has_step = architecture.is_constructor, False
        self.family: str = getattr(inner, "family", architecture.family)
        self.causal: bool = getattr(inner, "causal", True)
        self.longest: int | None = getattr(inner, "longest", None)
        self.sizes = {"parameters": sum(p.numel() for p in self.parameters())}

    @override
    def forward(self, tokens: Integer[Tensor, "batch length"]) -> Tensor:
        """What it returns; of a model that is trained, logits.

        Raises
        ------
        UserError
            if it fails on token ids, or is trained and returns no logits of this shape.
        """
        self._check_length(tokens.shape[1])
        try:
            output = self.inner(tokens)
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            raise UserError(
                f"{self.name!r} failed on token ids of shape {tuple(tokens.shape)}:"
                f" {type(error).__name__}: {error}"
            ) from error
        answer: Tensor = getattr(output, "logits", output)
        if self.trainable and getattr(answer, "shape", None) != (*tokens.shape, self.labels):
            got = getattr(answer, "shape", None)
            raise UserError(
                f"{self.name!r} returned {type(answer).__name__ if got is None else tuple(got)}:"
                f" expected logits of shape {(*tokens.shape, self.labels)}"
            )
        return answer

    @contextmanager
    @override
    def fix_length(self, length: int) -> Iterator[None]:
        yield

    @override
    def state_size(self, length: int) -> int | None:
        return None


def wrap_external(name: str, thing: Any) -> Architecture:
    """What lies at ``package.module:Name``, as an architecture.

    Raises
    ------
    UserError
        for what is no model and makes none.
    """
    if isinstance(thing, type) and issubclass(thing, Architecture):
        try:
            return thing()
        except TypeError as error:
            raise UserError(f"{name!r} is not a model: {error}") from error
    if isinstance(thing, Architecture):
        return thing
    if not callable(thing):
        raise UserError(f"{name!r} is a {type(thing).__name__}: {SIGNATURE}")
    if isinstance(thing, type) and not is_constructor(thing):
        raise UserError(f"{name!r} is a class made of {signature_of(thing)}: {SIGNATURE}")
    return ExternalArchitecture(name, thing)


def is_constructor(thing: Any) -> bool:
    """Whether it takes symbols and labels.

    >>> is_constructor(lambda tokens: tokens), is_constructor(lambda symbols, labels: None)
    (False, True)
    """
    try:
        return {"symbols", "labels"} <= inspect.signature(thing).parameters.keys()
    except (TypeError, ValueError):  # some builtins have none
        return False


def signature_of(thing: Any) -> str:
    """Its parameters' names."""
    try:
        return f"({', '.join(inspect.signature(thing).parameters)})"
    except (TypeError, ValueError):
        return "(...)"
