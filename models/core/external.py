"""External models: models written by users, named as ``package.module:Name``.

The name can refer to

- an `Architecture`, treated like flann's own: its sizes are solved for a budget, and it declares a
  family that theory speaks of;
- a constructor: a callable with parameters ``symbols`` and ``labels`` (and optionally ``depth`` and
  ``parameters``) that returns a `torch.nn.Module` from token ids [words, positions] to logits
  [words, positions, labels], or to an object with an attribute `logits`. The model is trained;
- a finished model: a module or any other callable from token ids to logits or label ids. It is
  evaluated but not trained.

A model may have attributes ``causal`` (True if absent), ``longest`` (no limit if absent) and
``family``; theory makes no statement about families that it does not know.
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

OFFERED = ("symbols", "labels", "depth", "parameters")
SIGNATURE = (
    "expected a constructor (*, symbols: int, labels: int) of a torch.nn.Module, with depth or"
    " parameters too if it wants them, or a model that maps token ids [words, positions] to logits"
    " [words, positions, labels]"
)


class ExternalArchitecture(Architecture):
    """An external model, or a constructor of one.

    Parameters
    ----------
    name : str
        The name as the user typed it.
    thing : callable
        The object that the name refers to.
    """

    family = "outside"

    def __init__(self, name: str, thing: Callable[..., Any]) -> None:
        self.name, self.thing = name, thing
        self.is_constructor = is_constructor(thing)
        steps = 4000 if self.is_constructor else 0
        self.recipe = MappingProxyType({"lr": 1e-3, "steps": steps})

    @override
    def build_layers(self, sizes: Sizes) -> list[Layer]:
        raise NotImplementedError  # its layers are unknown: see `instantiate`

    def instantiate(
        self, *, symbols: int, labels: int, depth: int, parameters: int
    ) -> ExternalModel:
        """Construct the model if need be, with weights from torch's global generator.

        Raises
        ------
        UserError
            If a constructor returns anything but a module.
        """
        inner = self.thing
        if self.is_constructor:
            offered = dict(zip(OFFERED, (symbols, labels, depth, parameters), strict=True))
            accepted = inspect.signature(self.thing).parameters
            inner = self.thing(**{name: offered[name] for name in OFFERED if name in accepted})
            if not isinstance(inner, nn.Module):
                raise UserError(
                    f"{self.name!r} made a {type(inner).__name__}: expected a torch.nn.Module"
                )
        return ExternalModel(self, inner, symbols=symbols, labels=labels)


class ExternalModel(SequenceModel):
    """An external model behind the interface of `SequenceModel`, without its layers.

    Parameters
    ----------
    architecture : ExternalArchitecture
        The origin of the model.
    inner : callable
        The model itself.
    symbols, labels : int
        Number of input symbols and of output labels.
    """

    def __init__(
        self,
        architecture: ExternalArchitecture,
        inner: Callable[..., Any],
        *,
        symbols: int,
        labels: int,
    ) -> None:
        nn.Module.__init__(self)  # not SequenceModel's, which would build an embedding and a head
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
        """Return the model's output, which is logits if the model is trained.

        Raises
        ------
        UserError
            If the model fails on token ids, or is trained and returns no logits of the right shape.
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

    @override
    @contextmanager
    def fix_length(self, length: int) -> Iterator[None]:
        """Do nothing: an external model is not known to depend on the length of the word."""
        yield

    @override
    def state_size(self, length: int) -> int | None:
        """Return None: the state of an external model is unknown."""
        return None


def wrap_external(name: str, thing: Any) -> Architecture:
    """Wrap the object that ``package.module:Name`` refers to as an architecture.

    Raises
    ------
    UserError
        If the object is neither a model nor a constructor of one.
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
        raise UserError(f"{name!r} is a class made of {format_signature(thing)}: {SIGNATURE}")
    return ExternalArchitecture(name, thing)


def is_constructor(thing: Any) -> bool:
    """Return whether a callable has parameters ``symbols`` and ``labels``.

    >>> is_constructor(lambda tokens: tokens), is_constructor(lambda symbols, labels: None)
    (False, True)
    """
    try:
        return {"symbols", "labels"} <= inspect.signature(thing).parameters.keys()
    except (TypeError, ValueError):  # some builtins have no signature
        return False


def format_signature(thing: Any) -> str:
    """Return the names of a callable's parameters as text."""
    try:
        return f"({', '.join(inspect.signature(thing).parameters)})"
    except (TypeError, ValueError):
        return "(...)"
